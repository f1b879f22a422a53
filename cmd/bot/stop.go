package main

import (
	"context"
	"time"

	"github.com/org/openclaw-litellm-action/internal/netx"
	"github.com/org/openclaw-litellm-action/settings"
)

// How long a run lasts at most when outside systems do not answer.
//
// LiteLLM, GitHub and Slack all accept every request and answer none, and fall silent at the worst moment, each in the middle
// of a rotation after the run has used up its time for reading. Side by side:
//
//	120 s  reading (readingTime), of which LiteLLM takes 2 × 30 s and a probe of 5 s, GitHub 2 × 20 s and a probe
//	 66 s  the step under way at LiteLLM, with its repetition and the probe; after that everything there fails at once
//	 47 s  the secret under way at GitHub, in the same way
//	120 s  waiting for another run on the same state file to finish reporting (report.Telling)
//	 30 s  GitHub: looking for the issue; then at once
//	 30 s  LiteLLM's journal; then at once. Or the state file: 5 s for each of four times that it may be locked
//	 10 s  Slack: one message; then at once
//	 10 s  the heartbeat
//
// That is seven and a quarter minutes, and two and a half if they are silent from the start. The job of the README ends after
// fifteen.
//
// How long a run lasts after the first signal, whatever does not answer: GitHub cancels a job with SIGINT, after 7.5 s with
// SIGTERM, which ends the program at once like every second signal, and after another 2.5 s with SIGKILL.
const (
	// placeGrace is how long a target may still be written after the signal, so that a second is left to record where the
	// key is.
	placeGrace = 2500 * time.Millisecond
	// stepGrace is how long the step in hand may go on; after it the claim is released, within a second.
	stepGrace = 3500 * time.Millisecond
	// tellGrace is until when people are told, and pingGrace until when the heartbeat is.
	tellGrace = 6 * time.Second
	pingGrace = 7 * time.Second
	// stopWithin is when the program ends, whatever it waits for.
	stopWithin = 9 * time.Second
)

// readingTime is how long a run waits for what it reads: two minutes, and longer for what takes more requests than that is
// enough for on a slow proxy: a fleet of hundreds, and a report of a period.
func readingTime(s *settings.Settings) time.Duration {
	const most = 8 * time.Minute
	least, each := 2*time.Minute, 250*time.Millisecond
	if s.Command == settings.CommandReport {
		least, each = 5*time.Minute, time.Second
	}
	keys := 0
	for _, k := range s.Keys {
		keys++
		if k.ForEach != nil {
			keys += k.ForEach.Max
		}
	}
	return min(max(least, time.Duration(keys)*each), most)
}

// begun returns ctx for one run of the program, which has time for reading and ends when the program is told to stop.
func (b *bot) begun(ctx context.Context) context.Context {
	return netx.With(ctx, &netx.Run{Stop: b.stop, Reading: readingTime(b.set), Now: b.now})
}

// systems are the outside systems as one run knows them.
type systems struct{ litellm, github, slack, heartbeat *netx.System }

func newSystems() systems {
	return systems{
		litellm: &netx.System{Name: "the proxy"}, github: &netx.System{Name: "GitHub"}, slack: &netx.System{Name: "Slack"},
		heartbeat: &netx.System{Name: "the heartbeat's service"},
	}
}

// phases are the contexts of one run's parts, by how long each may go on after the signal.
type phases struct {
	work, telling, pinging context.Context
}

// phases returns them, and what releases them.
func (b *bot) phases(ctx context.Context) (phases, func()) {
	work, endWork := netx.Grace(ctx, stepGrace)
	telling, endTelling := netx.Grace(ctx, tellGrace)
	pinging, endPinging := netx.Grace(ctx, pingGrace)
	return phases{netx.Planning(work), telling, pinging}, func() {
		endWork()
		endTelling()
		endPinging()
	}
}
