package budget_test

import (
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/budget"
	"github.com/org/openclaw-litellm-action/finding"
)

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func dec(s string) decimal.Decimal { return decimal.RequireFromString(s) }

func policy(thresholds ...string) budget.Policy {
	var p budget.Policy
	for _, t := range thresholds {
		p.Thresholds = append(p.Thresholds, dec(t))
	}
	return p
}

// TestCheck takes every threshold a step on either side. A step is a billionth of a dollar: 0.1 + 0.2 is exactly 0.3.
func TestCheck(t *testing.T) {
	t.Parallel()
	usual := policy("50", "80", "95")
	for _, tc := range []struct {
		name         string
		policy       budget.Policy
		limit, spend string
		level        string // "": nothing found
		severity     finding.Severity
	}{
		{"nothing spent", usual, "50", "0", "", 0},
		{"under the first", usual, "50", "24.999999999", "", 0},
		{"the first", usual, "50", "25", "50%", finding.Info},
		{"under the second", usual, "50", "39.999999999", "50%", finding.Info},
		{"the second", usual, "50", "40", "80%", finding.Warning},
		{"over the second", usual, "50", "40.000000001", "80%", finding.Warning},
		{"under the third", usual, "50", "47.499999999", "80%", finding.Warning},
		{"the third", usual, "50", "47.5", "95%", finding.Critical},
		{"nearly spent", usual, "50", "49.999999999", "95%", finding.Critical},
		{"spent", usual, "50", "50", "100%", finding.Critical},
		{"overrun", usual, "50", "50.24", "100%", finding.Critical},
		{"tenths add up", policy("50"), "0.6", dec("0.1").Add(dec("0.2")).String(), "50%", finding.Info},
		{"thirds do not round up", policy("33.34"), "3", "1", "", 0},
		{"thirds", policy("33.33"), "3", "1", "33.33%", finding.Info},
		{"unordered", policy("95", "50", "80"), "10", "8.5", "80%", finding.Warning},
		{"own levels", policy("10", "90"), "10", "9.4", "90%", finding.Warning},
		{"just under a warning", policy("79.9"), "10", "7.99", "79.9%", finding.Info},
		{"beyond the limit", policy("50", "120"), "10", "12", "120%", finding.Critical},
		{"under beyond", policy("50", "120"), "10", "11.99", "100%", finding.Critical},
		{"no thresholds", policy(), "10", "9.99", "", 0},
		{"no thresholds, spent", policy(), "10", "10", "100%", finding.Critical},
		{"a limit of nothing", usual, "0", "0", "100%", finding.Critical},
		{"no limit", usual, "", "1000", "", 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			f := budget.Facts{Key: "openclaw", Spend: dec(tc.spend), Source: "GET /user/info"}
			if tc.limit != "" {
				f.Limit = decimal.NewNullDecimal(dec(tc.limit))
			}
			found := budget.Check(f, tc.policy, now)
			if tc.level == "" {
				if len(found) != 0 {
					t.Fatalf("found %+v, want nothing", found)
				}
				return
			}
			if len(found) != 1 {
				t.Fatalf("found %d, want one", len(found))
			}
			got := found[0]
			if got.Level != tc.level || got.Severity != tc.severity || got.Rule != budget.RuleUsed {
				t.Errorf("found %s %s %s, want %s %s", got.Rule, got.Severity, got.Level, tc.severity, tc.level)
			}
			if got.Advice == "" || got.Summary == "" || strings.Contains(got.Summary, tc.spend+" ") && tc.spend != "50" {
				t.Errorf("summary %q, advice %q", got.Summary, got.Advice)
			}
		})
	}
}

