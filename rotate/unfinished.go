package rotate

import (
	"fmt"
	"time"

	"github.com/org/openclaw-litellm-action/finding"
)

// unfinishedReason looks at live generations above current: a run died, or a target failed and its back-off is over.
// wait is true while the back-off runs.
func (plan *Plan) unfinishedReason(p Policy, r Reading, o Options, current int) (reason string, wait bool) {
	failures, last := plan.unfinished(current)
	if last.Token == "" {
		return "", false
	}
	if last.Placed == nil {
		return fmt.Sprintf("generation %d was left unfinished by a run that died; its plaintext is lost", last.Gen), false
	}
	retry := last.MintedAt.Add(backoff(failures))
	if !o.Now && !o.Compromised && r.Now.Before(retry) {
		plan.Later = &Later{Generation: last.Gen, Targets: missing(p, last), At: retry}
		return "", true
	}
	return fmt.Sprintf("generation %d could not be written to every target", last.Gen), false
}

// missing names the targets that a generation was not written to; none if those are configured no more.
func missing(p Policy, g row) []string {
	var names []string
	for _, t := range p.Targets {
		if _, placed := g.Placed[t.Fingerprint()]; !placed {
			names = append(names, t.String())
		}
	}
	return names
}

// unfinished returns the last live generation above current, and how many of them some target refused.
func (plan *Plan) unfinished(current int) (failures int, last row) {
	for _, g := range plan.rows.generations[current+1:] {
		if g.Blocked {
			continue
		}
		last = g
		if g.Placed != nil {
			failures++
		}
	}
	return failures, last
}

// judgeFailures makes the fourth failed rotation in a row a critical finding.
func (plan *Plan) judgeFailures(p Policy) {
	failures, last := plan.unfinished(plan.current)
	if failures < 4 {
		return
	}
	plan.Findings = append(plan.Findings, finding.Finding{
		Rule: "rotation-failing", Severity: finding.Critical, Subject: finding.Subject{Kind: "key", Name: p.Name},
		Summary: fmt.Sprintf("the last %d rotations of key %q could not write every target", failures, p.Name),
		Since:   last.MintedAt,
		Advice:  "See the failed targets and mend their permissions; every generation goes on working meanwhile.",
		Source:  "GET /user/info",
	})
}

// backoff is how long after the nth failure in a row the next attempt waits: 15 minutes, doubled each time, at most a day.
func backoff(n int) time.Duration {
	d := 15 * time.Minute
	for range n - 1 {
		if d *= 2; d > 24*time.Hour {
			return 24 * time.Hour
		}
	}
	return d
}
