package slack_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	slackgo "github.com/slack-go/slack"

	"github.com/org/openclaw-litellm-action/secret"
	"github.com/org/openclaw-litellm-action/slack"
	"github.com/org/openclaw-litellm-action/slack/slacktest"
)

const channel = "C0000000001"

// clock is a time that passes only while somebody sleeps on it.
type clock struct {
	mu    sync.Mutex
	now   time.Time
	slept []time.Duration
}

func newClock() *clock { return &clock{now: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	c.slept = append(c.slept, d)
	return ctx.Err()
}

// world is a workspace, both senders and what they noted.
type world struct {
	*slacktest.Server
	*clock
	bot   *slack.Bot
	hook  *slack.Webhook
	notes []string
}

func newWorld(t *testing.T, o slacktest.Options) *world {
	t.Helper()
	w := &world{clock: newClock()}
	o.Now = w.Now
	if o.Token.IsZero() {
		o.Token = secret.New("xox" + "b-made-up-for-a-test")
	}
	w.Server = slacktest.New(o)
	t.Cleanup(w.Close)
	note := func(s string) { w.notes = append(w.notes, s) }
	w.bot = &slack.Bot{Token: o.Token, APIURL: w.URL(), Sleep: w.Sleep, Notes: note}
	w.hook = &slack.Webhook{URL: w.WebhookURL(), Sleep: w.Sleep, Notes: note}
	return w
}

func section(text string) slackgo.Block {
	return slackgo.NewSectionBlock(slackgo.NewTextBlockObject(slackgo.MarkdownType, text, false, false), nil, nil)
}

func header(text string) slackgo.Block {
	return slackgo.NewHeaderBlock(slackgo.NewTextBlockObject(slackgo.PlainTextType, text, false, false))
}

func message(text string) slack.Message {
	return slack.Message{Text: text, Blocks: []slackgo.Block{header(text), section(text)}}
}

// answers returns "method answer" or "method status" of each request.
func (w *world) answers() []string {
	var out []string
	for _, r := range w.Requests() {
		a := r.Answer
		if a == "" {
			a = fmt.Sprint(r.Status)
		}
		out = append(out, r.Method+" "+a)
	}
	return out
}

func wantStrings(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%s:\n got %q\nwant %q", what, got, want)
	}
}
