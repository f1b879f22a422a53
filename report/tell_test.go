package report_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/org/openclaw-litellm-action/budget"
	"github.com/org/openclaw-litellm-action/failover"
	"github.com/org/openclaw-litellm-action/finding"
	"github.com/org/openclaw-litellm-action/report"
	"github.com/org/openclaw-litellm-action/rotate"
)

const quiet = "issues: find"

func hours(n int) time.Time { return monday.Add(time.Duration(n) * time.Hour) }

func TestTellStory(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.want(pass(hours(0), "1", 0), quiet) // all is well: nothing was ever told, nothing is written
	s.want(pass(hours(1), "25", 0), `
		issues: find
		issues: create LiteLLM keys: budgets, rotation, failover
		issues: edit 1 body open=false
		bot: post: info: openclaw has used 50% of its budget
		hook: post: info: openclaw has used 50% of its budget`)
	s.want(pass(hours(2), "25.3", 0), quiet)
	s.want(pass(hours(3), "40.5", 0), `
		issues: find
		issues: edit 1 body open=true
		issues: comment 1: - 🟡 **now warning**: openclaw has used 81% of its budget (40.50 of 50.00 USD, since 1 Nov 2026)
		issues: edit 1 body
		bot: update C1/1: LiteLLM keys: 1 warning | warning: openclaw has used 81% of its budget
		bot: reply C1/1: now warning: openclaw has used 81% of its budget
		hook: post: now warning: openclaw has used 81% of its budget`)
	s.want(pass(hours(4), "40.6", 0), quiet)
	s.want(pass(hours(5), "42.6", 0), `
		issues: find
		issues: edit 1 body
		bot: update C1/1: LiteLLM keys: 1 warning | warning: openclaw has used 85.2% of its budget`)
	s.want(pass(hours(27), "42.7", 0), `
		issues: find
		issues: edit 1 body
		issues: comment 1: - 🟡 **still warning**: openclaw has used 85.4% of its budget (42.70 of 50.00 USD, since 1 Nov 2026; first told 23 Nov 2026 19:10 UTC)
		issues: edit 1 body
		bot: update C1/1: LiteLLM keys: 1 warning | warning: openclaw has used 85.4% of its budget
		bot: reply C1/1: still warning: openclaw has used 85.4% of its budget
		hook: post: still warning: openclaw has used 85.4% of its budget`)
	s.want(pass(hours(28), "42.7", 3), `
		issues: find
		issues: edit 1 body
		issues: comment 1: - 🔑 **done**: openclaw was rotated: generation 3 is in every target (secret LITELLM\_API\_KEY in acme/agents)
		issues: edit 1 body
		bot: update C1/1: LiteLLM keys: 1 warning, 1 key rotated | warning: openclaw has used 85.4% of its budget
		bot: reply C1/1: done: openclaw was rotated: generation 3 is in every target
		hook: post: done: openclaw was rotated: generation 3 is in every target`)
	december := time.Date(2026, 12, 1, 0, 5, 0, 0, time.UTC)
	s.want(pass(december, "0", 0), `
		issues: find
		issues: edit 1 body
		issues: comment 1: - ✅ **resolved**: openclaw has used 85.4% of its budget (first told 23 Nov 2026 19:10 UTC)
		issues: edit 1 body open=false
		bot: update C1/1: LiteLLM keys: all is well
		bot: reply C1/1: resolved: openclaw has used 85.4% of its budget
		hook: post: resolved: openclaw has used 85.4% of its budget`)
	s.want(pass(december.Add(time.Hour), "0", 0), quiet)
	s.want(pass(december.AddDate(0, 0, 3), "48", 0), `
		issues: find
		issues: edit 1 body open=true
		issues: comment 1: - 🔴 **critical**: openclaw has used 96% of its budget (48.00 of 50.00 USD, since 1 Dec 2026)
		issues: edit 1 body
		bot: post: critical: openclaw has used 96% of its budget
		hook: post: critical: openclaw has used 96% of its budget`)
}

func TestTellNobody(t *testing.T) {
	t.Parallel()
	j := &journal{}
	if res, err := (report.Telling{Journal: j}).Tell(t.Context(), pass(hours(0), "50", 1)); err != nil || len(j.log) != 0 || res.Writes != 0 {
		t.Errorf("asked %q, %v", j.log, err)
	}
	s := newStage(t)
	plan := pass(hours(0), "50", 0)
	plan.DryRun = true
	s.want(plan, "")
}

