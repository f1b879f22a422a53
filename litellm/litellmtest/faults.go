package litellmtest

import (
	"context"
	"net/http"
	"strings"
	"sync"
)

// Drop says when a fault cuts the connection.
type Drop int

// The drops.
const (
	NoDrop     Drop = iota
	DropBefore      // before anything is done: the request is lost
	DropAfter       // after it was done: the answer is lost
)

// Fault is something going wrong for the requests it matches. Fields left zero match everything and do nothing.
//
// An HTTP client may repeat a GET on its own when a kept connection is dropped before an answer; Times: 2 covers it.
type Fault struct {
	Method string // "" for all
	Path   string // exact, or with a star at its end; "" for all
	Match  func(r *http.Request, body []byte) bool
	Skip   int // how many matching requests pass before it strikes
	Times  int // how many requests it strikes; 0: all

	Delay    func(context.Context) // called first; it may block until the request's context is done
	Status   int                   // answer this instead of doing anything
	Body     string                // of that answer
	Header   http.Header           // of that answer; without Content-Type it is JSON
	Drop     Drop
	Truncate int // send only so many bytes of the real answer, then cut the connection
}

// HTML is a gateway's error page for every request, as a load balancer in front of the proxy sends it.
func HTML(status int) Fault {
	return Fault{
		Status: status, Body: "<html><head><title>" + http.StatusText(status) + "</title></head><body>nginx</body></html>\n",
		Header: http.Header{"Content-Type": {"text/html"}},
	}
}

// armed is a fault with its count.
type armed struct {
	Fault
	left int // strikes left; negative: no end
	skip int
}

// faultList is the faults in force, in the order they were injected.
type faultList struct {
	mu     sync.Mutex
	faults []*armed
}

// Inject puts a fault in force and returns what takes it away. Of several that match, the first strikes.
func (p *Proxy) Inject(f Fault) (remove func()) {
	a := &armed{Fault: f, left: f.Times, skip: f.Skip}
	if f.Times == 0 {
		a.left = -1
	}
	p.faults.mu.Lock()
	defer p.faults.mu.Unlock()
	p.faults.faults = append(p.faults.faults, a)
	return func() {
		p.faults.mu.Lock()
		defer p.faults.mu.Unlock()
		a.left = 0
	}
}

// ClearFaults takes every fault away.
func (p *Proxy) ClearFaults() {
	p.faults.mu.Lock()
	defer p.faults.mu.Unlock()
	p.faults.faults = nil
}

// match finds the fault that strikes a request and counts the strike; nil for none.
func (l *faultList) match(r *http.Request, body []byte) *Fault {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, a := range l.faults {
		if a.left == 0 || !a.matches(r, body) {
			continue
		}
		if a.skip > 0 {
			a.skip--
			continue
		}
		if a.left > 0 {
			a.left--
		}
		return &a.Fault
	}
	return nil
}

// matches reports whether a fault is about a request.
func (f *Fault) matches(r *http.Request, body []byte) bool {
	prefix, star := strings.CutSuffix(f.Path, "*")
	return (f.Method == "" || f.Method == r.Method) &&
		(f.Path == "" || f.Path == r.URL.Path || star && strings.HasPrefix(r.URL.Path, prefix)) &&
		(f.Match == nil || f.Match(r, body))
}

// before does what happens before the request is handled. It reports whether the request is answered already.
func (f *Fault) before(w http.ResponseWriter, r *http.Request, e entry) bool {
	if f.Delay != nil {
		f.Delay(r.Context())
	}
	if f.Drop == DropBefore {
		panic(http.ErrAbortHandler)
	}
	if f.Status == 0 || f.Drop == DropAfter {
		return false
	}
	w.Header().Set("Content-Type", "application/json")
	for name, values := range f.Header {
		w.Header()[http.CanonicalHeaderKey(name)] = values
	}
	w.WriteHeader(f.Status)
	_, _ = w.Write([]byte(f.Body))
	e.set(f.Status, false)
	return true
}

// after reports whether the answer is to be lost.
func (f *Fault) after(e entry) bool {
	if f.Drop == DropAfter {
		e.set(0, true)
		return true
	}
	return false
}

// cut sends a part of the answer and drops the connection.
func (f *Fault) cut(w http.ResponseWriter, body []byte) {
	_, _ = w.Write(body[:min(f.Truncate, len(body))]) // #nosec G705 -- a fake, answering a test
	if flusher, ok := w.(http.Flusher); ok {
		flusher.Flush()
	}
	panic(http.ErrAbortHandler)
}
