package rotate

import (
	"fmt"
	"time"

	"github.com/org/openclaw-litellm-action/finding"
)

// RuleClocks is a clock of the proxy's that is absurdly far from ours.
const RuleClocks = "clocks-differ"

// clock relates the proxy's clock to ours. Both can be set, and a monotonic clock stands still while the machine sleeps. So
// the time that has passed is the larger of the monotonic and the wall clock's difference: a claim never seems to last
// longer than it does, and what the journal says never lies before what happened.
type clock struct {
	proxy time.Time // the proxy's time of the last reading, UTC
	ours  time.Time // ours at that moment, with its monotonic part if the caller's Now has one
}

// since returns how much time has passed since the reading.
func (c clock) since(now time.Time) time.Duration {
	wall := now.Round(0).Sub(c.ours.Round(0))
	return max(0, wall, now.Sub(c.ours)) // the second is monotonic where it can be
}

// at returns the proxy's time when ours is now.
func (c clock) at(now time.Time) time.Time { return c.proxy.Add(c.since(now)).UTC() }

// earlier and later return one of two times; a zero time is none.
func earlier(a, b time.Time) time.Time {
	if b.IsZero() || (!a.IsZero() && a.Before(b)) {
		return a
	}
	return b
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// absurd is how far the proxy's clock may be from ours before it is not believed any more. The proxy's is the protocol's
// clock, and a machine's may be far off; but a year that is wrong must end no grace.
const absurd = 90 * 24 * time.Hour

// past is the time by which a grace, and what follows from it, may be over. A clock that jumps in the middle of a run, or
// that is absurd, can make a grace longer, never shorter.
func (r Reading) past() time.Time {
	if r.Now.Sub(r.Clock) > absurd {
		return earlier(r.Now, earlier(r.Expected, r.Clock))
	}
	return earlier(r.Now, r.Expected)
}

// latest is the time to begin a grace with, or what counts on it.
func (r Reading) latest() time.Time { return later(r.Now, r.Expected) }

// latestNow is the proxy's time now for what a grace counts from: the latest of asOf, which an answer just told, and of what
// the first and the last reading told, each carried on by our clock; and ours where the proxy's is absurdly far behind.
func (r *Runner) latestNow(asOf time.Time) time.Time {
	now := r.Now()
	at := later(asOf, later(r.clock.at(now), r.first.at(now)))
	if now.Sub(at) > absurd {
		at = now
	}
	return at.UTC().Round(0)
}

// checkClocks reports a clock that is absurd.
func (plan *Plan) checkClocks(r Reading) {
	ahead, word := r.Now.Sub(r.Clock), "behind"
	if ahead < 0 {
		ahead, word = -ahead, "ahead of"
	}
	if r.Holder == nil || r.Clock.IsZero() || ahead <= absurd {
		return
	}
	plan.Findings = append(plan.Findings, finding.Finding{
		Rule: RuleClocks, Severity: finding.Warning, Subject: finding.Subject{Kind: "tool", Name: "clock"},
		Summary: fmt.Sprintf("this machine's clock is %s %s the proxy's", age(ahead), word),
		Advice:  "Set both by NTP; until then an old generation can work longer than its grace period, never shorter.",
		Source:  "the Date of GET /user/info",
	})
}
