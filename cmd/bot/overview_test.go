package main

import (
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/budget"
	"github.com/org/openclaw-litellm-action/settings"
)

// TestSpanOf takes every form of a period on Wednesday, 11 March 2026, 10:30 UTC.
func TestSpanOf(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 11, 10, 30, 0, 0, time.UTC)
	date := func(s string) time.Time { d, _ := time.Parse(time.DateOnly, s); return d }
	for _, tc := range []struct {
		period           settings.Period
		before, from, to string // to: "" for now
	}{
		{settings.Period{Name: "day"}, "2026-03-10", "2026-03-11", ""},
		{settings.Period{Name: "24h"}, "2026-03-08", "2026-03-10", ""},
		{settings.Period{Name: "week"}, "2026-03-02", "2026-03-09", ""},
		{settings.Period{Name: "month"}, "2026-02-01", "2026-03-01", ""},
		{settings.Period{Name: "7d", Days: 7}, "2026-02-26", "2026-03-05", ""},
		{settings.Period{Name: "30d", Days: 30}, "2026-01-11", "2026-02-10", ""},
		{settings.Period{From: date("2026-02-01"), To: date("2026-02-10")}, "2026-01-22", "2026-02-01", "2026-02-11"},
		{settings.Period{From: date("2026-03-11"), To: date("2026-03-20")}, "2026-03-01", "2026-03-11", ""},
	} {
		to := now
		if tc.to != "" {
			to = date(tc.to)
		}
		if got := spanOf(tc.period, now); got != (span{date(tc.before), date(tc.from), to}) {
			t.Errorf("%+v covers %v", tc.period, got)
		}
	}
}

func TestOverview(t *testing.T) {
	t.Parallel()
	usd := decimal.RequireFromString
	from := time.Date(2026, 3, 9, 0, 0, 0, 0, time.UTC)
	o := newOverview(span{from.AddDate(0, 0, -7), from, from.AddDate(0, 0, 2)})
	day := func(date, spend, model string) budget.Day {
		return budget.Day{Date: date, Spend: usd(spend), Requests: 2, Failed: 1, Tokens: 30, CachedPrompt: 5,
			Models: []budget.ModelSpend{{Model: model, Spend: usd(spend), Requests: 2, Tokens: 30}}}
	}
	in := o.add("small", []budget.Day{day("2026-03-08", "4", "a"), day("2026-03-09", "1", "a"), day("2026-03-10", "2", "b")})
	o.add("big", []budget.Day{day("2026-03-10", "7", "b")})
	r := o.done()
	if len(in) != 2 || !r.Total.Spend.Decimal.Equal(usd("10")) || !r.Total.Before.Decimal.Equal(usd("4")) || !r.Total.Change.Decimal.Equal(usd("150")) {
		t.Errorf("total %+v of %d days", r.Total, len(in))
	}
	if r.Keys[0].Name != "big" || r.Keys[0].Change.Valid || !r.Keys[1].Change.Decimal.Equal(usd("-25")) || r.Total.Requests != 6 || r.CachedPrompt != 15 {
		t.Errorf("keys %+v, total %+v", r.Keys, r.Total)
	}
	if len(r.Models) != 2 || r.Models[0].Name != "b" || !r.Models[0].Spend.Decimal.Equal(usd("9")) || !r.Models[1].Change.Decimal.Equal(usd("-75")) {
		t.Errorf("models %+v", r.Models)
	}
	if len(r.Days) != 2 || r.Days[1].Name != "2026-03-10" || !r.Days[1].Spend.Decimal.Equal(usd("9")) || r.Days[0].Before.Valid || r.Saved.Valid {
		t.Errorf("days %+v", r.Days)
	}
}
