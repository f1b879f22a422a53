package main

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/org/openclaw-litellm-action/github"
	"github.com/org/openclaw-litellm-action/report"
	"github.com/org/openclaw-litellm-action/secret"
	"github.com/org/openclaw-litellm-action/slack"
)

// repeatAfter is how long a warning that goes on stays silent before it is told again.
const repeatAfter = 24 * time.Hour

// telling connects the report to the senders that the settings name.
func (b *bot) telling() report.Telling {
	t := report.Telling{
		Repeat: repeatAfter, IssueView: b.issueView(), Learn: b.learnView(), Sign: b.signer(), Catch: b.catch,
	}
	if j := b.journal(); j != nil {
		t.Journal = j
	}
	if b.state != nil {
		t.Journal, t.Near, t.Turn = b.state, true, b.state.Turn
	}
	if b.set.Report.IssueRepository != "" {
		t.Issues = advisedTracker{
			&tracker{api: b.issuesAPI, repository: b.set.Report.IssueRepository, labels: b.set.Report.IssueLabels}, b.adviseIssues,
		}
	}
	notes := func(text string) { b.log.Warn(text) }
	switch {
	case !b.set.Slack.BotToken.IsZero():
		t.Messengers = append(t.Messengers, &channel{
			bot:     b.slackBot(notes),
			channel: b.set.Slack.Channel, name: slackSender, advise: b.adviseSlack,
		})
		if b.set.Slack.CriticalChannel != "" {
			t.Pager = &channel{
				bot:     b.slackBot(notes),
				channel: b.set.Slack.CriticalChannel, name: criticalSender, advise: b.adviseCritical,
			}
		}
	case !b.set.Slack.WebhookURL.IsZero():
		t.Messengers = append(t.Messengers, &webhook{
			slack.Webhook{
				URL: b.set.Slack.WebhookURL, HTTP: b.http, Notes: notes, Sleep: b.sleep, System: b.systems.slack,
			}, b.adviseSlack,
		})
	}
	return t
}

// signer signs the memory in the living issue with a key that nobody has who can edit issues. Another repository or
// label has another key.
func (b *bot) signer() report.Signer {
	label := (&tracker{labels: b.set.Report.IssueLabels}).label()
	place := strings.ToLower(b.set.Report.IssueRepository) + "\x00" + strings.ToLower(label)
	signs := cmp.Or(b.set.Report.IssueSecret, b.set.LiteLLM.Key)
	return func(data []byte) []byte {
		mac := hmac.New(sha256.New, b.derive(signs, "openclaw-litellm issue memory\x00"+place))
		mac.Write(data)
		return mac.Sum(nil)
	}
}

// derive is v.Derive, which is slow, once for all runs of a service.
func (b *bot) derive(v secret.Value, purpose string) []byte {
	if b.derived == nil {
		return v.Derive(purpose)
	}
	name := v.SHA256() + "\x00" + purpose
	key, ok := b.derived.Load(name)
	if !ok {
		key, _ = b.derived.LoadOrStore(name, v.Derive(purpose))
	}
	return key.([]byte)
}

// slackBot sends with the bot token, and tells notes what it cut.
func (b *bot) slackBot(notes func(string)) slack.Bot {
	return slack.Bot{
		Token: b.set.Slack.BotToken, APIURL: b.set.Slack.APIURL, HTTP: b.http, Notes: notes, Sleep: b.sleep, System: b.systems.slack,
	}
}

// defaultLabel marks the living issue where the configuration names no label.
const defaultLabel = "openclaw-litellm"

// tracker keeps the living issue in one repository.
type tracker struct {
	api        *github.Client
	repository string
	labels     []string
}

// label is the one by which the issue is found: the first configured.
func (t *tracker) label() string {
	if len(t.labels) > 0 {
		return t.labels[0]
	}
	return defaultLabel
}

func (t *tracker) Find(ctx context.Context) ([]report.Issue, error) {
	found, err := t.api.Issues(ctx, t.repository, t.label())
	if err != nil || len(found) == 0 {
		return nil, err
	}
	me, err := t.api.Viewer(ctx)
	if err != nil {
		return nil, err
	}
	issues := make([]report.Issue, len(found))
	for i, f := range found {
		issues[i] = issueOf(f, me)
	}
	return issues, nil
}

func issueOf(i github.Issue, me string) report.Issue {
	return report.Issue{
		Number: i.Number, Title: i.Title, Body: i.Body, Open: i.State != "closed",
		Ours: strings.EqualFold(i.Author, me), URL: i.URL,
	}
}

