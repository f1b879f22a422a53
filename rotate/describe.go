package rotate

import "slices"

// report puts what a reading showed into the outcome. It keeps what this run did.
func (r *Runner) report(reading Reading, plan Plan) {
	p := r.Policy
	r.out.Name, r.out.Owner = p.Name, p.Owner
	r.out.CurrentNumber = -1
	r.last = plan
	if plan.Waiting != "" {
		r.out.Waiting, r.out.WaitUntil = plan.Waiting, plan.WaitUntil
	}
	r.out.Findings = slices.Concat(plan.Findings, r.found)
	r.describeHolder(reading)
	r.out.Generations = describeGenerations(p, plan)
	if plan.current >= 0 {
		cur := plan.rows.generations[plan.current]
		r.out.CurrentNumber = cur.Gen
		r.out.NextRotation = due(cur, p)
	}
	if r.out.Targets == nil {
		for _, t := range p.Targets {
			r.out.Targets = append(r.out.Targets, TargetState{Name: t.String(), Generation: -1, State: Unchanged})
		}
	}
	r.out.TargetsRead = r.out.TargetsRead || reading.Stamps != nil
	r.describeTargets(reading, plan)
}

// describeHolder tells of the budget what the last reading that showed it says, and of a holder that is not there what
// it will be.
func (r *Runner) describeHolder(reading Reading) {
	h := reading.Holder
	switch {
	case h == nil && r.out.Holder == nil:
		r.out.Unread = !reading.budget
		r.out.MaxBudget, r.out.BudgetDuration = r.Policy.MaxBudget, r.Policy.BudgetDuration
		return
	case h == nil: // the last reading failed, and an earlier one stands
		return
	}
	r.out.Holder, r.out.Unread = h, !reading.budget
	if r.out.Unread {
		return
	}
	r.out.Spend, r.out.MaxBudget, r.out.BudgetDuration, r.out.ResetAt = h.Spend, h.MaxBudget, h.BudgetDuration, h.BudgetResetAt
	if m := reading.Member; m != nil {
		r.out.Spend, r.out.MaxBudget, r.out.BudgetDuration, r.out.ResetAt = m.Spend, m.MaxBudget, m.BudgetDuration, m.BudgetResetAt
	}
}

func describeGenerations(p Policy, plan Plan) []Generation {
	out := make([]Generation, 0, len(plan.rows.generations))
	for i, g := range plan.rows.generations {
		d := Generation{Number: g.Gen, Token: g.Token, Alias: g.Alias, Spend: g.Spend, MintedAt: g.MintedAt, DoneAt: g.DoneAt}
		switch {
		case g.Blocked:
			d.State = Blocked
			d.RetireAt, _ = marked(g.Alias, markBlocked)
		case i == plan.current:
			d.State = Current
		case i > plan.current:
			d.State = Unfinished
		default:
			d.State = Retiring
			d.RetireAt = graceStart(plan.rows.generations[plan.current], g).Add(p.Grace)
		}
		out = append(out, d)
	}
	return out
}

// describeTargets tells what each target holds as far as the stamps say; what this run wrote is kept.
func (r *Runner) describeTargets(reading Reading, plan Plan) {
	for i, t := range r.Policy.Targets {
		out := &r.out.Targets[i]
		if out.State == Placed || out.State == Failed {
			continue
		}
		if plan.current < 0 {
			continue
		}
		cur := plan.rows.generations[plan.current]
		out.Generation = cur.Gen
		s, read := reading.Stamps[t.Fingerprint()]
		switch {
		case !read:
		case s.Err != nil:
			out.fail(s.Err)
			out.Generation = -1
			r.fail(s.Err)
		case !holds(cur, t, s):
			out.State, out.Generation = Drifted, -1
		}
	}
}

// placed notes what became of one target in this run.
func (r *Runner) placed(i, gen int, err error) {
	out := &r.out.Targets[i]
	if err != nil {
		out.fail(err)
		out.Generation = -1
		return
	}
	out.State, out.Generation = Placed, gen
	out.Detail, out.PublicDetail = "", ""
}

// markPending marks the targets that a plan would write.
func (r *Runner) markPending(plan Plan) {
	for i, t := range r.Policy.Targets {
		if plan.rotate && r.out.Targets[i].State != Failed {
			r.out.Targets[i] = TargetState{Name: t.String(), Generation: plan.next, State: Pending}
		}
	}
}
