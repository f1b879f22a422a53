package rotate_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/rotate"
)

// dies ends a run at its nth request from the claim on, and leaves the claim as a killed process does.
func (s *site) dies(after string) {
	s.t.Helper()
	life := &life{at: 1 << 20}
	r := s.runner(forced)
	r.LiteLLM = &litellm.Client{
		BaseURL: s.proxy.URL(), Key: s.proxy.MasterKey(), Now: s.clock.Now, HTTP: &http.Client{Transport: dying{life, after}},
		Sleep: func(context.Context, time.Duration) error { return errDied },
	}
	if o := r.Rotate(s.t.Context()); o.Err == nil {
		s.t.Fatalf("the run did not die: %s", kinds(o))
	}
}

// dying is a connection that breaks for good once a request to that path was answered.
type dying struct {
	life *life
	path string
}

func (d dying) RoundTrip(r *http.Request) (*http.Response, error) {
	if d.life.dead {
		return nil, errDied
	}
	d.life.dead = strings.HasSuffix(r.URL.Path, d.path)
	return http.DefaultTransport.RoundTrip(r)
}

// A key leaks while a run has just died after its claim. What was asked for is done, or is said not to be.
func TestAskedForWhileADeadRunHoldsTheClaim(t *testing.T) {
	releases(t, func(t *testing.T, s *site) {
		s.rotate()
		leaked := s.a.value
		s.dies("/key/generate")
		writes := s.proxy.Writes()

		upkeep := s.rotate()
		if upkeep.Waiting == "" || upkeep.WaitUntil.IsZero() || upkeep.NotDone != nil {
			t.Errorf("upkeep: waiting %q until %s, %v", upkeep.Waiting, upkeep.WaitUntil, upkeep.NotDone)
		}
		now := s.runner(forced).Rotate(t.Context())
		var undone *rotate.NotDone
		if !errors.As(now.Err, &undone) || undone.Asked != "rotate --now" || undone.Until.Sub(s.clock.Now()) > 20*time.Minute {
			t.Errorf("--now: %v", now.Err)
		}
		unblock := s.runner(func(r *rotate.Runner) { r.Options.Unblock = true }).Rotate(t.Context())
		if !errors.As(unblock.Err, &undone) || undone.Asked != "keys unblock" {
			t.Errorf("keys unblock: %v", unblock.Err)
		}
		if s.proxy.Writes() != writes {
			t.Errorf("%d writes under another run's claim", s.proxy.Writes()-writes)
		}

		plan := s.runner(compromised).Plan(t.Context())
		began := s.clock.Now()
		o := s.rotate(compromised)
		if !strings.HasPrefix(kinds(o), "takeover mint ") || !o.Rotated || o.NotDone != nil {
			t.Errorf("--compromised: %s, not done %v", kinds(o), o.NotDone)
		}
		if took := s.clock.Now().Sub(began); took > time.Minute {
			t.Errorf("it took %s", took)
		}
		if planned := kinds(plan); !strings.HasPrefix(planned, "takeover! mint!") {
			t.Errorf("the plan says %s", planned)
		}
		s.works(leaked, http.StatusUnauthorized)
		s.works(s.a.value, http.StatusOK)
		if n := len(s.proxy.KeysOf(rotate.HolderID("openclaw"))); n != 2 {
			t.Errorf("%d rows are left, want two generations and no claim", n)
		}
		if o = s.rotate(); len(o.Steps) > 0 || o.Waiting != "" {
			t.Errorf("afterwards: %s, waiting %q", kinds(o), o.Waiting)
		}
	})
}

// A run that was itself started for a leak can die, too.
func TestALeakIsTakenOverFromARunThatDiedForIt(t *testing.T) {
	for _, after := range []string{"/key/generate", "/v1/models", "/key/update"} {
		s := newSite(t, "1.106.10")
		s.rotate()
		leaked := s.a.value
		s.dies(after)
		s.rotate(compromised)
		s.works(leaked, http.StatusUnauthorized)
		s.works(s.a.value, http.StatusOK)
		if !s.a.value.Equal(s.b.value) {
			t.Errorf("died after %s: the targets hold different keys", after)
		}
	}
}

// Another run's upkeep that came first is not what was asked for: the leaked key would go on working through its grace.
func TestARotationByAnotherRunDoesNotEndALeak(t *testing.T) {
	s := newSite(t, "1.106.10")
	s.rotate()
	leaked := s.a.value
	r := s.runner(compromised)
	rotated := false
	r.Ready = func(ctx context.Context) (context.Context, func(), error) { // after this run has read, before it claims
		if !rotated {
			rotated = true
			s.rotate(forced)
		}
		return ctx, func() {}, nil
	}
	o := r.Rotate(t.Context())
	if o.Err != nil || !o.Rotated || o.Overtaken != "" {
		t.Errorf("rotated %v, overtaken %q, %v", o.Rotated, o.Overtaken, o.Err)
	}
	s.works(leaked, http.StatusUnauthorized)
	s.works(s.a.value, http.StatusOK)
}

