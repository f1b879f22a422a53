package finding_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/org/openclaw-litellm-action/finding"
)

// said is an error that repeats what an outside system said.
type said struct{ ours, theirs string }

func (s said) Error() string  { return s.ours + ": " + s.theirs }
func (s said) Public() string { return s.ours }
func (s said) Said() string   { return s.theirs }

// clipped wraps an error and shows the beginning of its text.
type clipped struct{ error }

func (c clipped) Error() string { return "clipped: " + c.error.Error()[:12] }
func (c clipped) Unwrap() error { return c.error }

func TestPublicLeavesOutWhatOthersSaid(t *testing.T) {
	proxy := said{"making a key: bad request", "user mallory is unknown"}
	plain := errors.New("no such file")
	for _, tc := range []struct {
		name string
		err  error
		want string
	}{
		{"nil", nil, ""},
		{"nothing to leave out", fmt.Errorf("reading: %w", plain), "reading: no such file"},
		{"itself", proxy, "making a key: bad request"},
		{"wrapped", fmt.Errorf("key %q: %w; try again", "ci", proxy), `key "ci": making a key: bad request; try again`},
		{"wrapped twice", fmt.Errorf("a: %w", fmt.Errorf("b: %w", proxy)), "a: b: making a key: bad request"},
		{"joined", errors.Join(plain, proxy), "no such file\nmaking a key: bad request"},
		{"both, one within the other", fmt.Errorf("%w, %w", proxy, fmt.Errorf("x: %w", proxy)),
			"making a key: bad request, x: making a key: bad request"},
		{"a text that was cut", clipped{proxy}, "making a key: bad request"},
		{"named", finding.Naming(plain, "LiteLLM user mallory"), "no such file"},
		{"named and said", finding.Naming(proxy, "LiteLLM user mallory"), "making a key: bad request"},
		{"named within", fmt.Errorf("key: %w", finding.Naming(plain, "mallory")), "key: no such file"},
	} {
		if got := finding.Public(tc.err); got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
}

func TestSaidIsWhatPublicLeavesOut(t *testing.T) {
	proxy, plain := said{"making a key", "user mallory is unknown"}, errors.New("no such file")
	for want, err := range map[string]error{
		"": fmt.Errorf("reading: %w", plain), "user mallory is unknown": fmt.Errorf("a: %w", errors.Join(plain, proxy, proxy)),
		"user mallory is unknown; b": errors.Join(proxy, said{"x", "b"}),
	} {
		if got := finding.Said(err); got != want {
			t.Errorf("of %q: %q, want %q", err, got, want)
		}
	}
	if got := finding.Said(nil); got != "" {
		t.Errorf("of nil: %q", got)
	}
}

func TestNaming(t *testing.T) {
	plain := errors.New("no such file")
	err := finding.Naming(plain, "LiteLLM user mallory")
	if err.Error() != "no such file (LiteLLM user mallory)" || !errors.Is(err, plain) {
		t.Errorf("got %q", err)
	}
	if finding.Naming(nil, "x") != nil || finding.Naming(plain, "") != plain {
		t.Error("nothing to name makes another error")
	}
}

func TestWhyJoinsWhatIsKnown(t *testing.T) {
	f := finding.Finding{Cause: "it is down", Said: "refused", Who: "user bob"}
	if got := f.Why(); got != "it is down; refused; user bob" {
		t.Errorf("why: %q", got)
	}
	f.Cause, f.Said = "", ""
	if got := f.Why(); got != "user bob" {
		t.Errorf("why: %q", got)
	}
	if got := (finding.Finding{}).Why(); got != "" {
		t.Errorf("why of nothing: %q", got)
	}
}
