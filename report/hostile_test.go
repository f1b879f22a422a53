package report_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/mattn/go-runewidth"
	"github.com/slack-go/slack"

	"github.com/org/openclaw-litellm-action/budget"
	"github.com/org/openclaw-litellm-action/failover"
	"github.com/org/openclaw-litellm-action/finding"
	"github.com/org/openclaw-litellm-action/internal/workflow"
	"github.com/org/openclaw-litellm-action/internal/workflow/workflowtest"
	"github.com/org/openclaw-litellm-action/report"
	"github.com/org/openclaw-litellm-action/rotate"
)

// evil are texts from outside that would do something on some surface.
var evil = []string{
	"@org/everyone please", "<!channel> <@U012345> <https://evil.example|click>", "<script>alert(1)</script><img src=x onerror=y>",
	"\x1b[31mred\x1b]0;title\x07\x1b[2J", "::error::boo\r\n::add-mask::x", "##[add-mask]x", "a " + strings.Repeat("::warning::x ", 60), "a\u202egnp.exe\u2066\u200b\u200f", "`code` ``more`` |cell| \n# head\n- item",
	"[link](https://evil.example) ![](https://evil.example/pixel) www.evil.example", "acme/other#1 #2 GH-3", "--> <!-- openclaw-litellm:end -->",
	"*bold* _it_ ~gone~ >quote", "\xff\xfe broken", strings.Repeat("長", 10000), "{{template}} ${{ secrets.X }} $(id)", "\u0085\u2028\u2029next\u0000line",
	"<!-- openclaw-litellm:begin -->", "\U000e0041\U000e0042tags", "&lt;b&gt; &amp;", "",
}

// hostile is a report every text of which is text.
func hostile(text string) report.Report {
	at := monday
	o := rotate.Outcome{
		Name: text, Owner: text, Waiting: text, CurrentNumber: 1, Spend: dec("41"), MaxBudget: limit("50"), ResetAt: at.AddDate(0, 0, 3),
		Steps:       []rotate.StepResult{{Step: rotate.Step{Kind: rotate.StepPlace, Target: text, Reason: text}, Err: errors.New(text)}},
		Generations: []rotate.Generation{{Number: 1, State: rotate.State(text), Alias: text}},
		Targets:     []rotate.TargetState{{Name: text, State: rotate.PlacementState(text), Detail: text}}, Err: errors.New(text),
	}
	f := failover.Facts{
		Proxy: failover.Proxy{URL: text, Release: text, Trouble: text, Cause: text}, Gaps: []failover.Gap{{Text: text, Said: text}},
		Unhealthy: []failover.Unhealthy{{Model: text, Error: text}},
		Served:    []failover.Served{{Primary: text, By: text, Requests: 3, Keys: []string{text}}},
		Unserved:  []failover.Unserved{{Primary: text, By: []string{text}, Requests: 2, Error: text, Keys: []string{text}}},
	}
	sums := []report.PeriodSums{{Name: text, Spend: limit("1"), Before: limit("2"), Requests: 1}}
	dearest := []report.LogRequest{{ID: text, Key: text, Model: text, Start: at, Spend: limit("1"), EndUser: text}}
	logs := []report.LogSums{{Name: text, Spend: limit("1"), Requests: 1}}
	return report.New(report.Input{
		History: &report.History{From: at.AddDate(0, 0, -3), Passes: 2, Keys: []report.KeyPast{{Name: text, Points: []report.Point{
			{At: at.AddDate(0, 0, -2), Used: limit("82")}, {At: at, Used: limit("150")}}}}, Episodes: []report.Episode{
			{Kind: report.EpisodeFallback, Subject: text, Detail: text, From: at.AddDate(0, 0, -1), To: at},
			{Kind: text, Subject: text, From: at.AddDate(0, 0, -1), To: at}, {Kind: report.EpisodeProxy, Subject: text, From: at, To: at}}},
		Overview: &report.Overview{Source: text, Keys: sums, Models: sums, Providers: sums, Days: sums, Tags: sums, EndUsers: sums, Dearest: dearest,
			Hits: &report.PeriodHits{Requests: 1, Saved: limit("1"), Source: text}},
		Logs: &report.Logs{Source: text, Rows: 1, Faults: []report.LogFault{{What: text}}, Keys: logs, Models: logs, Days: logs, Providers: logs,
			Tags: logs, EndUsers: logs, Dearest: dearest},
		Now: at, Command: "run", Version: text, Notes: []string{text}, Outcomes: []rotate.Outcome{o}, Failover: &f,
		Spend: []budget.Facts{{Key: text, Spend: dec("41"), Limit: limit("50"), Days: []budget.Day{{Date: text, Spend: dec("1")},
			{Date: "2026-11-22", Spend: dec("1"), Models: []budget.ModelSpend{{Model: text, Spend: dec("1")}}}, {Date: "2026-11-23", Spend: dec("2")}},
			Models: []budget.ModelSpend{{Model: text, Spend: dec("1")}}}},
		Failures: []report.Failure{{Step: text, Key: text, Target: text, Message: text}}, Requests: map[string]int{text: 1},
		Findings: []finding.Finding{{Rule: text, Severity: finding.Critical, Subject: finding.Subject{Kind: "key", Name: text}, Level: text,
			Window: text, Summary: text, Cause: text, Advice: text, Evidence: finding.Evidence(text), Source: text,
			Observed: &finding.Quantity{Value: dec("1"), Unit: text}}},
	})
}

