package budget

import (
	"fmt"
	"time"

	"github.com/org/openclaw-litellm-action/finding"
)

// unusable judges whether agents can use the generation that they are to use.
func unusable(f Facts, _ Policy, now time.Time) []finding.Finding {
	current, ok := f.current()
	if !ok {
		return nil
	}
	out := about(f, RuleUnusable, finding.Critical)
	out.Window = ""
	switch {
	case current.Blocked:
		out.Summary = fmt.Sprintf("the current key of %s is blocked: its agents are refused", f.Key)
		out.Cause = "somebody blocked it in LiteLLM; rotation blocks only what it has replaced"
		out.Advice = "Rotate it if it leaked (bot rotate --compromised), or else unblock it in LiteLLM."
	case !current.Expires.IsZero() && !current.Expires.After(now):
		out.Summary = fmt.Sprintf("the current key of %s has expired: its agents are refused", f.Key)
		out.Since = current.Expires
		out.Cause = "it has an expiry in LiteLLM, which rotation never sets on a key in use"
		out.Advice = "Rotate it (bot rotate --now), or clear its expiry in LiteLLM."
	default:
		return nil
	}
	return []finding.Finding{out}
}

// unrotated judges whether rotation has stopped: a key is due a tenth of its interval early, so that one which is a tenth
// over it (at most five days) has been missed.
func unrotated(f Facts, p Policy, now time.Time) []finding.Finding {
	current, ok := f.current()
	if !ok || p.RotationInterval <= 0 || current.CreatedAt.IsZero() {
		return nil
	}
	age := now.Sub(current.CreatedAt)
	if age < p.RotationInterval+min(p.RotationInterval/10, slack) {
		return nil
	}
	out := about(f, RuleUnrotated, finding.Warning)
	if age >= 2*p.RotationInterval {
		out.Severity = finding.Critical
	}
	out.Window = ""
	out.Summary = fmt.Sprintf("%s has not been rotated for %s, every %s is set", f.Key, short(age), short(p.RotationInterval))
	out.Since = current.CreatedAt
	out.Advice = "See why the scheduled run does not rotate it (bot plan), or that there is one: GitHub stops schedules after 60 days without a commit."
	return []finding.Finding{out}
}

// current is the generation that agents are to use.
func (f Facts) current() (Generation, bool) {
	for _, g := range f.Generations {
		if g.Current {
			return g, true
		}
	}
	return Generation{}, false
}
