package report_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/budget"
	"github.com/org/openclaw-litellm-action/failover"
	"github.com/org/openclaw-litellm-action/report"
	"github.com/org/openclaw-litellm-action/rotate"
)

var errOutage = errors.New("outage")

// sign is the signature of everything that tests keep in issues.
func sign(data []byte) []byte { return signed("one", data) }

// signed is a signature under a key.
func signed(key string, data []byte) []byte {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write(data)
	return mac.Sum(nil)
}

// tracker keeps issues in memory and writes down what was asked of it.
type tracker struct {
	issues []report.Issue
	log    []string
	fails  map[string]bool // by method
	lost   map[string]bool // done, but the answer is lost
}

func (k *tracker) did(method, what string) (before, after error) {
	k.log = append(k.log, strings.TrimSpace(method+" "+what))
	if k.fails[method] {
		return errOutage, nil
	}
	if k.lost[method] {
		return nil, errOutage
	}
	return nil, nil
}

func (k *tracker) Find(context.Context) ([]report.Issue, error) {
	before, _ := k.did("find", "")
	return slices.Clone(k.issues), before
}

func (k *tracker) Create(_ context.Context, title, body string) (report.Issue, error) {
	before, after := k.did("create", title)
	if before != nil {
		return report.Issue{}, before
	}
	if len(body) > report.IssueLimit {
		return report.Issue{}, errors.New("422 body is too long")
	}
	i := report.Issue{Number: len(k.issues) + 1, Title: title, Body: body, Open: true, Ours: true}
	k.issues = append(k.issues, i)
	return i, after
}

func (k *tracker) Edit(_ context.Context, number int, c report.IssueChange) error {
	what := fmt.Sprint(number)
	if c.Body != nil {
		what += " body"
	}
	if c.Open != nil {
		what += fmt.Sprintf(" open=%t", *c.Open)
	}
	before, after := k.did("edit", what)
	if before != nil {
		return before
	}
	i := &k.issues[number-1]
	if c.Body != nil {
		if len(*c.Body) > report.IssueLimit {
			return errors.New("422 body is too long")
		}
		i.Body = *c.Body
	}
	if c.Open != nil {
		i.Open = *c.Open
	}
	return after
}

func (k *tracker) Comment(_ context.Context, number int, body string) error {
	before, after := k.did("comment", fmt.Sprintf("%d: %s", number, firstLine(body)))
	if before != nil {
		return before
	}
	return after
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	line, _, _ = strings.Cut(line, "<br>")
	return line
}

// messenger keeps messages in memory.
type messenger struct {
	name   string
	living bool
	log    []string
	fails  bool
	gone   bool
	sent   int
}

func (m *messenger) Name() string { return m.name }
func (m *messenger) Living() bool { return m.living }

func (m *messenger) did(what string, msg report.Message) error {
	if m.fails {
		m.log = append(m.log, what+" failed")
		return errOutage
	}
	m.log = append(m.log, what+": "+msg.Text)
	return nil
}

func (m *messenger) Post(_ context.Context, msg report.Message) (string, error) {
	if err := m.did("post", msg); err != nil {
		return "", err
	}
	m.sent++
	m.gone = false
	return fmt.Sprintf("C1/%d", m.sent), nil
}

func (m *messenger) Update(_ context.Context, anchor string, msg report.Message) error {
	if m.gone {
		return fmt.Errorf("updating %s: %w", anchor, report.ErrGone)
	}
	return m.did("update "+anchor, msg)
}

func (m *messenger) Reply(_ context.Context, anchor string, msg report.Message) error {
	return m.did("reply "+anchor, msg)
}

// journal keeps a memory in memory.
type journal struct {
	data  []byte
	log   []string
	fails bool
}

func (j *journal) Load(context.Context) ([]byte, error) {
	j.log = append(j.log, "load")
	if j.fails {
		return nil, errOutage
	}
	return j.data, nil
}

func (j *journal) Save(_ context.Context, data []byte) error {
	j.log = append(j.log, "save")
	if j.fails {
		return errOutage
	}
	j.data = data
	return nil
}

