package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"
)

// Job is one thing to do again and again.
type Job struct {
	Name     string
	Schedule Schedule
	// Run does it once. Stopping(ctx) is closed when the daemon is to stop: finish the step at hand and return. ctx ends
	// StopGrace later, or after Timeout.
	Run     func(ctx context.Context) error
	AtStart bool          // run it first when the daemon starts
	Timeout time.Duration // of one run; 0: none
}

// Daemon runs Jobs. It is not changed while Serve runs.
type Daemon struct {
	Jobs         []Job
	Log          *slog.Logger                         // nil: nothing is logged
	HealthListen string                               // "host:port" of /healthz and /readyz; "": no listener
	OnListen     func(net.Addr)                       // if not nil, told where HealthListen listens
	OnDone       func(Run)                            // if not nil, told of each finished run, from Serve's goroutine
	StopGrace    time.Duration                        // between stop and the end of the running job's context; 0: a minute
	Now          func() time.Time                     // the wall clock, which may be set; nil: the real one
	After        func(time.Duration) <-chan time.Time // nil: time.After

	mu    sync.Mutex
	state state
}

// Run is one finished run of a job.
type Run struct {
	Job        string
	Start, End time.Time     // by the wall clock: End may lie before Start
	Took       time.Duration // never negative
	Err        error         // nil: it went well
}

// Status is where a job stands.
type Status struct {
	Name    string
	Running bool
	Next    time.Time // zero: never
	Last    *Run      // nil: it has not run yet
}

type state struct {
	jobs     []jobState // parallel to Jobs; nil unless Serve runs
	turned   moment     // when the loop last did
	planned  moment     // since then the wall clock was not set back
	stopping bool
}

const (
	heartbeat        = 30 * time.Second // the longest sleep: wall clocks are set and machines suspended
	defaultStopGrace = time.Minute
	killGrace        = 10 * time.Second // for a job to return once its context has ended
)

// ErrStillRunning is returned by Serve if a job did not return although its context had ended. Its goroutine goes on.
var ErrStillRunning = errors.New("a job does not return")

type stoppingKey struct{}

// Stopping returns a channel that is closed when the daemon is to stop. Without a daemon it is nil, which never is.
func Stopping(ctx context.Context) <-chan struct{} {
	c, _ := ctx.Value(stoppingKey{}).(<-chan struct{})
	return c
}

// Serve runs the jobs until ctx ends and then stops in order: no further job starts, the running one may finish within
// StopGrace, the health listener closes last. It returns nil unless the settings are wrong, the listener cannot be
// opened or breaks, or a job had to be cut off. A job's own failure or panic is logged and ends nothing.
func (d *Daemon) Serve(ctx context.Context) error {
	if err := d.validate(); err != nil {
		return err
	}
	if err := d.begin(); err != nil {
		return err
	}
	defer d.finish()
	health, err := d.listen()
	if err != nil {
		return err
	}
	err = d.loop(ctx, health.failed)
	return errors.Join(err, health.close())
}

func (d *Daemon) validate() error {
	if len(d.Jobs) == 0 {
		return errors.New("no jobs to run")
	}
	names := map[string]bool{}
	for _, j := range d.Jobs {
		switch {
		case j.Name == "" || names[j.Name]:
			return fmt.Errorf("job %q has no name of its own", j.Name)
		case j.Run == nil:
			return fmt.Errorf("job %q does nothing", j.Name)
		case j.Schedule.IsZero() && !j.AtStart:
			return fmt.Errorf("job %q is never due", j.Name)
		}
		names[j.Name] = true
	}
	return nil
}

// begin plans the first runs.
func (d *Daemon) begin() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.state.jobs != nil {
		return errors.New("it is already serving")
	}
	now := d.look()
	d.state = state{turned: now, planned: now, jobs: make([]jobState, len(d.Jobs))}
	for i, j := range d.Jobs {
		s := &d.state.jobs[i]
		if j.AtStart {
			s.become(now)
		}
		s.plan(j.Schedule, now, now.wall)
	}
	return nil
}

func (d *Daemon) finish() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.state = state{}
}

// Status returns where each job stands, in the order of Jobs; nil unless Serve runs.
func (d *Daemon) Status() []Status {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []Status
	for i, s := range d.state.jobs {
		st := Status{Name: d.Jobs[i].Name, Running: s.running, Next: s.next}
		if s.last != nil {
			last := *s.last
			st.Last = &last
		}
		out = append(out, st)
	}
	return out
}

func (d *Daemon) after(t time.Duration) <-chan time.Time {
	if d.After != nil {
		return d.After(t)
	}
	return time.After(t)
}

func (d *Daemon) log() *slog.Logger {
	if d.Log != nil {
		return d.Log
	}
	return slog.New(slog.DiscardHandler)
}
