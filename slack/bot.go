package slack

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/org/openclaw-litellm-action/internal/netx"
	"github.com/org/openclaw-litellm-action/secret"
)

// Bot sends with a bot token, which needs the scope chat:write. Only Token has to be set. A Bot is not changed after
// its first use and is then safe for concurrent use.
type Bot struct {
	Token  secret.Value
	APIURL string       // "": Slack's own, "https://slack.com/api/"
	HTTP   *http.Client // nil: one with Go's defaults; its CheckRedirect is not used
	Notes  func(string) // if not nil, told what was cut or sent as text alone; called by the goroutine that sends

	Sleep   func(context.Context, time.Duration) error // nil: a timer
	MaxWait time.Duration                              // the most a call waits between its attempts; 0: a minute
	System  *netx.System                               // Slack during one run, shared by all senders; nil: none
}

// Post sends m to a channel, named by ID or "#name", and returns where it went. After an *Error with MaybeSent it may
// be there all the same.
func (b *Bot) Post(ctx context.Context, channel string, m Message) (Ref, error) {
	op := "posting to channel " + channel
	return b.post(ctx, op, channel, "", m)
}

// Reply sends m into the thread under ref. If a person deleted the message at ref, Slack puts the reply into the
// channel instead, and Notes is told.
func (b *Bot) Reply(ctx context.Context, ref Ref, m Message) (Ref, error) {
	op := fmt.Sprintf("replying to message %s in channel %s", ref.TS, ref.Channel)
	return b.post(ctx, op, ref.Channel, ref.TS, m)
}

// Update replaces the text and the blocks of the message at ref with those of m. Doing so twice is harmless. An error
// that is MessageGone says that there is nothing to update any more.
func (b *Bot) Update(ctx context.Context, ref Ref, m Message) error {
	op := fmt.Sprintf("updating message %s in channel %s", ref.TS, ref.Channel)
	return b.send(ctx, op, true, m, func(ctx context.Context, api *slack.Client, m Message) (string, error) {
		opts := append(content(m), slack.MsgOptionBlocks(m.Blocks...)) // even if there are none: that clears the old ones
		_, ts, _, err := api.UpdateMessageContext(ctx, ref.Channel, ref.TS, opts...)
		return ts, err
	})
}

func (b *Bot) post(ctx context.Context, op, channel, thread string, m Message) (Ref, error) {
	var ref Ref
	err := b.send(ctx, op, false, m, func(ctx context.Context, api *slack.Client, m Message) (string, error) {
		opts := content(m)
		if len(m.Blocks) > 0 {
			opts = append(opts, slack.MsgOptionBlocks(m.Blocks...))
		}
		if thread != "" {
			opts = append(opts, slack.MsgOptionTS(thread))
			if m.Broadcast {
				opts = append(opts, slack.MsgOptionBroadcast())
			}
		}
		id, ts, sent, err := api.PostMessageWithResponseContext(ctx, channel, opts...)
		if err == nil && ts != "" {
			ref = Ref{Channel: id, TS: ts}
			if thread != "" && sent.ThreadTimestamp == "" {
				tell(b.Notes, op, "that message is gone, so the reply stands in the channel")
			}
		}
		return ts, err
	})
	return ref, err
}

func content(m Message) []slack.MsgOption {
	return []slack.MsgOption{
		slack.MsgOptionText(m.Text, false), slack.MsgOptionDisableLinkUnfurl(), slack.MsgOptionDisableMediaUnfurl(),
	}
}

// send makes one sending call with patience, and once more with plainer content if Slack refuses the blocks. call
// returns the message's timestamp, without which an answer is no success.
func (b *Bot) send(ctx context.Context, op string, harmless bool, m Message,
	call func(context.Context, *slack.Client, Message) (string, error),
) error {
	m, err := ready(op, m, b.Notes)
	if err != nil {
		return err
	}
	try := func(m Message) error {
		return b.do(ctx, op, harmless, func(ctx context.Context, api *slack.Client) (bool, error) {
			ts, err := call(ctx, api, m)
			return ts != "", err
		})
	}
	return sendPlainer(op, m, b.Notes, try)
}

// do makes one API call with patience. call reports whether the answer was whole: slack-go takes {} for a success.
func (b *Bot) do(ctx context.Context, op string, harmless bool,
	call func(context.Context, *slack.Client) (bool, error),
) error {
	endpoint, err := b.endpoint(op)
	if err != nil {
		return err
	}
	return patience{b.Sleep, b.MaxWait, b.System}.do(ctx, op, harmless, func(ctx context.Context) *Error {
		x := &exchange{client: b.HTTP, hide: []secret.Value{b.Token}}
		api := slack.New(b.Token.Reveal(), slack.OptionHTTPClient(x), slack.OptionAPIURL(endpoint))
		if whole, err := call(ctx, api); err != nil || !whole {
			return x.failure(ctx, op, err)
		}
		return nil
	})
}

// endpoint returns the API's address with the slash that slack-go needs at its end.
func (b *Bot) endpoint(op string) (string, error) {
	if b.Token.IsZero() {
		return "", &Error{Op: op, Kind: Invalid, Detail: "no bot token is set"}
	}
	if b.APIURL == "" {
		return slack.APIURL, nil
	}
	if err := checkURL(b.APIURL); err != nil {
		return "", &Error{Op: op, Kind: Invalid, Detail: "the Slack API URL cannot be used: " + err.Error()}
	}
	return strings.TrimSuffix(b.APIURL, "/") + "/", nil
}
