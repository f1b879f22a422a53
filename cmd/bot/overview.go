package main

import (
	"cmp"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/budget"
	"github.com/org/openclaw-litellm-action/internal/figure"
	"github.com/org/openclaw-litellm-action/observe"
	"github.com/org/openclaw-litellm-action/report"
	"github.com/org/openclaw-litellm-action/settings"
)

const reportSource = "GET /user/daily/activity"

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

// byName are sums of one kind.
type byName map[string]report.PeriodSums

// overview gathers what a period cost, key by key.
type overview struct {
	span
	out                                     report.Overview
	days, models, providers, tags, endUsers byName
	saved                                   decimal.NullDecimal
}

func newOverview(s span) *overview {
	return &overview{span: s, out: report.Overview{Source: reportSource, PartsSource: observe.PartsSource, BeforeFrom: s.before, Keys: []report.PeriodSums{}},
		days: byName{}, models: byName{}, providers: byName{}, tags: byName{}, endUsers: byName{}}
}

// add takes in a key's days, those of the period before included, and returns those of the period.
func (o *overview) add(key string, days []budget.Day) []budget.Day {
	first := o.from.Format(time.DateOnly)
	sum := report.PeriodSums{Name: key, Spend: decimal.NewNullDecimal(decimal.Zero), Before: decimal.NewNullDecimal(decimal.Zero)}
	var in []budget.Day
	for _, d := range days {
		if d.Date < first {
			addBefore(&sum, d.Spend)
			o.parts(d, mergeBefore)
			continue
		}
		in = append(in, d)
		addNow(&sum, d.Spend, d.Requests, d.Failed, d.Tokens)
		merge(o.days, []budget.ModelSpend{{Model: d.Date, Spend: d.Spend, Requests: d.Requests, Failed: d.Failed, Tokens: d.Tokens}})
		o.parts(d, merge)
		o.out.CachedPrompt = figure.Add(o.out.CachedPrompt, d.CachedPrompt)
		if d.Saved.Valid {
			o.saved = decimal.NewNullDecimal(o.saved.Decimal.Add(d.Saved.Decimal))
		}
	}
	o.out.Keys = append(o.out.Keys, sum.Grown())
	return in
}

// parts takes in what a day's spend went to.
func (o *overview) parts(d budget.Day, take func(byName, []budget.ModelSpend)) {
	take(o.models, d.Models)
	take(o.providers, d.Providers)
	take(o.tags, d.Tags)
	take(o.endUsers, d.EndUsers)
}

// hits takes in what LiteLLM's own cache answered of a key's requests.
func (o *overview) hits(h observe.Hits) {
	if o.out.Hits == nil {
		o.out.Hits = &report.PeriodHits{Saved: decimal.NewNullDecimal(decimal.Zero), Source: observe.HitSource}
	}
	to := o.out.Hits
	to.Requests, to.Unpriced, to.AtLeast = to.Requests+h.Requests, to.Unpriced+h.Unpriced, to.AtLeast || h.Cut
	to.Saved.Decimal = to.Saved.Decimal.Add(h.Saved)
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

// unread notes a key whose spend could not be read.
func (o *overview) unread(key string) { o.out.Unread = append(o.out.Unread, key) }

// done returns what was gathered, in order; nil if no key could be read, since nothing is known then.
func (o *overview) done() *report.Overview {
	out := &o.out
	if len(out.Keys) == 0 && len(out.Unread) > 0 {
		return nil
	}
	slices.Sort(out.Unread)
	out.Total = report.PeriodSums{Spend: decimal.NewNullDecimal(decimal.Zero), Before: decimal.NewNullDecimal(decimal.Zero)}
	for _, k := range out.Keys {
		addNow(&out.Total, k.Spend.Decimal, k.Requests, k.Failed, k.Tokens)
		addBefore(&out.Total, k.Before.Decimal)
	}
	out.Total, out.Saved = out.Total.Grown(), o.saved
	slices.SortStableFunc(out.Keys, dearestFirst)
	out.Models, out.Providers = sorted(o.models, dearestFirst), sorted(o.providers, dearestFirst)
	out.Tags, out.EndUsers = sorted(o.tags, dearestFirst), sorted(o.endUsers, dearestFirst)
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

func sorted(by byName, order func(a, b report.PeriodSums) int) []report.PeriodSums {
	var list []report.PeriodSums
	for _, s := range by {
		list = append(list, s.Grown())
	}
	slices.SortFunc(list, order)
	return list
}

func addNow(s *report.PeriodSums, spend decimal.Decimal, requests, failed, tokens int64) {
	s.Spend = decimal.NewNullDecimal(s.Spend.Decimal.Add(spend))
	s.Requests = figure.Add(s.Requests, requests)
	s.Failed = figure.Add(s.Failed, failed)
	s.Tokens = figure.Add(s.Tokens, tokens)
}

func addBefore(s *report.PeriodSums, spend decimal.Decimal) {
	s.Before = decimal.NewNullDecimal(s.Before.Decimal.Add(spend))
}

func merge(to byName, list []budget.ModelSpend) {
	for _, m := range list {
		s := named(to, m.Model)
		addNow(&s, m.Spend, m.Requests, m.Failed, m.Tokens)
		to[m.Model] = s
	}
}

func mergeBefore(to byName, list []budget.ModelSpend) {
	for _, m := range list {
		s := named(to, m.Model)
		addBefore(&s, m.Spend)
		to[m.Model] = s
	}
}

func named(in byName, name string) report.PeriodSums {
	if s, ok := in[name]; ok {
		return s
	}
	zero := decimal.NewNullDecimal(decimal.Zero)
	return report.PeriodSums{Name: name, Spend: zero, Before: zero}
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