// TestTellJournal: with a webhook alone the memory is in the journal.
func TestTellJournal(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.telling.Journal = s.journal
	s.telling.Issues, s.telling.Messengers = nil, []report.Messenger{s.hook}
	s.want(pass(hours(0), "1", 0), "journal: load")
	s.want(pass(hours(1), "48", 0), `
		journal: load
		journal: save
		journal: save
		hook: post: critical: openclaw has used 96% of its budget`)
	s.want(pass(hours(2), "48", 0), "journal: load")

	s.journal.data = []byte("corrupt")
	res := s.want(pass(hours(3), "48", 0), `
		journal: load
		journal: save
		journal: save
		hook: post: critical: openclaw has used 96% of its budget`)
	if len(res.Notes) != 1 || !strings.Contains(res.Notes[0], "begun anew") {
		t.Errorf("a corrupt memory is not spoken of: %q", res.Notes)
	}
	s.want(pass(hours(4), "48", 0), "journal: load")

	// Where there is nothing to tell either, it is replaced all the same.
	s.journal.data = []byte("corrupt")
	december := time.Date(2026, 12, 2, 0, 0, 0, 0, time.UTC)
	s.want(pass(december, "1", 0), "journal: load\njournal: save")
	s.want(pass(december, "1", 0), "journal: load")
}

// TestTellWithoutMemory: while nothing can be remembered only the gravest is told.
func TestTellWithoutMemory(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.telling.Journal = s.journal
	s.telling.Issues, s.telling.Messengers = nil, []report.Messenger{s.hook}
	s.journal.fails = true
	s.want(pass(hours(0), "41", 0), "journal: load")
	res := s.want(pass(hours(1), "48", 0), `
		journal: load
		hook: post: critical: openclaw has used 96% of its budget`)
	if len(res.Failures) != 1 || res.Failures[0].Target != "journal" {
		t.Errorf("failures are %+v", res.Failures)
	}
	// It can be read, but not written: the first save fails, before anything was sent.
	s.journal.fails = false
	s.telling.Journal = readOnly{s.journal}
	s.want(pass(hours(2), "41", 0), "journal: load")
}

type readOnly struct{ *journal }

func (readOnly) Save(context.Context, []byte) error { return errOutage }

// TestTellOutage: what a sender missed arrives once, in one message, and no other sender is disturbed.
func TestTellOutage(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.bot.fails = true
	res := s.want(pass(hours(0), "41", 0), `
		issues: find
		issues: create LiteLLM keys: budgets, rotation, failover
		issues: edit 1 body
		bot: post failed
		hook: post: warning: openclaw has used 82% of its budget`)
	if len(res.Failures) != 1 || res.Failures[0].Target != "slack" {
		t.Errorf("failures are %+v", res.Failures)
	}
	s.want(pass(hours(1), "48", 0), `
		issues: find
		issues: edit 1 body
		issues: comment 1: - 🔴 **now critical**: openclaw has used 96% of its budget (48.00 of 50.00 USD, since 1 Nov 2026)
		issues: edit 1 body
		bot: post failed
		hook: post: now critical: openclaw has used 96% of its budget`)
	s.want(pass(hours(2), "48", 0), `
		issues: find
		bot: post failed`)
	s.bot.fails = false
	s.want(pass(hours(3), "48", 0), `
		issues: find
		issues: edit 1 body
		bot: post: warning: openclaw has used 82% of its budget | now critical: openclaw has used 96% of its budget`)
	s.want(pass(hours(4), "48", 0), quiet)
}

// TestTellMessageGone: a living message that somebody deleted is posted anew.
func TestTellMessageGone(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.telling.Messengers = []report.Messenger{s.bot}
	s.tell(pass(hours(0), "41", 0))
	s.bot.gone = true
	s.want(pass(hours(1), "48", 0), `
		issues: find
		issues: edit 1 body
		issues: comment 1: - 🔴 **now critical**: openclaw has used 96% of its budget (48.00 of 50.00 USD, since 1 Nov 2026)
		issues: edit 1 body
		bot: post: now critical: openclaw has used 96% of its budget`)
	s.want(pass(hours(2), "48", 0), quiet)
}

