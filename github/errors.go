package github

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/org/openclaw-litellm-action/internal/netx"
)

// Kind sorts failures by what to do about them. A Kind is an error only so that errors.Is(err, github.NotFound) works.
type Kind string

// The kinds of failure.
const (
	RateLimited    Kind = "rate limited"           // the token's requests of this hour are used up
	Secondary      Kind = "secondary rate limited" // too fast, or too much content created
	BadCredentials Kind = "bad credentials"        // 401: the token is wrong, revoked or expired
	Forbidden      Kind = "forbidden"              // 403: the token lacks a permission
	NotFound       Kind = "not found"              // 404: or the token may not see it; GitHub does not tell which
	Validation     Kind = "refused as invalid"     // 400 or 422
	Conflict       Kind = "conflict"               // 409
	Archived       Kind = "archived"               // 403: the repository is read-only
	Gone           Kind = "gone"                   // 410: issues are disabled, for instance
	Server         Kind = "server trouble"         // 5xx
	Network        Kind = "no answer"              // the answer did not arrive, whole and in time
	NotAsked       Kind = "not asked"              // nothing was sent: GitHub does not answer, or the run asks nothing any more
	Redirected     Kind = "redirect refused"       // the answer led to another host, or round in circles
	Malformed      Kind = "unexpected answer"      // not JSON, too large, or a status nobody documents
	Invalid        Kind = "invalid request"        // refused here; nothing was sent
)

// Error returns the kind's name.
func (k Kind) Error() string { return string(k) }

// Error is why a request failed. Its text names what was tried and never holds a secret.
type Error struct {
	Op      string // what was tried: "putting secret LITELLM_API_KEY in acme/agents"
	Kind    Kind
	Status  int    // HTTP status; 0: there was no answer
	Message string // GitHub's own words, cut and on one line; "" if it said nothing

	Documentation       string        // address of GitHub's documentation, if it gave one
	AcceptedPermissions string        // the X-Accepted-GitHub-Permissions header, verbatim
	RetryAfter          time.Duration // for rate limits: how long to wait from the answer on
	ResetAt             time.Time     // for rate limits: when to try again; zero otherwise
	RequestID           string        // for GitHub's support

	Lost bool  // a write that may have been applied all the same: look before writing again
	Err  error // the cause where there was no answer; nil otherwise

	class netx.Class // of a failure
}

// Error tells everything known on one line.
func (e *Error) Error() string {
	if e.Err == nil {
		return e.text("")
	}
	return e.text(e.Err.Error())
}

// Public tells it as everybody may read it: without what the network said, which names addresses.
func (e *Error) Public() string {
	var network cleaned
	switch cause := e.Err.(type) {
	case nil:
		return e.text("")
	case interface{ Public() string }: // another of these, or a refusal
		return e.text(cause.Public())
	default:
		if errors.As(cause, &network) {
			return e.text("")
		}
		return e.text(cause.Error())
	}
}

func (e *Error) text(cause string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", e.Op, e.Kind)
	if e.Status != 0 {
		fmt.Fprintf(&b, " (HTTP %d)", e.Status)
	}
	if e.Message != "" {
		fmt.Fprintf(&b, ": GitHub says %q", e.Message)
	}
	if cause != "" {
		b.WriteString(": " + cause)
	}
	if hint := e.hint(); hint != "" {
		b.WriteString("; " + hint)
	}
	if e.Lost {
		b.WriteString("; it may have been applied all the same")
	}
	if e.RequestID != "" {
		fmt.Fprintf(&b, " [request %s]", e.RequestID)
	}
	return b.String()
}

// hint says what a person should know or do.
func (e *Error) hint() string {
	if e.Err != nil { // the cause says it
		return ""
	}
	accepted := ""
	if e.AcceptedPermissions != "" {
		accepted = fmt.Sprintf("GitHub accepts a token with %q", e.AcceptedPermissions)
	}
	switch e.Kind {
	case RateLimited, Secondary:
		return "try again at " + e.ResetAt.UTC().Format(time.RFC3339)
	case BadCredentials:
		return "the token is wrong, revoked or expired"
	case Forbidden:
		if accepted == "" {
			return "the token lacks a permission"
		}
		return accepted
	case NotFound:
		hint := "it does not exist, or the token may not see it: GitHub hides which"
		if accepted != "" {
			hint += "; " + accepted
		}
		return hint
	case Archived:
		return "unarchive the repository or take it out of the configuration"
	}
	return ""
}

// Is reports whether target is e's Kind.
func (e *Error) Is(target error) bool {
	k, ok := target.(Kind)
	return ok && k == e.Kind
}

// Unwrap returns the cause, nil if GitHub answered.
func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the kind of the first *Error in err's tree, "" if there is none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return ""
}

// invalid is an error about something that was never sent.
func invalid(op, format string, args ...any) *Error {
	return &Error{Op: op, Kind: Invalid, Err: fmt.Errorf(format, args...)}
}
