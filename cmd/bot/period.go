package main

import (
	"context"
	"time"

	"github.com/org/openclaw-litellm-action/budget"
	"github.com/org/openclaw-litellm-action/report"
)

// period reports each key's spend by day and model over the period asked for.
func (p *pass) period(ctx context.Context) {
	from := periodStart(p.set.Period, p.in.Now)
	p.in.Period = &report.Period{Name: p.set.Period, From: from, To: p.in.Now.UTC()}
	o := p.observer()
	for _, k := range p.selected() {
		facts, err := p.spend(ctx, o, k)
		if err == nil {
			err = o.Activity(ctx, &facts, holderOf(k), from, p.in.Now)
		}
		if err != nil {
			p.failed(k.Name, err)
			continue
		}
		facts.Unjudged = budget.Rules() // a report judges nothing
		p.in.Spend = append(p.in.Spend, facts)
	}
}

// periodStart is the beginning of the day, the week (Monday) or the month that now is in, or the day 24 hours or 7 days
// ago. All in UTC: LiteLLM sums by UTC day.
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
	case "7d":
		return today.AddDate(0, 0, -6)
	}
	return today.AddDate(0, 0, -(int(now.Weekday())+6)%7)
}
