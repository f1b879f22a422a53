package rotate_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/rotate"
)

// TestTwoFirstRunsAtOnce has another run do the whole first rotation just before this one creates the holder.
func TestTwoFirstRunsAtOnce(t *testing.T) {
	releases(t, func(t *testing.T, s *site) {
		var met atomic.Bool
		s.proxy.OnRequest(func(r *http.Request) {
			if r.URL.Path == "/user/new" && met.CompareAndSwap(false, true) {
				s.rotate()
			}
		})
		o := s.runner().Rotate(t.Context())
		if o.Err != nil || o.Rotated || !strings.Contains(o.Waiting, "another run") {
			t.Errorf("the second run: error %v, rotated %v, waiting %q", o.Err, o.Rotated, o.Waiting)
		}
		if n := len(s.proxy.KeysOf(rotate.HolderID("openclaw"))); n != 1 {
			t.Errorf("%d rows, want one generation and no claim", n)
		}
		s.works(s.a.value, http.StatusOK)
	})
}

// TestFieldForNewKeysOnly: a release that answers an update well and does not keep it is named with what to do, and the
// key is none the worse.
func TestFieldForNewKeysOnly(t *testing.T) {
	s := newSite(t, "1.93.2")
	s.rotate()
	s.policy.Options = litellm.Fields{"soft_budget": 3}
	o := s.runner().Rotate(t.Context())
	if o.Err == nil || !strings.Contains(o.Err.Error(), "soft_budget is not set, the configuration says 3; this LiteLLM may take that for new keys only") {
		t.Errorf("error %v", o.Err)
	}
	s.works(s.a.value, http.StatusOK)
}
