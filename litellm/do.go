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
	limit := cmp.Or(c.Attempts, DefaultAttempts)
	if q.once {
		limit = 1
	}
	start := c.now()
	for attempt := 1; ; attempt++ {
		a, fault := c.send(ctx, &q, body)
		if fault == nil {
			a.attempts = attempt
			return a, nil
		}
		pause, again := backoff(fault, attempt)
		if !again || fault.Kind == q.final || attempt >= limit || c.now().Add(pause).Sub(start) > cmp.Or(c.Patience, DefaultPatience) {
			if attempt > 1 {
				fault.Message = clean(strings.TrimSuffix(fault.Message, "…") + " (sent " + strconv.Itoa(attempt) + " times)")
			}
			fault.attempts = attempt
			return nil, fault
		}
		if err := c.sleep(ctx, pause); err != nil {
			return nil, &Error{Op: q.op, Route: q.route(), Kind: Interrupted, Message: "waiting to repeat: " + fault.Message, Err: err}
		}
	}
}

// backoff returns how long to pause after the attempt-th failure, and whether to go on at all.
func backoff(fault *Error, attempt int) (time.Duration, bool) {
	if !fault.mayPass() || fault.RetryAfter > maxRetryAfter {
		return 0, false
	}
	pause := min(firstPause<<(attempt-1), longestPause)
	pause = pause/2 + rand.N(pause/2+1) // #nosec G404 -- spreads repetitions, keeps no secret
	return max(pause, fault.RetryAfter), true
}

// send sends q once.
func (c *Client) send(ctx context.Context, q *call, body []byte) (*answer, *Error) {
	inner, cancel := context.WithTimeout(ctx, cmp.Or(c.Timeout, DefaultTimeout))
	defer cancel()
	request, err := c.request(inner, q, body)
	if err != nil {
		return nil, &Error{Op: q.op, Kind: BadRequest, Message: clean(err.Error()), Err: err}
	}
	start := c.now()
	c.requests.Add(1)
	response, err := c.httpClient().Do(request)
	if err != nil {
		return nil, c.networkError(ctx, q, err)
	}
	defer response.Body.Close()
	limit := cmp.Or(c.MaxBytes, DefaultMaxBytes)
	text, err := io.ReadAll(io.LimitReader(response.Body, limit+1))
	if err != nil {
		return nil, c.networkError(ctx, q, err)
	}
	a := &answer{status: response.StatusCode, header: response.Header, body: text, latency: c.now().Sub(start)}
	a.date = c.date(response.Header)
	switch {
	case int64(len(text)) > limit:
		return nil, ours(&Error{Op: q.op, Route: q.route(), Kind: TooLarge, Status: a.status,
			Message: "the answer has more than " + strconv.FormatInt(limit, 10) + " bytes"})
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

// date returns the answer's Date header in UTC, our own clock where it is missing.
func (c *Client) date(header http.Header) time.Time {
	if t, err := http.ParseTime(header.Get("Date")); err == nil {
		return t.UTC()
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
