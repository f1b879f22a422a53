package rotate_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

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
