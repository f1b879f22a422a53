package budget_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/budget"
	"github.com/org/openclaw-litellm-action/finding"
)

func null(s string) decimal.NullDecimal { return decimal.NewNullDecimal(dec(s)) }

// november is a budget of 100 USD in November 2026.
func november(spend string) budget.Facts {
	return budget.Facts{
		Key: "k", Limit: null("100"), Spend: dec(spend), Source: "GET /user/info", DaysSource: "GET /user/daily/activity",
		WindowStart: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), ResetAt: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC),
	}
}

// only returns the findings of one rule, which all must explain themselves.
func only(t *testing.T, rule string, found []finding.Finding) []finding.Finding {
	t.Helper()
	var out []finding.Finding
	for _, f := range found {
		if f.Rule != rule {
			continue
		}
		if f.Summary == "" || !strings.HasSuffix(f.Advice, ".") || strings.HasSuffix(f.Summary, ".") || f.Subject.Kind != "key" {
			t.Errorf("a finding that does not explain itself: %+v", f)
		}
		out = append(out, f)
	}
	return out
}

// want is what one case expects: "" for nothing, else the severity.
func want(t *testing.T, rule string, f budget.Facts, p budget.Policy, severity string) finding.Finding {
	t.Helper()
	found := only(t, rule, budget.Check(f, p, now))
	switch {
	case severity == "" && len(found) == 0:
		return finding.Finding{}
	case severity == "" || len(found) != 1 || found[0].Severity.String() != severity:
		t.Fatalf("%s: found %+v, want %q", rule, found, severity)
	}
	return found[0]
}

func TestAmount(t *testing.T) {
	t.Parallel()
	for spend, severity := range map[string]string{
		"0": "", "39.999999999": "", "40": "warning", "79.999999999": "warning", "80": "critical", "500": "critical",
	} {
		f := november(spend)
		f.Limit = decimal.NullDecimal{} // amounts need no budget
		want(t, budget.RuleSpend, f, budget.Policy{Spend: null("40")}, severity)
		want(t, budget.RuleSpend, f, budget.Policy{}, "")
	}
}

func TestDaily(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ date, spend, severity string }{
		{"2026-11-23", "4.999999999", ""}, {"2026-11-23", "5", "warning"}, {"2026-11-23", "9.999999999", "warning"},
		{"2026-11-23", "10", "critical"}, {"2026-11-22", "50", ""},
	} {
		f := november("50")
		f.Days = []budget.Day{{Date: tc.date, Spend: dec(tc.spend)}}
		if got := want(t, budget.RuleDaily, f, budget.Policy{DailySpend: null("5")}, tc.severity); tc.severity != "" && got.Window != tc.date {
			t.Errorf("the story is one of %q, not of its day", got.Window)
		}
	}
	f := november("50") // a day is judged until six in the morning: the last pass of it was before its end
	f.Days = []budget.Day{{Date: "2026-11-21", Spend: dec("50")}, {Date: "2026-11-22", Spend: dec("6")}, {Date: "2026-11-23", Spend: dec("7")}}
	for at, want := range map[string]string{"2026-11-23T05:59:59Z": "2026-11-22 2026-11-23", "2026-11-23T06:00:00Z": "2026-11-23"} {
		moment, _ := time.Parse(time.RFC3339, at)
		var days []string
		for _, found := range only(t, budget.RuleDaily, budget.Check(f, budget.Policy{DailySpend: null("5")}, moment)) {
			days = append(days, found.Window)
		}
		if got := strings.Join(days, " "); got != want {
			t.Errorf("at %s the days %q are told, not %q", at, got, want)
		}
	}
}

