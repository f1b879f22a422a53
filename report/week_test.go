package report_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/budget"
	"github.com/org/openclaw-litellm-action/failover"
	"github.com/org/openclaw-litellm-action/finding"
	"github.com/org/openclaw-litellm-action/report"
	"github.com/org/openclaw-litellm-action/rotate"
)

// The same week as the program's own (cmd/bot/week_test.go), made of reports: here people move the memory elsewhere amid
// it.
//
// The week begins on a Monday at ten past midnight and has a check every 15 minutes. The budget of openclaw is weekly and
// begins again on Sunday at midnight.
var (
	weekBegins = time.Date(2026, 11, 23, 0, 10, 0, 0, time.UTC)
	weekResets = time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)
)

// on returns a moment of the week: on("Tue 10:10").
func on(moment string) time.Time {
	day, clock, _ := strings.Cut(moment, " ")
	at, err := time.Parse("15:04", clock)
	if err != nil {
		panic(err)
	}
	days := slices.Index([]string{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"}, day)
	midnight := weekBegins.Truncate(24*time.Hour).AddDate(0, 0, days)
	return midnight.Add(time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute)
}

func within(at time.Time, from, to string) bool { return !at.Before(on(from)) && at.Before(on(to)) }

// spentAt is what openclaw had spent of 50 USD: straight lines between a few points.
func spentAt(at time.Time) decimal.Decimal {
	points := []struct {
		moment string
		spent  float64
	}{{"Mon 00:00", 18}, {"Mon 09:10", 25}, {"Tue 10:10", 29}, {"Tue 14:10", 33}, {"Wed 16:10", 40}, {"Sat 11:10", 47.5}, {"Sun 00:00", 48.9}}
	if !at.Before(weekResets) {
		return decimal.NewFromFloat(at.Sub(weekResets).Hours() * 0.2).Round(2)
	}
	for i := 1; i < len(points); i++ {
		from, to := on(points[i-1].moment), on(points[i].moment)
		if at.After(to) {
			continue
		}
		share := float64(at.Sub(from)) / float64(to.Sub(from))
		return decimal.NewFromFloat(points[i-1].spent + share*(points[i].spent-points[i-1].spent)).Round(2)
	}
	return decimal.Zero
}

// weekPass is what a check found at a moment of the week.
func weekPass(at time.Time) report.Report {
	reset := weekResets
	if !at.Before(reset) {
		reset = reset.AddDate(0, 0, 7)
	}
	o := rotate.Outcome{
		Name: "openclaw", CurrentNumber: 2, Spend: spentAt(at), MaxBudget: limit("50"), BudgetDuration: "7d", ResetAt: reset,
		Targets: []rotate.TargetState{{Name: "secret LITELLM_API_KEY in acme/agents", Generation: 2, State: rotate.Unchanged}},
	}
	minted := on("Mon 00:00").AddDate(0, 0, -27)
	if !at.Before(on("Wed 14:10")) {
		o.CurrentNumber, minted = 3, on("Wed 14:10")
		o.Targets[0].Generation = 3
	}
	if at.Equal(on("Wed 14:10")) {
		o.Rotated, o.Targets[0].State = true, rotate.Placed
	}
	o.Generations = []rotate.Generation{{Number: o.CurrentNumber, State: rotate.Current, MintedAt: minted, DoneAt: minted}}
	facts, _ := report.SpendFacts(o)
	models := weekModels(at)
	policy := budget.Policy{Thresholds: []decimal.Decimal{dec("50"), dec("80"), dec("95")}}
	var found []finding.Finding
	for _, f := range append(budget.Check(facts, policy, at), failover.Check(models, failover.Policy{FallbackRate: 0.05}, at)...) {
		if f.Rule == budget.RuleUsed || f.Subject.Kind == "model" {
			found = append(found, f)
		}
	}
	if within(at, "Tue 10:10", "Tue 14:10") {
		found = append(found, finding.Finding{
			Rule: budget.RuleBurn, Severity: finding.Warning, Subject: finding.Subject{Kind: "key", Name: "openclaw"},
			Window: facts.WindowStart.UTC().Format(time.RFC3339), Summary: "openclaw burns its budget 3 times too fast",
			Since: on("Tue 09:10"), Cause: "model claude took 90% of the last six hours", Advice: "See what the agents are doing, or raise max_budget.",
		})
	}
	return report.New(report.Input{
		Now: at, Command: "run", Outcomes: []rotate.Outcome{o}, Spend: []budget.Facts{facts}, Failover: &models, Findings: found,
	})
}

// weekModels: on Thursday morning a fallback serves claude; from 11:10 on that one fails as well; at 14:10 both work.
func weekModels(at time.Time) failover.Facts {
	f := failover.Facts{
		Proxy:  failover.Proxy{URL: "https://litellm.example.com", Ready: true, Release: "1.106.10"},
		Window: time.Hour, Requests: 200, Source: "GET /spend/logs/v2",
	}
	if within(at, "Thu 09:40", "Thu 14:10") {
		f.Served = []failover.Served{{Primary: "claude", By: "gpt-4o", Requests: 80, Of: 200, First: on("Thu 09:31"), Last: at.Add(-time.Minute),
			Evidence: finding.Recorded, Keys: []string{"openclaw"}}}
	}
	if within(at, "Thu 11:10", "Thu 14:10") {
		f.Unhealthy = []failover.Unhealthy{{Model: "gpt-4o", Error: "RateLimitError: quota exceeded", CheckedAt: on("Thu 11:02")}}
		f.Checked = map[string]int{"gpt-4o": 1}
	}
	return f
}

// week is the week as it is told: what each surface got, and when.
type week struct {
	*stage
	story  strings.Builder
	edits  int
	silent int
}

// check makes one pass and writes down what was told. Edits that tell nothing new are counted.
func (w *week) check(at time.Time, what string) {
	w.Helper()
	before := map[int]bool{}
	for _, i := range w.issues.issues {
		before[i.Number] = i.Open
	}
	w.bot.fails = within(at, "Wed 13:00", "Wed 19:00")
	res, log := w.tell(weekPass(at))
	var told []string
	for line := range strings.Lines(log) {
		line = strings.TrimSpace(line)
		if text, ok := weekLine(line); ok {
			told = append(told, text)
		} else if strings.Contains(line, "edit") || strings.Contains(line, "update") {
			w.edits++
		}
	}
	for _, i := range w.issues.issues {
		if was, there := before[i.Number]; there && was != i.Open {
			told = append(told, fmt.Sprintf("issue    #%d is %s", i.Number, map[bool]string{true: "open", false: "closed"}[i.Open]))
		}
	}
	for i, n := range res.Notices {
		told = slices.Insert(told, i, fmt.Sprintf("news     %s: %s", n.Reason, n.Summary))
	}
	if len(told) == 0 {
		w.silent++
		return
	}
	fmt.Fprintf(&w.story, "%s%s\n", at.Format("Monday 15:04"), what)
	for _, line := range told {
		w.story.WriteString("  " + line + "\n")
	}
}

// weekLine words what a surface was sent, if it tells people something.
func weekLine(line string) (string, bool) {
	for prefix, name := range map[string]string{
		"issues: create ": "issue    created: ", "issues: comment 1: ": "comment  ", "bot: post: ": "Slack    message: ",
	} {
		if text, ok := strings.CutPrefix(line, prefix); ok {
			return name + text, true
		}
	}
	if anchor, text, ok := strings.Cut(line, ": "); ok && strings.HasPrefix(text, "reply ") {
		_, text, _ = strings.Cut(text, ": ")
		return "Slack    reply: " + text, anchor == "bot"
	}
	return "", false
}

func (w *week) heading(text string) {
	if strings.HasSuffix(w.story.String(), "#\n\n") {
		w.story.WriteString("(nothing)\n")
	}
	fmt.Fprintf(&w.story, "\n# %s #\n\n", text)
}

// live lives through the week. move is called at a moment of it.
func (w *week) live(moment string, move func()) {
	days := map[string]string{
		"Mon": "Monday: half of the budget is used", "Tue": "Tuesday: four hours of a high burn rate",
		"Wed": "Wednesday: Slack is out from 13:00 to 19:00; a rotation, and 80 %", "Thu": "Thursday: claude is served by its fallback, which then fails too",
		"Fri": "Friday: the service restarts, and two runs overlap", "Sat": "Saturday: 95 %", "Sun": "Sunday: the window begins again",
	}
	for at := weekBegins; at.Before(weekBegins.AddDate(0, 0, 7)); at = at.Add(15 * time.Minute) {
		if at.Hour() == 0 && at.Minute() == 10 {
			w.heading(days[at.Format("Mon")])
		}
		if at.Equal(on(moment)) {
			move()
		}
		w.check(at, "")
		if at.Equal(on("Fri 12:10")) {
			w.check(at, " (a second run, at the same time)")
		}
	}
	fmt.Fprintf(&w.story, "\n%d checks had nothing to tell. The issue and the message were brought up to date in silence %d times.\n", w.silent, w.edits)
}

// heard keeps of a story what is news and what Slack got.
func heard(story string) string {
	var b strings.Builder
	for line := range strings.Lines(story) {
		if !strings.HasPrefix(line, "  issue") && !strings.HasPrefix(line, "  comment") && !strings.Contains(line, "in silence") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// TestWeekMoves: who moves the memory elsewhere amid a story hears what goes on once more, in one message, and then the
// same as everybody. Moving from an issue to a service beside it costs nothing.
func TestWeekMoves(t *testing.T) {
	t.Parallel()
	messages := func(story string) int { return strings.Count(story, "\n  Slack ") }
	still := &week{stage: newStage(t)}
	still.telling.Messengers = []report.Messenger{still.bot}
	still.live("Thu 12:10", func() {})
	want := messages(still.story.String())
	for _, move := range []struct {
		name  string
		from  func(*week)
		to    func(*week)
		extra int // messages
	}{
		{"issue to journal", func(*week) {}, func(w *week) { w.telling.Issues, w.telling.Journal = nil, w.journal }, 1},
		{"journal to issue", func(w *week) { w.telling.Issues, w.telling.Journal = nil, w.journal },
			func(w *week) { w.telling.Issues, w.telling.Journal = w.issues, nil }, 1},
		{"issue to a service beside it", func(*week) {}, func(w *week) { w.telling.Journal, w.telling.Near = w.journal, true }, 0},
		{"service beside an issue to the issue", func(w *week) { w.telling.Journal, w.telling.Near = w.journal, true },
			func(w *week) { w.telling.Journal, w.telling.Near = nil, false }, 0},
	} {
		t.Run(move.name, func(t *testing.T) {
			t.Parallel()
			w := &week{stage: newStage(t)}
			w.telling.Messengers = []report.Messenger{w.bot}
			move.from(w)
			w.live("Thu 12:10", func() { move.to(w) })
			if extra := messages(w.story.String()) - want; extra != move.extra {
				t.Errorf("%d messages more than without the move, want %d:\n%s", extra, move.extra, heard(w.story.String()))
			}
		})
	}
}
