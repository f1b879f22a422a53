package litellmtest

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/org/openclaw-litellm-action/secret"
)

// Request is one request the proxy saw. It holds no key: each is replaced by "token:" and its SHA-256.
type Request struct {
	Method, Path string
	Query        string // raw
	Body         string
	Caller       string // token of the calling key, "" for none
	Write        bool   // may change rows of the management API
	Status       int    // of the answer; 0 while there is none, or if the connection was dropped
	Applied      bool   // the route did its work, whether or not the answer arrived
}

// logLimit is how many requests the log holds at most; the older half goes when it is full.
const logLimit = 100_000

// requestLog is the requests, in order of arrival.
type requestLog struct {
	mu       sync.Mutex
	requests []Request
	gone     int // requests that are in the log no more
	writes   int // of all requests
}

// entry is one request's place in the log.
type entry struct {
	log *requestLog
	at  int
}

// add notes a request before anything is done with it.
func (l *requestLog) add(r *http.Request, raw []byte) entry {
	caller := ""
	if text := bearer(r); text != "" {
		caller = secret.New(text).SHA256()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.requests) == logLimit {
		l.requests = slices.Clone(l.requests[logLimit/2:])
		l.gone += logLimit / 2
	}
	write := r.Method != http.MethodGet && r.Method != http.MethodHead && !strings.HasSuffix(r.URL.Path, "/chat/completions")
	if write {
		l.writes++
	}
	l.requests = append(l.requests, Request{
		Method: r.Method, Path: redact(r.URL.Path), Query: redact(r.URL.RawQuery), Body: redact(string(raw)), Caller: caller, Write: write,
	})
	return entry{l, l.gone + len(l.requests) - 1}
}

// finish notes what the route answered.
func (e entry) finish(status int) { e.set(status, true) }

// set notes an answer.
func (e entry) set(status int, applied bool) {
	e.log.mu.Lock()
	defer e.log.mu.Unlock()
	if at := e.at - e.log.gone; at >= 0 {
		e.log.requests[at].Status, e.log.requests[at].Applied = status, applied
	}
}

// keyPattern finds keys in a text.
var keyPattern = regexp.MustCompile(`sk-[A-Za-z0-9_-]+`)

// redact replaces every key by its token.
func redact(text string) string {
	return keyPattern.ReplaceAllStringFunc(text, func(key string) string {
		return "token:" + secret.New(key).SHA256()
	})
}

// Requests returns the requests so far, in order of arrival: all of them, up to a hundred thousand.
func (p *Proxy) Requests() []Request {
	p.log.mu.Lock()
	defer p.log.mu.Unlock()
	return slices.Clone(p.log.requests)
}

// Count is how many requests there were.
func (p *Proxy) Count() int {
	p.log.mu.Lock()
	defer p.log.mu.Unlock()
	return p.log.gone + len(p.log.requests)
}

// Writes is how many of them may have changed rows of the management API. Chat calls are none of them.
func (p *Proxy) Writes() int {
	p.log.mu.Lock()
	defer p.log.mu.Unlock()
	return p.log.writes
}