func TestPerModel(t *testing.T) {
	t.Parallel()
	policy := budget.Policy{ModelSpend: map[string]decimal.Decimal{"big": dec("30"), "small": dec("1")}}
	for _, tc := range []struct{ october, first, second, severity string }{
		{"0", "10", "19.999999999", ""}, {"0", "10", "20", "warning"}, {"30", "10", "19", ""}, {"0", "30", "30", "critical"},
	} {
		f := november("50")
		f.Days = []budget.Day{
			{Date: "2026-10-31", Models: []budget.ModelSpend{{Model: "big", Spend: dec(tc.october)}}},
			{Date: "2026-11-01", Models: []budget.ModelSpend{{Model: "big", Spend: dec(tc.first)}, {Model: "other", Spend: dec("99")}}},
			{Date: "2026-11-02", Models: []budget.ModelSpend{{Model: "big", Spend: dec(tc.second)}, {Model: "small", Spend: dec("0.5")}}},
		}
		got := want(t, budget.RuleModel, f, policy, tc.severity)
		if tc.severity != "" && got.Subject.Name != "k/big" {
			t.Errorf("about %q", got.Subject.Name)
		}
	}
	f := november("50")
	f.WindowStart = f.WindowStart.Add(5 * time.Hour)
	f.Days = []budget.Day{{Date: "2026-11-01", Models: []budget.ModelSpend{{Model: "big", Spend: dec("30")}}}}
	if got := want(t, budget.RuleModel, f, policy, "warning"); !strings.Contains(got.Cause, "all of 1 Nov is counted") {
		t.Errorf("a window that begins within a day is not told: %q", got.Cause)
	}
}

// recent makes requests, each a minute before the other, from their costs.
func recent(costs ...string) *budget.Recent {
	r := &budget.Recent{From: now.Add(-time.Hour), To: now, Source: "GET /spend/logs/v2"}
	for i, c := range costs {
		r.Requests = append(r.Requests, budget.Request{
			ID: fmt.Sprintf("r%d", i), At: now.Add(-time.Duration(i) * time.Minute), Model: "big", Spend: dec(c), Tokens: 10, User: "eve adams",
		})
	}
	return r
}

func TestRequestCost(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ limit, cost, severity string }{
		{"1", "0.999999999", ""}, {"1", "1", "warning"}, {"", "50", ""},
	} {
		f, p := november("50"), budget.Policy{}
		if tc.limit != "" {
			p.RequestCost = null(tc.limit)
		}
		f.Recent = recent("0.1", tc.cost, "0.2")
		got := want(t, budget.RuleRequest, f, p, tc.severity)
		if tc.severity != "" && (got.Cause != "model big, 10 tokens" || got.Who != "request r1 of user eve adams" || !got.Since.Equal(now.Add(-time.Minute))) {
			t.Errorf("found %+v", got)
		}
		f.Limit = decimal.NullDecimal{} // it needs no budget
		want(t, budget.RuleRequest, f, p, tc.severity)
	}
	f := november("50")
	f.Recent = recent("11", "12", "11")
	if got := want(t, budget.RuleRequest, f, budget.Policy{RequestCost: null("10")}, "warning"); !strings.HasPrefix(got.Summary, "3 requests") || !got.Observed.Value.Equal(dec("12")) {
		t.Errorf("found %+v", got)
	}
	f.Recent.Requests, f.Recent.Earlier = nil, f.Recent.Requests
	if got := want(t, budget.RuleRequest, f, budget.Policy{RequestCost: null("10")}, "warning"); !strings.HasPrefix(got.Summary, "3 requests") || got.Window != "" {
		t.Errorf("of an earlier hour: %+v", got)
	}
}

func TestFailures(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		failed, all int
		severity    string
	}{
		{1, 21, ""}, {1, 20, "warning"}, {2, 20, "warning"}, {17, 20, "warning"}, {18, 20, "critical"},
		{9, 9, ""}, {10, 10, "critical"}, {0, 20, ""},
	} {
		f := november("50")
		f.Recent = recent(strings.Split(strings.Repeat("0,", tc.all-1)+"0", ",")...)
		for i := range tc.failed {
			f.Recent.Requests[i].Failed, f.Recent.Requests[i].Error = true, "RateLimitError"
		}
		got := want(t, budget.RuleFailures, f, budget.Policy{FailureRate: null("5")}, tc.severity)
		if tc.severity != "" && !strings.Contains(got.Cause, "RateLimitError") {
			t.Errorf("cause %q", got.Cause)
		}
		want(t, budget.RuleFailures, f, budget.Policy{}, "")
	}
}