// TestWindow: the story of a key is one per window.
func TestWindow(t *testing.T) {
	t.Parallel()
	f := budget.Facts{Key: "k", Limit: decimal.NewNullDecimal(dec("10")), Spend: dec("9")}
	check := func() finding.Finding { return budget.Check(f, policy("80"), now)[0] }
	if got := check().Window; got != "" {
		t.Errorf("without a window it is %q", got)
	}
	f.ResetAt = time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	if got := check().Window; got != "until 2026-12-01T00:00:00Z" {
		t.Errorf("with only a reset it is %q", got)
	}
	f.WindowStart = time.Date(2026, 11, 1, 1, 0, 0, 0, time.FixedZone("", 3600))
	if got := check(); got.Window != "2026-11-01T00:00:00Z" || !strings.Contains(got.Advice, "1 Dec 2026") {
		t.Errorf("window %q, advice %q", got.Window, got.Advice)
	}
	f.Spend = dec("10")
	if got := check().Advice; !strings.Contains(got, "rejected the request schema") || !strings.Contains(got, "wait for the reset") ||
		!strings.Contains(got, "API rate limit reached") || !strings.Contains(got, "budget_exceeded_status_code to 402") {
		t.Errorf("advice on a spent budget: %q", got)
	}
	f.ResetAt = now
	if got := check().Advice; strings.Contains(got, "wait for") {
		t.Errorf("advice to wait for what is past: %q", got)
	}
}

func TestCause(t *testing.T) {
	t.Parallel()
	f := budget.Facts{Key: "k", Limit: decimal.NewNullDecimal(dec("10")), Spend: dec("9"), Models: []budget.ModelSpend{
		{Model: "small", Spend: dec("2.25")}, {Model: "big", Spend: dec("6.75")},
	}}
	if got := budget.Check(f, policy("80"), now)[0].Cause; got != "model big took 75% of the spend" {
		t.Errorf("cause is %q", got)
	}
	f.WindowStart = time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC) // and days are known of before
	f.Days = []budget.Day{
		{Date: "2026-11-21", Models: []budget.ModelSpend{{Model: "big", Spend: dec("90")}}},
		{Date: "2026-11-22", Models: []budget.ModelSpend{{Model: "small", Spend: dec("9")}}},
	}
	f.Models = budget.SumDays(f.Days)
	if got := budget.Check(f, policy("80"), now)[0].Cause; got != "model small took 100% of the spend" {
		t.Errorf("of a window cause is %q", got)
	}
}

// TestWhoIsAFieldOfItsOwn: a finding names the user and the tag that took most lately, and where it is for everybody neither.
func TestWhoIsAFieldOfItsOwn(t *testing.T) {
	t.Parallel()
	f := budget.Facts{Key: "k", Limit: decimal.NewNullDecimal(dec("10")), Spend: dec("9"), Recent: &budget.Recent{
		From: now.Add(-time.Hour), To: now, Requests: []budget.Request{
			{At: now, Spend: dec("2"), User: "eve smith", Tags: []string{"night, ly", "team"}}, {At: now, Spend: dec("1"), User: "bob", Tags: []string{"team"}},
			{At: now, User: "nobody", Tags: []string{"free"}},
		},
	}}
	if got := budget.Check(f, policy("80"), now)[0].Who; got != "most in the last 60m by user eve smith and with tag team" {
		t.Errorf("who is %q", got)
	}
}

// TestFailuresNameNothingMadeUp: error class and model of a failed request are texts that a caller may have chosen. They are
// a cause for everybody only if LiteLLM knows the one and the other has answered before.
func TestFailuresNameNothingMadeUp(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ class, model, answered, cause, said string }{
		{"RateLimitError", "big", "big", "mostly RateLimitError; mostly for big", ""},
		{"RateLimitError", "mallory", "big", "mostly RateLimitError", "mostly for mallory"},
		{"MalloryError", "big", "big", "mostly for big", "mostly MalloryError"},
		{"MalloryError", "mallory", "big", "", "mostly MalloryError; mostly for mallory"},
		{"", "", "big", "mostly errors without a class; mostly for no model that is there", ""},
	} {
		r := &budget.Recent{From: now.Add(-time.Hour), To: now}
		for range 9 {
			r.Requests = append(r.Requests, budget.Request{At: now, Failed: true, Error: tc.class, Model: tc.model})
		}
		r.Requests = append(r.Requests, budget.Request{At: now, Model: tc.answered})
		found := budget.Check(budget.Facts{Key: "k", Recent: r}, budget.Policy{FailureRate: decimal.NewNullDecimal(dec("20"))}, now)
		if len(found) != 1 || found[0].Cause != tc.cause || found[0].Said != tc.said {
			t.Errorf("%+v: found %+v", tc, found)
		}
	}
}

