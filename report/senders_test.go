package report_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/org/openclaw-litellm-action/finding"
	"github.com/org/openclaw-litellm-action/report"
)

// refusing is a messenger whose token was revoked, until it is mended.
type refusing struct {
	*messenger
	refuses bool
}

func (m refusing) refused() error {
	return finding.Naming(fmt.Errorf("posting: token refused (token_revoked): %w", report.ErrRefused), "bob@example.com")
}

func (m *refusing) Post(ctx context.Context, msg report.Message) (string, error) {
	if m.refuses {
		return "", m.refused()
	}
	return m.messenger.Post(ctx, msg)
}

// TestTellRefused: what does not go away by itself is told in the other places, once and in the same pass, and so is its
// end. Where it happened nobody hears of it: they see what they missed.
func TestTellRefused(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	bot := &refusing{s.bot, true}
	s.telling.Messengers = []report.Messenger{bot}
	res := s.want(pass(hours(0), "41", 0), `
		issues: find
		issues: create LiteLLM keys: budgets, rotation, failover
		issues: comment 1: - 🟡 **warning**: slack takes no messages: nobody hears of anything there (cause: posting: token refused (token\_revoked): the place refuses messages)
		issues: edit 1 body`)
	if len(res.Failures) != 1 || res.Failures[0].Target != "slack" || !strings.Contains(res.Failures[0].Message, "token_revoked") {
		t.Errorf("the report does not name the sender: %+v", res.Failures)
	}
	s.want(pass(hours(1), "41", 0), "issues: find")
	s.want(pass(hours(2), "41", 0), "issues: find")
	bot.refuses = false
	s.want(pass(hours(3), "41", 0), `
		issues: find
		issues: comment 1: - ✅ **resolved**: slack takes no messages: nobody hears of anything there (first told 23 Nov 2026 18:10 UTC)
		issues: edit 1 body
		bot: post: warning: openclaw has used 82% of its budget`)
	s.want(pass(hours(4), "41", 0), quiet)
}

// lockedTracker refuses to be written, as a repository whose issues were turned off.
type lockedTracker struct {
	*tracker
	locked bool
}

func (k *lockedTracker) refused() error {
	if k.locked {
		return fmt.Errorf("410 issues are disabled: %w", report.ErrRefused)
	}
	return nil
}

func (k *lockedTracker) Find(ctx context.Context) ([]report.Issue, error) {
	if err := k.refused(); err != nil {
		return nil, err
	}
	return k.tracker.Find(ctx)
}

// TestTellIssueRefused: an issue that cannot be reached any more is told in Slack, once, and so is that it can.
func TestTellIssueRefused(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	locked := &lockedTracker{s.issues, true}
	s.telling.Issues, s.telling.Messengers, s.telling.Journal = locked, []report.Messenger{s.bot}, s.journal
	s.want(pass(hours(0), "41", 0), `
		journal: load
		journal: save
		journal: save
		bot: post: warning: openclaw has used 82% of its budget | warning: the issue cannot be written: nobody hears of anything there`)
	s.want(pass(hours(1), "41", 0), "journal: load")
	locked.locked = false
	_, log := s.tell(pass(hours(2), "41", 0))
	if !strings.Contains(log, "issues: create") || strings.Count(log, "bot: reply") != 1 || !strings.Contains(log, "resolved: the issue cannot be written") {
		t.Errorf("when it is mended:\n%s", log)
	}
	_, log = s.tell(pass(hours(3), "41", 0))
	if strings.Contains(log, "bot:") || strings.Contains(log, "comment") {
		t.Errorf("it is told again:\n%s", log)
	}
}

// TestTellPagerHears: a channel that refuses is told in the second one, if that is the only other place.
func TestTellPagerHears(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	pager := &messenger{name: "slack-critical", living: true}
	s.telling.Issues, s.telling.Journal, s.telling.Messengers, s.telling.Pager = nil, s.journal, []report.Messenger{&refusing{s.bot, true}}, pager
	s.tell(pass(hours(0), "41", 0))
	if want := "post: warning: slack takes no messages: nobody hears of anything there"; len(pager.log) != 1 || pager.log[0] != want {
		t.Errorf("the second channel got %q, want %q", pager.log, want)
	}
}