// TestFailuresOfABudget: refusals for a spent budget are told with whose it can be.
func TestFailuresOfABudget(t *testing.T) {
	t.Parallel()
	const refusal = "BudgetExceededError"
	for _, tc := range []struct {
		name          string
		limit, spend  string
		resetAgo      time.Duration // 0: on the first
		refused       int           // of ten that failed, the newest first
		answered      bool          // then two that did not, else before
		cause, advice string
	}{
		{"spent", "100", "100", 0, 10, false, "; its budget is spent.", "Raise max_budget or wait for the reset on 1 Dec"},
		{"overrun", "100", "100.4", 0, 10, true, "; its budget is spent.", "Raise max_budget or wait for"},
		{"another's", "100", "87.5", 0, 6, false, "; 12.50 USD of its own budget is left.", "has not seen a reset or a raised limit"},
		{"another's, or raised since", "100", "87.5", 0, 6, true, "; 12.50 USD of its own budget is left; a request was answered since.", "has not seen a reset or a raised limit"},
		{"little is left", "100", "99.99999", 0, 10, false, "; 0.00001 USD of its own", "a team's, tag's, model's"},
		{"reset since", "100", "1", 30 * time.Second, 10, true, "; its budget was spent until the reset on 23 Nov 2026 11:59 UTC.", "Raise max_budget if"},
		{"refused after the reset", "100", "0", time.Hour, 10, false, "; 100.00 USD of its own budget is left.", "then restart its workers."},
		{"no budget", "", "5", 0, 10, false, "; this key has no budget: another one is spent.", "the virtual key's own)."},
		{"half are other errors", "100", "100", 0, 5, false, "mostly for big.", "a blocked key, a model that is not there"},
	} {
		f := november(tc.spend)
		if f.Limit = (decimal.NullDecimal{}); tc.limit != "" {
			f.Limit = null(tc.limit)
		}
		if tc.resetAgo > 0 {
			f.WindowStart = now.Add(-tc.resetAgo)
		}
		f.Recent = recent(strings.Split("1"+strings.Repeat(",1", 11), ",")...)
		failed := f.Recent.Requests[:10]
		if tc.answered {
			failed = f.Recent.Requests[2:]
		}
		for i := range failed {
			if failed[i].Failed, failed[i].Error = true, "RateLimitError"; i < tc.refused {
				failed[i].Error = refusal
			}
		}
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := want(t, budget.RuleFailures, f, budget.Policy{FailureRate: null("5")}, "warning")
			if !strings.Contains(got.Cause+".", tc.cause) || !strings.Contains(got.Advice, tc.advice) {
				t.Errorf("cause %q, advice %q", got.Cause, got.Advice)
			}
		})
	}
}

// TestBurn takes the rate of both windows a step on either side. 2 % of 100 USD in an hour of 30 days is 14.4.
func TestBurn(t *testing.T) {
	t.Parallel()
	on := budget.Policy{BurnRate: true}
	for _, tc := range []struct{ name, spend, hour, minutes, severity string }{
		{"both burn", "30", "2", "0.17", "warning"},
		{"the hour just not", "30", "1.999999999", "0.17", ""},
		{"the five minutes just not", "30", "2", "0.166666666", ""},
		{"two requests are no rate", "30", "5", "5", ""},
		{"it has stopped", "30", "20", "0.000000001", ""},
		{"gone within half a day", "76", "2", "0.17", "critical"},
		{"gone in just over half a day", "75.999999", "2", "0.17", "warning"},
		{"spent", "100", "2", "0.17", ""},
		{"nothing", "30", "0", "0.000000001", ""},
	} {
		f := november(tc.spend)
		f.Recent = recent()
		f.Recent.Requests = []budget.Request{
			{At: now.Add(-time.Minute), Model: "big", Spend: dec(tc.minutes).Sub(dec("0.000000001"))},
			{At: now.Add(-2 * time.Minute), Model: "big", Spend: dec("0.000000001")},
			{At: now.Add(-59 * time.Minute), Model: "big", Spend: decimal.Max(dec(tc.hour).Sub(dec(tc.minutes)), decimal.Zero)},
			{At: now.Add(-73 * time.Hour), Model: "big", Spend: dec("50")},
		}
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			want(t, budget.RuleBurn, f, on, tc.severity)
			want(t, budget.RuleBurn, f, budget.Policy{}, "")
			f.Recent = nil
			want(t, budget.RuleBurn, f, on, "")
		})
	}
}

