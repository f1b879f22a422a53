package github

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	gh "github.com/google/go-github/v62/github"

	"github.com/org/openclaw-litellm-action/internal/netx"
	"github.com/org/openclaw-litellm-action/secret"
)

// What the zero fields of a Client stand for.
const (
	DefaultAPIURL    = "https://api.github.com"
	DefaultTimeout   = 20 * time.Second // GitHub itself gives up after ten
	DefaultMaxWait   = time.Minute
	DefaultMaxAnswer = 32 << 20
	DefaultUserAgent = "openclaw-litellm-action"
)

// attempts is how often one request is sent at most, retries and waits for rate limits together.
const attempts = 4

// Client sends requests with one token. The zero value plus a Token works; fields are set before the first call and
// not changed after. A Client is used by pointer and is safe for concurrent use.
type Client struct {
	Token secret.Value // sent to the host of APIURL and nowhere else; zero: no authorization
	// Credential, if not nil, is asked before each request for what goes in Token's place: an App's tokens do not last.
	Credential func(ctx context.Context) (secret.Value, error)

	APIURL string       // "": DefaultAPIURL; for GitHub Enterprise Server its …/api/v3
	HTTP   *http.Client // nil: http.DefaultTransport; its redirect policy is not used
	Login  string       // our own login, if known; see Viewer

	Now   func() time.Time                                 // nil: time.Now
	Sleep func(ctx context.Context, d time.Duration) error // nil: a timer; returns early with the context's error
	Pace  func(ctx context.Context, write bool) error      // called before each request is sent; nil: no pacing

	// System is GitHub during one run, shared by all clients of it; nil: every operation stands for itself.
	System *netx.System

	UserAgent string        // "": DefaultUserAgent
	Timeout   time.Duration // for one request with its answer; 0: DefaultTimeout
	MaxWait   time.Duration // longest wait for a rate limit; a longer one is an error at once; 0: DefaultMaxWait
	MaxAnswer int64         // largest answer read, in bytes; 0: DefaultMaxAnswer

	requests atomic.Int64
	expires  atomic.Pointer[time.Time]
	grants   atomic.Pointer[[]string]
	last     atomic.Pointer[secret.Value] // what Credential gave last, to be kept out of errors

	installed bool // the credential is an App's installation's

	mu    sync.Mutex
	login string               // what Viewer learned
	keys  map[string]publicKey // path of the scope's secrets → its public key
}

// Requests returns how many requests were sent so far, retries and followed redirects included.
func (c *Client) Requests() int64 { return c.requests.Load() }

// TokenExpires returns when the token expires, as GitHub said with the latest answer that said so; ok is false if none
// has: the token does not expire or nothing was asked yet.
func (c *Client) TokenExpires() (at time.Time, ok bool) {
	if p := c.expires.Load(); p != nil {
		return *p, true
	}
	return time.Time{}, false
}

// call is one request as a method describes it.
type call struct {
	op     string // gerund and thing: "reading issue 3 of acme/ops"
	method string
	path   string // below the API URL, escaped, or an absolute URL on its host; with its query
	body   any    // nil: none
	out    any    // nil: the answer's body is ignored
	query  bool   // a POST that only reads
	repeat bool   // sending it twice is as good as once, so a lost answer is retried
}

func (k call) writes() bool { return k.method != http.MethodGet && !k.query }

// route names the request without its host and its query.
func (k call) route() string {
	path := k.path
	if u, err := url.Parse(path); err == nil {
		path = u.Path
	}
	return k.method + " /" + strings.TrimPrefix(path, "/")
}

