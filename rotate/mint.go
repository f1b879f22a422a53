package rotate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/org/openclaw-litellm-action/finding"
	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/secret"
)

// placeTries is how often one target is written when somebody else writes it at the same time.
const placeTries = 3

// carried are the fields of a key row that people set and a new generation keeps, in LiteLLM's names. What the
// configuration names, and what is ours, comes on top.
var carried = [...]string{
	"models", "aliases", "config", "permissions", "tpm_limit", "rpm_limit", "tpd_limit", "max_parallel_requests",
	"allowed_cache_controls", "allowed_routes", "model_max_budget", "router_settings", "budget_fallbacks",
	"access_group_ids", "organization_id", "project_id", "agent_id", "policies", "team_id",
}

// rotation takes the steps of one new generation in order: mint, verify, place everywhere, finish. The plaintext lives in
// this call and in the targets. Where an earlier run's generation is gone on with, its plaintext comes from a key file.
func (r *Runner) rotation(ctx context.Context, plan Plan) error {
	steps := map[Kind]Step{}
	for _, s := range plan.Steps {
		steps[s.Kind] = s
	}
	value, j, err := r.generation(ctx, plan, steps[StepMint])
	if err != nil {
		return err
	}
	if err := r.step(ctx, steps[StepVerify], func(ctx context.Context) error { return r.LiteLLM.VerifyKey(ctx, value) }); err != nil {
		return err
	}
	var errs []error
	j.Placed = map[string]string{}
	for i, t := range r.Policy.Targets {
		err := r.step(ctx, placeStep(plan, j.Gen, t), func(ctx context.Context) error { return r.place(ctx, t, value, &j) })
		if errors.Is(err, errClaimLost) {
			return err
		}
		r.placed(i, j.Gen, err)
		errs = append(errs, err)
	}
	err = r.step(ctx, steps[StepFinish], func(ctx context.Context) error { return r.finish(ctx, value.SHA256(), &j) })
	if err == nil && !j.DoneAt.IsZero() {
		r.out.Rotated = true
		err = r.notify(ctx, j.Gen)
	}
	return errors.Join(append(errs, err)...)
}

// generation mints the new generation, or takes up the unfinished one that the plan goes on with.
func (r *Runner) generation(ctx context.Context, plan Plan, s Step) (secret.Value, journal, error) {
	if plan.resume != nil {
		value, err := r.recover(ctx, plan.resume.Token)
		return value, plan.resume.journal, err
	}
	value := r.newKey()
	j := journal{
		Version: journalVersion, Kind: kindGeneration, Name: r.Policy.Name, Gen: plan.next,
		Run: r.Options.Run, MintedAt: r.clock.proxy, Compromised: r.Options.Compromised,
	}
	return value, j, r.step(ctx, s, func(ctx context.Context) error { return r.mint(ctx, value, j.Gen, r.newFields(plan, j)) })
}

// recover reads the plaintext with that token from the key file that holds it.
func (r *Runner) recover(ctx context.Context, token string) (secret.Value, error) {
	for _, t := range r.Policy.Targets {
		file, ok := t.(Reader)
		if !ok {
			continue
		}
		value, err := file.Read(ctx)
		if err == nil && value.SHA256() == token {
			if r.Mask != nil {
				r.Mask(value)
			}
			return value, nil
		}
	}
	return secret.Value{}, errors.New("the key file that held the unfinished generation has changed; the next run mints another")
}

// step is noted under the claim's deadline.
func (r *Runner) step(ctx context.Context, s Step, do func(context.Context) error) error {
	return r.noted(s, func() error {
		ctx, cancel, err := r.guarded(ctx)
		if err != nil {
			return err
		}
		defer cancel()
		return do(ctx)
	})
}

func placeStep(plan Plan, gen int, t Target) Step {
	for _, s := range plan.Steps {
		if s.Kind == StepPlace && s.Target == t.String() {
			return s
		}
	}
	return Step{Kind: StepPlace, Gen: gen, Target: t.String()}
}