// TestTakenOverAtEveryStep suspends a run before each of its requests and placements in turn. Meanwhile another run, for a
// leak, takes over; then the first one goes on. It must notice before it writes anywhere: the leaked key stays dead, and
// every target keeps a working key, but for one write that was on its way, which the next run puts right.
func TestTakenOverAtEveryStep(t *testing.T) {
	releases(t, func(t *testing.T, s *site) {
		requests := 0
		for at := int64(1); ; at++ {
			s := newSite(t, s.proxy.Release())
			s.rotate()
			leaked := s.a.value
			p := &pausing{RoundTripper: http.DefaultTransport, at: at}
			p.pause = s.takeOver
			o := s.pausedRun(p)
			if p.sent.Load() < at {
				requests = int(at) - 1
				break
			}
			when := fmt.Sprintf("paused before request %d (%s, %v)", at, kinds(o), o.Err)
			s.works(leaked, http.StatusUnauthorized)
			s.intact(when)
			s.works(leaked, http.StatusUnauthorized)
		}
		if requests < 15 {
			t.Errorf("%d requests, fewer than a rotation takes", requests)
		}
		for _, name := range []string{"A", "B"} {
			s := newSite(t, s.proxy.Release())
			s.rotate()
			leaked, paused := s.a.value, false
			on := map[string]*target{"A": s.a, "B": s.b}[name]
			on.before = func() {
				if !paused {
					paused = true
					s.takeOver()
				}
			}
			o := s.pausedRun(&pausing{RoundTripper: http.DefaultTransport})
			if o.Err == nil || o.Rotated {
				t.Errorf("paused in writing %s: it did not notice: %s", name, kinds(o))
			}
			s.works(leaked, http.StatusUnauthorized)
			if o = s.rotate(); !o.Rotated {
				t.Errorf("paused in writing %s: the next run does not put it right: %s", name, kinds(o))
			}
			s.intact("paused in writing " + name)
			s.works(leaked, http.StatusUnauthorized)
		}
	})
}

// takeOver lets another run rotate for a leak.
func (s *site) takeOver() {
	s.t.Helper()
	a, b := s.a.before, s.b.before
	s.a.before, s.b.before = nil, nil
	if o := s.runner(compromised).Rotate(s.t.Context()); o.Err != nil || !o.Rotated {
		s.t.Errorf("the run that takes over: %s, %v", kinds(o), o.Err)
	}
	s.a.before, s.b.before = a, b
}

// A generation that is being reopened must not come back if it turns out to be compromised.
func TestALeakIsNotReopened(t *testing.T) {
	for at := int64(1); ; at++ {
		s := newSite(t, "1.106.10")
		s.rotate()
		leaked := s.a.value
		s.rotate(forced)
		s.clock.advance(7 * 24 * time.Hour)
		s.rotate()
		s.works(leaked, http.StatusUnauthorized)
		p := &pausing{RoundTripper: http.DefaultTransport, at: at, pause: s.takeOver}
		s.runner(func(r *rotate.Runner) {
			r.Options.Unblock = true
			r.LiteLLM = &litellm.Client{
				BaseURL: s.proxy.URL(), Key: s.proxy.MasterKey(), Now: s.clock.Now, Sleep: r.LiteLLM.Sleep,
				HTTP: &http.Client{Transport: p},
			}
		}).Rotate(t.Context())
		if p.sent.Load() < at {
			if at < 8 {
				t.Errorf("only %d requests", at)
			}
			return
		}
		s.rotate()
		s.works(leaked, http.StatusUnauthorized)
	}
}

// A proxy, or something in front of it, that says it made the claim and did not is an error, and no other run's doing.
func TestAClaimThatIsNotKept(t *testing.T) {
	for _, asked := range []func(*rotate.Runner){func(*rotate.Runner) {}, forced, compromised} {
		s := newSite(t, "1.106.10")
		r := s.runner(asked)
		c := s.client()
		c.HTTP = &http.Client{Transport: forgetful{}}
		r.LiteLLM = c
		if o := r.Rotate(t.Context()); o.Err == nil || !strings.Contains(o.Err.Error(), "did not keep it") || o.Rotated {
			t.Errorf("rotated %v, waiting %q, %v", o.Rotated, o.Waiting, o.Err)
		}
	}
}

// forgetful answers that it made a key, and makes none.
type forgetful struct{}

func (forgetful) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Path != "/key/generate" {
		return http.DefaultTransport.RoundTrip(r)
	}
	r.Body.Close()
	answer := httptest.NewRecorder()
	answer.Header().Set("Content-Type", "application/json")
	answer.WriteString(`{"key":"sk-...","token":"x"}`)
	return answer.Result(), nil
}

// Several people ask at the same moment. Each is told that it is done, and it is.
func TestLeaksReportedAtOnce(t *testing.T) {
	s := newSite(t, "1.106.10")
	s.rotate()
	leaked := s.a.value
	outcomes := make([]rotate.Outcome, 4)
	var wg sync.WaitGroup
	for i := range outcomes {
		wg.Go(func() {
			r := s.runner(compromised)
			r.Mask = nil
			r.Sleep = func(context.Context, time.Duration) error { runtime.Gosched(); return nil }
			outcomes[i] = r.Rotate(t.Context())
		})
	}
	wg.Wait()
	rotated := 0
	for _, o := range outcomes {
		if o.Err != nil || (!o.Rotated && o.Overtaken == "") {
			t.Errorf("rotated %v, overtaken %q, waiting %q, %v", o.Rotated, o.Overtaken, o.Waiting, o.Err)
		}
		if o.Rotated {
			rotated++
		}
	}
	if rotated == 0 {
		t.Error("nobody rotated")
	}
	s.works(leaked, http.StatusUnauthorized)
	s.works(s.a.value, http.StatusOK)
	if !s.a.value.Equal(s.b.value) {
		t.Error("the targets hold different keys")
	}
}
