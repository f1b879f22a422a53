package rotate

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/org/openclaw-litellm-action/finding"
	"github.com/org/openclaw-litellm-action/internal/panics"
	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/secret"
)

// Runner reads, plans and takes the steps for one logical key. It is used for one Plan or Rotate and then forgotten.
type Runner struct {
	LiteLLM *litellm.Client
	Policy  Policy
	Fleet   *Fleet  // an earlier reading of many keys, to plan from at first; nil: this key is read by itself
	Options Options // Run may be left empty: it is filled in

	NewKey   func() secret.Value // nil: "sk-" and 32 random bytes
	Mask     func(secret.Value)  // called with each new key before anything else; nil: no need
	Now      func() time.Time    // the wall clock: a claim is never outlived by it
	Sleep    func(ctx context.Context, d time.Duration) error
	Progress func(key string, s Step)                        // called before each step; nil: silent
	Stopping <-chan struct{}                                 // closed: take no further step than the one in hand; nil: never
	Notify   func(ctx context.Context, generation int) error // called under the claim after every target got a new key; nil: nobody

	// Catch runs each step, and the work as a whole, so that a panic in it is an error of this key; nil: panics.Catch.
	Catch panics.Catcher

	// Ready is called before the claim is taken for a new generation: it waits, however long, until its targets can be
	// written one after the other. It returns the context for that work, and what ends it. nil: no need to wait.
	Ready func(ctx context.Context) (context.Context, func(), error)

	first    clock // of the first reading
	clock    clock // of the last one
	last     Plan  // that the last reading gave
	nonce    string
	held     claim
	out      Outcome
	found    []finding.Finding // by this run, apart from its plans
	blockers []string          // tokens of claims that this run waits for
	waited   bool              // and has said so
	lost     int               // claims whose rows were not there after they were made
	again    bool              // look again at once
	taken    map[Step]bool     // by identity: what this run has done or failed to do already
}

// Plan reads and concludes what Rotate would do. It writes nothing. Outcome.Err tells what could not be read.
func (r *Runner) Plan(ctx context.Context) Outcome {
	return r.caught("planning", func() { r.plan(ctx) })
}

func (r *Runner) plan(ctx context.Context) {
	r.Options.takeAny = true
	reading, plan, err := r.conclude(ctx)
	r.report(reading, plan)
	r.out.Later = plan.Later
	for _, s := range plan.Steps {
		r.out.Steps = append(r.out.Steps, StepResult{Step: s})
	}
	r.fail(err)
	if err == nil && plan.rotate && plan.goAhead() {
		r.preflight(ctx)
	}
	r.markPending(plan)
}

// Examine reads as much as a plan needs and keeps its findings. It writes nothing, asks no target more than it must, and
// its outcome has no steps.
func (r *Runner) Examine(ctx context.Context) Outcome {
	return r.caught("examining", func() {
		reading, plan, err := r.conclude(ctx)
		r.report(reading, plan)
		r.out.Later = plan.Later
		r.fail(err)
	})
}

// Show reads what there is and asks no target. Its outcome has no steps.
func (r *Runner) Show(ctx context.Context) Outcome {
	return r.caught("reading", func() { r.show(ctx) })
}

func (r *Runner) show(ctx context.Context) {
	reading, err := r.read(ctx)
	plan := Plan{current: -1}
	if err == nil {
		plan = NewPlan(r.Policy, reading, r.Options)
		err = plan.Refused
	}
	r.report(reading, plan)
	r.fail(err)
	r.out.Targets, r.out.Findings = nil, nil
}

// Rotate does what is due and returns what came of it. It blocks until the key is done, a step failed, or Stopping is
// closed; ctx cancels harder, at the next request. Running it again is free and continues where it stopped. What a person
// asked for (Now, Compromised, Unblock) waits a little for another run at work; what it then still did not get is
// Outcome.NotDone.
func (r *Runner) Rotate(ctx context.Context) Outcome {
	began := clock{ours: r.Now()}
	r.caught("rotating", func() {
		for r.attempt(ctx) && r.mayWait(ctx, began) {
		}
	})
	return r.caught("concluding", r.settle)
}

