package rotate

import (
	"context"
	"errors"
	"fmt"

	"github.com/org/openclaw-litellm-action/litellm"
)

// work plans from a fresh reading before each step and takes the first that is due, until none is left. A step that
// failed is not tried again in this run; one that succeeded and is still due was not kept by the proxy, which is an error.
func (r *Runner) work(ctx context.Context) error {
	var errs []error
	for {
		reading, plan, err := r.conclude(ctx)
		r.report(reading, plan)
		if err != nil || !plan.goAhead() {
			return errors.Join(append(errs, err)...)
		}
		if !plan.rows.holdsClaim(r.held.token) { // it costs nothing to see that here
			r.held.lost = true
			return errors.Join(append(errs, errTakenOver)...)
		}
		step, ok := r.nextStep(plan, &errs)
		if ok && r.stopping() {
			r.out.Waiting = ToldToStop
			return errors.Join(errs...)
		}
		if !ok {
			return errors.Join(errs...)
		}
		if step.Kind == StepMint || step.Kind == StepVerify {
			r.Options.upkeep = true // one rotation a run: what is due again already is the next run's
			err = r.rotation(ctx, plan)
		} else {
			err = r.take(ctx, reading, plan, step)
		}
		if err != nil {
			errs = append(errs, err)
		}
		if errors.Is(err, errClaimLost) || err != nil && essential(step.Kind) {
			return errors.Join(errs...)
		}
	}
}

// essential steps are those without which nothing after them makes sense.
func essential(k Kind) bool { return k == StepHolder || k == StepAdopt }

// nextStep returns the first step that this run has not taken yet.
func (r *Runner) nextStep(plan Plan, errs *[]error) (Step, bool) {
	for _, s := range plan.Steps {
		id := identity(s)
		failed, tried := r.taken[id]
		switch {
		case !tried:
			return s, true
		case !failed:
			r.taken[id] = true
			*errs = append(*errs, fmt.Errorf("%s of %s did not last: %s%s", s.Kind, what(s), s.Reason, remedy(s)))
		}
	}
	return Step{}, false
}

// remedy says what to do about an update of a generation that LiteLLM answered well and did not keep. Older releases take
// some fields, soft_budget for one (seen on 1.81.13 and 1.93.2), only when a key is made.
func remedy(s Step) string {
	if s.Kind != StepUpdate || s.Token == "" {
		return ""
	}
	return "; this LiteLLM may take that for new keys only: the next rotation sets it, or rotate --now"
}

// identity tells steps apart regardless of their reasons.
func identity(s Step) Step {
	s.Reason, s.Who = "", ""
	return s
}

// take does one step that stands for itself and notes what came of it.
func (r *Runner) take(ctx context.Context, reading Reading, plan Plan, s Step) error {
	return r.noted(s, func() error {
		ctx, cancel, err := r.guarded(ctx)
		if err != nil {
			return err
		}
		defer cancel()
		switch s.Kind {
		case StepHolder:
			return r.createHolder(ctx, reading, plan)
		case StepUpdate:
			return r.update(ctx, reading, s)
		case StepAdopt:
			return r.adopt(ctx, reading, s)
		}
		return r.takeKey(ctx, s)
	})
}

// takeKey does a step that changes one key row.
func (r *Runner) takeKey(ctx context.Context, s Step) error {
	switch s.Kind {
	case StepAlias:
		err := r.rename(ctx, s.Token, s.Target)
		if err == nil && r.Options.Unblock {
			r.Options.reopening = s.Token
		}
		return err
	case StepBlock:
		return r.LiteLLM.BlockKey(ctx, s.Token)
	case StepUnblock:
		if err := r.fence(ctx); err != nil { // what is reopened must not be compromised since
			return err
		}
		return r.LiteLLM.UnblockKey(ctx, s.Token)
	case StepDelete, StepCleanup, StepTakeOver:
		return r.LiteLLM.DeleteKey(ctx, s.Token)
	}
	return fmt.Errorf("unknown step %q", s.Kind)
}

