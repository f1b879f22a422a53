package netx

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

const (
	// ProbeTimeout is how long the one request may take that is sent to a system after an operation was not answered.
	ProbeTimeout = 5 * time.Second
	// StopTimeout is how long a request may take that is sent after the program was told to stop.
	StopTimeout = time.Second
	// silence is how long an operation must have waited for its caller's time limit to say something about the system, and
	// stopSilence how long for the signal to stop.
	silence     = 5 * time.Second
	stopSilence = 10 * time.Second
)

// Reason says why an operation was refused.
type Reason int

// The reasons.
const (
	Unanswered Reason = iota // the system does not answer
	Overtime                 // the run has waited for its reads as long as it may
	Stopped                  // the program was told to stop
)

// Refusal is the error of an operation that was not begun, or was broken off, and not for its own sake. One event has one
// Refusal, whatever number of operations it stops.
type Refusal struct {
	Reason Reason
	text   string // in our own words
	said   string // what the network said; "": nothing
	cause  error  // what the operation failed at that showed it; nil for other reasons than Unanswered
}

// Error says why, in a sentence about the system or the run, with what the network said.
func (r *Refusal) Error() string {
	if r.said == "" {
		return r.text
	}
	return r.text + ": " + r.said
}

// Public says why without what the network said, which names addresses.
func (r *Refusal) Public() string { return r.text }

// Said returns what Public leaves out.
func (r *Refusal) Said() string { return r.said }

// Unwrap returns the error that showed that the system does not answer, nil for other reasons.
func (r *Refusal) Unwrap() error { return r.cause }

// RefusalOf returns the refusal in err's tree, nil if there is none.
func RefusalOf(err error) *Refusal {
	var r *Refusal
	if errors.As(err, &r) {
		return r
	}
	return nil
}

// blame makes err a refusal as well; nil is the refusal alone.
func blame(err error, why *Refusal) error {
	if err == nil {
		return why
	}
	return blamed{err, why}
}

// blamed is an error that says what it did, and is a refusal as well.
type blamed struct {
	error
	why *Refusal
}

// Unwrap returns the error.
func (b blamed) Unwrap() error { return b.error }

// As finds the refusal, also where the error has one of its own.
func (b blamed) As(target any) bool {
	to, ok := target.(**Refusal)
	if ok {
		*to = b.why
	}
	return ok
}

// System is one outside system during one run. The zero value has no name and works; a nil System refuses only what the
// run does. It is safe for concurrent use and must not be copied.
type System struct {
	Name string // for errors, as it begins a sentence: "the proxy", "GitHub"

	mu    sync.Mutex
	state state
	why   *Refusal            // unless it answers
	slow  map[string]*Refusal // by route: not answered in time, although the system answers otherwise
}

// Refusal returns why nothing is asked of the system any more, nil if it is.
func (s *System) Refusal() *Refusal {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == dead {
		return s.why
	}
	return nil
}

// state is what is known of a system.
type state int

const (
	answers state = iota
	suspect       // an operation was not answered; the next one is the probe
	dead          // nor was the probe
)

// Operation is something that a client asks of a system, perhaps with several attempts.
type Operation struct {
	Route string // for errors, and to tell a slow route from a dead system: "GET /user/info"
	Read  bool   // it changes nothing outside
	// Apart says that its silence tells nothing of the system: a call of a model, which may be slow by itself.
	Apart bool
}

// Turn is one operation under way. Close must be called.
type Turn struct {
	Operation
	system  *System
	run     *Run
	ctx     context.Context // the operation's
	end     context.CancelCauseFunc
	counted bool // among the reads of planning
	probe   bool
	began   time.Time
	sent    int // attempts
}

// Begin begins an operation under ctx. The error is a *Refusal: nothing is to be sent.
func (s *System) Begin(ctx context.Context, o Operation) (*Turn, error) {
	t := &Turn{Operation: o, system: s, run: runOf(ctx)}
	refusal, probe := s.enter(o)
	if refusal != nil {
		return nil, refusal
	}
	if t.counted = o.Read && planning(ctx); t.counted {
		if refusal := t.run.begin(o.Route); refusal != nil {
			return nil, refusal
		}
	}
	t.probe, t.began = probe, t.run.now()
	t.ctx, t.end = context.WithCancelCause(ctx)
	if t.counted {
		go t.watch()
	}
	return t, nil
}

// watch ends a read of planning with the run.
func (t *Turn) watch() {
	t.run.mu.Lock()
	spent := t.run.spent
	t.run.mu.Unlock()
	select {
	case <-t.run.Stop:
		t.end(t.run.toldToStop())
	case <-spent:
		t.end(t.run.broken())
	case <-t.ctx.Done():
	}
}

// Close ends the operation.
func (t *Turn) Close() {
	t.end(context.Canceled)
	if t.counted {
		t.run.end(t.Route)
	}
}

