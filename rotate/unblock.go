package rotate

import (
	"fmt"
	"time"
)

// unblockSteps reopens the newest blocked generation below current. The mark in its alias begins its grace anew.
func (plan *Plan) unblockSteps(p Policy, r Reading, o Options) {
	for i := plan.current - 1; i >= 0; i-- {
		g := plan.rows.generations[i]
		reopened, ok := marked(g.Alias, markReopened)
		if !g.Blocked && ok && !reopened.Before(o.Started.Truncate(time.Second)) {
			return // by this run
		}
		if !g.Blocked {
			continue
		}
		if plan.compromisedAbove(i) {
			plan.Refused = &Conflict{fmt.Sprintf("generation %d was blocked because it is compromised; it is never reopened", g.Gen)}
			return
		}
		if !ok {
			plan.Steps = append(plan.Steps, Step{Kind: StepAlias, Gen: g.Gen, Token: g.Token,
				Target: markedAlias(p.Name, g.Gen, markReopened, r.Now), Reason: "its grace begins anew"})
		}
		plan.Steps = append(plan.Steps, Step{Kind: StepUnblock, Gen: g.Gen, Token: g.Token, Reason: "it was asked for (keys unblock)"})
		return
	}
	plan.Refused = &Conflict{"it has no blocked generation to reopen; a generation is deleted a day after it was blocked"}
}
