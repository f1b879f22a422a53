package rotate

import (
	"fmt"
	"time"

	"github.com/org/openclaw-litellm-action/finding"
)

// deleteAfter is how long a generation stays blocked before its row is deleted: spend still in flight at a deletion is
// lost, and a blocked key can be reopened for an agent that was forgotten.
const deleteAfter = 24 * time.Hour

// compromisedReason is why a generation is blocked whatever its grace.
const compromisedReason = "a newer generation says that it is compromised"

// upkeepSteps adds what is due apart from a rotation: the alias, retirement, deletion and the clean-up of dead claims.
// When a rotation is due too it comes first, and the runner plans the upkeep again after it.
func (plan *Plan) upkeepSteps(p Policy, r Reading, o Options) {
	plan.aliasSteps(p, r)
	plan.retireSteps(p, r)
	for _, c := range plan.rows.claims {
		if c.Run != o.Run && claimExpired(c, r.Now) {
			plan.Steps = append(plan.Steps, Step{Kind: StepCleanup, Gen: c.Gen, Token: c.Token,
				Reason: fmt.Sprintf("run %s died and its claim has expired", c.Run)})
		}
	}
}

// retireSteps blocks live generations below current whose grace is over, marks what is blocked with the time, and deletes
// what was blocked a day ago. Only generations below current: an unfinished one above may be in some targets. The
// exception is a compromise: as soon as every target was tried, everything older is blocked, current too.
func (plan *Plan) retireSteps(p Policy, r Reading) {
	for i, g := range plan.rows.generations {
		below := i < plan.current
		switch {
		case g.Blocked && below:
			plan.deleteAfterADay(p, r, g)
		case g.Blocked:
		case plan.compromisedAbove(i):
			plan.Steps = append(plan.Steps, Step{Kind: StepBlock, Gen: g.Gen, Token: g.Token, Reason: compromisedReason})
		case below:
			plan.blockAfterGrace(p, r, i)
		}
	}
}

// deleteAfterADay marks a blocked generation, and deletes it a day after the mark.
func (plan *Plan) deleteAfterADay(p Policy, r Reading, g row) {
	at, ok := marked(g.Alias, markBlocked)
	switch {
	case !ok:
		plan.Steps = append(plan.Steps, Step{Kind: StepAlias, Gen: g.Gen, Token: g.Token, Target: markedAlias(p.Name, g.Gen, markBlocked, r.latest()),
			Reason: "its alias says since when it is blocked"})
	case !r.past().Before(at.Add(deleteAfter)):
		plan.Steps = append(plan.Steps, Step{Kind: StepDelete, Gen: g.Gen, Token: g.Token, Reason: fmt.Sprintf("it was blocked at %s", stamp(at))})
	}
}

// compromisedAbove reports whether a newer generation ends the grace of generation i: one that is not above current, or
// that every target was at least tried for. One that was only minted does not: the targets hold the old ones.
func (plan *Plan) compromisedAbove(i int) bool {
	for j := i + 1; j < len(plan.rows.generations); j++ {
		if g := plan.rows.generations[j]; g.Compromised && (j <= plan.current || g.Placed != nil) {
			return true
		}
	}
	return false
}

// blockAfterGrace blocks generation i when its grace is over, no target drifted or is unknown, and nobody uses it any
// more. Grace begins anew with each later generation, since a target may have held i until then; the longest grace does
// not, or else it would never end where it is longer than the rotation interval. No clock that is wrong makes it shorter.
func (plan *Plan) blockAfterGrace(p Policy, r Reading, i int) {
	g, cur, now := plan.rows.generations[i], plan.rows.generations[plan.current], r.past()
	replaced := plan.replacedAt(i)
	if now.Before(replaced.Add(p.Grace)) {
		return
	}
	over := !now.Before(graceStart(cur, g).Add(p.Grace))
	if over && r.Stamps == nil {
		plan.Wants.Stamps = true
		return
	}
	if over && len(driftedTargets(p, r, cur))+len(unreadTargets(p, r)) > 0 {
		return
	}
	use, asked := r.Uses[g.Token]
	if !asked {
		plan.Wants.Uses = append(plan.Wants.Uses, UseQuery{g.Token, usedSince(p, replaced, now)})
		return
	}
	unused, overdue := use.At.IsZero(), !now.Before(replaced.Add(p.MaxGrace))
	why := fmt.Sprintf("generation %d has been in every target for %s", cur.Gen, age(now.Sub(cur.DoneAt)))
	if !unused {
		why += "; it is still used, and block_in_use is set"
	}
	if over && (unused || (overdue && p.BlockInUse)) {
		plan.Steps = append(plan.Steps, Step{Kind: StepBlock, Gen: g.Gen, Token: g.Token, Reason: why})
	}
	if !unused {
		plan.Findings = append(plan.Findings, stillUsed(p, g, use, replaced, graceStart(cur, g), now))
	}
}

// graceStart is when g's grace began: when the current generation was everywhere, or when a person reopened g.
func graceStart(cur, g row) time.Time { return reopened(g, cur.DoneAt) }

// replacedAt is when a generation after i was first everywhere, or when a person reopened i since.
func (plan *Plan) replacedAt(i int) time.Time {
	var first time.Time // zero: i is not below current, and this is never asked
	for _, next := range plan.rows.generations[i+1:] {
		if !next.DoneAt.IsZero() {
			first = earlier(next.DoneAt, first)
		}
	}
	return reopened(plan.rows.generations[i], first)
}

// reopened is when a person reopened g, if that was after at, else at.
func reopened(g row, at time.Time) time.Time {
	if mark, ok := marked(g.Alias, markReopened); ok && mark.After(at) {
		return mark
	}
	return at
}

// usedSince is how far back a use of a retiring generation keeps it alive: one grace period, and never before it was
// replaced.
func usedSince(p Policy, replaced, now time.Time) time.Time {
	if since := now.Add(-p.Grace); since.After(replaced) {
		return since
	}
	return replaced
}

// stillUsed tells that a generation is used although it was replaced more than a grace period ago.
func stillUsed(p Policy, g row, use LastUse, replaced, grace, now time.Time) finding.Finding {
	f := finding.Finding{
		Rule: "old-generation-used", Severity: finding.Warning, Subject: finding.Subject{Kind: "key", Name: p.Name},
		Level:   fmt.Sprintf("g%d", g.Gen),
		Summary: fmt.Sprintf("generation %d of key %q was replaced at %s and is still used (last at %s)", g.Gen, p.Name, stamp(replaced), stamp(use.At)),
		Since:   replaced, Who: use.From,
		Advice: "Find the agent that did not take the new key and restart it; ",
		Source: "GET /spend/logs/v2",
	}
	end := replaced.Add(p.MaxGrace)
	overdue := !now.Before(end)
	if overdue {
		f.Severity = finding.Critical
	}
	if block := grace.Add(p.Grace); block.After(end) {
		end = block // a newer generation is not everywhere for long enough
	}
	switch {
	case p.BlockInUse && !now.Before(end):
		f.Advice += "the old generation is blocked now, because block_in_use is set: what still uses it is refused."
	case p.BlockInUse:
		f.Advice += "the old generation is blocked at " + stamp(end) + " even if it is used then, because block_in_use is set."
	case overdue:
		f.Advice += "to block the old generation although it is used, set block_in_use: true."
	default:
		f.Advice += "the old generation works on while it is used, which is critical from " + stamp(replaced.Add(p.MaxGrace)) + " on."
	}
	return f
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