// TestTellTrackerFails: the memory goes on in the journal, and a return costs at most one repeat.
func TestTellTrackerFails(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.telling.Journal = s.journal
	s.telling.Messengers = []report.Messenger{s.hook}
	s.issues.fails["find"] = true
	s.want(pass(hours(0), "41", 0), `
		issues: find
		journal: load
		journal: save
		journal: save
		hook: post: warning: openclaw has used 82% of its budget`)
	s.want(pass(hours(1), "41", 0), `
		issues: find
		journal: load`)
	s.issues.fails["find"] = false
	s.want(pass(hours(2), "41", 0), `
		issues: find
		issues: create LiteLLM keys: budgets, rotation, failover
		journal: load`)
	s.want(pass(hours(3), "41", 0), quiet)

	// It can be read but not written: nobody hears a thing twice.
	s.issues.fails["edit"] = true
	s.want(pass(hours(4), "48", 0), `
		issues: find
		issues: edit 1 body
		journal: load
		journal: save
		journal: save
		hook: post: now critical: openclaw has used 96% of its budget`)
	res := s.want(pass(hours(5), "48", 0), `
		issues: find
		issues: edit 1 body
		journal: load`)
	if len(res.Failures) != 1 || res.Failures[0].Target != "issue" {
		t.Errorf("failures are %+v", res.Failures)
	}
	s.issues.fails["edit"] = false
	s.want(pass(hours(6), "48", 0), `
		issues: find
		issues: edit 1 body
		issues: comment 1: - 🔴 **now critical**: openclaw has used 96% of its budget (48.00 of 50.00 USD, since 1 Nov 2026; was news 23 Nov 2026 22:10 UTC)
		issues: edit 1 body
		journal: load`)
	s.want(pass(hours(7), "48", 0), quiet)
}

// TestTellLostAnswers: a write whose answer is lost costs at most one repeat.
func TestTellLostAnswers(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"create", "edit", "comment"} {
		s := newStage(t)
		s.telling.Messengers = []report.Messenger{s.hook}
		s.issues.lost[method] = true
		s.tell(pass(hours(0), "41", 0))
		s.tell(pass(hours(1), "48", 0))
		s.issues.lost[method] = false
		told := 0
		for h := 2; h < 6; h++ {
			s.tell(pass(hours(h), "48", 0))
			told += len(s.hook.log)
			if n := len(s.issues.issues); n > 2 {
				t.Errorf("%s: %d issues", method, n)
			}
			if h > 3 && (len(s.hook.log) > 0 || len(s.issues.log) != 1) {
				t.Errorf("%s: still writing: %q %q", method, s.hook.log, s.issues.log)
			}
		}
		if told > 1 {
			t.Errorf("%s: told %d times more", method, told)
		}
	}
}

// TestTellCreateAnswerLost: the issue that was made is found, and no second one comes.
func TestTellCreateAnswerLost(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.telling.Messengers = nil
	s.issues.lost["create"] = true
	s.tell(pass(hours(0), "41", 0))
	s.issues.lost["create"] = false
	s.tell(pass(hours(1), "41", 0))
	s.want(pass(hours(2), "41", 0), quiet)
	if len(s.issues.issues) != 1 {
		t.Errorf("%d issues", len(s.issues.issues))
	}
}

// TestTellIssues: a stranger's issue with our marker is ignored and reported; of two of ours the lowest number stays.
func TestTellIssues(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.telling.Messengers = nil
	ours, err := report.EmbedMemory("old state", report.Memory{}, sign)
	if err != nil {
		t.Fatal(err)
	}
	body := report.ReplaceOurs("Words by people.", ours)
	s.issues.issues = []report.Issue{
		{Number: 1, Title: "about something", Body: "no marker", Open: true, Ours: true},
		{Number: 2, Title: "forged", Body: body, Open: true},
		{Number: 3, Title: "a title somebody edited", Body: body, Open: true, Ours: true},
		{Number: 4, Title: "double", Body: body, Open: true, Ours: true},
		{Number: 5, Title: "double, closed already", Body: body, Ours: true},
	}
	res := s.want(pass(hours(0), "41", 0), `
		issues: find
		issues: edit 3 body
		issues: comment 3: - 🟡 **warning**: openclaw has used 82% of its budget (41.00 of 50.00 USD, since 1 Nov 2026)
		issues: edit 3 body
		issues: edit 4 open=false
		issues: comment 4: This is told in #3, which stays.`)
	if res.Issue != 3 || len(res.Notes) != 2 || !strings.Contains(res.Notes[0], "#2") {
		t.Errorf("issue %d, notes %q", res.Issue, res.Notes)
	}
	if got := s.issues.issues[2]; !strings.HasPrefix(got.Body, "Words by people.") || got.Title != "a title somebody edited" {
		t.Errorf("people's words are gone: %+v", got)
	}
	if s.issues.issues[1].Body != body {
		t.Error("the stranger's issue was changed")
	}

	// Somebody ruins the memory: it is begun anew, that is said, and costs one repeat.
	s.issues.issues = s.issues.issues[:3]
	s.issues.issues[2].Body = report.ReplaceOurs(s.issues.issues[2].Body, "<!-- openclaw-litellm:memory:Zm9v -->")
	res, _ = s.tell(pass(hours(1), "41", 0))
	if len(res.Notices) != 1 || len(res.Notes) != 2 || !strings.Contains(res.Notes[1], "begun anew") {
		t.Errorf("notices %+v, notes %q", res.Notices, res.Notes)
	}
	s.want(pass(hours(2), "41", 0), quiet)

	// Somebody closes the issue while the warning goes on: it stays closed until there is news.
	s.issues.issues[2].Open = false
	s.want(pass(hours(3), "41", 0), quiet)
	s.tell(pass(hours(4), "48", 0))
	if !s.issues.issues[2].Open {
		t.Error("news does not reopen the issue")
	}
}

