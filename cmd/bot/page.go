package main

import (
	"context"

	"github.com/org/openclaw-litellm-action/settings"
)

// pageDays is how many days of spend the page shows where the command itself asks for none.
const pageDays = 30

// chart reads what only the page shows, with one request a key: spend by day and model. Other formats do without.
func (p *pass) chart(ctx context.Context) {
	if p.set.Format != "html" || p.set.Command == settings.CommandReport || p.set.DryRun {
		return
	}
	o := p.observer()
	for i := range p.in.Spend {
		facts := &p.in.Spend[i]
		for _, k := range p.selected() {
			if k.Name != facts.Key || facts.Days != nil {
				continue
			}
			if err := o.Activity(ctx, facts, holderOf(k), p.in.Now.AddDate(0, 0, 1-pageDays), p.in.Now); err != nil {
				p.failed(k.Name, err)
			}
		}
	}
}
