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

// requestLog is every request, in order of arrival.
type requestLog struct {
	mu       sync.Mutex
	requests []Request
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
	l.requests = append(l.requests, Request{
		Method: r.Method, Path: redact(r.URL.Path), Query: redact(r.URL.RawQuery), Body: redact(string(raw)), Caller: caller,
		Write: r.Method != http.MethodGet && r.Method != http.MethodHead && !strings.HasSuffix(r.URL.Path, "/chat/completions"),
	})
	return entry{l, len(l.requests) - 1}
}

// finish notes what the route answered.
func (e entry) finish(status int) { e.set(status, true) }

// set notes an answer.
func (e entry) set(status int, applied bool) {
	e.log.mu.Lock()
	defer e.log.mu.Unlock()
	if e.at < len(e.log.requests) {
		e.log.requests[e.at].Status, e.log.requests[e.at].Applied = status, applied
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

// Requests returns every request so far, in order of arrival.
func (p *Proxy) Requests() []Request {
	p.log.mu.Lock()
	defer p.log.mu.Unlock()
	return slices.Clone(p.log.requests)
}

// Count is how many requests there were.
func (p *Proxy) Count() int { return len(p.Requests()) }

// Writes is how many of them may have changed rows of the management API. Chat calls are none of them.
func (p *Proxy) Writes() int {
	n := 0
	for _, r := range p.Requests() {
		if r.Write {
			n++
		}
	}
	return n
}