// TestTellOverlap: two runs that overlap tell a thing twice at most, and then never again.
func TestTellOverlap(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.telling.Messengers = nil
	s.tell(pass(hours(0), "25", 0))
	before := slices.Clone(s.issues.issues)
	s.tell(pass(hours(1), "41", 0))
	s.issues.issues = before // the second run read before the first wrote
	s.tell(pass(hours(1), "41", 0))
	s.want(pass(hours(2), "41", 0), quiet)
}

// TestTellBlind: what a pass could not judge is neither resolved nor repeated.
func TestTellBlind(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.telling.Messengers = nil
	s.tell(pass(hours(0), "41", 0))
	down := failover.Facts{Proxy: failover.Proxy{Cause: "network", Trouble: "connection refused"}}
	blind := func(at time.Time) report.Report {
		return report.New(report.Input{
			Now: at, Command: "run", Failover: &down, Findings: failover.Check(down, failover.Policy{}, at),
			Outcomes: []rotate.Outcome{{Name: "openclaw", CurrentNumber: -1, Err: errOutage}}, Configured: []string{"openclaw"},
		})
	}
	res, _ := s.tell(blind(hours(1)))
	if len(res.Notices) != 1 || res.Notices[0].Severity != finding.Critical || !strings.HasPrefix(res.Notices[0].Key, failover.RuleProxyDown) {
		t.Errorf("notices are %+v", res.Notices)
	}
	s.want(blind(hours(2)), quiet)
	res, _ = s.tell(pass(hours(3), "41", 0))
	if len(res.Notices) != 1 || res.Notices[0].Reason != report.Resolved {
		t.Errorf("notices are %+v", res.Notices)
	}
	// A pass that looks at less makes nothing well: what was told stands where people look.
	part := report.New(report.Input{Now: hours(3), Command: "run", Configured: []string{"openclaw"},
		Outcomes: []rotate.Outcome{{Name: "openclaw", CurrentNumber: 3, Rotated: true}}})
	s.telling.Messengers = []report.Messenger{s.bot}
	s.tell(part)
	s.want(part, quiet)
	if body := s.issues.issues[0].Body; !strings.Contains(body, "LiteLLM keys: 1 warning, 1 key rotated") ||
		!strings.Contains(body, "openclaw has used 82% of its budget<br>Cause: not looked at in this pass; last told 23 Nov 2026 18:10 UTC") {
		t.Errorf("after a pass over rotation alone the issue says:\n%s", body)
	}
	s.telling.Messengers = nil
	// A key that is configured no more is over.
	gone := report.New(report.Input{Now: hours(4), Configured: []string{"other"}})
	res, _ = s.tell(gone)
	if len(res.Notices) != 1 || res.Notices[0].Reason != report.Resolved {
		t.Errorf("notices are %+v", res.Notices)
	}
}

// TestTellFailure: a key that could not be rotated is news, once, and its mending too.
func TestTellFailure(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.telling.Messengers = []report.Messenger{s.hook}
	broken := func(at time.Time) report.Report {
		return report.New(report.Input{Now: at, Outcomes: []rotate.Outcome{{Name: "openclaw", CurrentNumber: 2, Err: errOutage}}})
	}
	s.tell(broken(hours(0)))
	if !s.issues.issues[0].Open || len(s.hook.log) != 1 || !strings.Contains(s.hook.log[0], "not everything could be done") {
		t.Errorf("told %q", s.hook.log)
	}
	s.want(broken(hours(1)), quiet)
	// A pass that did not look is no sign that it was mended: one that did not rotate, one that asked no target.
	unasked := rotate.Outcome{Name: "openclaw", CurrentNumber: 2}
	facts, _ := report.SpendFacts(rotate.Outcome{Name: "openclaw", MaxBudget: limit("50")})
	for _, in := range []report.Input{{Spend: []budget.Facts{facts}}, {Outcomes: []rotate.Outcome{unasked}, Spend: []budget.Facts{facts}}} {
		in.Now = hours(1)
		if res, _ := s.tell(report.New(in)); len(res.Notices) > 0 {
			t.Errorf("told %+v", res.Notices)
		}
	}
	s.tell(pass(hours(2), "1", 0))
	if s.issues.issues[0].Open || len(s.hook.log) != 1 || !strings.HasPrefix(s.hook.log[0], "post: resolved") {
		t.Errorf("told %q", s.hook.log)
	}
}
