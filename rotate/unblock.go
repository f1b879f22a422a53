package rotate

import (
	"fmt"
	"time"
)

// unblockSteps reopens the generation below current that was blocked last. The mark in its alias begins its grace anew.
// One that a newer generation turns out to call compromised is blocked again: another run may have said so meanwhile.
func (plan *Plan) unblockSteps(p Policy, r Reading, o Options) {
	last, begun := -1, o.reopening != ""
	for i := plan.current - 1; i >= 0; i-- {
		g := plan.rows.generations[i]
		switch {
		case begun && g.Token == o.reopening && !g.Blocked && plan.compromisedAbove(i):
			plan.Steps = append(plan.Steps, Step{Kind: StepBlock, Gen: g.Gen, Token: g.Token, Reason: compromisedReason})
			return
		case begun && g.Token == o.reopening && !g.Blocked:
			return
		case begun && g.Token == o.reopening:
			last = i
		case begun || !g.Blocked:
		case last < 0 || blockedAt(g, r.Now).After(blockedAt(plan.rows.generations[last], r.Now)):
			last = i
		}
	}
	if last < 0 {
		plan.Refused = &Conflict{"it has no blocked generation to reopen; a generation is deleted a day after it was blocked"}
		return
	}
	g := plan.rows.generations[last]
	if plan.compromisedAbove(last) {
		plan.Refused = &Conflict{fmt.Sprintf("generation %d was blocked because it is compromised; it is never reopened", g.Gen)}
		return
	}
	if !begun {
		plan.Steps = append(plan.Steps, Step{Kind: StepAlias, Gen: g.Gen, Token: g.Token,
			Target: markedAlias(p.Name, g.Gen, markReopened, r.latest()), Reason: "its grace begins anew"})
	}
	plan.Steps = append(plan.Steps, Step{Kind: StepUnblock, Gen: g.Gen, Token: g.Token, Reason: "it was asked for (keys unblock)"})
}

// blockedAt is when a blocked generation's alias says that it was blocked; without a mark that was a moment ago.
func blockedAt(g row, now time.Time) time.Time {
	if at, ok := marked(g.Alias, markBlocked); ok {
		return at
	}
	return now
}
