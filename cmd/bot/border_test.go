package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/org/openclaw-litellm-action/secret"
)

// border is the line between a bot process and what is outside of it. Every request crosses one of its gates, which
// record it, and can strike one of the writes.
type border struct {
	mu     sync.Mutex
	log    []crossing
	minted []secret.Value // every key value that the process sent, claims included
	writes int            // since the last strike was set
	strike *strike
	delay  time.Duration // of every request to the proxy
}

// slow makes the proxy answer so much later.
func (b *border) slow(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.delay = d
}

// crossing is one request that came to a gate.
type crossing struct {
	gate, method, path string
	write              bool
	status             int // 0: no answer came back to the process
}

func (c crossing) String() string { return c.gate + " " + c.method + " " + c.path }

// blow is what happens to a write.
type blow int

// The blows.
const (
	killBefore  blow = iota // the process is killed while the request is on its way; it is never applied
	killAfter               // it is applied, and the process is killed before it hears so
	loseAnswer              // it is applied, and the connection breaks
	refuse503               // it is refused, and so is every repetition of it
	pauseBefore             // the process is suspended while the request is on its way; it is applied when it goes on
	pauseAfter              // it is applied, and the process is suspended before it hears so
)

func (b blow) String() string {
	return [...]string{"killed before", "killed after", "answer lost after", "503 at", "paused before", "paused after"}[b]
}

// strike is one blow to the nth write from now on, counted from 0 over all gates.
type strike struct {
	nth  int
	blow blow

	hit      chan struct{} // closed when the process is to be killed or suspended
	dead     chan struct{} // closed by who killed it, or let it go on
	at       crossing      // what was struck
	happened bool
	body     string // of what was struck, to know its repetitions by
}

// arm makes the next blow and begins to count writes anew.
func (b *border) arm(nth int, how blow) *strike {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.writes = 0
	b.strike = &strike{nth: nth, blow: how, hit: make(chan struct{}), dead: make(chan struct{})}
	return b.strike
}

// disarm lets everything pass.
func (b *border) disarm() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.strike, b.writes = nil, 0
}

// reset forgets the requests so far.
func (b *border) reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.log = nil
}

// crossings returns the requests since reset.
func (b *border) crossings() []crossing {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]crossing(nil), b.log...)
}

// count returns how many requests crossed since reset, and which of them wrote.
func (b *border) count() (requests int, writes []crossing) {
	for _, c := range b.crossings() {
		requests++
		if c.write {
			writes = append(writes, c)
		}
	}
	return requests, writes
}

// values returns every key value that the process sent to the proxy.
func (b *border) values() []secret.Value {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]secret.Value(nil), b.minted...)
}

// gate opens a gate before upstream and returns its address.
func (b *border) gate(t *testing.T, name, upstream string) string {
	transport := &http.Transport{DisableCompression: true}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.cross(w, r, name, upstream, transport)
	}))
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
		transport.CloseIdleConnections()
	})
	return s.URL
}

// cross lets one request through, or strikes it.
func (b *border) cross(w http.ResponseWriter, r *http.Request, name, upstream string, via http.RoundTripper) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	i, struck := b.enter(crossing{gate: name, method: r.Method, path: r.URL.Path, write: isWrite(r)}, body)
	if struck != nil && struck.blow == killBefore {
		close(struck.hit)
		<-struck.dead
		panic(http.ErrAbortHandler)
	}
	if struck != nil && struck.blow == refuse503 {
		b.answered(i, http.StatusServiceUnavailable)
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	if struck != nil && struck.blow == pauseBefore {
		close(struck.hit)
		<-struck.dead
	}
	status, header, answer, err := forward(r, body, upstream, via)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if struck != nil && (struck.blow == killAfter || struck.blow == pauseAfter) {
		close(struck.hit)
		<-struck.dead
	}
	if struck != nil && struck.blow != pauseBefore && struck.blow != pauseAfter {
		panic(http.ErrAbortHandler)
	}
	b.answered(i, status)
	for name, values := range header {
		w.Header()[name] = values
	}
	w.WriteHeader(status)
	_, _ = w.Write(answer)
}

// enter records a request and returns the strike if it is to be struck.
func (b *border) enter(c crossing, body []byte) (index int, struck *strike) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.log = append(b.log, c)
	index = len(b.log) - 1
	if c.gate == "litellm" && b.delay > 0 {
		b.mu.Unlock()
		time.Sleep(b.delay)
		b.mu.Lock()
	}
	var sent struct{ Key string }
	if c.path == "/key/generate" && json.Unmarshal(body, &sent) == nil {
		b.minted = append(b.minted, secret.New(sent.Key))
	}
	s := b.strike
	if s == nil || !c.write {
		return index, nil
	}
	again := s.happened && s.blow == refuse503 && s.at == c && s.body == string(body)
	if again || !s.happened && b.writes == s.nth {
		s.happened, s.at, s.body = true, c, string(body)
		struck = s
	}
	b.writes++
	return index, struck
}

func (b *border) answered(index, status int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if index < len(b.log) {
		b.log[index].status = status
	}
}

// isWrite reports whether a request changes anything outside.
func isWrite(r *http.Request) bool {
	return r.Method != http.MethodGet && r.Method != http.MethodHead && !strings.HasSuffix(r.URL.Path, "/graphql")
}

// forward sends the request on, whatever becomes of who sent it.
func forward(r *http.Request, body []byte, upstream string, via http.RoundTripper) (int, http.Header, []byte, error) {
	out, err := http.NewRequest(r.Method, upstream+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		return 0, nil, nil, err
	}
	out.Host = r.Host // where links in answers lead to
	out.Header = r.Header.Clone()
	response, err := via.RoundTrip(out)
	if err != nil {
		return 0, nil, nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	return response.StatusCode, response.Header, answer, err
}
