package rotate

import (
	"fmt"
	"time"

	"github.com/org/openclaw-litellm-action/finding"
)

// RuleClocks is a clock of the proxy's that differs from ours by more than claims allow for.
const RuleClocks = "clocks-differ"

// clock relates the proxy's clock to ours. Both can be set, and ours stands still while the machine sleeps, so time that
// has passed is the larger of the monotonic and the wall clock's difference: a claim never seems to last longer than it
// does, and what the journal says never lies before what happened.
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

// past is the time by which a grace, and what follows from it, may be over: the earlier of the proxy's clock and ours. A
// clock that is wrong can make a grace longer, never shorter.
func (r Reading) past() time.Time { return earlier(r.Now, r.Clock) }

// latest is the time to begin a grace with: the later of both clocks.
func (r Reading) latest() time.Time { return later(r.Now, r.Clock) }

// checkClocks reports clocks that differ: old generations then work longer than their grace.
func (plan *Plan) checkClocks(r Reading) {
	ahead, word := r.Now.Sub(r.Clock), "behind"
	if ahead < 0 {
		ahead, word = -ahead, "ahead of"
	}
	if r.Holder == nil || r.Clock.IsZero() || ahead <= clockSkew {
		return
	}
	plan.Findings = append(plan.Findings, finding.Finding{
		Rule: RuleClocks, Severity: finding.Warning, Subject: finding.Subject{Kind: "tool", Name: "clock"},
		Summary: fmt.Sprintf("this machine's clock is %s %s the proxy's", age(ahead), word),
		Advice:  "Set both by NTP; until then an old generation can work longer than its grace period, never shorter.",
		Source:  "the Date of GET /user/info",
	})
}
