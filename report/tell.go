package report

import (
	"context"
	"errors"
	"time"

	"github.com/org/openclaw-litellm-action/internal/panics"
)

// IssueTracker keeps issues in one repository. Its methods are safe to repeat only as far as they say so; each call is
// one or few requests with deadlines of their own.
type IssueTracker interface {
	// Find lists the issues that may be ours, open and closed, with their bodies, in one request where that is enough:
	// those with the label that Create gives. Issues of others may be among them; pull requests may not. It writes nothing.
	Find(ctx context.Context) ([]Issue, error)
	// Create opens an issue and gives it the label by which Find finds it. Repeating it makes a second one.
	Create(ctx context.Context, title, body string) (Issue, error)
	// Edit changes what is set in change. Repeating it changes nothing more.
	Edit(ctx context.Context, number int, change IssueChange) error
	// Comment adds a comment. Repeating it adds a second one.
	Comment(ctx context.Context, number int, body string) error
}

// Issue is one issue as its tracker knows it.
type Issue struct {
	Number int
	Title  string
	Body   string
	Open   bool
	Ours   bool // the author is the identity that the tracker writes with
	URL    string
}

// IssueChange is a change of an issue; nil and zero fields stay as they are. Titles are never changed: a person may have.
type IssueChange struct {
	Body *string
	Open *bool
}

// Messenger sends messages to one place.
type Messenger interface {
	// Name is unique among the messengers, stable, and no secret: "slack", "slack-webhook". The memory is kept by it.
	Name() string
	// Living reports whether a message can be edited and answered: with a bot token it can, by a webhook not. Where it
	// can't, Update and Reply are never called.
	Living() bool
	// Post sends a message and returns what Update and Reply find it by ("CHANNEL/TS"); "" if not Living.
	Post(ctx context.Context, m Message) (anchor string, err error)
	// Update replaces a message. If the message is there no more, the error is ErrGone, and a new one is posted.
	Update(ctx context.Context, anchor string, m Message) error
	// Reply answers in the message's thread, and in the channel too if m.Broadcast. ErrGone as for Update.
	Reply(ctx context.Context, anchor string, m Message) error
}

// ErrRefused is (or is wrapped by) a Messenger's error that trying again will not mend: a token that was revoked, a channel
// that was archived. People are told of it in the other places.
var ErrRefused = errors.New("the place refuses messages")

// ErrGone is (or is wrapped by) a Messenger's error for a message that was deleted.
var ErrGone = errors.New("the message is gone")

// Journal keeps the memory where there is no issue to keep it: in the proxy, with the keys.
type Journal interface {
	// Load returns what was saved last, nil if nothing was. It writes nothing.
	Load(ctx context.Context) ([]byte, error)
	// Save replaces it. Repeating it changes nothing more.
	Save(ctx context.Context, memory []byte) error
}

// Telling tells people what is new in a Report. With no Issues, Messengers and Pager it asks nobody and does nothing.
type Telling struct {
	Issues     IssueTracker // nil: no issue
	Messengers []Messenger
	Pager      Messenger // hears of critical news alone, and of its end; nil: none
	Journal    Journal   // keeps the memory where there is no issue, or while it can't be reached; nil: none
	// Near says that the Journal is at hand and cheap, a service's own file: it is asked on every pass and saved beside the
	// issue, and the later of the two counts. So neither's loss is a loss, and moving to either costs no repeat.
	Near bool
	// Turn waits until no other run that has the same Journal is telling, and returns what ends the turn, never nil; nil: there is
	// no other. So of several runs at once one tells what is news to all of them. If the turn cannot be had, only what is critical
	// is told, and it may repeat.
	Turn func(ctx context.Context) (end func(), err error)

	Title  string        // of the issue; "": a standing one
	Repeat time.Duration // after which a warning that goes on is told again; 0: never
	// IssueView says what the issue may show, which holds for the memory as well, since it may be kept there;
	// MessengerView says it for messages.
	IssueView     Options
	MessengerView Options
	// Learn says what the issue may show where IssueView only assumes it; nil: it does not. It is asked at most once a
	// Tell, and only if something is to be written. If it fails, the assumption stands.
	Learn func(context.Context) (Options, error)
	// Sign signs the memory in the issue, which others may edit; a memory without the right signature is begun anew.
	// nil: a key of this Tell alone, so that no memory is ever accepted. The Journal is not signed: nobody else writes it.
	Sign Signer
	// Timeout bounds each call of a tracker, messenger or journal; 0: 30 s.
	Timeout time.Duration
	// Catch runs what each surface needs, so that a panic in one is a failure of that one alone; nil: panics.Catch.
	Catch panics.Catcher
}

// Result is what Tell did.
type Result struct {
	Notices  []Notice  // what was news, told or not
	Failures []Failure // senders that failed; what they missed stays pending and arrives once, later
	Notes    []string  // what people should know: a corrupt memory, a stranger's issue
	Issue    int       // number of the living issue; 0: none
	URL      string    // of the living issue
	Writes   int       // calls that wrote, or may have

	// Accepted is how many notices each sender took, by its name (IssueSender, or a Messenger's). One whose answer was
	// lost is not in it.
	Accepted map[string]int
}

// IssueSender is the name of the living issue among the senders.
const IssueSender = issueSender

// Err returns the failures as one error, nil if there are none.
func (res Result) Err() error {
	var errs []error
	for _, f := range res.Failures {
		errs = append(errs, f.Err())
	}
	return errors.Join(errs...)
}

const (
	defaultTimeout = 30 * time.Second
	// longestTurn is how long another run is waited for: longer than one takes whose senders all hang.
	longestTurn = 2 * time.Minute
)

// call runs f under the timeout. A panic in it is an error.
func (t Telling) call(ctx context.Context, f func(context.Context) error) error {
	limit := t.Timeout
	if limit <= 0 {
		limit = defaultTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return t.Catch.Do("calling a surface", func() error { return f(ctx) })
}
