package report_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/org/openclaw-litellm-action/budget"
	"github.com/org/openclaw-litellm-action/report"
	"github.com/org/openclaw-litellm-action/rotate"
)

// amounts draws what a proxy may hold as an amount of money: also nothing, less than nothing, and what nobody ever
// spent.
func amounts() *rapid.Generator[decimal.Decimal] {
	return rapid.Map(rapid.SampledFrom([]string{
		"0", "-0.01", "-5", "-1e12", "1e-9", "-1e-20", "1e-320", "0.01", "5", "5", "49.99", "50", "50.01", "1e6", "1e15",
		"1e300", "-1e300", "1e400",
	}), decimal.RequireFromString)
}

// figures draws a report every figure of which may be what no proxy should say.
func figures() *rapid.Generator[report.Report] {
	return rapid.Custom(func(t *rapid.T) report.Report {
		amount := func(label string) decimal.Decimal { return amounts().Draw(t, label) }
		known := func(label string) decimal.NullDecimal {
			return decimal.NullDecimal{Decimal: amount(label), Valid: rapid.Bool().Draw(t, label+" is known")}
		}
		count := func(label string) int64 { return rapid.SampledFrom([]int64{0, 1, -1, 20, 1 << 40}).Draw(t, label) }
		week := &report.Period{Name: "week", From: monday.AddDate(0, 0, -7), To: monday}
		in := report.Input{Now: monday, Command: "run", Period: week}
		past := &report.History{From: monday.AddDate(0, 0, -9), Passes: 3}
		for i := range rapid.IntRange(1, 3).Draw(t, "keys") {
			name := fmt.Sprintf("key-%d", i)
			in.Outcomes = append(in.Outcomes, rotate.Outcome{
				Name: name, CurrentNumber: 1, Spend: amount("spend"), MaxBudget: known("limit"), ResetAt: monday.AddDate(0, 0, 3),
				Generations: []rotate.Generation{{Number: 1, State: rotate.Current, Spend: amount("generation")}},
			})
			f := budget.Facts{Key: name, Spend: amount("spend"), Limit: known("limit")}
			for n := range rapid.IntRange(0, 8).Draw(t, "days") {
				f.Days = append(f.Days, budget.Day{
					Date: monday.AddDate(0, 0, n-8).Format(time.DateOnly), Spend: amount("day"), Requests: count("requests"),
					Models: []budget.ModelSpend{
						{Model: "a", Spend: amount("a"), Requests: count("requests")},
						{Model: "b", Spend: amount("b"), Tokens: count("tokens")},
					},
				})
			}
			f.Models = budget.SumDays(f.Days)
			in.Spend = append(in.Spend, f)
			past.Keys = append(past.Keys, report.KeyPast{Name: name, Points: []report.Point{
				{At: monday.AddDate(0, 0, -9), Used: known("used")}, {At: monday.AddDate(0, 0, -2), Used: known("used")},
			}})
		}
		sum := report.PeriodSums{
			Name: "2026-11-22", Spend: known("sum"), Before: known("before"), Requests: count("requests"),
			Tokens: count("tokens"),
		}
		sums := []report.PeriodSums{sum.Grown()}
		in.Overview = &report.Overview{
			Source: "s", Total: sums[0], Keys: sums, Models: sums, Days: sums, CachedPrompt: count("cached"),
			Saved: known("saved"), Hits: &report.PeriodHits{Requests: count("hits"), Saved: known("saved")},
		}
		in.History = past
		return report.New(in)
	})
}

// TestFiguresThatNoProxyShouldSay: a spend below zero, a limit of zero, an amount beyond all measure: every surface is
// rendered, with charts that draw nothing below zero and nothing that is no number.
func TestFiguresThatNoProxyShouldSay(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		r := figures().Draw(rt, "report")
		var csv, json bytes.Buffer
		if err := report.CSV(&csv, r, report.Options{}); err != nil {
			rt.Fatalf("CSV: %v", err)
		}
		if err := report.JSON(&json, r, report.Options{}); err != nil {
			rt.Fatalf("JSON: %v", err)
		}
		page := html(t, r, report.Options{})
		for format, rendered := range map[string]string{
			"text": text(t, r, report.Options{Width: 80}), "ASCII": text(t, r, report.Options{ASCII: true}), "HTML": page,
			"CSV": csv.String(), "JSON": json.String(), "Markdown": report.Markdown(r, report.Options{}),
			"public": report.Markdown(r, report.Options{HideAmounts: true, Public: true}), "heartbeat": report.Heartbeat(r),
		} {
			for _, wrong := range []string{"NaN", "Inf", "%!", `height="-`, `width="-`, `y="-`} {
				if strings.Contains(rendered, wrong) {
					rt.Fatalf("%s holds %q: %s", format, wrong, around(rendered, wrong))
				}
			}
		}
		checkSlack(t, report.Slack(r, report.Options{}))
		if t.Failed() {
			rt.Fatalf("of %s", json.String())
		}
	})
}

// TestASpendBelowZeroIsShown as it is, with an empty bar, and said.
func TestASpendBelowZeroIsShown(t *testing.T) {
	t.Parallel()
	r := report.New(report.Input{Now: monday, Command: "run", Outcomes: []rotate.Outcome{{
		Name: "openclaw", CurrentNumber: 1, Spend: dec("-5"), MaxBudget: limit("50"),
		Generations: []rotate.Generation{{Number: 1, State: rotate.Current}},
	}}})
	shown := text(t, r, report.Options{Width: 100})
	for _, want := range []string{"░░░░░░░░░░░░░░░░░░░░", "-10%", "-5.00 / 50.00", "the spend of openclaw is below zero"} {
		if !strings.Contains(shown, want) {
			t.Errorf("the text lacks %q:\n%s", want, shown)
		}
	}
	if hidden := text(t, r, report.Options{HideAmounts: true}); strings.Contains(hidden, "5.00") {
		t.Errorf("an amount shows:\n%s", hidden)
	}
}
