package main

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/budget"
	"github.com/org/openclaw-litellm-action/observe"
	"github.com/org/openclaw-litellm-action/report"
	"github.com/org/openclaw-litellm-action/settings"
)

const (
	mostDearest  = 10 // requests in a report
	dearestKeys  = 10 // keys that are asked for theirs
	reportSource = "GET /user/daily/activity"
)

// span is the days of a report, [from, to), and the beginning of the period before it, which is as long.
type span struct{ before, from, to time.Time }

// spanOf is what a period covers: the day, the week (Monday) or the month that now is in, so many days with today as the
// last one, the day 24 hours ago and today, or the days of FIRST..LAST. All in UTC: LiteLLM sums by UTC day.
func spanOf(p settings.Period, now time.Time) span {
	now = now.UTC()
	if !p.From.IsZero() {
		to := p.To.AddDate(0, 0, 1)
		return span{p.From.Add(p.From.Sub(to)), p.From, earliest(to, now)}
	}
	s := span{from: periodStart(p.Name, now), to: now}
	if p.Days > 0 {
		s.from = now.Truncate(day).AddDate(0, 0, 1-p.Days)
	}
	switch {
	case p.Name == "month":
		s.before = s.from.AddDate(0, -1, 0)
	case p.Name == "week":
		s.before = s.from.AddDate(0, 0, -7)
	default:
		s.before = s.from.Add(s.from.Sub(now.Truncate(day).Add(day)))
	}
	return s
}

