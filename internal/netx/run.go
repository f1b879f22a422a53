package netx

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Run is one run of the program, shared by everything that asks outside systems in it. Its exported fields are set before
// it is used. It is safe for concurrent use.
type Run struct {
	Stop    <-chan struct{}  // closed when the program is told to stop; nil: never
	Reading time.Duration    // how long the run may wait in all for what it plans from (see Planning); 0: no limit
	Now     func() time.Time // nil: time.Now

	mu      sync.Mutex
	waiting int           // reads under way
	since   time.Time     // when waiting rose above zero
	used    time.Duration // until then
	alarm   *time.Timer   // when Reading will be used up
	spent   chan struct{} // closed when it is
	over    *Refusal      // why, once it is
	stopped *Refusal      // what the signal breaks off
	signal  time.Time     // when the signal was noticed; zero: not yet
}

type runKey struct{}

// With returns ctx with the run in it.
func With(ctx context.Context, r *Run) context.Context { return context.WithValue(ctx, runKey{}, r) }

// runOf returns the run in ctx; one that never ends if there is none.
func runOf(ctx context.Context) *Run {
	if r, ok := ctx.Value(runKey{}).(*Run); ok {
		return r
	}
	return &Run{}
}

type planningKey struct{}

// Planning returns ctx for what a run reads before it decides anything, and to judge how things stand. Such reads end at
// once when the program is told to stop, and when all of them together have taken Run.Reading: the time in which at least
// one of them was waited for counts, so that what else a run waits for costs nothing. Writes are not affected.
func Planning(ctx context.Context) context.Context {
	return context.WithValue(ctx, planningKey{}, true)
}

// Acting undoes Planning, for what was begun and is to be finished.
func Acting(ctx context.Context) context.Context { return context.WithValue(ctx, planningKey{}, false) }

func planning(ctx context.Context) bool {
	yes, _ := ctx.Value(planningKey{}).(bool)
	return yes
}

// Stopping reports whether the program of ctx's run was told to stop.
func Stopping(ctx context.Context) bool { return runOf(ctx).stopping() }

func (r *Run) stopping() bool {
	select {
	case <-r.Stop:
		return true
	default:
		return false
	}
}

// Grace returns a copy of ctx that ends d after the program of ctx's run is told to stop. The time counts from the signal
// also for a copy that is made later, as long as one that was made before still goes on when the signal comes. Its cause is
// a *Refusal. cancel releases it.
func Grace(ctx context.Context, d time.Duration) (_ context.Context, cancel context.CancelFunc) {
	run := runOf(ctx)
	ctx, end := context.WithCancelCause(ctx)
	go func() {
		select {
		case <-run.Stop:
		case <-ctx.Done():
			return
		}
		timer := time.NewTimer(d - run.sinceSignal())
		defer timer.Stop()
		select {
		case <-timer.C:
			end(run.toldToStop())
		case <-ctx.Done():
		}
	}()
	return ctx, func() { end(context.Canceled) }
}

// sinceSignal returns how long ago the signal was first noticed.
func (r *Run) sinceSignal() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.signal.IsZero() {
		r.signal = r.now()
	}
	return r.now().Sub(r.signal)
}

// Broken returns why reads of planning are broken off in ctx's run, nil if they are not.
func Broken(ctx context.Context) *Refusal { return runOf(ctx).broken() }

// toldToStop is the one refusal of what a signal broke off.
func (r *Run) toldToStop() *Refusal {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped == nil {
		r.stopped = &Refusal{Reason: Stopped, text: "the program was told to stop"}
	}
	return r.stopped
}

// begin counts a read of planning, and returns why it may not begin, nil if it may. end must follow.
func (r *Run) begin(route string) *Refusal {
	if r.stopping() {
		return r.toldToStop()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.over != nil:
		return r.over
	case r.waiting == 0:
		r.since = r.now()
		r.arm(route)
	}
	r.waiting++
	return nil
}

// arm sets the alarm for the end of the time that is left. The lock is held.
func (r *Run) arm(route string) {
	if r.Reading <= 0 {
		return
	}
	if r.spent == nil {
		r.spent = make(chan struct{})
	}
	r.alarm = time.AfterFunc(max(r.Reading-r.used, 0), func() { r.overtime(route) })
}

// overtime ends all reads of planning.
func (r *Run) overtime(route string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over != nil {
		return
	}
	r.over = &Refusal{Reason: Overtime, text: fmt.Sprintf(
		"reading took longer than %s, the most that a run waits for; last for %s", short(r.Reading), route)}
	close(r.spent)
}

// end counts a read of planning as over.
func (r *Run) end(route string) {
	r.mu.Lock()
	if r.waiting--; r.waiting > 0 {
		r.mu.Unlock()
		return
	}
	r.used += r.now().Sub(r.since)
	if r.alarm != nil {
		r.alarm.Stop()
	}
	over := r.Reading > 0 && r.used >= r.Reading
	r.mu.Unlock()
	if over {
		r.overtime(route)
	}
}

// broken returns why reads of planning are broken off, nil if they are not.
func (r *Run) broken() *Refusal {
	if r.stopping() {
		return r.toldToStop()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.over
}

func (r *Run) now() time.Time {
	if r.Now != nil {
		return r.Now()
	}
	return time.Now()
}

// short prints a duration in whole seconds.
func short(d time.Duration) string { return d.Round(time.Second).String() }