func TestHostile(t *testing.T) {
	t.Parallel()
	for i, s := range evil {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			checkSurfaces(t, hostile(s))
		})
	}
	t.Run("all", func(t *testing.T) {
		t.Parallel()
		checkSurfaces(t, hostile(strings.Join(evil, " ")))
	})
}

func FuzzHostile(f *testing.F) {
	for _, s := range evil {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { checkSurfaces(t, hostile(s)) })
}

func checkSurfaces(t *testing.T, r report.Report) {
	t.Helper()
	for _, width := range []int{60, 80, 120} {
		checkTerminal(t, text(t, r, report.Options{Width: width}), width)
	}
	checkMarkdown(t, report.Markdown(r, report.Options{}))
	checkHTML(t, html(t, r, report.Options{}))
	checkSlack(t, report.Slack(r, report.Options{}))
	for _, a := range report.Annotations(r, report.Options{}) {
		if strings.ContainsFunc(a.Title+a.Message, unicode.IsControl) || a.Message == "" && a.Title == "" {
			t.Errorf("annotation %q", a)
		}
	}
	var b bytes.Buffer
	if err := report.JSON(&b, r, report.Options{}); err != nil || !json.Valid(b.Bytes()) || !utf8.Valid(b.Bytes()) {
		t.Errorf("JSON: %v", err)
	}
	checkHeartbeat(t, report.Heartbeat(r))
	checkCSV(t, r)
	checkRunner(t, r)
	k := &tracker{fails: map[string]bool{}, lost: map[string]bool{}}
	m := &recorder{}
	if _, err := (report.Telling{Issues: k, Sign: sign, Messengers: []report.Messenger{m}}).Tell(t.Context(), r); err != nil {
		t.Errorf("telling: %v", err)
	}
	for _, i := range k.issues {
		_, ours, _ := strings.Cut(i.Body, report.Marker)
		visible, _, _ := strings.Cut(ours, "<!-- openclaw-litellm:memory:")
		checkMarkdown(t, visible)
		if _, err := report.ExtractMemory(i.Body, sign); err != nil || strings.Count(i.Body, report.Marker) != 1 {
			t.Errorf("the body does not give its memory back: %v", err)
		}
	}
	for _, msg := range m.messages {
		checkSlack(t, msg)
	}
}

