package main

import (
	"context"
	"fmt"
	"time"

	"github.com/org/openclaw-litellm-action/budget"
	"github.com/org/openclaw-litellm-action/failover"
	"github.com/org/openclaw-litellm-action/finding"
	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/observe"
	"github.com/org/openclaw-litellm-action/report"
	"github.com/org/openclaw-litellm-action/settings"
)

// The bounds of what a report looks up beyond sums by day.
const (
	mostDearest  = 10   // requests in a report
	detailedKeys = 10   // logical keys whose requests, tags and end users are looked up
	mostTokens   = 40   // virtual keys whose tags and end users are, two requests each
	mostHits     = 1000 // free requests a logical key that are looked through for those that the cache answered
)

// period reports each key's spend over the period asked for, and the period against the one before.
func (p *pass) period(ctx context.Context) {
	s := spanOf(p.set.Period, p.in.Now)
	p.in.Period = &report.Period{Name: p.set.Period.Name, From: s.from, To: s.to}
	o, all := p.observer(), newOverview(s)
	all.out.Running = s.to.Equal(p.in.Now)
	keys := p.selected()
	d := details{pass: p, o: o, all: all, tokens: mostTokens}
	for _, k := range keys {
		facts, err := p.spend(ctx, o, k)
		if err == nil {
			err = o.Activity(ctx, &facts, holderOf(k), s.before, s.to.Add(-time.Second))
		}
		if err != nil {
			p.failed(k.Name, err)
			all.unread(k.Name)
			continue
		}
		if len(keys) <= detailedKeys {
			d.look(ctx, k, &facts)
		}
		facts.Days = all.add(k.Name, facts.Days)
		facts.Models = budget.SumDays(facts.Days)
		facts.Unjudged = budget.Rules() // a report judges nothing
		p.in.Spend = append(p.in.Spend, facts)
	}
	if len(keys) > detailedKeys {
		p.note("the most expensive requests, tags, end users and answers from LiteLLM's cache are looked up for at most %d keys", detailedKeys)
	}
	p.in.Overview = all.done()
}

// details looks up what sums by day do not tell. What cannot be had is a note, once, and never hides the rest.
type details struct {
	*pass
	o      observe.Observer
	all    *overview
	tokens int // virtual keys that may still be asked about
	prices observe.Prices
	refuse map[string]bool // what could not be had
}

// look takes in what is known of one key's requests.
func (d *details) look(ctx context.Context, k settings.Key, f *budget.Facts) {
	d.try("the most expensive requests", func() error { return d.dearest(ctx, k) })
	d.try("tags and end users", func() error {
		left, err := d.o.Parts(ctx, f, d.tokens)
		if d.tokens -= len(f.Tokens) - left; left > 0 {
			return fmt.Errorf("they are looked up for at most %d virtual keys", mostTokens)
		}
		return err
	})
	d.try("what LiteLLM's cache answered", func() error { return d.hits(ctx, k) })
}

// try does one look-up, unless it failed for an earlier key.
func (d *details) try(what string, look func() error) {
	if d.refuse[what] {
		return
	}
	if err := look(); err != nil {
		if d.refuse == nil {
			d.refuse = map[string]bool{}
		}
		d.refuse[what] = true
		advice := ""
		if litellm.IsKind(err, litellm.Forbidden) {
			advice = "; the management key lacks this route, see the recipe in docs/facts.md"
		}
		d.doubt("not told in full: "+what, err, advice)
	}
}

// end is the end of the period for rows: what began just now counts.
func (d *details) end() time.Time {
	if d.all.to.Equal(d.in.Now) {
		return d.all.to.Add(time.Second)
	}
	return d.all.to
}

func (d *details) dearest(ctx context.Context, k settings.Key) error {
	requests, err := d.o.Dearest(ctx, holderOf(k), d.all.from, d.end(), mostDearest)
	if err == nil {
		d.all.dearest(k.Name, requests)
	}
	return err
}

func (d *details) hits(ctx context.Context, k settings.Key) error {
	if d.prices == nil {
		prices, err := d.o.Prices(ctx)
		if err != nil {
			return err
		}
		d.prices = prices
	}
	hits, err := d.o.CacheHits(ctx, holderOf(k), d.all.from, d.end(), mostHits, d.prices)
	if err == nil {
		d.all.hits(hits)
	}
	return err
}

// doubt notes what could not be learned, and why.
func (p *pass) doubt(what string, err error, advice string) {
	why := failover.Gap{Text: what + advice + ": " + finding.Public(err), Said: finding.Said(err)}
	p.in.Doubts = append(p.in.Doubts, why)
}

// note adds a note, without secrets, in words for everybody.
func (p *pass) note(format string, args ...any) {
	p.in.Notes = append(p.in.Notes, p.known.Redact(fmt.Sprintf(format, args...)))
}
