package report_test

import (
	"encoding/csv"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/report"
)

func overviewReport() report.Report {
	usd := func(s string) decimal.NullDecimal { return decimal.NewNullDecimal(decimal.RequireFromString(s)) }
	return report.New(report.Input{Command: "report", Now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), Overview: &report.Overview{
		Source: "GET /user/daily/activity", BeforeFrom: time.Date(2026, 11, 9, 0, 0, 0, 0, time.UTC),
		Total:    report.PeriodSums{Spend: usd("3.5000000001"), Before: usd("7"), Requests: 3, Failed: 1, Tokens: 90}.Grown(),
		Keys:     []report.PeriodSums{{Name: "openclaw", Spend: usd("3.5"), Before: usd("7"), Requests: 3}},
		Tags:     []report.PeriodSums{{Name: "team:blue", Spend: usd("2"), Before: usd("1"), Requests: 2}},
		EndUsers: []report.PeriodSums{{Name: "mallory@example.com", Spend: usd("1.5"), Before: usd("0"), Requests: 1}},
		Hits:     &report.PeriodHits{Requests: 5, Unpriced: 1, Saved: usd("0.0625"), Source: "GET /spend/logs/v2"},
		Models:   []report.PeriodSums{{Name: "=cmd|' /C calc'!A0", Spend: usd("3.5000000001"), Before: usd("0"), Requests: 3}},
		Dearest:  []report.LogRequest{{ID: "r1", Key: "openclaw", Model: "big", Spend: usd("3"), EndUser: "eve@example.com"}},
		Saved:    usd("0.25"), CachedPrompt: 1000, PartsSource: "GET /tag/daily/activity", DearestSource: "GET /spend/logs/v2",
	}})
}

func TestOverview(t *testing.T) {
	t.Parallel()
	r := overviewReport()
	var text strings.Builder
	if err := report.Text(&text, r, report.Options{Width: 200}); err != nil {
		t.Fatal(err)
	}
	page := html(t, r, report.Options{})
	for name, shown := range map[string]string{"text": text.String(), "markdown": report.Markdown(r, report.Options{}), "html": page} {
		for _, want := range []string{"50% less than in the period before", "1000 prompt tokens", "saved 0.25 USD", "Most expensive requests", "r1",
			"Spend by tag", "team:blue", "Spend by end user", "mallory", "5 requests answered by LiteLLM", "saved 0.06 USD", "no price is known for 1 of them",
			"sums by UTC day from GET /user/daily/activity, those of tags and end users from GET /tag/daily/activity; single requests from GET /spend/logs/v2"} {
			if !strings.Contains(shown, want) {
				t.Errorf("%s does not say %q", name, want)
			}
		}
	}
	r.Overview.Running = true
	if got := report.Markdown(r, report.Options{}); !strings.Contains(got, "50% less so far than in all of the period before") {
		t.Errorf("of a period that runs the report says %s", got)
	}
	hidden := report.Markdown(r, report.Options{Public: true, HideAmounts: true})
	for _, secret := range []string{"eve", "3.50", "0.25", "7.00", "mallory", "team:blue", "0.06"} {
		if strings.Contains(hidden, secret) {
			t.Errorf("public Markdown shows %q", secret)
		}
		if strings.Contains(html(t, r, report.Options{Public: true, HideAmounts: true}), secret) {
			t.Errorf("the public page shows %q", secret)
		}
	}
	if !strings.Contains(hidden, "50% less") {
		t.Error("public Markdown does not tell the change")
	}
}

// TestCSV: amounts are exact, every line has every column, and no name is a formula.
func TestCSV(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	if err := report.CSV(&b, overviewReport(), report.Options{}); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(b.String())).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string][]string{}
	for _, row := range rows {
		seen[row[0]] = row
		if strings.HasPrefix(row[2], "=") {
			t.Errorf("a formula: %q", row)
		}
	}
	if seen["total"][3] != "3.5000000001" || seen["total"][4] != "7" || seen["model"][2] != "'=cmd|' /C calc'!A0" || seen["request"][2] != "r1" ||
		seen["tag"][2] != "team:blue" || seen["end-user"][3] != "1.5" || seen["cache-saving"][3] != "0.0625" || seen["cache-saving"][6] != "5" {
		t.Errorf("lines %q", rows)
	}
	if got := strings.Join(slices.Concat(seen["key-period"], seen["provider-cache-saving"]), ","); got !=
		"key-period,openclaw,openclaw,3.5,7,,3,0,0,,,provider-cache-saving,,,0.25,,,,,1000,,GET /user/daily/activity" {
		t.Errorf("by key and of providers' caches: %s", got)
	}
}