// pass is what one run found: the spend of openclaw, and whether it rotated to a generation.
func pass(at time.Time, spend string, rotated int) report.Report {
	reset := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	if !at.Before(reset) {
		reset = reset.AddDate(0, 1, 0)
	}
	o := rotate.Outcome{
		Name: "openclaw", CurrentNumber: 2, Spend: dec(spend), MaxBudget: limit("50"), BudgetDuration: "1mo", ResetAt: reset,
		Targets:     []rotate.TargetState{{Name: "secret LITELLM_API_KEY in acme/agents", Generation: 2, State: rotate.Unchanged}},
		TargetsRead: true,
	}
	if rotated > 0 {
		o.Rotated, o.CurrentNumber = true, rotated
		o.Targets[0].Generation, o.Targets[0].State = rotated, rotate.Placed
	}
	o.Generations = []rotate.Generation{{Number: o.CurrentNumber, State: rotate.Current, MintedAt: monday}}
	facts, _ := report.SpendFacts(o)
	models := failover.Facts{Proxy: failover.Proxy{URL: "https://litellm.example.com", Ready: true, Release: "1.106.10"}}
	thresholds := budget.Policy{Thresholds: []decimal.Decimal{dec("50"), dec("80"), dec("95")}}
	return report.New(report.Input{
		Now: at, Command: "run", Outcomes: []rotate.Outcome{o}, Spend: []budget.Facts{facts}, Failover: &models,
		Findings: append(budget.Check(facts, thresholds, at), failover.Check(models, failover.Policy{}, at)...),
	})
}

// stage is a Telling with everything in memory.
type stage struct {
	*testing.T
	issues  *tracker
	bot     *messenger
	hook    *messenger
	journal *journal
	telling report.Telling
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{
		T: t, issues: &tracker{fails: map[string]bool{}, lost: map[string]bool{}}, bot: &messenger{name: "slack", living: true},
		hook: &messenger{name: "slack-webhook"}, journal: &journal{},
	}
	s.telling = report.Telling{Issues: s.issues, Sign: sign, Messengers: []report.Messenger{s.bot, s.hook}, Repeat: 24 * time.Hour}
	return s
}

// tell runs Tell and returns what was done everywhere, in order of the senders.
func (s *stage) tell(r report.Report) (report.Result, string) {
	s.Helper()
	s.issues.log, s.bot.log, s.hook.log, s.journal.log = nil, nil, nil, nil
	res, err := s.telling.Tell(s.Context(), r)
	if (err != nil) != (len(res.Failures) > 0) {
		s.Errorf("error %v with failures %+v", err, res.Failures)
	}
	var out strings.Builder
	for _, part := range []struct {
		name string
		log  []string
	}{{"issues", s.issues.log}, {"journal", s.journal.log}, {"bot", s.bot.log}, {"hook", s.hook.log}} {
		for _, line := range part.log {
			fmt.Fprintf(&out, "%s: %s\n", part.name, line)
		}
	}
	return res, out.String()
}

func (s *stage) want(r report.Report, want string) report.Result {
	s.Helper()
	res, got := s.tell(r)
	want = strings.ReplaceAll(strings.TrimSpace(want), "\t", "")
	if strings.TrimSpace(got) != want {
		s.Errorf("at %s:\n%s\nwant:\n%s", r.GeneratedAt.Format("Mon 15:04"), got, want)
	}
	return res
}

// TestTellTimeout: a sender that hangs is given up.
func TestTellTimeout(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.telling.Timeout = 10 * time.Millisecond
	s.telling.Messengers = []report.Messenger{hanging{}, s.hook}
	res, _ := s.tell(pass(hours(0), "41", 0))
	if len(res.Failures) != 1 || res.Failures[0].Target != "hanging" || len(s.hook.log) != 1 {
		t.Errorf("failures %+v, webhook %q", res.Failures, s.hook.log)
	}
}

type hanging struct{}

func (hanging) Name() string { return "hanging" }
func (hanging) Living() bool { return false }
func (hanging) Post(ctx context.Context, _ report.Message) (string, error) {
	<-ctx.Done()
	return "", ctx.Err()
}
func (hanging) Update(context.Context, string, report.Message) error { return nil }
func (hanging) Reply(context.Context, string, report.Message) error  { return nil }

// TestTellDoneLives: what tells of a deed lives on for a day; after that news get a message of their own.
func TestTellDoneLives(t *testing.T) {
	t.Parallel()
	for after, want := range map[int]string{
		23: "update C1/1|reply C1/1", 25: "post",
	} {
		s := newStage(t)
		s.telling.Issues, s.telling.Journal, s.telling.Messengers = nil, s.journal, []report.Messenger{s.bot}
		s.tell(pass(hours(0), "1", 3))
		s.tell(pass(hours(after), "41", 0))
		var got []string
		for _, line := range s.bot.log {
			what, _, _ := strings.Cut(line, ":")
			got = append(got, what)
		}
		if strings.Join(got, "|") != want {
			t.Errorf("after %d hours: %q, want %q", after, got, want)
		}
	}
}
