package litellm

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/org/openclaw-litellm-action/internal/netx"
)

// Kind says what went wrong, whatever status and words the proxy's release has for it.
type Kind string

// The kinds of failure.
const (
	BudgetExceeded Kind = "budget exceeded"   // the key is known, its budget (or its user's or team's) is spent
	UnknownKey     Kind = "unknown key"       // the key that asked does not exist (any more): the only proof of a dead key
	KeyBlocked     Kind = "key blocked"       // the key that asked exists and is blocked
	KeyExpired     Kind = "key expired"       // the key that asked is past its expiry
	AliasTaken     Kind = "alias taken"       // another live key has the alias
	AlreadyExists  Kind = "already exists"    // the user, or the membership, is there already
	NotFound       Kind = "not found"         // the row asked for does not exist, or the route does not on this release
	Forbidden      Kind = "forbidden"         // the key that asked may not do this
	EnterpriseOnly Kind = "enterprise only"   // needs a LiteLLM licence
	RateLimited    Kind = "rate limited"      // 429 for another reason than a budget
	DatabaseDown   Kind = "database down"     // the proxy answers, its database does not
	ProxyDown      Kind = "proxy down"        // no answer, or a balancer's answer in its place
	NotLiteLLM     Kind = "not litellm"       // something answers that is no LiteLLM proxy
	BadRequest     Kind = "bad request"       // the proxy refused what was sent; or it was not sent, being invalid
	TooLarge       Kind = "answer too large"  // the answer exceeds Client.MaxBytes
	BadAnswer      Kind = "unreadable answer" // LiteLLM's answer, but not what it should hold
	ServerFault    Kind = "server fault"      // the proxy failed for another reason
	Interrupted    Kind = "interrupted"       // the caller's context ended, or the run's time or the program was ended
	NotAsked       Kind = "not asked"         // nothing was sent: the proxy does not answer, or the run asks nothing any more
)

// Error is the failure of one operation. Its text is safe to print: texts from outside are cut to a line of sane
// length, and everything in them shaped like a key, every key hash, and the very keys the request carried are taken out;
// request bodies and queries never enter it.
type Error struct {
	Op         string        // what was being done: `reading user "x"`
	Route      string        // method and path, without the query: "GET /user/info"; "" if nothing was to be sent
	Kind       Kind          // never ""
	Status     int           // of the HTTP answer; 0 without one
	Type       string        // error.type of LiteLLM's answer; "" if it had none
	Message    string        // what the answer, or the network, said; redacted and cut
	Own        string        // the beginning of Message that is in words of this package; "" if nothing is
	RetryAfter time.Duration // what the answer asked for; 0 if nothing
	Err        error         // the cause on our side of the wire, for errors.Is; its text may be longer than Message

	attempts int        // how often the request was sent
	class    netx.Class // of a failure without an answer
}

// Error returns "op: route: kind (status n): message".
func (e *Error) Error() string { return e.text(e.Message) }

// Public returns the error as everybody may read it: without what the proxy or the network said, which names users and
// addresses.
func (e *Error) Public() string { return e.text(e.Own) }

// Said returns what Public leaves out.
func (e *Error) Said() string {
	return strings.TrimPrefix(strings.TrimPrefix(e.Message, e.Own), ": ")
}

// ours marks the message of e as words of this package.
func ours(e *Error) *Error {
	e.Own = e.Message
	return e
}

func (e *Error) text(message string) string {
	var b strings.Builder
	b.WriteString(e.Op)
	if e.Route != "" {
		b.WriteString(": " + e.Route)
	}
	b.WriteString(": " + string(e.Kind))
	if e.Status != 0 {
		fmt.Fprintf(&b, " (status %d)", e.Status)
	}
	if message != "" {
		b.WriteString(": " + message)
	}
	return b.String()
}

// Unwrap returns the cause, so that errors.Is(err, context.DeadlineExceeded) and the like work.
func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the kind of the first *Error in err's tree, "" if there is none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return ""
}

// IsKind reports whether err holds an *Error of the kind.
func IsKind(err error, kind Kind) bool { return err != nil && KindOf(err) == kind }

// classed says what another attempt may bring.
func (e *Error) classed() netx.Class {
	switch {
	case e.Kind == ProxyDown && e.Status == 0:
		return e.class
	case e.Kind == RateLimited, e.Kind == DatabaseDown, e.Kind == ProxyDown, e.Kind == ServerFault:
		return netx.Passing
	}
	return netx.Answered
}
