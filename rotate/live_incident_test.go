package rotate_test

import (
	"context"
	"net/http"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/rotate"
	"github.com/org/openclaw-litellm-action/secret"
)

// impatient makes a runner's waits take no time: its clock moves on instead.
func impatient(r *rotate.Runner) {
	var ahead time.Duration
	r.Now = func() time.Time { return time.Now().Add(ahead) }
	r.Sleep = func(_ context.Context, d time.Duration) error { ahead += d; return nil }
}

// isRefused reports whether the proxy refuses a key because it is blocked or gone.
func (l *live) isRefused(v secret.Value) bool {
	l.Helper()
	kind := litellm.KindOf(l.client.VerifyKey(l.Context(), v))
	return kind == litellm.KeyBlocked || kind == litellm.UnknownKey
}

// TestLiveTakenOver suspends a run on real proxies before requests of it, while another takes over for a leak. The leaked key
// stays dead, and the target ends with a key that works. LIVE_TAKEOVERS=1 does it before each request, not every fourth.
func TestLiveTakenOver(t *testing.T) {
	step := int64(4)
	if every, err := strconv.ParseBool(os.Getenv("LIVE_TAKEOVERS")); err == nil && every {
		step = 1
	}
	onLive(t, func(t *testing.T, l *live) {
		suspended := 0
		for at := int64(1); ; at += step {
			l := l.newLive(t, "-"+strconv.FormatInt(at, 10))
			l.rotate()
			leaked := l.a.value
			p := &pausing{RoundTripper: http.DefaultTransport, at: at}
			p.pause = func() {
				if o := l.rotate(compromised, impatient); !o.Rotated {
					t.Errorf("before request %d: the run that takes over: %s", at, kinds(o))
				}
			}
			r := &rotate.Runner{
				LiteLLM: &litellm.Client{BaseURL: l.client.BaseURL, Key: l.client.Key, HTTP: &http.Client{Transport: p}},
				Policy:  l.policy, Options: rotate.Options{CheckTargets: true, Now: true}, Now: time.Now, Sleep: sleep,
			}
			impatient(r)
			o := r.Rotate(t.Context())
			if p.sent.Load() < at {
				break
			}
			suspended++
			l.rotate() // what the first run may have left is put right
			if !l.isRefused(leaked) {
				t.Errorf("before request %d (%s, %v): the leaked key works", at, kinds(o), o.Err)
			}
			if l.isRefused(l.a.value) || !l.a.value.Equal(l.b.value) {
				t.Errorf("before request %d (%s, %v): the targets hold a key that does not work, or differ", at, kinds(o), o.Err)
			}
		}
		if suspended < 5 {
			t.Errorf("it was suspended %d times", suspended)
		}
	})
}

// TestLiveOurClockIsSetBack sets the clock of the machine that runs back in the middle of a rotation. The old key keeps its grace,
// in that run and in the next one, whose clock is right.
func TestLiveOurClockIsSetBack(t *testing.T) {
	onLive(t, func(t *testing.T, l *live) {
		for _, back := range []time.Duration{hour, 24 * hour, year} {
			l.rotate()
			old := l.a.value
			var wrong time.Duration
			l.a.before = func() { wrong = -back }
			o := l.rotate(forced, func(r *rotate.Runner) { r.Now = func() time.Time { return time.Now().Add(wrong) } })
			l.a.before = nil
			if !o.Rotated || l.isRefused(old) {
				t.Errorf("set back by %s: rotated %v, the old key is refused: %v", back, o.Rotated, l.isRefused(old))
			}
			if o = l.rotate(); len(o.Steps) > 0 || l.isRefused(old) {
				t.Errorf("set back by %s, the next run: %s, the old key is refused: %v", back, kinds(o), l.isRefused(old))
			}
		}
	})
}