// TestBurnAdaptsToTheWindow: what is fast depends on the window, and nothing is that the reset comes before.
func TestBurnAdaptsToTheWindow(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, limit, spend, hour string
		before, after            time.Duration
		severity                 string
	}{
		{"a day, three times", "24", "10", "3", 12 * time.Hour, 12 * time.Hour, "critical"},
		{"a day, just under", "24", "10", "2.999", 12 * time.Hour, 12 * time.Hour, ""},
		{"a day, but it lasts until the reset", "24", "10", "3", 20 * time.Hour, 4 * time.Hour, ""},
		{"a week, 3.36 times", "168", "10", "3.36", 84 * time.Hour, 84 * time.Hour, "warning"},
		{"a week, just under", "168", "10", "3.359", 84 * time.Hour, 84 * time.Hour, ""},
		{"three hours: too short a window", "3", "0", "2.9", time.Hour, 2 * time.Hour, ""},
	} {
		f := budget.Facts{
			Key: "k", Limit: null(tc.limit), Spend: dec(tc.spend), WindowStart: now.Add(-tc.before), ResetAt: now.Add(tc.after),
			Recent: recent(dec(tc.hour).Sub(dec("0.02")).String(), "0.01", "0.01"),
		}
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			want(t, budget.RuleBurn, f, budget.Policy{BurnRate: true}, tc.severity)
		})
	}
}

func TestUnpriced(t *testing.T) {
	t.Parallel()
	f := november("50")
	f.Recent = recent("0", "0")
	got := want(t, budget.RuleUnpriced, f, budget.Policy{}, "info")
	if got.Level != "big" {
		t.Errorf("level %q", got.Level)
	}
	f.Recent.Requests[1].Spend = dec("0.000000001")
	want(t, budget.RuleUnpriced, f, budget.Policy{}, "")
	for _, change := range []func(*budget.Request){
		func(q *budget.Request) { q.Failed = true }, func(q *budget.Request) { q.CacheHit = true },
		func(q *budget.Request) { q.Tokens = 0 }, func(q *budget.Request) { q.Model = "" },
	} {
		f.Recent = recent("0")
		change(&f.Recent.Requests[0])
		want(t, budget.RuleUnpriced, f, budget.Policy{}, "")
	}
	f.Recent = nil
	for _, tc := range []struct {
		m        budget.ModelSpend
		severity string
	}{
		{budget.ModelSpend{Model: "free", Requests: 2, Failed: 1, Tokens: 10}, "info"},
		{budget.ModelSpend{Model: "free", Requests: 2, Failed: 2, Tokens: 10}, ""},
		{budget.ModelSpend{Model: "free", Requests: 2}, ""},
		{budget.ModelSpend{Model: "free", Requests: 3, Failed: 1, Hits: 2, Tokens: 10}, ""},
		{budget.ModelSpend{Model: "free", Requests: 2, Tokens: 10, Spend: dec("0.000000001")}, ""},
	} {
		f.Days = []budget.Day{{Date: "2026-11-02", Models: []budget.ModelSpend{tc.m}}}
		want(t, budget.RuleUnpriced, f, budget.Policy{}, tc.severity)
	}
}

// TestAdoptedSpendIsNoDisagreement: an adopted key brings spend that no day of its holder's has.
func TestAdoptedSpendIsNoDisagreement(t *testing.T) {
	t.Parallel()
	f := november("50")
	f.DaysFrom, f.DaysTo, f.Days, f.Adopted = "2026-11-01", "2026-11-23", []budget.Day{{Date: "2026-11-05", Spend: dec("20")}}, true
	want(t, budget.RuleDisagree, f, budget.Policy{}, "") // since when is not known
	f.HolderSince = f.WindowStart
	want(t, budget.RuleDisagree, f, budget.Policy{}, "")
	f.HolderSince = f.WindowStart.Add(-time.Second)
	want(t, budget.RuleDisagree, f, budget.Policy{}, "info")
}

func TestUnusable(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name     string
		g        budget.Generation
		severity string
	}{
		{"works", budget.Generation{Current: true}, ""},
		{"blocked", budget.Generation{Current: true, Blocked: true}, "critical"},
		{"an old one is blocked", budget.Generation{Blocked: true}, ""},
		{"expires in a moment", budget.Generation{Current: true, Expires: now.Add(time.Second)}, ""},
		{"expired", budget.Generation{Current: true, Expires: now}, "critical"},
	} {
		f := november("1")
		f.Generations = []budget.Generation{tc.g}
		t.Run(tc.name, func(t *testing.T) { want(t, budget.RuleUnusable, f, budget.Policy{}, tc.severity) })
	}
}