// attempt reads, plans and does what is due, once. It reports whether another run was in the way.
func (r *Runner) attempt(ctx context.Context) (again bool) {
	r.out.Waiting, r.out.WaitUntil = "", time.Time{}
	reading, plan, err := r.conclude(ctx)
	r.report(reading, plan)
	r.out.Later = plan.Later
	if err != nil || !plan.goAhead() || len(plan.Steps) == 0 {
		r.fail(err)
		return err == nil && plan.Waiting != ""
	}
	if r.stopping() {
		r.out.Waiting = ToldToStop
		return false
	}
	// A leaked key does not live on because a target is gone: there the write itself is the try.
	leaked := r.Options.Compromised && len(plan.rows.generations) > 0
	if plan.rotate && !leaked && !r.preflight(ctx) {
		if plan = r.withoutRotation(reading); reading.Holder == nil || len(plan.Steps) == 0 {
			return false
		}
	}
	if plan.rotate {
		ready, done, err := r.ready(ctx)
		defer done()
		if r.stopping() {
			r.out.Waiting = ToldToStop
			return false
		}
		if err != nil {
			r.fail(err)
			return false
		}
		ctx = ready
	}
	if err := r.underClaim(ctx, reading, plan); err != nil {
		r.fail(err)
		return false
	}
	return r.out.Waiting != "" && r.out.Waiting != ToldToStop
}

// withoutRotation plans what is due apart from a rotation that no target would take now: a raised limit does not wait for
// a token to be mended.
func (r *Runner) withoutRotation(reading Reading) Plan {
	r.Options.upkeep = true
	return NewPlan(r.Policy, reading, r.Options)
}

// ready waits until the work can be done without a pause.
func (r *Runner) ready(ctx context.Context) (context.Context, func(), error) {
	if r.Ready == nil {
		return ctx, func() {}, nil
	}
	return r.Ready(ctx)
}

// goAhead reports whether the plan may write.
func (plan Plan) goAhead() bool {
	return plan.Waiting == "" && plan.Stopped == "" && plan.Refused == nil
}

// conclude reads as much as the plan wants and returns both.
func (r *Runner) conclude(ctx context.Context) (Reading, Plan, error) {
	reading, err := r.read(ctx)
	if err != nil {
		return reading, Plan{current: -1}, err
	}
	for {
		plan := NewPlan(r.Policy, reading, r.Options)
		if !plan.goAhead() || !plan.Wants.any() {
			return reading, plan, plan.Refused
		}
		if err := r.fill(ctx, &reading, plan.Wants); err != nil {
			return reading, plan, err
		}
	}
}

// read is the one request that shows a whole logical key, and the identity that tells our rows from others'.
func (r *Runner) read(ctx context.Context) (Reading, error) {
	id, err := r.LiteLLM.Identity(ctx)
	if err != nil {
		return Reading{}, err
	}
	user, err := r.holder(ctx)
	reading := Reading{Self: id.UserID}
	switch {
	case litellm.IsKind(err, litellm.NotFound):
		reading.Now = r.Now().UTC().Round(0)
	case err != nil:
		return Reading{}, fmt.Errorf("reading the holder: %w", err)
	default:
		reading.Holder, reading.Now = user, user.AsOf
	}
	r.clock = clock{reading.Now, r.Now()}
	reading.Clock = r.clock.ours.UTC().Round(0)
	if r.first.ours.IsZero() && reading.Holder != nil { // without one the proxy's time is not known
		r.first = r.clock
	}
	if !r.first.ours.IsZero() {
		reading.Expected = r.first.at(r.clock.ours)
	}
	r.begin(reading)
	if r.Policy.TeamID != "" && reading.Holder != nil {
		m, err := r.LiteLLM.TeamMember(ctx, r.Policy.TeamID, HolderID(r.Policy.Name))
		if err != nil && !litellm.IsKind(err, litellm.NotFound) {
			return reading, fmt.Errorf("reading the holder's budget in team %s: %w", r.Policy.TeamID, err)
		}
		reading.Member = m
	}
	reading.budget = true
	if concernsOld(r.Policy, reading) {
		release, err := r.LiteLLM.Release(ctx)
		if err != nil {
			return reading, err
		}
		reading.Old = release.Known() && !release.AtLeast(1, 93)
	}
	return reading, nil
}

// concernsOld reports whether a plan from this reading may depend on how old LiteLLM is.
func concernsOld(p Policy, r Reading) bool {
	if r.Holder == nil {
		return false
	}
	if p.TeamID != "" {
		return r.Member != nil && r.Member.BudgetDuration != p.BudgetDuration
	}
	return len(holderDiff(p, r.Holder)) > 0
}

