package rotate

import (
	"context"
	"fmt"
	"slices"
	"time"
)

const (
	patience  = 20 * time.Second // how long what a person asked for waits for another run that is at work
	lookAgain = 2 * time.Second  // between two looks
)

// mayWait reports whether to try again because another run was in the way, after a pause. Upkeep does not wait: the next
// run does it. What a person asked for waits for a while, and then a compromised key takes over: the other run, if it
// lives, finds its claim gone before its next write and stops. Its unfinished generation is older than ours and blocked.
func (r *Runner) mayWait(ctx context.Context, began clock) bool {
	if r.again && !r.stopping() {
		r.again = false
		return true
	}
	if !r.Options.asked() || r.stopping() || r.satisfied() {
		return false
	}
	if began.since(r.Now()) < patience {
		if r.Progress != nil && !r.waited {
			r.Progress(r.Policy.Name, Step{Kind: StepWait, Reason: r.out.Waiting})
		}
		r.waited = true
		return r.Sleep(ctx, lookAgain) == nil && !r.stopping()
	}
	if !r.Options.Compromised {
		return false
	}
	before := len(r.Options.takeOver)
	for _, token := range r.inTheWay() {
		if !slices.Contains(r.Options.takeOver, token) {
			r.Options.takeOver = append(r.Options.takeOver, token)
		}
	}
	const most = 5 // claims: after those somebody keeps making new ones, and a person has to look
	return len(r.Options.takeOver) > before && len(r.Options.takeOver) <= most
}

// inTheWay returns the tokens of the claims that stopped this run.
func (r *Runner) inTheWay() []string {
	tokens := slices.Clone(r.blockers)
	for _, c := range r.last.others {
		tokens = append(tokens, c.Token)
	}
	return tokens
}

// satisfied reports whether what a person asked for is so, by the last reading and what this run did after it.
func (r *Runner) satisfied() bool {
	o, plan := r.Options, r.last
	switch {
	case o.Compromised:
		return r.olderEnded()
	case o.Now:
		return r.out.Rotated || (plan.current >= 0 && o.since(plan.rows.generations[plan.current]))
	case o.Unblock:
		return slices.ContainsFunc(r.out.Steps, func(s StepResult) bool { return s.Kind == StepUnblock && s.Done })
	}
	return true
}

// olderEnded reports whether every generation that was there when the run began is refused by the proxy, because a newer
// one took its place or there was none.
func (r *Runner) olderEnded() bool {
	if r.last.current < 0 && !r.out.Rotated {
		return false
	}
	blocked := map[string]bool{}
	for _, s := range r.out.Steps {
		if s.Kind == StepBlock && s.Done {
			blocked[s.Token] = true
		}
	}
	return !slices.ContainsFunc(r.last.rows.generations, func(g row) bool {
		return !g.Blocked && !blocked[g.Token] && !r.Options.since(g)
	})
}

// settle says at the end what became of what a person asked for: another run did it, or it is not done, which is an error.
// A plan that was refused says why itself.
func (r *Runner) settle() {
	switch {
	case !r.Options.asked() || r.last.Refused != nil:
	case !r.satisfied():
		r.out.NotDone = &NotDone{Asked: r.Options.request(), Why: r.out.Waiting, Until: r.out.WaitUntil}
		if r.out.Err == nil {
			r.fail(r.out.NotDone)
		}
	case r.out.Err == nil && !r.out.Rotated && !r.Options.Unblock:
		r.out.Overtaken = fmt.Sprintf("another run has rotated key %q since this one began", r.Policy.Name)
		r.out.Waiting, r.out.WaitUntil = "", time.Time{}
	}
}

// request is what was asked for, as the command line has it.
func (o Options) request() string {
	switch {
	case o.Compromised:
		return "rotate --compromised"
	case o.Now:
		return "rotate --now"
	}
	return "keys unblock"
}
