package rotate

import (
	"context"
	"fmt"
	"time"

	"github.com/org/openclaw-litellm-action/litellm"
)

// claim is the right to write to one logical key, held by this run for a while.
type claim struct {
	gen   int
	token string
	lasts time.Duration // from read on
	read  clock         // when the proxy said so
	lost  bool          // it ran out, or another run took over: nothing may be written any more
}

// heldBy returns the claim of a row that expires at some time of the proxy's clock, as a reading at c showed it.
func heldBy(k litellm.Key, gen int, c clock) claim {
	return claim{gen: gen, token: k.Token, lasts: min(claimFor, k.Expires.Sub(c.proxy)), read: c}
}

// claimLost stops a run at once: somebody else may be at work. errors.Is takes one for any other.
type claimLost string

// The ways to lose a claim.
const (
	errClaimLost claimLost = "the claim has run out; this run stops, the next one continues"
	errTakenOver claimLost = "the claim is gone: another run took over for a leaked key, or somebody deleted it; this run stops"
)

// Error implements error.
func (c claimLost) Error() string { return string(c) }

// Is reports whether target is a lost claim, too.
func (claimLost) Is(target error) bool {
	_, lost := target.(claimLost)
	return lost
}

// guarded returns a context for one write that cannot outlive the claim, renewing the claim when little of it is left.
func (r *Runner) guarded(ctx context.Context) (context.Context, context.CancelFunc, error) {
	if r.held.lost {
		return nil, nil, errClaimLost
	}
	if r.held.token == "" { // before the claim: the holder and its nonce alone
		ctx, cancel := context.WithCancel(ctx)
		return ctx, cancel, nil
	}
	left := r.left()
	if left <= 0 {
		r.held.lost = true
		return nil, nil, errClaimLost
	}
	if left < claimRenew {
		if err := r.renew(ctx, left); err != nil {
			return nil, nil, err
		}
		left = r.left()
	}
	ctx, cancel := context.WithTimeout(ctx, left)
	return ctx, cancel, nil
}

// left is how long the claim still lasts.
func (r *Runner) left() time.Duration { return r.held.lasts - r.held.read.since(r.Now()) }

// renew extends the claim and reads back that it is still ours.
func (r *Runner) renew(ctx context.Context, left time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, left)
	defer cancel()
	err := r.LiteLLM.UpdateKey(ctx, r.held.token, litellm.Fields{"duration": litellmDuration(claimFor)})
	if err != nil && !litellm.IsKind(err, litellm.NotFound) {
		return fmt.Errorf("renewing the claim: %w", err)
	}
	return r.fence(ctx)
}

// fence asks the proxy whether the claim still stands and how long it lasts, before what a target or an agent would
// notice: another run may have taken over while this one was suspended, or our clock may have been set back.
func (r *Runner) fence(ctx context.Context) error {
	k, err := r.LiteLLM.FindKey(ctx, r.held.token)
	if err != nil && !litellm.IsKind(err, litellm.NotFound) {
		return fmt.Errorf("checking that the claim still stands: %w", err)
	}
	if err != nil || !r.isOurs(*k) {
		r.held.lost = true
		return errTakenOver
	}
	r.held = heldBy(*k, r.held.gen, clock{k.AsOf, r.Now()})
	if r.held.lasts <= 0 {
		r.held.lost = true
		return errClaimLost
	}
	return nil
}

// isOurs reports whether a claim's row is this run's.
func (r *Runner) isOurs(k litellm.Key) bool {
	j, err := readJournal(k.Metadata)
	return err == nil && j != nil && j.Run == r.Options.Run
}

// release deletes our own claim. Past its expiry the row may be another run's of the same number, so it is left.
func (r *Runner) release(ctx context.Context) error {
	if r.held.token == "" || r.held.lost || r.left() <= 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	token := r.held.token
	r.held = claim{}
	if err := r.LiteLLM.DeleteKey(ctx, token); err != nil {
		return fmt.Errorf("releasing the claim (it expires by itself): %w", err)
	}
	return nil
}

// litellmDuration prints whole minutes as LiteLLM reads them.
func litellmDuration(d time.Duration) string { return fmt.Sprintf("%dm", int(d.Minutes())) }
