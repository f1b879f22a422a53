package litellm

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/org/openclaw-litellm-action/internal/netx"
	"github.com/org/openclaw-litellm-action/secret"
)

// Defaults of a Client's fields left zero.
const (
	DefaultTimeout  = 30 * time.Second
	DefaultAttempts = 4
	DefaultPatience = 90 * time.Second
	DefaultMaxBytes = 32 << 20
)

// Client talks to one LiteLLM proxy with one management key. BaseURL and Key are needed, the rest has defaults. Fields
// are set before the first call and not changed after; a Client is safe for concurrent use and must not be copied.
//
// Every method blocks until the proxy answered, repeating included, or its context ended.
type Client struct {
	BaseURL string       // the proxy's origin, or …/v1; see ParseBaseURL
	Key     secret.Value // the management key

	// HTTP sends the requests; nil means one of our own over net/http's default transport. Its redirect policy and its
	// cookies are not used: no redirect is ever followed, because Go sends the body, which may hold a key, again.
	HTTP *http.Client
	// Now tells the time, for latencies and the bound on repeating; nil means time.Now.
	Now func() time.Time
	// Sleep waits for d or until ctx ends, whose error it returns; nil means a real timer.
	Sleep func(ctx context.Context, d time.Duration) error

	// System is the proxy during one run, shared by all clients of it; nil: every operation stands for itself.
	System *netx.System

	Timeout  time.Duration // of one request; 0 means DefaultTimeout
	Attempts int           // how often a request that may be repeated is sent at most; 0 means DefaultAttempts, 1 never repeats
	Patience time.Duration // no repetition starts later than this after the first request; 0 means DefaultPatience
	MaxBytes int64         // of one answer's body; 0 means DefaultMaxBytes

	requests atomic.Int64
	details  atomic.Int32 // what is known of /health/readiness/details: detailsUnknown, …
	release  memo[Release]
	identity memo[Identity]

	once   sync.Once
	client *http.Client
}

// Requests returns how many HTTP requests were sent so far, repetitions included.
func (c *Client) Requests() int64 { return c.requests.Load() }

// Unreachable returns why nothing is asked of the proxy any more in this run: it does not answer. nil: it does, as far as
// known.
func (c *Client) Unreachable() error {
	if why := c.System.Refusal(); why != nil {
		return why
	}
	return nil
}

// httpClient returns HTTP, or a client of our own, made to follow no redirect.
func (c *Client) httpClient() *http.Client {
	c.once.Do(func() {
		own := http.Client{}
		if c.HTTP != nil {
			own = http.Client{Transport: c.HTTP.Transport, Timeout: c.HTTP.Timeout}
		}
		own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		c.client = &own
	})
	return c.client
}

func (c *Client) now() time.Time {
	if c.Now != nil {
		return c.Now()
	}
	return time.Now()
}

func (c *Client) sleep(ctx context.Context, d time.Duration) error {
	if c.Sleep != nil {
		return c.Sleep(ctx, d)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// memo holds a value learned once. Only success is kept. Concurrent callers wait for the one that asks, or until their
// context ends.
type memo[T any] struct {
	once  sync.Once
	turn  chan struct{} // holds one element while somebody has the turn
	known bool
	value T
}

func (m *memo[T]) turns() chan struct{} {
	m.once.Do(func() { m.turn = make(chan struct{}, 1) })
	return m.turn
}

// get returns the value, asking learn for it if it is not known.
func (m *memo[T]) get(ctx context.Context, learn func() (T, error)) (T, error) {
	select {
	case m.turns() <- struct{}{}:
		defer func() { <-m.turn }()
	case <-ctx.Done():
		var none T
		return none, &Error{Op: "waiting for an answer that others asked for", Kind: Interrupted, Message: context.Cause(ctx).Error(), Err: ctx.Err()}
	}
	if m.known {
		return m.value, nil
	}
	v, err := learn()
	if err == nil {
		m.value, m.known = v, true
	}
	return v, err
}

// note makes the value known, unless somebody is asking for it just now.
func (m *memo[T]) note(v T) {
	select {
	case m.turns() <- struct{}{}:
		m.value, m.known = v, true
		<-m.turn
	default:
	}
}