// do sends k until it is answered, may not be sent again, or was sent often enough. It returns the answer's header. The
// error is an *Error.
func (c *Client) do(ctx context.Context, k call) (http.Header, error) {
	turn, err := c.System.Begin(ctx, netx.Operation{Route: k.route(), Read: !k.writes()})
	if err != nil {
		return nil, &Error{Op: k.op, Kind: NotAsked, Err: err}
	}
	defer turn.Close()
	for attempt := 1; ; attempt++ {
		header, fault := c.once(turn, k)
		if fault == nil {
			return header, nil
		}
		wait, again := c.retry(turn, k, fault, attempt)
		if !again {
			if fault.Status == 0 && fault.Err != nil {
				fault.Err = turn.GiveUp(fault.class, fault.Err.Error(), fault.Err)
			}
			return nil, fault
		}
		if err := turn.Pause(wait, c.sleep); err != nil {
			fault.Err = fmt.Errorf("waiting to try again: %w", err)
			return nil, fault
		}
	}
}

// once sends k one time.
func (c *Client) once(turn *netx.Turn, k call) (http.Header, *Error) {
	ctx := turn.Context()
	token, fault := c.credential(ctx, k)
	if fault != nil {
		return nil, fault
	}
	api, err := c.api(token)
	if err != nil {
		return nil, &Error{Op: k.op, Kind: Invalid, Err: err, class: netx.Answered}
	}
	if c.Pace != nil {
		pace := func(ctx context.Context) error { return c.Pace(ctx, k.writes()) }
		if err := turn.Uncounted(pace); err != nil {
			return nil, &Error{Op: k.op, Kind: Network, Err: fmt.Errorf("waiting for a turn: %w", err), class: netx.Answered}
		}
	}
	req, err := api.NewRequest(k.method, strings.TrimPrefix(k.path, "/"), k.body)
	if err != nil {
		return nil, &Error{Op: k.op, Kind: Invalid, Err: fmt.Errorf("building the request: %w", err), class: netx.Answered}
	}
	attempt, cancel := turn.Attempt(cmp.Or(c.Timeout, DefaultTimeout))
	defer cancel()
	out := k.out
	if out == nil {
		out = io.Discard
	}
	resp, err := api.Do(attempt, req, out)
	if _, accepted := err.(*gh.AcceptedError); err != nil && !accepted {
		fault := c.fault(ctx, k, resp, err)
		if resp != nil && !unread(fault) {
			turn.Answered()
		}
		return nil, fault
	}
	turn.Answered()
	return resp.Header, nil
}

// unread reports whether the answer did not arrive whole.
func unread(fault *Error) bool { return fault.Kind == Network }

// credential returns what authorizes k. Where it can't be had, the error has the kind of that failure.
func (c *Client) credential(ctx context.Context, k call) (secret.Value, *Error) {
	if c.Credential == nil {
		return c.Token, nil
	}
	token, err := c.Credential(ctx)
	if err != nil {
		return token, &Error{Op: k.op, Kind: cmp.Or(KindOf(err), Invalid), Err: err, class: netx.Answered}
	}
	c.last.Store(&token)
	return token, nil
}

// api returns a fresh go-github client: that package remembers rate limits by the process's clock, ours does not.
func (c *Client) api(token secret.Value) (*gh.Client, error) {
	base, err := parseAPIURL(cmp.Or(c.APIURL, DefaultAPIURL))
	if err != nil {
		return nil, err
	}
	var h http.Client
	if c.HTTP != nil {
		h = *c.HTTP
	}
	h.Transport = &transport{client: c, token: token, base: base, next: h.Transport}
	h.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	api := gh.NewClient(&h)
	api.BaseURL = base
	api.UserAgent = cmp.Or(c.UserAgent, DefaultUserAgent)
	return api, nil
}

// parseAPIURL parses text with a trailing slash. Plain http is for loopback and private addresses only, since every
// request carries the token.
func parseAPIURL(text string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimRight(text, "/") + "/")
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("reading the GitHub API URL: it must look like %s or https://HOST/api/v3", DefaultAPIURL)
	}
	if u.Scheme == "https" || u.Scheme == "http" && isPrivate(u.Hostname()) {
		return u, nil
	}
	return nil, fmt.Errorf("reading the GitHub API URL %s://%s: the token would travel in the clear; use https", u.Scheme, u.Host)
}

func isPrivate(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && (addr.IsLoopback() || addr.IsPrivate() || addr.IsLinkLocalUnicast())
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