// Context is the operation's context: the caller's, which ends earlier if the run says so. Its cause is then a *Refusal.
func (t *Turn) Context() context.Context { return t.ctx }

// Attempt returns the context of the next attempt, which may take limit, or less where the run or the system is in doubt.
func (t *Turn) Attempt(limit time.Duration) (context.Context, context.CancelFunc) {
	t.sent++
	if t.probe {
		limit = min(limit, ProbeTimeout)
	}
	if t.run.stopping() {
		limit = min(limit, StopTimeout)
	}
	return context.WithTimeout(t.ctx, limit)
}

// Again reports whether the attempt that has just failed so may be followed by another one, if most in all are sensible.
func (t *Turn) Again(c Class, most int) bool {
	return !t.probe && !t.run.stopping() && t.ctx.Err() == nil && t.sent < c.attempts(most)
}

// Pause waits for d with sleep before the next attempt. The error is the context's, or a *Refusal if the program was told
// to stop.
func (t *Turn) Pause(d time.Duration, sleep func(context.Context, time.Duration) error) error {
	ctx, cancel := context.WithCancel(t.ctx)
	defer cancel()
	if t.run.Stop != nil {
		go func() {
			select {
			case <-t.run.Stop:
				cancel()
			case <-ctx.Done():
			}
		}()
	}
	err := sleep(ctx, d)
	if t.run.stopping() {
		return t.run.toldToStop()
	}
	return err
}

// Uncounted runs wait, which waits for something else than an answer, and does not count that as reading. The error is
// wait's, or a *Refusal.
func (t *Turn) Uncounted(wait func(context.Context) error) error {
	if !t.counted {
		return wait(t.ctx)
	}
	t.run.end(t.Route)
	t.counted = false
	err := wait(t.ctx)
	if refusal := t.run.begin(t.Route); refusal != nil {
		return refusal
	}
	t.counted = true
	return err
}

// Answered notes that the system answered, whatever it said.
func (t *Turn) Answered() { t.system.answered() }

// GiveUp notes that the operation failed for good, in this way, at err, which may be nil; said is what the network said, fit to
// print. It returns err with its text; RefusalOf finds the refusal in it if the run broke the operation off, or if it shows
// that the system does not answer.
func (t *Turn) GiveUp(c Class, said string, err error) error {
	waited := t.run.now().Sub(t.began)
	refusal := RefusalOf(context.Cause(t.ctx))
	switch {
	case refusal != nil && (refusal.Reason != Stopped || waited < stopSilence):
		return blame(err, refusal)
	case t.ctx.Err() == nil:
	case refusal == nil && (waited < silence || !errors.Is(t.ctx.Err(), context.DeadlineExceeded)):
		return err
	default: // what was waited for in vain
		c = Silent
	}
	if !c.unanswered() || t.Apart {
		return err
	}
	if refusal := t.system.silent(t, c, said, err); refusal != nil {
		return blame(err, refusal)
	}
	return err
}

// enter returns why an operation may not begin, or whether it is the probe.
func (s *System) enter(o Operation) (why *Refusal, probe bool) {
	if s == nil {
		return nil, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == dead {
		return s.why, false
	}
	if why := s.slow[o.Route]; why != nil {
		return why, false
	}
	return nil, s.state == suspect && !o.Apart
}

func (s *System) answered() {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == suspect {
		s.state, s.why = answers, nil
	}
}

// silent takes note of an operation that was not answered, and returns what refuses further ones.
func (s *System) silent(t *Turn, c Class, said string, err error) *Refusal {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == answers {
		s.why = &Refusal{Reason: Unanswered, text: s.complaint(t, c), cause: err}
		if c != Silent { // which says all there is
			s.why.said = said
		}
		s.state = suspect
	}
	why := s.why
	switch {
	case t.probe, c == Lasting, t.run.stopping():
		s.state = dead
	case c == Silent:
		if s.slow == nil {
			s.slow = map[string]*Refusal{}
		}
		s.slow[t.Route] = why
	}
	return why
}

// complaint says what showed that the system does not answer.
func (s *System) complaint(t *Turn, c Class) string {
	name := s.Name
	if name == "" {
		name = "it"
	}
	waited := short(t.run.now().Sub(t.began))
	switch {
	case c == Silent && t.run.stopping() && t.ctx.Err() != nil:
		return fmt.Sprintf("%s did not answer %s within %s, until the program was told to stop", name, t.Route, waited)
	case c == Silent:
		return fmt.Sprintf("%s does not answer (%s timed out %s in %s)", name, t.Route, times(t.sent), waited)
	}
	return fmt.Sprintf("%s cannot be reached (%s)", name, t.Route)
}

// times prints a small count in words.
func times(n int) string {
	switch n {
	case 1:
		return "once"
	case 2:
		return "twice"
	}
	return fmt.Sprintf("%d times", n)
}
