package report_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/budget"
	"github.com/org/openclaw-litellm-action/failover"
	"github.com/org/openclaw-litellm-action/report"
	"github.com/org/openclaw-litellm-action/rotate"
)

var pages = flag.String("pages", "", "folder to write pages into, for a browser to look at")

func html(t *testing.T, r report.Report, o report.Options) string {
	t.Helper()
	var b bytes.Buffer
	if err := report.HTML(&b, r, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// spentByModel adds a month of days with three models to the sample, and an unhealthy deployment.
func spentByModel() report.Input {
	in := sample()
	facts := &in.Spend[0]
	facts.Days = nil
	for i := range 30 {
		at := monday.AddDate(0, 0, i-29)
		day := budget.Day{Date: at.Format(time.DateOnly)}
		if at.Weekday() != time.Sunday {
			for j, name := range []string{"claude-opus-4-6", "gpt-4o", "gemini-3-pro", "研究用モデル"} {
				cents := int64(60+(i*37+j*53)%90) / int64(j+1)
				day.Models = append(day.Models, budget.ModelSpend{Model: name, Spend: dec(fmt.Sprint(cents)).Shift(-2), Requests: cents})
				day.Spend, day.Requests = day.Spend.Add(dec(fmt.Sprint(cents)).Shift(-2)), day.Requests+cents
			}
		}
		facts.Days = append(facts.Days, day)
	}
	in.Failover.Unhealthy = []failover.Unhealthy{{Model: "claude-opus-4-6", Error: "AnthropicException: overloaded_error", CheckedAt: monday.Add(-20 * time.Minute)}}
	in.History = sampleHistory()
	in.Failover.Gaps = []failover.Gap{{Text: "the health of deployments is not known: the proxy runs no background health checks"}}
	return in
}

// sampleHistory is what a service kept of five weeks: budgets that fill and begin anew, and what went wrong.
func sampleHistory() *report.History {
	h := &report.History{From: monday.AddDate(0, 0, -35), Passes: 3360, Failed: 4, Rotated: 3}
	for i, k := range []struct {
		name   string
		days   int // of the window
		share  int // of the budget that a window ends with
		offset int
	}{{"nightly-batch", 7, 30, 3}, {"openclaw", 30, 88, 22}, {"研究チーム-エージェント", 1, 1, 0}} {
		past := report.KeyPast{Name: k.name}
		for d := -35; d <= 0; d++ {
			gone := (d + 35 + k.offset) % k.days
			used := decimal.NewFromInt(int64(k.share * (gone + 1) / k.days))
			past.Points = append(past.Points, report.Point{At: monday.AddDate(0, 0, d).Add(5 * time.Hour), Generation: 1 + i, Used: decimal.NewNullDecimal(used),
				Spend: decimal.NewNullDecimal(used.Shift(-1)), MaxBudget: limit("10")})
		}
		h.Keys = append(h.Keys, past)
	}
	at := func(days, hours int) time.Time {
		return monday.AddDate(0, 0, days).Add(time.Duration(hours) * time.Hour)
	}
	h.Episodes = []report.Episode{
		{Kind: report.EpisodeFallback, Subject: "claude-opus-4-6", Detail: "gpt-4o", From: at(-24, 0), To: at(-24, 5)},
		{Kind: report.EpisodeUnserved, Subject: "claude-opus-4-6", Detail: "gpt-4o", From: at(-24, 3), To: at(-24, 5)},
		{Kind: report.EpisodeProxy, Subject: "network", From: at(-15, 3), To: at(-15, 4)},
		{Kind: report.EpisodeFallback, Subject: "gpt-4o", Detail: "gpt-4o-mini", From: at(-9, 2), To: at(-8, 10)},
		{Kind: report.EpisodeUnhealthy, Subject: "claude-opus-4-6", From: at(0, -2), To: at(0, 0)},
	}
	return h
}

// quietPage is a pass in which nothing was to be told.
func quietPage() report.Report {
	return report.New(report.Input{Now: monday, Command: "check", Version: "v1.2.3", Outcomes: []rotate.Outcome{{
		Name: "openclaw", CurrentNumber: 1, Spend: dec("4"), MaxBudget: limit("50"), BudgetDuration: "1mo",
		ResetAt: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC), NextRotation: monday.AddDate(0, 0, 12),
		Generations: []rotate.Generation{{Number: 1, State: rotate.Current, MintedAt: monday.AddDate(0, 0, -18), DoneAt: monday.AddDate(0, 0, -18)}},
	}}, Failover: &failover.Facts{Proxy: failover.Proxy{URL: "https://litellm.example.com", Release: "1.106.10", Ready: true}}})
}

// fleetPage is a fleet of a thousand keys.
func fleetPage() report.Report {
	in := report.Input{Now: monday, Command: "run"}
	for i := range 1000 {
		in.Outcomes = append(in.Outcomes, rotate.Outcome{Name: fmt.Sprintf("openclaw-%04d", i), CurrentNumber: 1, Spend: dec(fmt.Sprint(i % 60)),
			MaxBudget: limit("50"), ResetAt: monday.Add(100 * time.Hour), Generations: []rotate.Generation{{Number: 1, MintedAt: monday}}})
	}
	return report.New(in)
}

// TestPages writes the pages that CI opens in a browser; without the flag it only renders them.
func TestPages(t *testing.T) {
	t.Parallel()
	for name, page := range map[string]string{
		"full":    html(t, report.New(spentByModel()), report.Options{}),
		"public":  html(t, report.New(spentByModel()), report.Options{Public: true, HideAmounts: true}),
		"quiet":   html(t, quietPage(), report.Options{}),
		"empty":   html(t, report.New(report.Input{Now: monday}), report.Options{}),
		"fleet":   html(t, fleetPage(), report.Options{}),
		"period":  html(t, overviewReport(), report.Options{}),
		"hostile": html(t, hostile(strings.Join(evil, " ")), report.Options{}),
	} {
		if *pages == "" {
			continue
		}
		if err := os.WriteFile(filepath.Join(*pages, name+".html"), []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, r := range map[string]report.Report{"full": report.New(spentByModel()), "hostile": hostile(strings.Join(evil, " "))} {
		summary := report.Markdown(r, report.Options{})
		if n := strings.Count(summary, "```mermaid\n"); n != 2 {
			t.Errorf("the summary %s has %d charts", name, n)
		}
		if *pages == "" {
			continue
		}
		if err := os.WriteFile(filepath.Join(*pages, name+".md"), []byte(summary), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestHTML: the page says what the report does, and needs nothing else.
func TestHTML(t *testing.T) {
	t.Parallel()
	page := html(t, report.New(spentByModel()), report.Options{})
	for _, want := range []string{
		`<html lang="en">`, "default-src &#39;none&#39;; style-src &#39;sha256-", `name="viewport"`, "prefers-color-scheme:dark", "@media print",
		"<main", "<nav aria-label", "<header>", "<footer>", `href="#content"`, "<caption>", `scope="col"`, `scope="row"`,
		"openclaw has used", "What to do:", "claude-opus-4-6 served by gpt-4o", "works until 30 Nov 2026", "研究チーム", "41.20 of 50.00 USD",
		"82% of the budget used, 76% of the window gone", "unhealthy deployment",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if !strings.Contains(page, "<title>23 Nov 2026, claude-opus-4-6:") {
		t.Error("the bars do not name their figures")
	}
	golden(t, "run.html", page)
}

// TestHTMLPublic: what is not for everybody is not in the page.
func TestHTMLPublic(t *testing.T) {
	t.Parallel()
	page := html(t, report.New(spentByModel()), report.Options{Public: true, HideAmounts: true})
	for _, not := range []string{"litellm.example.com", "41.20", "USD in", "50.00"} {
		if strings.Contains(page, not) {
			t.Errorf("the public page says %q", not)
		}
	}
}

// loads is whatever would make a browser ask for something, or run it.
var loads = regexp.MustCompile(`(?i)<(script|link|img|iframe|object|embed|form|input|base|audio|video|image|use|foreignobject|a [^>]*href="[^#])|\son\w+\s*=|url\([^#]|@import|javascript:`)

// checkHTML holds a page to its promise: well nested, nothing loaded, nothing run, nothing that acts on its reader.
func checkHTML(t *testing.T, page string) {
	t.Helper()
	markup := texts.ReplaceAllString(page, "><")
	if hit := loads.FindString(markup); hit != "" {
		t.Errorf("%q does something: %q", hit, around(markup, hit))
	}
	if hit := unsafeInPage.FindString(page); hit != "" {
		t.Errorf("%q acts on the reader: %q", hit, around(page, hit))
	}
	if strings.Contains(page, "ZgotmplZ") {
		t.Errorf("the template refused a value: %q", around(page, "ZgotmplZ"))
	}
	var open []string
	for _, m := range tags.FindAllStringSubmatch(page, -1) {
		closing, name, alone := m[1] == "/", strings.ToLower(m[2]), strings.HasSuffix(m[0], "/>")
		switch {
		case alone || name == "meta" || name == "br":
		case !closing:
			open = append(open, name)
		case len(open) == 0 || open[len(open)-1] != name:
			t.Fatalf("</%s> closes %v", name, open)
		default:
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		t.Errorf("not closed: %v", open)
	}
}

var (
	tags         = regexp.MustCompile(`<(/?)([A-Za-z][A-Za-z0-9]*)(?:\s[^<>]*)?>`)
	texts        = regexp.MustCompile(`>[^<>]*<`)
	unsafeInPage = regexp.MustCompile(`[\x00-\x09\x0b-\x1f\x7f-\x9f\x{202a}-\x{202e}\x{2066}-\x{2069}\x{200b}\x{200e}\x{200f}]`)
)

// TestCalm: that all is well is said of what was judged, and of nothing else.
func TestCalm(t *testing.T) {
	t.Parallel()
	key := rotate.Outcome{Name: "openclaw", CurrentNumber: 1, Spend: dec("49"), MaxBudget: limit("50"), Generations: []rotate.Generation{{Number: 1}}}
	unjudged := budget.Facts{Key: "openclaw", Spend: dec("49"), Limit: limit("50"), Unjudged: budget.Rules()}
	due := key
	due.Steps = []rotate.StepResult{{Step: rotate.Step{Kind: rotate.StepMint, Gen: 2}}}
	for want, in := range map[string]report.Input{
		"1 key, 49.00 of 50.00 USD": {Command: "report", Spend: []budget.Facts{unjudged}},
		"0 keys":                    {Command: "keys"},
		"1 key due":                 {Command: "plan", DryRun: true, Outcomes: []rotate.Outcome{due}},
		"nothing is due":            {Command: "plan", DryRun: true, Outcomes: []rotate.Outcome{key}},
		"all is well":               {Command: "check", Spend: []budget.Facts{{Key: "openclaw"}}},
	} {
		in.Now = monday
		r := report.New(in)
		page := html(t, r, report.Options{})
		for where, s := range map[string]string{"text": text(t, r, report.Options{}), "Markdown": report.Markdown(r, report.Options{}), "page": strings.ToLower(page)} {
			if !strings.Contains(strings.ToLower(s), strings.ToLower(want)) || want != "all is well" && strings.Contains(strings.ToLower(s), "all is well") {
				t.Errorf("%s: the %s says %.300s", want, where, s)
			}
		}
		if judged := in.Command == "check" || in.Command == "plan"; judged != strings.Contains(page, "nothing to act on") {
			t.Errorf("%s: the page counts findings: %t", want, !judged)
		}
	}
	period := report.New(report.Input{Now: monday, Command: "report", Spend: []budget.Facts{unjudged}, Overview: &report.Overview{Days: []report.PeriodSums{{Name: "2026-11-23", Spend: limit("49"), Requests: 3}}}})
	for where, s := range map[string]string{"text": text(t, period, report.Options{Width: 200}), "Markdown": report.Markdown(period, report.Options{}), "page": html(t, period, report.Options{})} {
		for _, column := range []string{"gen ", "generation", "next rotation", "before USD", "change"} {
			if strings.Contains(s, column) {
				t.Errorf("the %s has a column %q without anything in it", where, column)
			}
		}
		if !strings.Contains(s, "requests") || !strings.Contains(s, "2026-11-23") {
			t.Errorf("the %s lacks the days:\n%s", where, s)
		}
	}
	down := report.New(report.Input{Now: monday, Command: "run", Outcomes: []rotate.Outcome{{Name: "openclaw", CurrentNumber: -1}}})
	for where, s := range map[string]string{"text": text(t, down, report.Options{HideAmounts: true}), "Markdown": report.Markdown(down, report.Options{HideAmounts: true}), "page": html(t, down, report.Options{HideAmounts: true})} {
		if strings.Contains(s, "no limit") {
			t.Errorf("the %s takes a limit that is not known for none", where)
		}
	}
	hidden := report.Markdown(report.New(report.Input{Now: monday, Command: "report", Spend: []budget.Facts{unjudged}}), report.Options{HideAmounts: true})
	if !strings.HasPrefix(hidden, "## LiteLLM keys: 1 key\n") {
		t.Errorf("without amounts it says %.100s", hidden)
	}
}
