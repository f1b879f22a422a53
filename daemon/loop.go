package daemon

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"
)

// running is the job under way.
type running struct {
	job    int
	cancel context.CancelFunc
	done   chan Run // gets one Run
}

// loop starts what is due, one at a time, until ctx ends or the listener fails.
func (d *Daemon) loop(ctx context.Context, failed <-chan error) error {
	stopping := make(chan struct{})
	base := context.WithValue(context.WithoutCancel(ctx), stoppingKey{}, (<-chan struct{})(stopping))
	var now *running
	for {
		if now == nil && ctx.Err() == nil {
			now = d.start(base)
		}
		var done <-chan Run
		if now != nil {
			done = now.done
		}
		select {
		case run := <-done:
			d.ended(now, run)
			now = nil
		case <-d.after(d.turn()):
		case err := <-failed:
			close(stopping)
			return errors.Join(err, d.stop(now))
		case <-ctx.Done():
			close(stopping)
			return d.stop(now)
		}
	}
}

// turn marks jobs whose time has come as due and returns how long to sleep at most.
func (d *Daemon) turn() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.mark(d.look())
}

// mark does turn's work. The caller holds mu.
func (d *Daemon) mark(now moment) time.Duration {
	d.state.turned = now
	setBack := d.compare(now)
	wait := heartbeat
	for i := range d.state.jobs {
		s := &d.state.jobs[i]
		s.mark(d.Jobs[i].Schedule, now, setBack)
		if !s.next.IsZero() {
			wait = min(wait, s.next.Sub(now.wall))
		}
	}
	return wait
}

// start runs the first job that is due, or returns nil.
func (d *Daemon) start(base context.Context) *running {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.look()
	d.mark(now)
	for i := range d.state.jobs {
		s := &d.state.jobs[i]
		if !s.due {
			continue
		}
		s.due, s.running = false, true
		ctx, cancel := context.WithCancel(base)
		if limit := d.Jobs[i].Timeout; limit > 0 {
			ctx, cancel = withTimeout(ctx, cancel, limit)
		}
		r := &running{job: i, cancel: cancel, done: make(chan Run, 1)}
		d.log().Info("job started", "job", d.Jobs[i].Name)
		go d.run(ctx, d.Jobs[i], now, r.done)
		return r
	}
	return nil
}

func withTimeout(ctx context.Context, outer context.CancelFunc, limit time.Duration) (context.Context, context.CancelFunc) {
	ctx, inner := context.WithTimeout(ctx, limit)
	return ctx, func() { inner(); outer() }
}

// run does the job once and tells done, whatever the job does: return, panic or end its goroutine.
func (d *Daemon) run(ctx context.Context, j Job, start moment, done chan<- Run) {
	err := errors.New("it ended its goroutine")
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
			d.log().Error("job panicked", "job", j.Name, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
		}
		end := d.look()
		done <- Run{Job: j.Name, Start: start.wall, End: end.wall, Took: end.since(start), Err: err}
	}()
	err = j.Run(ctx)
}

// ended takes note of a finished run.
func (d *Daemon) ended(r *running, run Run) {
	r.cancel()
	d.mu.Lock()
	s := &d.state.jobs[r.job]
	s.running, s.last = false, &run
	d.mu.Unlock()
	if run.Err != nil {
		d.log().Error("job failed", "job", run.Job, "took", run.Took, "error", run.Err)
	} else {
		d.log().Info("job done", "job", run.Job, "took", run.Took)
	}
	if d.OnDone != nil {
		d.OnDone(run)
	}
}

// stop waits for the running job, first kindly, then with its context ended.
func (d *Daemon) stop(r *running) error {
	d.mu.Lock()
	d.state.stopping = true
	d.mu.Unlock()
	if r == nil {
		return nil
	}
	grace := d.StopGrace
	if grace <= 0 {
		grace = defaultStopGrace
	}
	name := d.Jobs[r.job].Name
	d.log().Info("stopping after the step at hand", "job", name, "grace", grace)
	select {
	case run := <-r.done:
		d.ended(r, run)
		return nil
	case <-d.after(grace):
	}
	d.log().Warn("job is cut off", "job", name)
	r.cancel()
	select {
	case run := <-r.done:
		d.ended(r, run)
		return fmt.Errorf("stopping job %q: it was cut off after %s", name, grace)
	case <-d.after(killGrace):
		return fmt.Errorf("stopping job %q: %w", name, ErrStillRunning)
	}
}