// noted runs a step, tells progress and keeps the result.
func (r *Runner) noted(s Step, do func() error) error {
	err := r.Catch.Do(Describe(s), func() error {
		if r.Progress != nil {
			r.Progress(r.Policy.Name, s)
		}
		return do()
	})
	if r.taken == nil {
		r.taken = map[Step]bool{}
	}
	r.taken[identity(s)] = err != nil
	if errors.Is(err, errAliasTaken) { // no failure: the next reading says who has it
		r.out.Steps = append(r.out.Steps, StepResult{Step: s})
		return nil
	}
	if err != nil && !errors.Is(err, errClaimLost) {
		err = fmt.Errorf("%s: %w", Describe(s), err)
	}
	r.out.Steps = append(r.out.Steps, StepResult{Step: s, Done: err == nil, Err: err})
	return err
}

// Describe names a step in progress, for errors and logs: "minting generation 2".
func Describe(s Step) string {
	switch s.Kind {
	case StepHolder:
		return "creating the holder"
	case StepUpdate:
		return "updating " + what(s)
	case StepAdopt:
		return "adopting the existing key"
	case StepMint:
		return fmt.Sprintf("minting generation %d", s.Gen)
	case StepVerify:
		return fmt.Sprintf("verifying that generation %d answers", s.Gen)
	case StepPlace:
		return fmt.Sprintf("placing generation %d in %s", s.Gen, s.Target)
	case StepFinish:
		return fmt.Sprintf("finishing generation %d", s.Gen)
	case StepAlias:
		return fmt.Sprintf("renaming generation %d to %s", s.Gen, s.Target)
	case StepBlock:
		return fmt.Sprintf("blocking generation %d", s.Gen)
	case StepUnblock:
		return fmt.Sprintf("reopening generation %d", s.Gen)
	case StepDelete:
		return fmt.Sprintf("deleting generation %d", s.Gen)
	case StepTakeOver:
		return "taking over from another run"
	case StepWait:
		return fmt.Sprintf("waiting up to %s for another run to finish", patience)
	}
	return fmt.Sprintf("removing claim %d", s.Gen)
}

func what(s Step) string {
	switch {
	case s.Token != "":
		return fmt.Sprintf("generation %d", s.Gen)
	case s.Target != "":
		return s.Target
	}
	return "the holder"
}

// createHolder makes the user that carries the budget, with the values of the key to be adopted where there is one, and
// reads back whose it is: another run may have made it at the same moment.
func (r *Runner) createHolder(ctx context.Context, reading Reading, plan Plan) error {
	p := r.Policy
	j := journal{
		Version: journalVersion, Kind: kindHolder, Name: p.Name, Owner: p.Owner, Nonce: newNonce(),
		Template: p.Template, Repository: p.Repository,
	}
	fields := litellm.Fields{"user_role": "internal_user_viewer", "auto_create_key": false}
	limit, duration := p.MaxBudget, p.BudgetDuration
	if k := adopted(reading, plan); k != nil {
		j.Adopted = k.Token
		limit, duration = k.MaxBudget, k.BudgetDuration
		fields["spend"] = k.Spend
	}
	if limit.Valid && p.TeamID == "" {
		fields["max_budget"] = limit.Decimal
	}
	if duration != "" {
		fields["budget_duration"] = duration
	}
	fields["metadata"] = withJournal(nil, j)
	if err := r.LiteLLM.CreateUser(ctx, HolderID(p.Name), fields); err != nil && !litellm.IsKind(err, litellm.AlreadyExists) {
		return err
	}
	if p.TeamID != "" {
		if err := r.LiteLLM.AddTeamMember(ctx, p.TeamID, HolderID(p.Name), limit, duration); err != nil && !litellm.IsKind(err, litellm.AlreadyExists) {
			return fmt.Errorf("adding it to team %s: %w", p.TeamID, err)
		}
	}
	return r.readNonce(ctx)
}

// readNonce reads the holder back, whose nonce is the one that stayed, and refuses a holder that is not ours.
func (r *Runner) readNonce(ctx context.Context) error {
	user, err := r.LiteLLM.User(ctx, HolderID(r.Policy.Name))
	if err != nil {
		return fmt.Errorf("reading it back: %w", err)
	}
	if err := checkHolder(r.Policy, Reading{Holder: user}); err != nil {
		return err
	}
	r.nonce = sortRows(r.Policy, Reading{Holder: user}).nonce()
	return nil
}