// newFields are the fields of a new generation: what people set on the last one, the policy, and ours.
func (r *Runner) newFields(plan Plan, j journal) litellm.Fields {
	p := r.Policy
	fields := litellm.Fields{}
	var from litellm.Key
	if gs := plan.rows.generations; plan.current >= 0 {
		from = gs[plan.current].Key
	} else if len(gs) > 0 {
		from = gs[len(gs)-1].Key
	}
	for _, name := range carried {
		if raw, ok := from.Raw[name]; ok && !empty(raw) {
			fields[name] = raw
		}
	}
	carryBudgets(fields, from)
	if p.Models != nil {
		fields["models"] = p.Models
	}
	for name, v := range p.Options {
		fields[name] = v
	}
	if plan.ownLimit {
		fields["max_budget"] = p.MaxBudget.Decimal
		if plan.window != "" {
			fields["budget_duration"] = plan.window
		}
	}
	if p.TeamID != "" {
		fields["team_id"] = p.TeamID
	}
	fields["user_id"] = HolderID(p.Name)
	fields["metadata"] = withJournal(from.Metadata, j)
	return fields
}

// carryBudgets carries what is kept outside the row: a soft budget, whose budget row LiteLLM makes anew, or else a budget
// that is shared with other keys; and further windows of the key's own, without their state.
func carryBudgets(fields litellm.Fields, from litellm.Key) {
	table := budgetTable(from)
	switch {
	case !empty(table["soft_budget"]):
		fields["soft_budget"] = table["soft_budget"]
	case !empty(from.Raw["budget_id"]):
		fields["budget_id"] = from.Raw["budget_id"]
	}
	var windows []map[string]json.RawMessage
	if json.Unmarshal(from.Raw["budget_limits"], &windows) != nil || len(windows) == 0 {
		return
	}
	for _, w := range windows {
		delete(w, "reset_at")
	}
	fields["budget_limits"] = windows
}

// mint creates the row and reads it back: LiteLLM's answer echoes what was sent, not what was stored. A lost answer is
// repeated with the same value, never with another.
func (r *Runner) mint(ctx context.Context, value secret.Value, gen int, fields litellm.Fields) error {
	made := r.withAlias(ctx, generationAlias(r.Policy.Name, gen), func(alias string) error {
		fields["key_alias"] = alias
		return r.LiteLLM.GenerateKey(ctx, litellm.NewKey{Value: value, Fields: fields})
	})
	k, err := r.LiteLLM.FindKey(ctx, value.SHA256())
	if err != nil {
		return errors.Join(made, fmt.Errorf("reading it back: %w", err))
	}
	j, err := readJournal(k.Metadata)
	if err != nil || j == nil || j.Run != r.Options.Run || k.UserID != HolderID(r.Policy.Name) {
		return finding.Naming(errors.New("the row read back is not what was sent"), fmt.Sprintf("user %q", k.UserID))
	}
	return nil
}

// place writes one target until the stamp read back is provably ours. Before that it asks whether the claim still stands.
func (r *Runner) place(ctx context.Context, t Target, value secret.Value, j *journal) error {
	if err := r.fence(ctx); err != nil {
		return err
	}
	for range placeTries {
		stamp, own, err := t.Write(ctx, value)
		if err != nil {
			return err
		}
		if own {
			j.Placed[t.Fingerprint()] = stamp
			return nil
		}
		if err := r.Sleep(ctx, time.Second); err != nil {
			return err
		}
	}
	return fmt.Errorf("somebody else wrote it at the same time, %d times over; make one workflow its only writer", placeTries)
}

// finish is the one later change of a generation's own metadata: what was placed, and that it is done if all was.
// It is where the rotation counts, so it asks whether the claim still stands.
func (r *Runner) finish(ctx context.Context, token string, j *journal) error {
	if err := r.fence(ctx); err != nil {
		return err
	}
	k, err := r.LiteLLM.FindKey(ctx, token)
	if err != nil {
		return fmt.Errorf("reading the row: %w", err)
	}
	if len(j.Placed) == len(r.Policy.Targets) {
		j.DoneAt = r.latestNow(k.AsOf)
	}
	if err := r.LiteLLM.UpdateKey(ctx, token, litellm.Fields{"metadata": withJournal(k.Metadata, *j)}); err != nil {
		return err
	}
	if k, err = r.LiteLLM.FindKey(ctx, token); err != nil {
		return fmt.Errorf("reading the row back: %w", err)
	}
	kept, err := readJournal(k.Metadata)
	if err != nil || kept == nil || !kept.DoneAt.Equal(j.DoneAt) {
		return errors.New("the proxy did not keep the journal")
	}
	return nil
}

// notify tells running agents, under the claim. Its failure does not undo the rotation.
func (r *Runner) notify(ctx context.Context, gen int) error {
	if r.Notify == nil {
		return nil
	}
	if err := r.Notify(ctx, gen); err != nil {
		return fmt.Errorf("telling running agents about the new key, which is not tried again (tell them by hand, or rotate --now): %w", err)
	}
	return nil
}
