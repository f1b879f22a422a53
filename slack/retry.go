package slack

import (
	"context"
	"errors"
	"time"

	"github.com/org/openclaw-litellm-action/internal/netx"
)

const (
	maxAttempts    = 4
	defaultMaxWait = time.Minute
)

// patience says how long and how often a call is repeated.
type patience struct {
	sleep   func(context.Context, time.Duration) error
	maxWait time.Duration // over all waits of one call; 0: a minute
	system  *netx.System
}

// do makes the call up to four times. It repeats what Slack asked to repeat, what was never sent and, if harmless, what
// may have been carried out. It gives up as soon as the next wait would go over the limit.
func (p patience) do(ctx context.Context, op string, harmless bool, call func(context.Context) *Error) error {
	if p.maxWait == 0 {
		p.maxWait = defaultMaxWait
	}
	if p.sleep == nil {
		p.sleep = sleep
	}
	turn, err := p.system.Begin(ctx, netx.Operation{Route: op})
	if err != nil {
		return &Error{Op: op, Kind: NotAsked, Detail: err.Error(), cause: err}
	}
	defer turn.Close()
	left := p.maxWait
	for n := 0; ; n++ {
		e := attempt(turn, call)
		if e == nil {
			return nil
		}
		wait, again := next(e, n, harmless)
		if !again || wait > left || !turn.Again(e.classed(), maxAttempts) {
			return e.giveUp(turn)
		}
		left -= wait
		if err := turn.Pause(wait, p.sleep); err != nil {
			e.cause = err
			return e
		}
	}
}

// attempt makes the call once, and notes that there was an answer.
func attempt(turn *netx.Turn, call func(context.Context) *Error) *Error {
	ctx, cancel := turn.Attempt(attemptTimeout)
	defer cancel()
	e := call(ctx)
	if e == nil || e.Status != 0 && e.Kind != Network {
		turn.Answered()
	}
	return e
}

// giveUp takes note of what a failure says about Slack, or of who broke the call off.
func (e *Error) giveUp(turn *netx.Turn) *Error {
	switch {
	case turn.Context().Err() != nil:
		e.Detail = context.Cause(turn.Context()).Error()
		e.cause = turn.GiveUp(e.classed(), e.Detail, turn.Context().Err())
	case e.Kind == Network:
		e.cause = turn.GiveUp(e.classed(), e.Detail, e.cause)
	}
	return e
}

// next says whether to make the call again after its nth failure, and how long to wait first.
func next(e *Error, n int, harmless bool) (time.Duration, bool) {
	backoff := time.Second << n
	switch e.Kind {
	case RateLimited:
		return max(e.RetryAfter, backoff), true
	case Network, Server:
		return backoff, harmless || !e.MaybeSent
	}
	return 0, false
}

// sleep waits for d or until ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// plainer reports whether err is Slack refusing m's blocks, and returns what to send instead: the plain blocks, then the
// text alone.
func plainer(m Message, err error) (Message, string, bool) {
	var e *Error
	if len(m.Blocks) == 0 || !errors.As(err, &e) || e.Kind != BlocksRefused {
		return m, "", false
	}
	why := e.Code
	if e.Detail != "" {
		why += ": " + e.Detail
	}
	if len(m.Plain) > 0 {
		m.Blocks, m.Plain = m.Plain, nil
		return m, "Slack refused the newer blocks (" + why + "), so older ones were sent", true
	}
	m.Text += "\n_Slack refused the formatted version of this message (" + Escape(e.Code) + ")._"
	return Message{Text: m.Text, Broadcast: m.Broadcast}, "Slack refused the formatted version (" + why + "), so the text was sent alone", true
}

// sendPlainer tries m, and what is plainer as long as Slack refuses blocks, and tells notes what went in its place.
func sendPlainer(op string, m Message, notes func(string), try func(Message) error) error {
	err := try(m)
	for {
		plain, note, ok := plainer(m, err)
		if !ok {
			return err
		}
		if m, err = plain, try(plain); err == nil {
			tell(notes, op, note)
		}
	}
}

// ready returns m fitted, having told notes what was cut, or an *Error if it has no text.
func ready(op string, m Message, notes func(string)) (Message, error) {
	if m.Text == "" {
		return m, &Error{Op: op, Kind: Invalid, Detail: "the message has no fallback text"}
	}
	m, cuts := Fit(m)
	for _, c := range cuts {
		tell(notes, op, c)
	}
	return m, nil
}

func tell(notes func(string), op, what string) {
	if notes != nil {
		notes(op + ": " + what)
	}
}