// TestTellPager: the second channel hears of what is critical, and of its end, also if it was less grave by then.
func TestTellPager(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	pager := &messenger{name: "slack-critical", living: true}
	s.telling.Issues, s.telling.Journal, s.telling.Messengers, s.telling.Pager = nil, s.journal, []report.Messenger{s.bot}, pager
	for i, step := range []struct{ spend, bot, pager string }{
		{"41", "warning: openclaw has used 82% of its budget", ""},
		{"48", "now critical: openclaw has used 96% of its budget", "post: now critical: openclaw has used 96% of its budget"},
		{"46", "update C1/1", "update C1/1: LiteLLM keys: 1 warning | warning: openclaw has used 92% of its budget"},
		{"1", "resolved: openclaw has used 96% of its budget", "reply C1/1: resolved: openclaw has used 96% of its budget"},
	} {
		pager.log = nil
		at := hours(i)
		if i == 3 {
			at = time.Date(2026, 12, 1, 0, 5, 0, 0, time.UTC)
		}
		s.tell(pass(at, step.spend, 0))
		if got := strings.Join(s.bot.log, "\n"); !strings.Contains(got, step.bot) {
			t.Errorf("the channel got %q, want %q", got, step.bot)
		}
		got := ""
		if len(pager.log) > 0 {
			got = pager.log[len(pager.log)-1]
		}
		if got != step.pager {
			t.Errorf("the second channel got %q, want %q", got, step.pager)
		}
	}
}

// broken fails in one way at each call.
type broken struct {
	name string
	how  func(context.Context) error
}

func (b broken) Name() string { return b.name }
func (b broken) Living() bool { return true }
func (b broken) Post(ctx context.Context, _ report.Message) (string, error) {
	return "C9/9", b.how(ctx)
}
func (b broken) Update(ctx context.Context, _ string, _ report.Message) error { return b.how(ctx) }
func (b broken) Reply(ctx context.Context, _ string, _ report.Message) error  { return b.how(ctx) }
func (b broken) Find(ctx context.Context) ([]report.Issue, error)             { return nil, b.how(ctx) }
func (b broken) Create(ctx context.Context, _, _ string) (report.Issue, error) {
	return report.Issue{}, b.how(ctx)
}
func (b broken) Edit(ctx context.Context, _ int, _ report.IssueChange) error { return b.how(ctx) }
func (b broken) Comment(ctx context.Context, _ int, _ string) error          { return b.how(ctx) }

// TestTellBroken: whichever sender fails, and however, the others get their message, nobody waits longer than the limit,
// and the report names who failed.
func TestTellBroken(t *testing.T) {
	t.Parallel()
	ways := map[string]func(context.Context) error{
		"error":   func(context.Context) error { return errOutage },
		"refusal": func(context.Context) error { return fmt.Errorf("revoked: %w", report.ErrRefused) },
		"gone":    func(context.Context) error { return report.ErrGone },
		"hang":    func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
	}
	for way, how := range ways {
		for _, who := range []string{"issue", "first", "last", "pager"} {
			t.Run(way+" "+who, func(t *testing.T) {
				t.Parallel()
				s := newStage(t)
				b := broken{name: who, how: how}
				s.telling.Timeout, s.telling.Journal = 20*time.Millisecond, s.journal
				switch who {
				case "issue":
					s.telling.Issues = b
				case "first":
					s.telling.Messengers = []report.Messenger{b, s.bot, s.hook}
				case "last":
					s.telling.Messengers = []report.Messenger{s.bot, s.hook, b}
				case "pager":
					s.telling.Pager = b
				}
				begun := time.Now()
				res, _ := s.tell(pass(hours(0), "48", 0))
				if took := time.Since(begun); took > 2*time.Second {
					t.Errorf("it took %s", took)
				}
				posts := func(m *messenger) int { // refusals are told as well
					return strings.Count(strings.Join(m.log, "\n"), "critical: openclaw has used 96%") - strings.Count(strings.Join(m.log, "\n"), "update ")
				}
				if posts(s.bot) != 1 || posts(s.hook) != 1 || who != "issue" && len(s.issues.issues) != 1 {
					t.Errorf("others missed it: bot %q, webhook %q, issues %q", s.bot.log, s.hook.log, s.issues.log)
				}
				named := false
				for _, f := range res.Failures {
					named = named || f.Target == who && f.Step == "tell"
				}
				if !named {
					t.Errorf("the report does not name %s: %+v", who, res.Failures)
				}
				if r := pass(hours(0), "48", 0).Add(res.Failures...); !strings.Contains(text(t, r, report.Options{}), who) {
					t.Error("the terminal does not name it")
				}
			})
		}
	}
	if !errors.Is(refusing{}.refused(), report.ErrRefused) {
		t.Error("a refusal is none")
	}
}