// writeNonce gives the holder a nonce, unless it has one by now, and reads back which one stayed.
func (r *Runner) writeNonce(ctx context.Context) error {
	id := HolderID(r.Policy.Name)
	user, err := r.LiteLLM.User(ctx, id)
	if err != nil {
		return err
	}
	j, err := readJournal(user.Metadata)
	if err != nil || j == nil {
		return errors.Join(errors.New("the holder has no journal"), err)
	}
	if !validNonce(j.Nonce) {
		j.Nonce = newNonce()
		if err := r.LiteLLM.UpdateUser(ctx, id, litellm.Fields{"metadata": withJournal(user.Metadata, *j)}); err != nil {
			return err
		}
	}
	if err := r.readNonce(ctx); err != nil {
		return err
	}
	if r.nonce == "" {
		return errors.New("the proxy did not keep the holder's nonce")
	}
	return nil
}

// adopted returns the row that the plan takes over, or nil.
func adopted(reading Reading, plan Plan) *litellm.Key {
	for _, s := range plan.Steps {
		if s.Kind != StepAdopt {
			continue
		}
		for i, k := range reading.Alias {
			if k.Token == s.Token {
				return &reading.Alias[i]
			}
		}
	}
	return nil
}

// adopt moves an existing key to the holder as generation 0. That it is done with no placement makes a rotation due: its
// plaintext is not known to be in any target.
func (r *Runner) adopt(ctx context.Context, reading Reading, s Step) error {
	k, err := r.LiteLLM.FindKey(ctx, s.Token)
	if err != nil {
		return err
	}
	j, err := readJournal(reading.Holder.Metadata)
	if err != nil {
		return err
	}
	holder := litellm.Fields{}
	if j.Adopted != s.Token {
		j.Adopted = s.Token
		holder["metadata"] = withJournal(reading.Holder.Metadata, *j)
	}
	if !k.Spend.Equal(reading.Holder.Spend) && r.Policy.TeamID == "" {
		holder["spend"] = k.Spend // it went on spending since the holder was created; nothing else spends there yet
	}
	if len(holder) > 0 {
		if err := r.LiteLLM.UpdateUser(ctx, HolderID(r.Policy.Name), holder); err != nil {
			return fmt.Errorf("noting it on the holder: %w", err)
		}
	}
	now := r.latestNow(k.AsOf)
	return r.LiteLLM.UpdateKey(ctx, s.Token, litellm.Fields{
		"user_id": HolderID(r.Policy.Name),
		"metadata": withJournal(k.Metadata, journal{
			Version: journalVersion, Kind: kindGeneration, Name: r.Policy.Name, Gen: 0, Run: r.Options.Run,
			MintedAt: k.CreatedAt.UTC(), Placed: map[string]string{}, DoneAt: now,
		}),
	})
}

// update brings the holder, its team membership or one generation to the policy.
func (r *Runner) update(ctx context.Context, reading Reading, s Step) error {
	p := r.Policy
	switch {
	case s.Token != "":
		for _, k := range reading.Holder.Keys {
			if k.Token != s.Token {
				continue
			}
			diff := generationDiff(p, reading, k)
			if s.Target == ownLimitStep {
				diff = dropsOwnLimit(p, reading, k)
			}
			return r.LiteLLM.UpdateKey(ctx, s.Token, fieldsOf(diff))
		}
		return fmt.Errorf("the row is gone")
	case s.Target == nonceStep:
		return r.writeNonce(ctx)
	case s.Target == repositoryStep:
		j, err := readJournal(reading.Holder.Metadata)
		if err != nil {
			return err
		}
		j.Template, j.Repository = p.Template, p.Repository
		return r.LiteLLM.UpdateUser(ctx, HolderID(p.Name), litellm.Fields{"metadata": withJournal(reading.Holder.Metadata, *j)})
	case s.Target != "":
		if reading.Member == nil {
			return r.LiteLLM.AddTeamMember(ctx, p.TeamID, HolderID(p.Name), p.MaxBudget, p.BudgetDuration)
		}
		duration := p.BudgetDuration
		if duration == reading.Member.BudgetDuration {
			duration = "" // sent again, it would begin a new window
		}
		return r.LiteLLM.UpdateTeamMember(ctx, p.TeamID, HolderID(p.Name), p.MaxBudget, duration)
	}
	return r.LiteLLM.UpdateUser(ctx, HolderID(p.Name), fieldsOf(holderDiff(p, reading.Holder)))
}
