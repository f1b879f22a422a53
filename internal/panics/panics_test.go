package panics_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/org/openclaw-litellm-action/internal/panics"
)

func TestCatch(t *testing.T) {
	const bug = "; this is a bug: report it with the stack in the log"
	failed := errors.New("failed")
	var none []int
	tests := map[string]struct {
		do   func() error
		want string // "" for no error
		bug  bool
	}{
		"nothing":      {func() error { return nil }, "", false},
		"error":        {func() error { return failed }, "failed", false},
		"panic":        {func() error { panic("surprise") }, "internal error: surprise" + bug, true},
		"error panics": {func() error { panic(failed) }, "internal error: failed" + bug, true},
		"nil panics":   {func() error { panic(nil) }, "internal error: panic called with nil argument" + bug, true},
		"runtime": {func() error { _ = none[3]; return nil },
			"internal error: runtime error: index out of range [3] with length 0" + bug, true},
	}
	for name, tt := range tests {
		var noted string
		noting := func(doing string, f func() error) error {
			noted = doing
			return panics.Catch(doing, f)
		}
		for _, c := range []panics.Catcher{nil, noting} {
			err := c.Do("trying", tt.do)
			if got := text(err); got != tt.want {
				t.Errorf("%s: %q, want %q", name, got, tt.want)
			}
			caught := (*panics.Error)(nil)
			if errors.As(err, &caught) != tt.bug {
				t.Errorf("%s: caught %+v", name, caught)
			}
			if tt.bug && (caught.Doing != "trying" || !bytes.Contains(caught.Stack, []byte("panics_test.go"))) {
				t.Errorf("%s: caught %+v", name, caught)
			}
		}
		if noted != "trying" {
			t.Errorf("%s: noted %q", name, noted)
		}
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
