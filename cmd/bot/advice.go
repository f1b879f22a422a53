package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"

	"github.com/org/openclaw-litellm-action/github"
	"github.com/org/openclaw-litellm-action/internal/netx"
	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/openclaw"
	"github.com/org/openclaw-litellm-action/report"
	"github.com/org/openclaw-litellm-action/rotate"
	"github.com/org/openclaw-litellm-action/secret"
	"github.com/org/openclaw-litellm-action/settings"
	"github.com/org/openclaw-litellm-action/slack"
)

// settingFault is an outside system's answer that a setting has to be mended for, with what to do.
type settingFault struct {
	err     error
	setting string // where it was given: "environment LITELLM_MASTER_KEY"
	remedy  string
}

// Error is one line: what happened, the setting, the remedy.
func (f *settingFault) Error() string {
	return fmt.Sprintf("%v; mend %s: %s", f.err, f.setting, f.remedy)
}

// Unwrap returns what happened.
func (f *settingFault) Unwrap() error { return f.err }

// advise adds the remedy to each part of a joined error that a setting is to blame for.
func advise(err error, find func(error) (setting, remedy string)) error {
	var fault *settingFault
	var out []error
	for _, e := range report.Leaves(err) {
		if setting, remedy := find(e); remedy != "" && !errors.As(e, &fault) {
			e = &settingFault{e, setting, remedy}
		}
		out = append(out, e)
	}
	if len(out) == 1 {
		return out[0]
	}
	return errors.Join(out...)
}

// source names where a setting came from, or how to give it.
func (b *bot) source(name string) string {
	if s := b.set.From(name); s.Given() {
		return s.String()
	}
	return "setting " + name
}

// adviseProxy blames the settings that lead to the proxy.
func (b *bot) adviseProxy(err error) error {
	return advise(err, func(e error) (string, string) {
		switch litellm.KindOf(e) {
		case litellm.UnknownKey:
			return b.source("litellm-master-key"), "the proxy does not know this key; give its master key or a management key"
		case litellm.KeyBlocked, litellm.KeyExpired:
			return b.source("litellm-master-key"), "give a management key that is neither blocked nor expired"
		case litellm.Forbidden:
			return b.source("litellm-master-key"), "this key may not do that; the README lists the routes a management key needs"
		case litellm.NotLiteLLM:
			return b.source("litellm-base-url"), "give the proxy's own address, such as https://litellm.example.com"
		case litellm.ProxyDown, litellm.NotAsked:
			if nobodyThere(e) {
				return b.source("litellm-base-url"), "see that the proxy runs and that this is its address"
			}
		}
		return "", ""
	})
}

// nobodyThere reports whether an address leads nowhere: its host has no address, or nothing listens there.
func nobodyThere(err error) bool {
	var dns *net.DNSError
	return errors.Is(err, syscall.ECONNREFUSED) || errors.As(err, &dns) && dns.IsNotFound
}

// fileRemedy says what to do where a key file cannot be read or written.
func fileRemedy(err error) string {
	switch {
	case errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT):
		return "make room where it is, or name a file elsewhere"
	case errors.Is(err, openclaw.ErrNotKey):
		return "name a file of its own for the key, or empty this one if it can be replaced"
	case errors.Is(err, openclaw.ErrReader):
		return "remove what somebody else put there, or name a file in a directory that only root or the key's reader can make"
	}
	return "name a file in a directory that exists and that this process may write to"
}

// adviseOutcome adds remedies to what a rotation says of the proxy. What the new key itself is refused for is no fault
// of the management key.
func (b *bot) adviseOutcome(o *rotate.Outcome) {
	for i, s := range o.Steps {
		if s.Err != nil && s.Kind == rotate.StepVerify {
			return
		}
		if s.Err != nil {
			o.Steps[i].Err = b.adviseProxy(s.Err)
		}
	}
	o.Err = b.adviseProxy(o.Err)
}

// adviseGitHub blames a token.
func adviseGitHub(err error, token, needs string) error {
	return advise(err, func(e error) (string, string) {
		switch github.KindOf(e) {
		case github.BadCredentials:
			return token, "give a token that GitHub accepts"
		case github.Forbidden:
			return token, "give a token with " + needs
		case github.NotFound:
			return token, "check the name; if it is right, the token cannot see it and needs " + needs
		case github.Archived:
			return "the target", "the repository is archived and takes no writes"
		}
		return "", ""
	})
}