func (t *tracker) Create(ctx context.Context, title, body string) (report.Issue, error) {
	labels := t.labels
	if len(labels) == 0 {
		labels = []string{t.label()}
	}
	i, err := t.api.CreateIssue(ctx, t.repository, title, body, labels)
	if err != nil {
		return report.Issue{}, err
	}
	if !slices.ContainsFunc(i.Labels, func(l string) bool { return strings.EqualFold(l, t.label()) }) {
		return report.Issue{}, marked{fmt.Errorf("issue #%d of %s was made without the label %q, by which it would be found again: "+
			"GitHub drops the labels of who may not write to the repository; give the owner of the token that right", i.Number, t.repository, t.label()), report.ErrRefused}
	}
	return issueOf(i, i.Author), nil
}

func (t *tracker) Edit(ctx context.Context, number int, change report.IssueChange) error {
	edit := github.IssueEdit{Body: change.Body}
	if change.Open != nil {
		state := "closed"
		if *change.Open {
			state = "open"
		}
		edit.State = &state
	}
	_, err := t.api.EditIssue(ctx, t.repository, number, edit)
	return err
}

func (t *tracker) Comment(ctx context.Context, number int, body string) error {
	_, err := t.api.CommentOn(ctx, t.repository, number, body)
	return err
}

// channel is a Slack channel that a bot token can write to. Its anchors are "ID/TS/CHANNEL".
type channel struct {
	bot     slack.Bot
	channel string
	name    string
	advise  func(error) error
}

func (c *channel) Name() string { return c.name }
func (*channel) Living() bool   { return true }

func (c *channel) Post(ctx context.Context, m report.Message) (string, error) {
	ref, err := c.bot.Post(ctx, c.channel, slackMessage(m))
	if err != nil {
		return "", lasting(c.advise(err))
	}
	return strings.Join([]string{ref.Channel, ref.TS, c.channel}, "/"), nil
}

func (c *channel) Update(ctx context.Context, anchor string, m report.Message) error {
	ref, err := c.refOf(anchor)
	if err != nil {
		return err
	}
	return gone(c.advise(c.bot.Update(ctx, ref, slackMessage(m))))
}

func (c *channel) Reply(ctx context.Context, anchor string, m report.Message) error {
	ref, err := c.refOf(anchor)
	if err != nil {
		return err
	}
	_, err = c.bot.Reply(ctx, ref, slackMessage(m))
	return gone(c.advise(err))
}

// refOf reads an anchor: "ID/TS/CHANNEL", where CHANNEL is what the settings named. If they name another channel now,
// the old message is gone as far as we are concerned. Only the time stamp is taken from the anchor: messages are edited
// and answered in the configured channel alone, whatever the memory says.
func (c *channel) refOf(anchor string) (slack.Ref, error) {
	parts := strings.SplitN(anchor, "/", 3)
	if len(parts) != 3 || parts[2] != c.channel {
		return slack.Ref{}, fmt.Errorf("the remembered message %q is not in channel %s: %w", anchor, c.channel, report.ErrGone)
	}
	return slack.Ref{Channel: c.channel, TS: parts[1]}, nil
}

// gone puts Slack's word for a deleted message into the report's.
func gone(err error) error {
	if errors.Is(err, slack.MessageGone) || errors.Is(err, slack.ChannelNotFound) || errors.Is(err, slack.ChannelArchived) {
		return marked{err, report.ErrGone}
	}
	return lasting(err)
}

// lasting marks what trying again will not mend.
func lasting(err error) error {
	for _, kind := range []slack.Kind{
		slack.ChannelNotFound, slack.ChannelArchived, slack.NotInChannel, slack.TokenInvalid, slack.MissingScope, slack.Prohibited,
		slack.WebhookGone,
	} {
		if errors.Is(err, kind) {
			return marked{err, report.ErrRefused}
		}
	}
	return err
}

// marked is an error that also is another one, without its words.
type marked struct {
	error
	also error
}

// Is reports whether target is the other one.
func (m marked) Is(target error) bool { return target == m.also }

// Unwrap returns the error.
func (m marked) Unwrap() error { return m.error }

// webhook posts to the one channel of an incoming webhook.
type webhook struct {
	slack.Webhook
	advise func(error) error
}

func (*webhook) Name() string { return webhookSender }
func (*webhook) Living() bool { return false }

func (w *webhook) Post(ctx context.Context, m report.Message) (string, error) {
	return "", lasting(w.advise(w.Webhook.Post(ctx, slackMessage(m))))
}
func (*webhook) Update(context.Context, string, report.Message) error { return report.ErrGone }
func (*webhook) Reply(context.Context, string, report.Message) error  { return report.ErrGone }

func slackMessage(m report.Message) slack.Message {
	return slack.Message{Text: m.Text, Blocks: m.Blocks, Plain: m.Plain, Broadcast: m.Broadcast}
}
