package rotate_test

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/rotate"
)

// pausing is a transport that stands still before one request, while others go on.
type pausing struct {
	http.RoundTripper
	sent  atomic.Int64
	at    int64
	pause func()
}

func (p *pausing) RoundTrip(r *http.Request) (*http.Response, error) {
	if p.sent.Add(1) == p.at {
		p.pause()
	}
	return p.RoundTripper.RoundTrip(r)
}

// TestPausedAtEveryStep suspends a run before each of its requests and placements in turn, until its claim is long past
// and another run has rotated; then the first one goes on. Whatever it was about to do, every target keeps a working
// key, and later runs end with one current generation in all of them.
func TestPausedAtEveryStep(t *testing.T) {
	releases(t, func(t *testing.T, s *site) {
		requests := 0
		for at := int64(1); ; at++ {
			s := newSite(t, s.proxy.Release())
			s.rotate()
			p := &pausing{RoundTripper: http.DefaultTransport, at: at}
			p.pause = func() { s.overtake(at) }
			o := s.pausedRun(p)
			if p.sent.Load() < at {
				requests = int(at) - 1
				break
			}
			s.intact(fmt.Sprintf("paused before request %d (%s, %v)", at, kinds(o), o.Err))
		}
		if requests < 15 {
			t.Errorf("%d requests, fewer than a rotation takes", requests)
		}
		for _, name := range []string{"A", "B"} {
			s := newSite(t, s.proxy.Release())
			s.rotate()
			paused := false
			hook := func() {
				if !paused {
					paused = true
					s.overtake(0)
				}
			}
			if name == "A" {
				s.a.before = hook
			} else {
				s.b.before = hook
			}
			o := s.pausedRun(&pausing{RoundTripper: http.DefaultTransport})
			// The write was on its way when the clock was looked at: drift, which the next run sees.
			s.intact(fmt.Sprintf("paused before writing %s (%s, %v)", name, kinds(o), o.Err))
		}
	})
}

// overtake lets 21 minutes pass, in which another run rotates.
func (s *site) overtake(at int64) {
	s.t.Helper()
	s.clock.advance(21 * time.Minute)
	other := s.runner(forced)
	if at%2 == 0 { // every second time through another worker on the same database, with caches of its own
		second := s.proxy.Second(time.Minute)
		defer second.Close()
		other.LiteLLM = &litellm.Client{BaseURL: second.URL(), Key: second.MasterKey(), Now: s.clock.Now, Sleep: other.LiteLLM.Sleep}
	}
	if o := other.Rotate(s.t.Context()); o.Err != nil {
		s.t.Errorf("at %d: the other run: %v", at, o.Err)
	}
}

// pausedRun is a rotation over that transport.
func (s *site) pausedRun(p *pausing) rotate.Outcome {
	return s.runner(forced, func(r *rotate.Runner) {
		r.LiteLLM = &litellm.Client{
			BaseURL: s.proxy.URL(), Key: s.proxy.MasterKey(), Now: s.clock.Now, Sleep: r.LiteLLM.Sleep,
			HTTP: &http.Client{Transport: p},
		}
	}).Rotate(s.t.Context())
}

// intact asserts that every target holds a working key now, and that later runs settle everything.
func (s *site) intact(when string) {
	s.t.Helper()
	for _, target := range []*target{s.a, s.b} {
		if status, kind := s.proxy.Works(target.value, "backup"); status != http.StatusOK {
			s.t.Errorf("%s: %s holds a key that gets %d %s", when, target.name, status, kind)
		}
	}
	for range 4 { // claims expire, drift is mended, grace ends, blocked rows are deleted
		s.clock.advance(8 * 24 * time.Hour)
		if o := s.runner().Rotate(s.t.Context()); o.Err != nil {
			s.t.Errorf("%s: a later run: %v", when, o.Err)
		}
	}
	rows := s.proxy.KeysOf(rotate.HolderID("openclaw"))
	if len(rows) > 2 || !s.a.value.Equal(s.b.value) {
		s.t.Errorf("%s: %d rows are left, the targets agree: %v", when, len(rows), s.a.value.Equal(s.b.value))
	}
	s.works(s.a.value, http.StatusOK)
}
