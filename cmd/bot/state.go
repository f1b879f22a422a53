package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/org/openclaw-litellm-action/report"
	"github.com/org/openclaw-litellm-action/settings"
	"github.com/org/openclaw-litellm-action/store"
)

// pastDays is how far back reports show what past passes saw.
const pastDays = 90

// openState opens the state file that the settings name; without one it does nothing. close is to be called in any case.
func (b *bot) openState(ctx context.Context) (close func(), err error) {
	if b.set.StateFile == "" {
		return func() {}, nil
	}
	if b.state, err = store.Open(ctx, b.set.StateFile); err != nil {
		return func() {}, fmt.Errorf("%s: %w", b.set.From("state-file"), err)
	}
	return func() {
		if err := b.state.Close(); err != nil {
			b.log.Error("closing the state file", "error", err)
		}
	}, nil
}

// past reads what past passes saw, where it is going to be shown.
func (p *pass) past(ctx context.Context) {
	if p.state == nil || p.set.Command != settings.CommandReport && !slices.Contains([]string{"html", "json"}, p.set.Format) {
		return
	}
	h, err := p.state.History(ctx, p.in.Now.AddDate(0, 0, -pastDays))
	if err != nil {
		p.errs = append(p.errs, err)
		p.in.Failures = append(p.in.Failures, report.FailureOf("observe", "", "", err))
	}
	p.in.History = h
}

// record keeps what the pass saw for later ones.
func (p *pass) record(ctx context.Context, r report.Report) error {
	if p.state == nil {
		return nil
	}
	return p.state.Record(ctx, r)
}