// holder reads the holder with its rows; the first time from the fleet's reading, if there is one.
func (r *Runner) holder(ctx context.Context) (*litellm.User, error) {
	id := HolderID(r.Policy.Name)
	if r.Fleet == nil {
		return r.LiteLLM.User(ctx, id)
	}
	user := r.Fleet.holder(id)
	r.Fleet = nil
	if user == nil {
		return nil, &litellm.Error{Op: "looking for " + id, Kind: litellm.NotFound}
	}
	return user, nil
}

// begin fills in what identifies this run, and what was there when it began, once.
func (r *Runner) begin(reading Reading) {
	if r.Options.Run == "" {
		r.Options.Run = randomHex(8)
	}
	if r.Options.seen == nil {
		r.Options.seen = map[string]bool{}
		for _, k := range reading.keys() {
			r.Options.seen[k.Token] = true
		}
	}
}

// fill adds to the reading what the plan wants.
func (r *Runner) fill(ctx context.Context, reading *Reading, w Wants) error {
	if w.Alias {
		keys, err := r.LiteLLM.KeysByAlias(ctx, r.Policy.Name)
		if err != nil {
			return fmt.Errorf("looking for keys with the alias %s: %w", r.Policy.Name, err)
		}
		reading.Alias = append([]litellm.Key{}, keys...)
	}
	if w.Stamps {
		reading.Stamps = r.stamps(ctx)
	}
	for _, q := range w.Uses {
		use, err := r.lastUse(ctx, q)
		if err != nil {
			return fmt.Errorf("looking for uses of the generation about to be blocked: %w", err)
		}
		if reading.Uses == nil {
			reading.Uses = map[string]LastUse{}
		}
		reading.Uses[q.Token] = use
	}
	return nil
}

func (r *Runner) stamps(ctx context.Context) map[string]Stamp {
	out := make(map[string]Stamp, len(r.Policy.Targets))
	for _, t := range r.Policy.Targets {
		value, err := t.Stamp(ctx)
		out[t.Fingerprint()] = Stamp{value, err}
	}
	return out
}

func (r *Runner) lastUse(ctx context.Context, q UseQuery) (LastUse, error) {
	to := r.latestNow(time.Time{}).Add(time.Minute)
	rows := r.LiteLLM.SpendLogs(ctx, litellm.LogQuery{Token: q.Token, From: q.Since, To: to, Descending: true, Limit: 1})
	for row, err := range rows {
		if err != nil {
			return LastUse{}, err
		}
		return LastUse{At: row.StartTime, From: consumer(row)}, nil
	}
	return LastUse{}, nil
}

// consumer names who made a request as well as its row tells.
func consumer(row litellm.SpendLog) string {
	switch {
	case row.EndUser != "":
		return "end user " + row.EndUser
	case row.IP != "":
		return "address " + row.IP
	}
	return ""
}

// preflight asks every target whether a write would work, before anything is written anywhere. A target that could not
// even be read is not complained of twice.
func (r *Runner) preflight(ctx context.Context) (ready bool) {
	ready = true
	for i, t := range r.Policy.Targets {
		err := t.Preflight(ctx)
		if err == nil {
			continue
		}
		ready = false
		if r.out.Targets[i].State != Failed {
			r.fail(fmt.Errorf("checking %s before anything is written: %w", t, err))
		}
		r.out.Targets[i].fail(err)
	}
	return ready
}

func (r *Runner) stopping() bool {
	select {
	case <-r.Stopping:
		return true
	default:
		return false
	}
}

func (r *Runner) fail(err error) {
	if err != nil {
		r.out.Err = errors.Join(r.out.Err, fmt.Errorf("key %q: %w", r.Policy.Name, err))
	}
}

// mint makes the plaintext of a new generation and hides it before anything can print it.
func (r *Runner) newKey() secret.Value {
	v := secret.New("sk-" + randomHex(32))
	if r.NewKey != nil {
		v = r.NewKey()
	}
	if r.Mask != nil {
		r.Mask(v)
	}
	return v
}

func randomHex(n int) string {
	b := make([]byte, n)
	rand.Read(b) // never fails: crypto/rand ends the program instead
	return hex.EncodeToString(b)
}
