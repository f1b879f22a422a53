package litellm

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/org/openclaw-litellm-action/internal/netx"
	"github.com/org/openclaw-litellm-action/secret"
)

// Bounds of the pause before a repetition.
const (
	firstPause    = 500 * time.Millisecond
	longestPause  = 8 * time.Second
	maxRetryAfter = 30 * time.Second // what is asked beyond it is left to the caller
)

// call is one operation on the wire.
type call struct {
	op     string // for errors, a gerund
	method string
	path   string
	query  url.Values
	body   any          // nil: none; else encoded as JSON
	key    secret.Value // zero: the client's
	secret secret.Value // another secret the body holds, kept out of errors
	once   bool         // sent once, whatever happens
	final  Kind         // a failure of this kind is what was asked for, and not repeated
	row    string       // the token of the key row the call is about: 401 about that row means NotFound on 1.81
	// wanted, if not nil, tells statuses other than 2xx whose bodies are answers, not errors.
	wanted func(status int, body []byte) bool
}

func (q *call) route() string { return q.method + " " + q.path }

// answer is what came back.
type answer struct {
	status   int
	header   http.Header
	body     []byte
	date     time.Time     // the Date header, UTC; our own clock where it is missing
	latency  time.Duration // of the last attempt
	attempts int
}

// do sends q, again where that is safe and may help, and returns a good answer or an *Error.
func (c *Client) do(ctx context.Context, q call) (*answer, error) {
	body, err := encode(q.body)
	if err != nil {
		return nil, &Error{Op: q.op, Kind: BadRequest, Message: err.Error(), Err: err}
	}
	turn, err := c.System.Begin(ctx, netx.Operation{Route: q.route(), Read: q.method == http.MethodGet, Apart: q.once})
	if err != nil {
		return nil, c.notAsked(&q, err)
	}
	defer turn.Close()
	for start, attempt := c.now(), 1; ; attempt++ {
		a, fault := c.send(turn, &q, body)
		if fault == nil {
			a.attempts = attempt
			return a, nil
		}
		fault.attempts = attempt
		pause, again := c.backoff(&q, fault, turn)
		if !again || c.now().Add(pause).Sub(start) > cmp.Or(c.Patience, DefaultPatience) {
			fault.giveUp(turn)
			return nil, fault
		}
		if err := turn.Pause(pause, c.sleep); err != nil {
			return nil, &Error{Op: q.op, Route: q.route(), Kind: Interrupted, Message: "waiting to repeat: " + fault.Message, Err: err}
		}
	}
}

// notAsked is the error of an operation that nothing was sent for.
func (c *Client) notAsked(q *call, err error) *Error {
	return &Error{Op: q.op, Kind: NotAsked, Message: clean(err.Error(), c.Key, q.key, q.secret), Own: ownWords(err), Err: err}
}

// ownWords returns what err says without the network.
func ownWords(err error) string {
	if why := netx.RefusalOf(err); why != nil {
		return why.Public()
	}
	return ""
}

// backoff returns how long to pause after a failure, and whether to go on at all.
func (c *Client) backoff(q *call, fault *Error, turn *netx.Turn) (time.Duration, bool) {
	limit := cmp.Or(c.Attempts, DefaultAttempts)
	if q.once || fault.Kind == q.final {
		limit = 1
	}
	if fault.RetryAfter > maxRetryAfter || !turn.Again(fault.classed(), limit) {
		return 0, false
	}
	pause := min(firstPause<<(fault.attempts-1), longestPause)
	pause = pause/2 + rand.N(pause/2+1) // #nosec G404 -- spreads repetitions, keeps no secret
	return max(pause, fault.RetryAfter), true
}

// giveUp says how often the request was sent, and takes note of what that says about the proxy.
func (e *Error) giveUp(turn *netx.Turn) {
	if e.attempts > 1 {
		e.Message = clean(strings.TrimSuffix(e.Message, "…") + " (sent " + strconv.Itoa(e.attempts) + " times)")
	}
	if e.Status == 0 && e.Err != nil {
		e.Err = turn.GiveUp(e.classed(), e.Message, e.Err)
	}
}

