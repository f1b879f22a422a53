package github

import (
	"errors"
	"strings"
	"testing"
)

// TestPublicErrors: what the network said is left out where everybody can read it, GitHub's words are not.
func TestPublicErrors(t *testing.T) {
	const address = "dial tcp 10.1.2.3:3128: connection refused"
	network := cleanedError(address)
	for _, tt := range []struct {
		err  *Error
		want string
	}{
		{&Error{Op: "reading", Kind: Network, Err: network, Lost: true}, "reading: no answer; it may have been applied all the same"},
		{&Error{Op: "reading", Kind: Forbidden, Err: &Error{Op: "asking for a token", Kind: Network, Err: network}},
			"reading: forbidden: asking for a token: no answer"},
		{&Error{Op: "reading", Kind: Invalid, Err: errors.New("the value is empty")}, "reading: invalid request: the value is empty"},
		{&Error{Op: "reading", Kind: NotFound, Status: 404, Message: "Not Found"},
			`reading: not found (HTTP 404): GitHub says "Not Found"; it does not exist, or the token may not see it: GitHub hides which`},
	} {
		if got := tt.err.Public(); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
	if got := (&Error{Op: "reading", Kind: Network, Err: network}).Error(); !strings.Contains(got, address) {
		t.Errorf("in private it says %q", got)
	}
}

func cleanedError(text string) error { return cleaned{text, errors.New(text)} }