func TestUnrotated(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for _, tc := range []struct {
		age, interval time.Duration
		severity      string
	}{
		{33*day - time.Second, 30 * day, ""}, {33 * day, 30 * day, "warning"}, {60*day - time.Second, 30 * day, "warning"},
		{60 * day, 30 * day, "critical"}, {95*day - time.Second, 90 * day, ""}, {95 * day, 90 * day, "warning"}, {999 * day, 0, ""},
	} {
		f := november("1")
		f.Generations = []budget.Generation{{CreatedAt: now.Add(-999 * day)}, {Current: true, CreatedAt: now.Add(-tc.age)}}
		want(t, budget.RuleUnrotated, f, budget.Policy{RotationInterval: tc.interval}, tc.severity)
	}
}

// TestDisagree: one percent of the larger, and what is too new to be in both.
func TestDisagree(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, spend, days, lately, severity string }{
		{"same", "50", "50", "", ""},
		{"one percent", "50", "49.5", "", ""},
		{"over one percent", "50", "49.499999999", "", "info"},
		{"the other way", "49.499999999", "50", "", "info"},
		{"less than a cent", "0.05", "0.04", "", ""},
		{"more than a cent", "0.05", "0.039999999", "", "info"},
		{"too new for one", "50", "48", "1.5", ""},
		{"too new, but not so much", "50", "47.99", "1.5", "info"},
	} {
		f := november(tc.spend)
		f.DaysFrom, f.DaysTo = "2026-11-01", "2026-11-23"
		f.Days = []budget.Day{{Date: "2026-10-31", Spend: dec("7")}, {Date: "2026-11-05", Spend: dec(tc.days)}}
		if tc.lately != "" {
			f.Recent = recent(tc.lately)
		}
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := want(t, budget.RuleDisagree, f, budget.Policy{}, tc.severity)
			if diff := dec(tc.spend).Sub(dec(tc.days)).Abs().String(); tc.severity != "" && !strings.Contains(got.Summary, diff+" USD") {
				t.Errorf("%q does not state exactly %s", got.Summary, diff)
			}
			for _, blind := range []func(*budget.Facts){
				func(f *budget.Facts) { f.Days = nil }, func(f *budget.Facts) { f.DaysFrom = "2026-11-02" }, func(f *budget.Facts) { f.DaysTo = "2026-11-22" },
				func(f *budget.Facts) { f.WindowStart = time.Time{} }, func(f *budget.Facts) { f.HolderSince = now.Add(-119 * time.Second) },
			} {
				g := f
				blind(&g)
				want(t, budget.RuleDisagree, g, budget.Policy{}, "")
			}
		})
	}
}

// TestDisagreeWithinADay: of a day on which the window begins, anything may belong to it.
func TestDisagreeWithinADay(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ spend, severity, says string }{
		{"10", "", ""}, {"12", "", ""}, {"14", "", ""},
		{"14.5", "info", "differ by at least 0.5 USD"}, {"9.5", "info", "differ by at least 0.5 USD"},
	} {
		f := november(tc.spend)
		f.WindowStart = f.WindowStart.Add(-time.Hour) // midnight in Berlin
		f.DaysFrom, f.DaysTo = "2026-10-31", "2026-11-23"
		f.Days = []budget.Day{{Date: "2026-10-31", Spend: dec("4")}, {Date: "2026-11-05", Spend: dec("10")}}
		if got := want(t, budget.RuleDisagree, f, budget.Policy{}, tc.severity); !strings.Contains(got.Summary, tc.says) {
			t.Errorf("with %s spent: %q", tc.spend, got.Summary)
		}
	}
}

func TestJudged(t *testing.T) {
	t.Parallel()
	judged := budget.Judged(budget.Facts{Unjudged: budget.DayRules()})
	for _, rule := range budget.DayRules() {
		if strings.Contains(strings.Join(judged, " "), rule) {
			t.Errorf("%s is judged without its facts", rule)
		}
	}
	if len(judged)+len(budget.DayRules()) != len(budget.Rules()) {
		t.Errorf("judged %q", judged)
	}
}