// checkRunner makes each format inert as the program does before it prints it, and reads it as a GitHub runner does. It
// still is what it was: JSON of the same meaning, a table with as many cells.
func checkRunner(t *testing.T, r report.Report) {
	t.Helper()
	var raw, table bytes.Buffer
	if err := errors.Join(report.JSON(&raw, r, report.Options{}), report.CSV(&table, r, report.Options{})); err != nil {
		t.Error(err)
	}
	inert := map[string]string{
		"text": workflow.Text.Inert(text(t, r, report.Options{})), "CSV": workflow.Text.Inert(table.String()),
		"Markdown": workflow.Text.Inert(report.Markdown(r, report.Options{})), "JSON": workflow.JSON.Inert(raw.String()),
		"HTML": workflow.HTML.Inert(html(t, r, report.Options{})),
	}
	for format, printed := range inert {
		if found := append(workflowtest.Commands(printed), workflowtest.CommandsByCulture(printed)...); len(found) > 0 {
			t.Errorf("%s gives a runner the commands %q", format, found)
		}
	}
	var before, after any
	err := errors.Join(json.Unmarshal(raw.Bytes(), &before), json.Unmarshal([]byte(inert["JSON"]), &after))
	if err != nil || !reflect.DeepEqual(before, after) {
		t.Errorf("JSON does not mean the same: %v", err)
	}
	if _, err := csv.NewReader(strings.NewReader(inert["CSV"])).ReadAll(); err != nil {
		t.Errorf("CSV: %v", err)
	}
	_, style, _ := strings.Cut(inert["HTML"], "<style>")
	style, _, _ = strings.Cut(style, "</style>")
	if style == "" || !strings.Contains(html(t, report.Report{}, report.Options{}), style) {
		t.Error("the page's style is changed, so that its policy forbids it")
	}
}

// checkCSV reads the table back: every line has as many fields as the head, and none is a formula or acts.
func checkCSV(t *testing.T, r report.Report) {
	t.Helper()
	var b bytes.Buffer
	if err := report.CSV(&b, r, report.Options{}); err != nil {
		t.Errorf("CSV: %v", err)
	}
	lines, err := csv.NewReader(&b).ReadAll()
	if err != nil {
		t.Errorf("CSV: %v", err)
	}
	for _, line := range lines {
		for _, field := range line {
			if field != "" && strings.ContainsAny(field[:1], "=+@\t\r") || strings.ContainsFunc(field, unicode.IsControl) {
				t.Errorf("a spreadsheet would take %q for more than text", field)
			}
		}
	}
}

// recorder is a messenger that keeps what it is sent.
type recorder struct {
	messages []report.Message
	fails    bool
}

func (*recorder) Name() string { return "recorder" }
func (*recorder) Living() bool { return false }
func (m *recorder) Post(_ context.Context, msg report.Message) (string, error) {
	if m.fails {
		return "", errOutage
	}
	m.messages = append(m.messages, msg)
	return "", nil
}
func (*recorder) Update(context.Context, string, report.Message) error { return nil }
func (*recorder) Reply(context.Context, string, report.Message) error  { return nil }

func checkTerminal(t *testing.T, s string, width int) {
	t.Helper()
	for line := range strings.Lines(s) {
		line = strings.TrimSuffix(line, "\n")
		if n := (&runewidth.Condition{StrictEmojiNeutral: true}).StringWidth(line); n > width {
			t.Errorf("a line of %d cells at width %d: %q", n, width, line)
		}
		for _, c := range line {
			if unicode.IsControl(c) || unicode.Is(unicode.Cf, c) && c != '\u200d' || c == utf8.RuneError && !strings.Contains(s, `\x`) {
				t.Errorf("%U acts on the terminal: %q", c, line)
			}
		}
	}
}

// What acts in Markdown outside code spans, once what is escaped is taken out.
var actsInMarkdown = regexp.MustCompile(`@\w|#\d|://\w|www\.\w|<[^b]|<b[^r]|\]\(`)

// bare returns Markdown without its code spans and escaped characters.
func bare(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			i += 2
		case s[i] == '`':
			n := len(s[i:]) - len(strings.TrimLeft(s[i:], "`"))
			fence, rest := s[i:i+n], s[i+n:]
			end := closing(rest, fence)
			if end < 0 {
				b.WriteString(fence)
				i += n
				continue
			}
			i += n + end + n
		default:
			b.WriteByte(s[i])
			i++
		}
	}
	return b.String()
}

// closing returns where in s a run of exactly fence begins, before the line ends.
func closing(s, fence string) int {
	for i := 0; i < len(s) && s[i] != '\n'; i++ {
		if s[i] != '`' {
			continue
		}
		n := len(s[i:]) - len(strings.TrimLeft(s[i:], "`"))
		if n == len(fence) {
			return i
		}
		i += n - 1
	}
	return -1
}