func earliest(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// overview gathers what a period cost, key by key.
type overview struct {
	span
	out                     report.Overview
	days, models, providers map[string]report.PeriodSums
	saved                   decimal.NullDecimal
}

func newOverview(s span) *overview {
	return &overview{span: s, out: report.Overview{Source: reportSource, BeforeFrom: s.before, Keys: []report.PeriodSums{}},
		days: map[string]report.PeriodSums{}, models: map[string]report.PeriodSums{}, providers: map[string]report.PeriodSums{}}
}

// add takes in a key's days, those of the period before included, and returns those of the period.
func (o *overview) add(key string, days []budget.Day) []budget.Day {
	first := o.from.Format(time.DateOnly)
	sum := report.PeriodSums{Name: key, Spend: decimal.NewNullDecimal(decimal.Zero), Before: decimal.NewNullDecimal(decimal.Zero)}
	var in []budget.Day
	for _, d := range days {
		if d.Date < first {
			addBefore(&sum, d.Spend)
			mergeBefore(o.models, d.Models)
			mergeBefore(o.providers, d.Providers)
			continue
		}
		in = append(in, d)
		addNow(&sum, d.Spend, d.Requests, d.Failed, d.Tokens)
		merge(o.days, []budget.ModelSpend{{Model: d.Date, Spend: d.Spend, Requests: d.Requests, Failed: d.Failed, Tokens: d.Tokens}})
		merge(o.models, d.Models)
		merge(o.providers, d.Providers)
		o.out.CachedPrompt += d.CachedPrompt
		if d.Saved.Valid {
			o.saved = decimal.NewNullDecimal(o.saved.Decimal.Add(d.Saved.Decimal))
		}
	}
	o.out.Keys = append(o.out.Keys, sum.Grown())
	return in
}

// dearest takes in a key's most expensive requests.
func (o *overview) dearest(key string, requests []budget.Request) {
	o.out.DearestSource = "GET /spend/logs/v2"
	for _, q := range requests {
		o.out.Dearest = append(o.out.Dearest, report.LogRequest{
			ID: q.ID, Key: key, Model: q.Model, Start: q.At, Spend: decimal.NewNullDecimal(q.Spend), Tokens: q.Tokens, EndUser: q.User,
		})
	}
}

// done returns what was gathered, in order.
func (o *overview) done() *report.Overview {
	out := &o.out
	out.Total = report.PeriodSums{Spend: decimal.NewNullDecimal(decimal.Zero), Before: decimal.NewNullDecimal(decimal.Zero)}
	for _, k := range out.Keys {
		addNow(&out.Total, k.Spend.Decimal, k.Requests, k.Failed, k.Tokens)
		addBefore(&out.Total, k.Before.Decimal)
	}
	out.Total, out.Saved = out.Total.Grown(), o.saved
	slices.SortStableFunc(out.Keys, dearestFirst)
	out.Models, out.Providers = sorted(o.models, dearestFirst), sorted(o.providers, dearestFirst)
	out.Days = sorted(o.days, func(a, b report.PeriodSums) int { return cmp.Compare(a.Name, b.Name) })
	for i := range out.Days {
		out.Days[i].Before, out.Days[i].Change = decimal.NullDecimal{}, decimal.NullDecimal{}
	}
	slices.SortStableFunc(out.Dearest, func(a, b report.LogRequest) int {
		return cmp.Or(b.Spend.Decimal.Cmp(a.Spend.Decimal), a.Start.Compare(b.Start), cmp.Compare(a.ID, b.ID))
	})
	out.Dearest = out.Dearest[:min(len(out.Dearest), mostDearest)]
	return out
}

func dearestFirst(a, b report.PeriodSums) int {
	return cmp.Or(b.Spend.Decimal.Cmp(a.Spend.Decimal), cmp.Compare(a.Name, b.Name))
}

func sorted(by map[string]report.PeriodSums, order func(a, b report.PeriodSums) int) []report.PeriodSums {
	var list []report.PeriodSums
	for _, s := range by {
		list = append(list, s.Grown())
	}
	slices.SortFunc(list, order)
	return list
}

func addNow(s *report.PeriodSums, spend decimal.Decimal, requests, failed, tokens int64) {
	s.Spend = decimal.NewNullDecimal(s.Spend.Decimal.Add(spend))
	s.Requests, s.Failed, s.Tokens = s.Requests+requests, s.Failed+failed, s.Tokens+tokens
}

func addBefore(s *report.PeriodSums, spend decimal.Decimal) {
	s.Before = decimal.NewNullDecimal(s.Before.Decimal.Add(spend))
}

func merge(to map[string]report.PeriodSums, list []budget.ModelSpend) {
	for _, m := range list {
		s := named(to, m.Model)
		addNow(&s, m.Spend, m.Requests, m.Failed, m.Tokens)
		to[m.Model] = s
	}
}

func mergeBefore(to map[string]report.PeriodSums, list []budget.ModelSpend) {
	for _, m := range list {
		s := named(to, m.Model)
		addBefore(&s, m.Spend)
		to[m.Model] = s
	}
}

func named(in map[string]report.PeriodSums, name string) report.PeriodSums {
	if s, ok := in[name]; ok {
		return s
	}
	zero := decimal.NewNullDecimal(decimal.Zero)
	return report.PeriodSums{Name: name, Spend: zero, Before: zero}
}

// period reports each key's spend over the period asked for, and the period against the one before.
func (p *pass) period(ctx context.Context) {
	s := spanOf(p.set.Period, p.in.Now)
	p.in.Period = &report.Period{Name: p.set.Period.Name, From: s.from, To: s.to}
	o, all := p.observer(), newOverview(s)
	keys := p.selected()
	for _, k := range keys {
		facts, err := p.spend(ctx, o, k)
		if err == nil {
			err = o.Activity(ctx, &facts, holderOf(k), s.before, s.to.Add(-time.Second))
		}
		if err != nil {
			p.failed(k.Name, err)
			continue
		}
		facts.Days = all.add(k.Name, facts.Days)
		facts.Models = budget.SumDays(facts.Days)
		facts.Unjudged = budget.Rules() // a report judges nothing
		p.in.Spend = append(p.in.Spend, facts)
		if len(keys) <= dearestKeys {
			p.dearest(ctx, o, all, k)
		}
	}
	if len(keys) > dearestKeys {
		p.in.Notes = append(p.in.Notes, "the most expensive requests are looked up for at most 10 keys")
	}
	p.in.Overview = all.done()
}

func (p *pass) dearest(ctx context.Context, o observe.Observer, all *overview, k settings.Key) {
	to := all.to
	if to.Equal(p.in.Now) {
		to = to.Add(time.Second) // what began just now counts
	}
	requests, err := o.Dearest(ctx, holderOf(k), all.from, to, mostDearest)
	if err != nil {
		p.in.Notes = append(p.in.Notes, p.known.Redact(err.Error()))
		return
	}
	all.dearest(k.Name, requests)
}

// periodStart is the beginning of the day, the week (Monday) or the month that now is in, or the day 24 hours or 7 days
// ago.
func periodStart(period string, now time.Time) time.Time {
	now = now.UTC()
	today := now.Truncate(day)
	switch period {
	case "day":
		return today
	case "24h":
		return now.Add(-day).Truncate(day)
	case "month":
		return time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
	}
	return today.AddDate(0, 0, -(int(now.Weekday())+6)%7)
}
