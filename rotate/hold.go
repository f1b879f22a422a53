package rotate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/org/openclaw-litellm-action/litellm"
)

// claim is the right to write to one logical key, held by this run until expires (our wall clock).
type claim struct {
	gen     int
	token   string
	expires time.Time
	lost    bool // it ran out, or is another run's: nothing may be written any more
}

// errClaimLost stops a run at once: somebody else may be at work.
var errClaimLost = errors.New("the claim has run out; this run stops, the next one continues")

// underClaim takes the claim, plans again from a fresh reading, does what is still due and releases the claim.
func (r *Runner) underClaim(ctx context.Context, reading Reading, plan Plan) error {
	if reading.Holder == nil {
		// The claim is a key of the holder, so the holder comes first. Creating it twice changes nothing.
		if err := r.take(ctx, reading, plan, plan.Steps[0]); err != nil {
			return err
		}
	}
	won, err := r.claim(ctx, plan.next)
	if err != nil {
		return fmt.Errorf("claiming: %w", err)
	}
	if !won {
		return nil
	}
	err = r.work(ctx)
	return errors.Join(err, r.release(ctx))
}

// claim creates claim n and reads back who has it. It returns false, with Outcome.Waiting set, when another run is at
// work.
func (r *Runner) claim(ctx context.Context, n int) (bool, error) {
	value := claimValue(r.Policy.Name, n)
	fields := litellm.Fields{
		"user_id": HolderID(r.Policy.Name), "blocked": true, "max_budget": 0, "duration": litellmDuration(claimFor),
		"metadata": withJournal(nil, journal{Version: journalVersion, Kind: kindClaim, Name: r.Policy.Name, Gen: n, Run: r.Options.Run}),
	}
	if err := r.LiteLLM.GenerateKey(ctx, litellm.NewKey{Value: value, Fields: fields}); err != nil {
		return false, err
	}
	reading, err := r.read(ctx)
	if err != nil {
		return false, err
	}
	rs := sortRows(r.Policy, reading)
	for _, c := range rs.claims {
		if c.Token != value.SHA256() {
			continue
		}
		if c.Run != r.Options.Run {
			r.out.Waiting = fmt.Sprintf("another run (%s) has just claimed key %q", c.Run, r.Policy.Name)
			return false, nil
		}
		r.held = claim{gen: n, token: c.Token, expires: r.localTime(c.Expires)}
		return r.alone(ctx, rs, reading.Now)
	}
	for _, k := range reading.keys() {
		if k.Token == value.SHA256() {
			return false, fmt.Errorf("somebody else made the key %s, which only this tool should; delete it", short(k.Token))
		}
	}
	// Ours was ignored, because the claim was another run's, and that run has finished and deleted it since.
	r.out.Waiting = fmt.Sprintf("another run has just finished with key %q", r.Policy.Name)
	return false, nil
}

// alone gives the claim back when a reading under it shows another run: numbers can come free after a clean-up, so a
// stale and a fresh plan may claim different ones, and each sees the other here.
func (r *Runner) alone(ctx context.Context, rs rows, now time.Time) (bool, error) {
	other := rs.claimedBy(r.Options.Run, now)
	if other == nil && (len(rs.generations) == 0 || rs.generations[len(rs.generations)-1].Gen < r.held.gen) {
		return true, nil
	}
	r.out.Waiting = fmt.Sprintf("another run worked on key %q at the same time", r.Policy.Name)
	if other != nil {
		r.out.Waiting = fmt.Sprintf("another run (%s) is at work on key %q", other.Run, r.Policy.Name)
	}
	return false, r.release(ctx)
}

// localTime turns a time of the proxy's clock into ours.
func (r *Runner) localTime(t time.Time) time.Time {
	return r.readAt.Add(t.Sub(r.asOf))
}

// guarded returns a context for one write that cannot outlive the claim, renewing the claim when little of it is left.
func (r *Runner) guarded(ctx context.Context) (context.Context, context.CancelFunc, error) {
	if r.held.lost {
		return nil, nil, errClaimLost
	}
	left := r.held.expires.Sub(r.Now().Round(0))
	if r.held.token == "" { // before the claim: only the creation of the holder, which is create-once
		ctx, cancel := context.WithCancel(ctx)
		return ctx, cancel, nil
	}
	if left <= 0 {
		r.held.lost = true
		return nil, nil, errClaimLost
	}
	if left < claimRenew {
		if err := r.renew(ctx, left); err != nil {
			return nil, nil, err
		}
		left = r.held.expires.Sub(r.Now().Round(0))
	}
	ctx, cancel := context.WithTimeout(ctx, left)
	return ctx, cancel, nil
}

// renew extends the claim and reads back that it is still ours.
func (r *Runner) renew(ctx context.Context, left time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, left)
	defer cancel()
	if err := r.LiteLLM.UpdateKey(ctx, r.held.token, litellm.Fields{"duration": litellmDuration(claimFor)}); err != nil {
		return fmt.Errorf("renewing the claim: %w", err)
	}
	k, err := r.LiteLLM.FindKey(ctx, r.held.token)
	if err != nil {
		return fmt.Errorf("reading the renewed claim: %w", err)
	}
	if j, err := readJournal(k.Metadata); err != nil || j == nil || j.Run != r.Options.Run {
		r.held.lost = true
		return errClaimLost
	}
	r.held.expires = r.localTime(k.Expires)
	return nil
}

// release deletes our own claim. Past its expiry the row may be another run's of the same number, so it is left.
func (r *Runner) release(ctx context.Context) error {
	if r.held.token == "" || r.held.lost || !r.Now().Round(0).Before(r.held.expires) {
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