func checkMarkdown(t *testing.T, s string) {
	t.Helper()
	if opened, closed := strings.Count(s, "\n<details>\n"), strings.Count(s, "\n</details>\n"); opened != closed {
		t.Errorf("%d parts are folded, %d end", opened, closed)
	}
	for _, block := range charts.FindAllStringSubmatch(s, -1) {
		for line := range strings.Lines(block[1]) {
			if !chartLine.MatchString(strings.TrimSuffix(line, "\n")) {
				t.Errorf("a chart says %q", line)
			}
		}
	}
	text := bare(folds.ReplaceAllString(s, ""))
	if hit := actsInMarkdown.FindString(text); hit != "" {
		t.Errorf("%q acts in Markdown: %q", hit, around(text, hit))
	}
	for _, mark := range []string{"openclaw-litellm:begin", "openclaw-litellm:end"} {
		if strings.Contains(s, "<!-- "+mark) {
			t.Errorf("our mark %s came in from outside", mark)
		}
	}
	cells := 0 // of the table that the line stands in
	for line := range strings.Lines(s) {
		n := strings.Count(strings.ReplaceAll(line, `\|`, ""), "|")
		switch {
		case !strings.HasPrefix(line, "|"):
			cells = 0
		case cells == 0:
			cells = n
		case n != cells:
			t.Errorf("a table row with other cells: %q", line)
		}
	}
}

// folds are our own tags around what is closed until somebody opens it.
var folds = regexp.MustCompile(`(?m)^(<details>|<summary>[A-Za-z ]+</summary>|</details>|%%\{init: .*\}%%)$`)

// charts are what Mermaid draws, and chartLine is what may stand there.
var (
	charts    = regexp.MustCompile("(?s)```mermaid\n(.*?)```")
	chartLine = regexp.MustCompile(`^(%%\{init: [-"{}:#,.A-Za-z0-9 ]*\}%%|xychart-beta|pie showData|    title "?[A-Za-z0-9, ]+"?|    x-axis \[[0-9", ]*\]|    y-axis "[A-Za-z]+" 0 --> [0-9.]+|    bar \[[-0-9., ]*\]|    "[^"#;%<>&@\\]*" : [0-9.]+)$`)
)

func around(s, hit string) string {
	i := max(0, strings.Index(s, hit))
	return s[max(0, i-30):min(len(s), i+40)]
}

// checkSlack holds a message to Slack's limits and looks for its markup in outside text.
func checkSlack(t *testing.T, m report.Message) {
	t.Helper()
	if len(m.Blocks) > 50 || len(m.Blocks) == 0 || m.Text == "" {
		t.Errorf("%d blocks, text %q", len(m.Blocks), m.Text)
	}
	total := 0
	texts := []string{m.Text}
	for _, block := range m.Blocks {
		switch b := block.(type) {
		case *slack.HeaderBlock:
			if n := utf8.RuneCountInString(b.Text.Text); n > 150 {
				t.Errorf("a header of %d characters", n)
			}
			total += utf8.RuneCountInString(b.Text.Text)
		case *slack.SectionBlock:
			if n := utf8.RuneCountInString(b.Text.Text); n > 3000 || n == 0 {
				t.Errorf("a section of %d characters", n)
			}
			texts = append(texts, b.Text.Text)
		case *slack.ContextBlock:
			for _, e := range b.ContextElements.Elements {
				texts = append(texts, e.(*slack.TextBlockObject).Text)
			}
		case *slack.DataVisualizationBlock:
			total += checkChart(t, b)
			plain := m
			plain.Blocks, plain.Plain = m.Plain, nil
			checkSlack(t, plain)
		default:
			t.Errorf("an unexpected block %T", block)
		}
	}
	for _, s := range texts {
		total += utf8.RuneCountInString(s)
		bare := strings.NewReplacer("&amp;", "", "&lt;", "", "&gt;", "").Replace(s)
		if strings.ContainsAny(bare, "<>&") {
			t.Errorf("not escaped for Slack: %q", s)
		}
		if strings.Count(s, "`")%2 != 0 {
			t.Errorf("a code span is open: %q", s)
		}
	}
	if total > 13000 {
		t.Errorf("the message has %d characters", total)
	}
}