func TestWindowStart(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ duration, reset, want string }{
		{"1mo", "2026-12-01T00:00:00Z", "2026-11-01T00:00:00Z"},
		{"monthly", "2027-01-01T00:00:00Z", "2026-12-01T00:00:00Z"},
		{"1mo", "2027-03-01T00:00:00Z", "2027-02-01T00:00:00Z"},
		{"1mo", "2026-11-30T23:00:00Z", "2026-10-31T23:00:00Z"}, // midnight one hour east
		{"1mo", "2026-12-01T05:00:00Z", "2026-11-01T05:00:00Z"}, // midnight five hours west
		{"1mo", "2027-02-28T15:00:00Z", "2027-01-31T15:00:00Z"}, // midnight in Tokyo
		{"30d", "2026-12-01T00:00:00Z", "2026-11-01T00:00:00Z"},
		{"30d", "2026-12-15T00:00:00Z", "2026-11-15T00:00:00Z"},
		{"30d", "2026-12-01T12:00:00Z", "2026-11-01T12:00:00Z"}, // budget_reset_time: "12:00"
		{"30d", "2026-12-01T17:00:00Z", "2026-11-01T17:00:00Z"}, // noon in New York
		{"30d", "2027-03-02T04:00:00Z", "2027-02-02T04:00:00Z"}, // eight in the evening in Los Angeles
		{"1mo", "2027-03-02T04:00:00Z", "2027-02-02T04:00:00Z"},
		{"1mo", "2027-02-28T10:00:00Z", "2027-01-31T10:00:00Z"}, // midnight in Kiritimati
		{"1mo", "2027-03-05T00:00:00Z", ""},                     // it is the first nowhere
		{"7d", "2026-11-30T00:00:00Z", "2026-11-23T00:00:00Z"},
		{"1w", "2026-11-30T00:00:00Z", "2026-11-23T00:00:00Z"},
		{"weekly", "2026-11-30T00:00:00Z", "2026-11-23T00:00:00Z"},
		{"1d", "2026-11-24T00:00:00Z", "2026-11-23T00:00:00Z"},
		{"daily", "2026-11-24T00:00:00Z", "2026-11-23T00:00:00Z"},
		{"24h", "2026-11-24T00:00:00Z", "2026-11-23T00:00:00Z"},
		{"15d", "2026-12-07T00:00:00Z", "2026-11-22T00:00:00Z"},
		{"2h", "2026-11-23T14:00:00Z", "2026-11-23T12:00:00Z"},
		{"hourly", "2026-11-23T14:00:00Z", "2026-11-23T13:00:00Z"},
		{"30m", "2026-11-23T14:30:00Z", "2026-11-23T14:00:00Z"},
		{"90s", "2026-11-23T14:30:00Z", ""},
		{"2mo", "2026-12-01T00:00:00Z", ""},
		{"30days", "2026-12-01T00:00:00Z", ""},
		{"1month", "2026-12-01T00:00:00Z", ""},
		{"0d", "2026-12-01T00:00:00Z", ""},
		{"", "2026-12-01T00:00:00Z", ""},
		{"-1d", "2026-12-01T00:00:00Z", ""},
		{"9999999d", "2026-12-01T00:00:00Z", ""},
	} {
		reset, err := time.Parse(time.RFC3339, tc.reset)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := budget.WindowStart(tc.duration, reset)
		if want := tc.want; ok != (want != "") || ok && got.Format(time.RFC3339) != want {
			t.Errorf("WindowStart(%q, %s) = %s, %t, want %s", tc.duration, tc.reset, got.Format(time.RFC3339), ok, want)
		}
	}
	if _, ok := budget.WindowStart("1mo", time.Time{}); ok {
		t.Error("a window without an end has a start")
	}
}
