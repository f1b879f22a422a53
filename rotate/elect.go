package rotate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/org/openclaw-litellm-action/finding"
	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/secret"
)

// RuleClaimTaken is a claim's key value that somebody else's key has. It takes the management key to compute it.
const RuleClaimTaken = "claim-taken"

// underClaim takes the claim, plans again from a fresh reading, does what is still due and releases the claim. Without the
// claim it does nothing and Outcome.Waiting says why.
func (r *Runner) underClaim(ctx context.Context, reading Reading, plan Plan) error {
	if err := r.prepare(ctx, reading, plan); err != nil {
		return err
	}
	won, err := r.claim(ctx, plan.next)
	if err != nil {
		return fmt.Errorf("claiming: %w", err)
	}
	if !won {
		return nil
	}
	err = r.Catch.Do("working on key "+r.Policy.Name, func() error { return r.work(ctx) })
	return errors.Join(err, r.release(ctx))
}

// prepare does what a claim stands on: it is a key of the holder, and its value comes from the holder's nonce. Both steps
// may be taken by two runs at once: a holder is created once, and each run reads back the nonce that stayed.
func (r *Runner) prepare(ctx context.Context, reading Reading, plan Plan) error {
	r.nonce = plan.rows.nonce()
	for _, s := range plan.Steps {
		first := s.Kind == StepHolder || s.Target == nonceStep
		if !first {
			continue
		}
		if err := r.take(ctx, reading, plan, s); err != nil {
			return err
		}
	}
	if !validNonce(r.nonce) { // an earlier release made the holder at this very moment
		return r.writeNonce(ctx)
	}
	return nil
}

// claim creates claim n and reads back who has it. It returns false, with Outcome.Waiting set, when another run is at
// work. A value that somebody else's key has taken stops nobody: it is reported, and a random value takes its place.
func (r *Runner) claim(ctx context.Context, n int) (bool, error) {
	value := claimValue(r.nonce, r.LiteLLM.Key, r.Policy.Name, n)
	rs, now, err := r.makeClaim(ctx, value, n)
	if err != nil {
		return false, err
	}
	if c := rs.claimWith(value); c != nil {
		return r.elected(ctx, rs, now, *c)
	}
	other, err := r.LiteLLM.FindKey(ctx, value.SHA256())
	switch {
	case litellm.IsKind(err, litellm.NotFound):
		return false, r.vanished()
	case err != nil:
		return false, err
	}
	r.claimTaken(*other, n)
	value = randomClaim()
	if rs, now, err = r.makeClaim(ctx, value, n); err != nil {
		return false, err
	}
	c := rs.claimWith(value)
	if c == nil {
		return false, errors.New("the proxy did not keep the claim's row")
	}
	return r.elected(ctx, rs, now, *c)
}

// vanished is for a claim whose row is not there after it was made. Either the claim was another run's, which has finished
// and deleted it since; then a look at what is due now tells more. Or the proxy does not keep what it says that it made.
func (r *Runner) vanished() error {
	const most = 3
	if r.lost++; r.lost >= most {
		return fmt.Errorf("the proxy answered %d times that it made the claim's row, and did not keep it", most)
	}
	r.again = true
	r.out.Waiting = fmt.Sprintf("another run has just finished with key %q", r.Policy.Name)
	return nil
}

// makeClaim creates the row of claim n with that value and reads the holder's rows.
func (r *Runner) makeClaim(ctx context.Context, value secret.Value, n int) (rows, time.Time, error) {
	fields := litellm.Fields{
		"user_id": HolderID(r.Policy.Name), "blocked": true, "max_budget": 0, "duration": litellmDuration(claimFor),
		"metadata": withJournal(nil, journal{
			Version: journalVersion, Kind: kindClaim, Name: r.Policy.Name, Gen: n, Run: r.Options.Run,
		}),
	}
	if err := r.LiteLLM.GenerateKey(ctx, litellm.NewKey{Value: value, Fields: fields}); err != nil {
		// Known releases answer 200 where the value is taken. One that refuses it is to be told from other failures.
		if _, taken := r.LiteLLM.FindKey(ctx, value.SHA256()); taken != nil {
			return rows{}, time.Time{}, err
		}
	}
	reading, err := r.read(ctx)
	return sortRows(r.Policy, reading), reading.Now, err
}

// elected takes the claim if it is this run's, and gives it back when the reading shows another run at work: numbers can
// come free after a clean-up, so a stale and a fresh plan may claim different ones, and each sees the other here.
func (r *Runner) elected(ctx context.Context, rs rows, now time.Time, c row) (bool, error) {
	if c.Run != r.Options.Run {
		r.waitFor(c)
		return false, nil
	}
	r.held = heldBy(c.Key, c.Gen, r.clock)
	if others := rs.claimedBy(r.Options, now); len(others) > 0 {
		r.waitFor(others[0])
		return false, r.release(ctx)
	}
	if n := len(rs.generations); n > 0 && rs.generations[n-1].Gen >= c.Gen {
		r.out.Waiting = fmt.Sprintf("another run worked on key %q at the same time", r.Policy.Name)
		return false, r.release(ctx)
	}
	return true, nil
}

// waitFor says that another run holds the claim, and until when.
func (r *Runner) waitFor(c row) {
	r.out.Waiting, r.out.WaitUntil = waiting(r.Policy.Name, c)
	if !slices.Contains(r.blockers, c.Token) {
		r.blockers = append(r.blockers, c.Token)
	}
}

// waiting words that a claim of another run stands, and returns when it is over at the latest.
func waiting(name string, c row) (why string, until time.Time) {
	until = c.Expires.Add(clockSkew).UTC()
	return fmt.Sprintf("another run (%s) is at work on key %q, or died less than %s ago; its claim ends at %s",
		c.Run, name, age(claimFor+clockSkew), stamp(until)), until
}

// claimTaken reports the key that has the value of claim n. It is an error too, so that nobody misses it.
func (r *Runner) claimTaken(k litellm.Key, n int) {
	summary := fmt.Sprintf("claim %d on key %q cannot be made: the key with hash %s has its value", n, r.Policy.Name, short(k.Token))
	r.found = append(r.found, finding.Finding{
		Rule: RuleClaimTaken, Severity: finding.Critical, Subject: finding.Subject{Kind: "key", Name: r.Policy.Name},
		Summary: summary, Who: ownerOf(k),
		Advice: "Replace the management key, because its owner must know it to compute that value, and delete the key in " +
			"LiteLLM. Rotation continued under another claim.",
		Source: "GET /key/info",
	})
	r.fail(finding.Naming(fmt.Errorf("%s; rotation continued under another claim; delete that key in LiteLLM", summary), ownerOf(k)))
}

// ownerOf names who has a key row, as well as the row says.
func ownerOf(k litellm.Key) string {
	switch {
	case k.UserID != "" && k.CreatedBy != "" && k.CreatedBy != k.UserID:
		return fmt.Sprintf("LiteLLM user %s (key created by %s)", k.UserID, k.CreatedBy)
	case k.UserID != "":
		return "LiteLLM user " + k.UserID
	case k.CreatedBy != "":
		return "LiteLLM user " + k.CreatedBy + " (its creator)"
	}
	return "a key without a user"
}