// checkChart holds a chart to the strictest reading of its limits, and returns how many characters it has.
func checkChart(t *testing.T, b *slack.DataVisualizationBlock) int {
	t.Helper()
	c, ok := b.Chart.(*slack.DataVisualizationBarChart)
	if !ok || len(c.Series) == 0 || len(c.Series) > 6 || len(c.AxisConfig.Categories) > 20 || utf8.RuneCountInString(b.Title) > 50 {
		t.Errorf("the chart is %+v", b)
		return 0
	}
	names := map[string]bool{}
	for _, s := range c.Series {
		if names[s.Name] || s.Name == "" || utf8.RuneCountInString(s.Name) > 20 || len(s.Data) != len(c.AxisConfig.Categories) {
			t.Errorf("series %q with %d points for %d days", s.Name, len(s.Data), len(c.AxisConfig.Categories))
		}
		names[s.Name] = true
		for i, p := range s.Data {
			if p.Label != c.AxisConfig.Categories[i] || p.Label == "" || utf8.RuneCountInString(p.Label) > 20 || p.Value < 0 {
				t.Errorf("point %+v", p)
			}
		}
	}
	text, err := json.Marshal(b)
	if err != nil {
		t.Error(err)
	}
	return len(text)
}

// TestLimits: a thousand keys with a thousand findings fit everywhere, the worst are kept, and the cut is said.
func TestLimits(t *testing.T) {
	t.Parallel()
	in := report.Input{Now: monday, Command: "run"}
	for i := range 1000 {
		name := fmt.Sprintf("openclaw-%04d", i)
		in.Outcomes = append(in.Outcomes, rotate.Outcome{Name: name, CurrentNumber: 1, Spend: dec("49"), MaxBudget: limit("50"),
			ResetAt: monday.Add(100 * time.Hour), Generations: []rotate.Generation{{Number: 1}}, Err: errors.New("403 " + strings.Repeat("x", 200))})
		f := used(finding.Warning, "80%", "w")
		f.Subject.Name, f.Summary = name, name+" has used 81% of its budget"
		if i == 777 {
			f.Severity = finding.Critical
		}
		in.Findings = append(in.Findings, f)
	}
	r := report.New(in)
	md := report.Markdown(r, report.Options{Limit: report.IssueLimit})
	if len(md) > report.IssueLimit || len(md) < report.IssueLimit/2 {
		t.Errorf("Markdown of %d bytes", len(md))
	}
	for _, want := range []string{"openclaw-0777 has used", "findings more, cut here", "failures more, cut", "keys more, cut"} {
		if !strings.Contains(md, want) {
			t.Errorf("Markdown does not say %q", want)
		}
	}
	if summary := report.Markdown(r, report.Options{Limit: report.SummaryLimit}); len(summary) > report.SummaryLimit || strings.Contains(summary, "cut here") {
		t.Errorf("a summary of %d bytes", len(summary))
	}
	m := report.Slack(r, report.Options{})
	checkSlack(t, m)
	if s := slackJSON(t, m); !strings.Contains(s, "openclaw-0777 has used") || !strings.Contains(s, "findings more") || !strings.Contains(s, "keys more") {
		t.Errorf("Slack cuts the worst or does not say so:\n%s", s[:3000])
	}
	if s := slackJSON(t, m); strings.Count(s, "Raise it.") != 1 || strings.Count(md, "Raise it.") != 1 || strings.Count(s, "as above") < 10 {
		t.Errorf("the same advice takes the room of findings:\n%s", s[:3000])
	}
	k, rec := &tracker{fails: map[string]bool{}, lost: map[string]bool{}}, &recorder{}
	telling := report.Telling{Issues: k, Sign: sign, Messengers: []report.Messenger{rec}}
	for range 2 {
		if _, err := telling.Tell(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	if len(rec.messages) != 1 || len(k.issues) != 1 {
		t.Errorf("%d messages, %d issues", len(rec.messages), len(k.issues))
	}
	checkSlack(t, rec.messages[0])
	if a := report.Annotations(r, report.Options{}); len(a) != 20 || a[9].Title != "and 992 errors more" || a[19].Title != "and 990 warnings more" {
		t.Errorf("%d annotations, want ten of each level: %+v", len(a), a)
	}
}