// send sends q once.
func (c *Client) send(turn *netx.Turn, q *call, body []byte) (*answer, *Error) {
	ctx, cancel := turn.Attempt(cmp.Or(c.Timeout, DefaultTimeout))
	defer cancel()
	request, err := c.request(ctx, q, body)
	if err != nil {
		return nil, &Error{Op: q.op, Kind: BadRequest, Message: clean(err.Error()), Err: err}
	}
	start := c.now()
	c.requests.Add(1)
	response, err := c.httpClient().Do(request)
	if err != nil {
		return nil, c.networkError(turn.Context(), q, err)
	}
	defer response.Body.Close()
	text, err := netx.ReadAll(response.Body, cmp.Or(c.MaxBytes, DefaultMaxBytes))
	if large := (*netx.TooLarge)(nil); errors.As(err, &large) {
		turn.Answered()
		return nil, ours(&Error{Op: q.op, Route: q.route(), Kind: TooLarge, Status: response.StatusCode, Message: err.Error()})
	}
	if err != nil {
		return nil, c.networkError(turn.Context(), q, err)
	}
	turn.Answered()
	a := &answer{status: response.StatusCode, header: response.Header, body: text, latency: c.now().Sub(start)}
	a.date = c.date(response.Header)
	switch {
	case a.status/100 == 2 && looksLikeJSON(a):
		c.learn(a)
		return a, nil
	case q.wanted != nil && looksLikeJSON(a) && q.wanted(a.status, a.body):
		return a, nil
	}
	return nil, c.classify(q, a)
}

// request builds the HTTP request of q.
func (c *Client) request(ctx context.Context, q *call, body []byte) (*http.Request, error) {
	base, _, err := ParseBaseURL(c.BaseURL)
	if err != nil {
		return nil, err
	}
	key := cmp.Or(q.key, c.Key)
	if key.IsZero() {
		return nil, errors.New("there is no key to ask with")
	}
	target := base + q.path
	if len(q.query) > 0 {
		target += "?" + q.query.Encode()
	}
	var reader io.Reader
	if body != nil {
		reader = bytes.NewReader(body)
	}
	request, err := http.NewRequestWithContext(ctx, q.method, target, reader)
	if err != nil {
		return nil, errors.New("the request cannot be built")
	}
	request.Header.Set("Authorization", "Bearer "+key.Reveal())
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", "openclaw-litellm-action")
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	return request, nil
}

// date returns the answer's Date header in UTC, our own clock where it is missing or makes no sense.
func (c *Client) date(header http.Header) time.Time {
	if t, ok := netx.Date(header); ok {
		return t
	}
	return c.now().UTC().Truncate(time.Second)
}

// looksLikeJSON reports whether a 2xx body can be LiteLLM's: JSON of any kind.
func looksLikeJSON(a *answer) bool { return json.Valid(a.body) }

// learn takes the release from an answer that tells it in passing.
func (c *Client) learn(a *answer) {
	if r := parseRelease(a.header.Get("X-Litellm-Version")); r.Known() {
		c.release.note(r)
	}
}

// get asks for one object that must have a field of the name need: what has not is no answer of LiteLLM's.
func (c *Client) get(ctx context.Context, q call, need string) (object, *answer, error) {
	q.method = http.MethodGet
	a, err := c.do(ctx, q)
	if err != nil {
		return nil, nil, err
	}
	o, err := parseObject(a.body)
	if _, there := o[need]; err != nil || !there {
		return nil, nil, ours(&Error{Op: q.op, Route: q.route(), Kind: NotLiteLLM, Status: a.status,
			Message: "the answer has no " + strconv.Quote(need) + ": is the address that of a LiteLLM proxy?"})
	}
	return o, a, nil
}

// post sends body and forgets the answer, which echoes what was sent rather than what was stored.
func (c *Client) post(ctx context.Context, q call) error {
	q.method = http.MethodPost
	_, err := c.do(ctx, q)
	return err
}

// unreadable is the error of a good answer that does not hold what it should.
func unreadable(op string, err error) error {
	return &Error{Op: op, Kind: BadAnswer, Message: clean(err.Error()), Err: err}
}