// adviseSlack blames what leads to Slack.
func (b *bot) adviseSlack(err error) error { return b.adviseChannel("slack-channel", err) }

// adviseCritical does so for the second channel.
func (b *bot) adviseCritical(err error) error { return b.adviseChannel("slack-critical-channel", err) }

func (b *bot) adviseChannel(channel string, err error) error {
	var e *slack.Error
	if !errors.As(err, &e) {
		return err
	}
	return advise(err, func(error) (string, string) {
		switch e.Kind {
		case slack.ChannelNotFound, slack.ChannelArchived:
			return b.source(channel), "give the id of a channel that exists and that the bot may see"
		case slack.NotInChannel:
			return b.source(channel), "invite the bot to the channel"
		case slack.TokenInvalid:
			return b.source("slack-bot-token"), "give a token that Slack accepts"
		case slack.MissingScope, slack.Prohibited:
			return b.source("slack-bot-token"), "give the bot the scope chat:write"
		case slack.WebhookGone:
			return b.source("slack-webhook-url"), "make a new incoming webhook"
		}
		return "", ""
	})
}

// advisedTarget is a target whose errors name the setting to mend.
type advisedTarget struct {
	rotate.Target
	advise func(error) error
}

func (t advisedTarget) Preflight(ctx context.Context) error { return t.advise(t.Target.Preflight(ctx)) }

func (t advisedTarget) Stamp(ctx context.Context) (string, error) {
	stamp, err := t.Target.Stamp(ctx)
	return stamp, t.advise(err)
}

func (t advisedTarget) Write(ctx context.Context, v secret.Value) (string, bool, error) {
	ctx, end := netx.Grace(ctx, placeGrace)
	defer end()
	stamp, own, err := t.Target.Write(ctx, v)
	return stamp, own, t.advise(err)
}

// advisedFile is a key file whose errors name the setting to mend.
type advisedFile struct {
	advisedTarget
	file rotate.Reader
}

func (t advisedFile) Read(ctx context.Context) (secret.Value, error) {
	value, err := t.file.Read(ctx)
	return value, t.advise(err)
}

// secretPermission is what a token needs to write a secret there, in GitHub's words.
func secretPermission(t settings.Target) string {
	kind := map[string]string{settings.StoreDependabot: "Dependabot secrets", settings.StoreCodespaces: "Codespaces secrets"}[t.Store]
	switch {
	case t.Environment != "":
		return "the repository permission Environments: write"
	case t.Organization != "" && kind != "":
		return "the organization permission Organization " + kind + ": write"
	case t.Organization != "":
		return "the organization permission Secrets: write"
	case kind != "":
		return "the repository permission " + kind + ": write"
	}
	return "the repository permission Secrets: write"
}

// onlySettings reports whether everything that failed is for the settings to mend.
func (p *pass) onlySettings() bool {
	for _, err := range p.errs {
		var fault *settingFault
		var conflict *rotate.Conflict
		if !errors.As(err, &fault) && !errors.As(err, &conflict) {
			return false
		}
	}
	return true
}

// adviseIssues blames the token for the living issue.
func (b *bot) adviseIssues(err error) error {
	return adviseGitHub(err, b.source("github-token"), "the repository permission Issues: write in "+b.set.Report.IssueRepository)
}

// advisedTracker is an issue tracker whose errors name the setting to mend.
type advisedTracker struct {
	tracker *tracker
	advise  func(error) error
}

func (t advisedTracker) Find(ctx context.Context) ([]report.Issue, error) {
	issues, err := t.tracker.Find(ctx)
	return issues, t.told(err)
}

func (t advisedTracker) Create(ctx context.Context, title, body string) (report.Issue, error) {
	issue, err := t.tracker.Create(ctx, title, body)
	return issue, t.told(err)
}

func (t advisedTracker) Edit(ctx context.Context, number int, change report.IssueChange) error {
	return t.told(t.tracker.Edit(ctx, number, change))
}

func (t advisedTracker) Comment(ctx context.Context, number int, body string) error {
	return t.told(t.tracker.Comment(ctx, number, body))
}

// told advises, and marks what trying again will not mend.
func (t advisedTracker) told(err error) error {
	err = t.advise(err)
	for _, kind := range []github.Kind{github.BadCredentials, github.Forbidden, github.NotFound, github.Archived, github.Gone} {
		if errors.Is(err, kind) {
			return marked{err, report.ErrRefused}
		}
	}
	return err
}
