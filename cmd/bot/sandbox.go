package main

import (
	"context"
	_ "embed"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/github/githubtest"
	"github.com/org/openclaw-litellm-action/litellm/litellmtest"
	"github.com/org/openclaw-litellm-action/secret"
	"github.com/org/openclaw-litellm-action/settings"
	"github.com/org/openclaw-litellm-action/slack/slacktest"
)

// sandboxConfig is the made-up fleet.
//
//go:embed sandbox.yml
var sandboxConfig []byte

// day is 24 hours.
const day = 24 * time.Hour

// sandbox is a LiteLLM proxy, a GitHub and a Slack in this process, on a clock that can be set back.
type sandbox struct {
	proxy  *litellmtest.Proxy
	github *githubtest.Server
	slack  *slacktest.Server
	dir    string
	now    func() time.Time
	offset time.Duration
}

// enterSandbox replaces every outside system by one in this process, with a month of history. close ends them and leaves
// nothing behind.
func (b *bot) enterSandbox(ctx context.Context) (close func(), err error) {
	s := &sandbox{now: b.now}
	b.now = s.clock
	if err := s.start(); err != nil {
		return s.close, err
	}
	b.set.LiteLLM.BaseURL, b.set.LiteLLM.Key = s.proxy.URL(), s.proxy.MasterKey()
	b.set.GitHub.APIURL, b.set.GitHub.Repository = s.github.URL(), "acme/agents"
	b.set.GitHub.Token, b.set.GitHub.SecretsToken = secret.New("sandbox-issues-token"), secret.New("sandbox-secrets-token")
	b.set.Slack.BotToken, b.set.Slack.Channel, b.set.Slack.APIURL = s.slack.Token(), "C0000000001", s.slack.URL()
	for _, v := range []secret.Value{b.set.LiteLLM.Key, b.set.GitHub.Token, b.set.GitHub.SecretsToken, b.set.Slack.BotToken} {
		b.known.Add(v)
	}
	for i := range b.set.Keys {
		for j := range b.set.Keys[i].Targets {
			if t := &b.set.Keys[i].Targets[j]; t.File != "" {
				t.File = filepath.Join(s.dir, filepath.Base(t.File))
			}
		}
	}
	if err := b.connect(); err != nil {
		return s.close, err
	}
	if err := b.liveAMonth(ctx, s); err != nil {
		return s.close, err
	}
	err = b.connect() // requests are counted from here on
	b.issuesAPI.Login = "github-actions[bot]"
	return s.close, err
}

// clock is the time in the sandbox.
func (s *sandbox) clock() time.Time { return s.now().Add(s.offset) }

func (s *sandbox) start() error {
	price := func(text string) decimal.Decimal { return decimal.RequireFromString(text) }
	s.proxy = litellmtest.New(litellmtest.Options{Now: s.clock, Models: []litellmtest.ModelSpec{
		{Name: "claude-opus-4-6", Deployment: "anthropic/claude-opus-4-6", InputCost: price("0.000005"), OutputCost: price("0.000025"), Fallbacks: []string{"gpt-4o"}},
		{Name: "gpt-4o", InputCost: price("0.0000025"), OutputCost: price("0.00001")},
	}})
	s.github = githubtest.New(githubtest.Options{Now: s.clock})
	if _, err := s.github.Start(); err != nil {
		return fmt.Errorf("starting the sandbox: %w", err)
	}
	for _, name := range []string{"acme/agents", "acme/nightly", "acme/ops"} {
		s.github.AddRepository(githubtest.Repository{Name: name, Environments: []string{"production"}})
	}
	s.slack = slacktest.New(slacktest.Options{Now: s.clock})
	dir, err := os.MkdirTemp("", "openclaw-litellm-sandbox-")
	if err != nil {
		return fmt.Errorf("starting the sandbox: %w", err)
	}
	s.dir = dir
	return nil
}

func (s *sandbox) close() {
	if s.proxy != nil {
		s.proxy.Close()
	}
	if s.github != nil {
		_ = s.github.Close()
	}
	if s.slack != nil {
		s.slack.Close()
	}
	if s.dir != "" {
		_ = os.RemoveAll(s.dir)
	}
}

// liveAMonth lays out what happened before: one key minted almost 30 days ago, the other ten, and agents that used them.
// What the command finds and does after that is real.
func (b *bot) liveAMonth(ctx context.Context, s *sandbox) error {
	past := *b
	set := *b.set
	past.set, past.log = &set, slog.New(slog.DiscardHandler)
	set.Command = settings.CommandRotate // whatever is asked for now
	for i, age := range []time.Duration{30*day - 6*time.Hour, 10 * day} {
		s.offset = -age
		set.Keys, set.Names = b.set.Keys[i:i+1], nil
		for _, o := range past.rotateKeys(ctx, nil, false) {
			if o.Err != nil {
				return fmt.Errorf("laying out the sandbox: %w", o.Err)
			}
		}
	}
	s.offset = 0
	s.use()
	return nil
}

// use books a week of calls: most of one budget is spent, and in the last hour a fallback serves half of the requests.
func (s *sandbox) use() {
	now := s.clock()
	var calls []litellmtest.Usage
	for i, k := range s.proxy.Keys() {
		cost := decimal.New(int64(118-100*i), -2)
		for n := range 35 {
			calls = append(calls, litellmtest.Usage{
				Token: k.Token, At: now.Add(-time.Duration(n)*5*time.Hour - 2*time.Hour), Model: "claude-opus-4-6",
				Spend: cost, PromptTokens: 41000, CompletionTokens: 1800,
			})
		}
		for n := range 12 - 8*i {
			call := litellmtest.Usage{
				Token: k.Token, At: now.Add(-time.Duration(4*n+3) * time.Minute), Model: "claude-opus-4-6", Served: "claude-opus-4-6",
				Spend: decimal.New(2, -2), PromptTokens: 2000, CompletionTokens: 150,
			}
			if n%2 == 0 {
				call.Served = "gpt-4o"
			}
			calls = append(calls, call)
		}
	}
	s.proxy.Record(calls...)
	s.proxy.SetHealth("claude-opus-4-6", false, "AnthropicException: overloaded_error")
	s.proxy.SetHealth("gpt-4o", true, "")
}
