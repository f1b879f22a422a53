package budget_test

import (
	"strings"
	"testing"
	"time"

	"github.com/org/openclaw-litellm-action/budget"
)

// spentAt are five requests: little, and the rest at two moments before now.
func spentAt(amount string, before time.Duration, later string, laterBefore time.Duration) []budget.Request {
	return []budget.Request{
		{At: now.Add(-laterBefore), Model: "big", Spend: dec(later)},
		{At: now.Add(-laterBefore), Model: "small", Spend: dec("0.0000000001")},
		{At: now.Add(-laterBefore), Model: "small", Spend: dec("0.0000000001")},
		{At: now.Add(-before), Model: "big", Spend: dec(amount)},
		{At: now.Add(-before), Model: "small", Spend: dec("0.000000001")},
	}
}

// TestBurnPairs: each pair of windows fires at its own rate, the fastest is told, and the finding says which it was. 100 USD
// for November: 6 times over six hours are 5 USD, and half an hour then takes 0.42; once and a half over three days are 15.
func TestBurnPairs(t *testing.T) {
	t.Parallel()
	on := budget.Policy{BurnRate: true}
	days := func(spends ...string) []budget.Day {
		var out []budget.Day
		for i, s := range spends {
			out = append(out, budget.Day{Date: now.AddDate(0, 0, i-len(spends)+1).Format(time.DateOnly), Spend: dec(s), Requests: 4, Failed: 1,
				Models: []budget.ModelSpend{{Model: "daily", Spend: dec(s)}}})
		}
		return out
	}
	for _, tc := range []struct {
		name, spend string
		requests    []budget.Request // the newest hour
		earlier     []budget.Request
		days        []budget.Day
		severity    string
		cause       string
		limit       string // the factor of the pair
	}{
		{name: "six hours", spend: "70", requests: spentAt("0.1", 59*time.Minute, "0.5", time.Minute), earlier: spentAt("2", 5*time.Hour, "2.4", 2*time.Hour),
			severity: "warning", cause: "5.00 USD in the last 6 hours and 0.50 USD in the last 30 minutes", limit: "6"},
		{name: "six hours, just not", spend: "70", requests: spentAt("0.1", 59*time.Minute, "0.5", time.Minute), earlier: spentAt("2", 5*time.Hour, "2.399", 2*time.Hour)},
		{name: "not in the last half hour", spend: "70", requests: spentAt("0.1", 59*time.Minute, "0.41", 29*time.Minute), earlier: spentAt("2", 5*time.Hour, "3", 2*time.Hour)},
		{name: "two dear requests in the half hour are no rate", spend: "70", requests: []budget.Request{{At: now, Spend: dec("2")}, {At: now, Spend: dec("2")}},
			earlier: spentAt("2", 5*time.Hour, "2.4", 2*time.Hour)},
		{name: "older than six hours", spend: "70", requests: spentAt("0.1", 59*time.Minute, "0.5", time.Minute), earlier: spentAt("2", 361*time.Minute, "2.4", 2*time.Hour)},
		{name: "the faster pair is told", spend: "70", requests: spentAt("2", 59*time.Minute, "1", time.Minute), earlier: spentAt("20", 5*time.Hour, "2", 2*time.Hour),
			severity: "critical", cause: "3.00 USD in the last hour and 1.00 USD in the last 5 minutes", limit: "14.4"},
		{name: "three days", spend: "70", days: days("9", "6", "8.75", "0.25"), requests: spentAt("0.1", 59*time.Minute, "1.2", 20*time.Minute),
			severity: "warning", cause: "15.00 USD in the last 3 days and 1.30 USD in the last 6 hours; model daily took", limit: "1.5"},
		{name: "three days, just not", spend: "70", days: days("90", "6", "8.74", "0.25"), requests: spentAt("0.1", 59*time.Minute, "1.2", 20*time.Minute)},
		{name: "three days, and it has stopped", spend: "70", days: days("9", "6", "8.75", "0.25"), requests: spentAt("0.1", 59*time.Minute, "1.1", 20*time.Minute)},
		{name: "three days, but it lasts", spend: "10", days: days("9", "6", "8.75", "0.25"), requests: spentAt("0.1", 59*time.Minute, "1.2", 20*time.Minute)},
		{name: "three days, and on at that pace", spend: "62", days: days("9", "7", "8.75", "0.25"), requests: spentAt("0.1", 59*time.Minute, "1.3", 20*time.Minute),
			severity: "warning", cause: "16.00 USD in the last 3 days and 1.40 USD in the last 6 hours", limit: "1.5"},
		{name: "three days, but it lasts at the pace of the last hours", spend: "62", days: days("9", "7", "8.75", "0.25"), requests: spentAt("0.1", 59*time.Minute, "1.16", 20*time.Minute)},
		{name: "days without requests", spend: "70", days: days("9", "6", "8.75", "0.25")},
	} {
		f := november(tc.spend)
		f.Days = tc.days
		f.Recent = &budget.Recent{From: now.Add(-time.Hour), To: now, Requests: tc.requests, Earlier: tc.earlier, Source: "GET /spend/logs/v2"}
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := want(t, budget.RuleBurn, f, on, tc.severity)
			if !strings.Contains(got.Cause, tc.cause) {
				t.Errorf("cause %q", got.Cause)
			}
			if tc.limit != "" && got.Limit.Value.String() != tc.limit {
				t.Errorf("told from %s times on, want %s", got.Limit.Value, tc.limit)
			}
		})
	}
}

// TestBurnAndForecast: what the forecast tells is not told again by the slowest pair.
func TestBurnAndForecast(t *testing.T) {
	t.Parallel()
	f := november("70")
	for i := range 12 {
		f.Days = append(f.Days, budget.Day{Date: now.AddDate(0, 0, i-11).Format(time.DateOnly), Spend: dec("6"), Requests: 9})
	}
	f.Recent = &budget.Recent{From: now.Add(-time.Hour), To: now, Earlier: spentAt("1", 5*time.Hour, "1", 3*time.Hour), Source: "GET /spend/logs/v2"}
	want(t, budget.RuleBurn, f, budget.Policy{BurnRate: true}, "warning")
	both := budget.Policy{BurnRate: true, Forecast: null("100")}
	want(t, budget.RuleForecast, f, both, "warning")
	want(t, budget.RuleBurn, f, both, "")
}
