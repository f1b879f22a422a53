package report

import (
	"regexp"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/finding"
)

// Options say for whom and what a report is rendered. The zero value is 80 columns of Unicode without colour, everything
// shown, nothing cut.
type Options struct {
	Width int  // columns of the terminal; 0: 80
	Color bool // ANSI colours
	ASCII bool // no bars, sparklines and signs outside ASCII

	// Public leaves out what people outside must not read: who spends, tags, request ids, what the proxy, a provider or
	// the network said, and addresses.
	Public bool
	// HideAmounts leaves out amounts of money; percentages stay.
	HideAmounts bool

	// Limit is the most bytes that Markdown may return; 0: no limit. What does not fit is cut, the worst kept, visibly.
	Limit int
}

// The sizes that GitHub takes. Both are counted in bytes here, which is never too many.
const (
	IssueLimit   = 65536
	SummaryLimit = 1 << 20
)

// view returns what of r the options allow to be shown.
func (o Options) view(r Report) Report {
	if o.Public {
		r = public(r)
	}
	if o.HideAmounts {
		r = withoutAmounts(r)
	}
	return r
}

func (o Options) width() int {
	if o.Width <= 0 {
		return 80
	}
	return max(o.Width, 40)
}

// amountForm is an amount of money in one of this tool's texts.
var amountForm = regexp.MustCompile(`(?i)([$€]\s?[0-9][0-9.,]*)|([0-9][0-9.,]*\s?(USD|EUR|dollars?)\b)|` +
	`((cost|budget|spend)[a-z_ ]*[:=]\s*[0-9][0-9.,]*)`)

// Hide returns a text of this tool's own without the amounts that o leaves out, for what is told outside of a Report: a
// log. Names are not looked for: what may hold one is left out before, by finding.Public and the like.
func (o Options) Hide(s string) string {
	if o.HideAmounts {
		s = hideAmounts(s)
	}
	return s
}

// hideAmounts takes amounts of money out of a text.
func hideAmounts(s string) string {
	return amountForm.ReplaceAllStringFunc(s, func(hit string) string {
		if strings.Contains(hit, "budget_exceeded_status_code") {
			return hit // a setting of the proxy, which advice names
		}
		return "[amount]"
	})
}

// withoutAmounts returns r without amounts of money.
func withoutAmounts(r Report) Report {
	r = mapTexts(r, hideAmounts)
	r.AmountsHidden = true
	r.Logs, r.Overview, r.History = r.Logs.withoutAmounts(), r.Overview.withoutAmounts(), r.History.withoutAmounts()
	none := decimal.NullDecimal{}
	r.Totals.Spend, r.Totals.MaxBudget = none, none
	for i := range r.Keys {
		k := &r.Keys[i]
		k.Spend, k.MaxBudget = none, none
		for j := range k.Generations {
			k.Generations[j].Spend = none
		}
		for j := range k.Days {
			k.Days[j].Spend = none
			for m := range k.Days[j].Models {
				k.Days[j].Models[m].Spend = none
			}
		}
		for j := range k.Models {
			k.Models[j].Spend = none
		}
	}
	for i := range r.Findings {
		f := &r.Findings[i]
		f.Observed, f.Limit = withoutUSD(f.Observed), withoutUSD(f.Limit)
	}
	return r
}

func withoutUSD(q *finding.Quantity) *finding.Quantity {
	if q != nil && q.Unit == "USD" {
		return nil
	}
	return q
}

// mapTexts returns a copy of r, sharing no slice with it, with f applied to every text that may come from outside.
func mapTexts(r Report, f func(string) string) Report {
	r.Notes = slices.Clone(r.Notes)
	for i := range r.Notes {
		r.Notes[i] = f(r.Notes[i])
	}
	r.Failures = slices.Clone(r.Failures)
	for i := range r.Failures {
		one := &r.Failures[i]
		one.Message, one.Public = f(one.Message), f(one.Public)
	}
	r.PublicNotes = slices.Clone(r.PublicNotes)
	for i := range r.PublicNotes {
		r.PublicNotes[i] = f(r.PublicNotes[i])
	}
	r.Findings = slices.Clone(r.Findings)
	for i := range r.Findings {
		g := &r.Findings[i]
		g.Summary, g.Cause, g.Advice = f(g.Summary), f(g.Cause), f(g.Advice)
		g.Said, g.Who = f(g.Said), f(g.Who)
	}
	r.Keys = slices.Clone(r.Keys)
	for i := range r.Keys {
		r.Keys[i] = mapKey(r.Keys[i], f)
	}
	if r.Proxy != nil {
		p := *r.Proxy
		p.Trouble, p.PublicTrouble = f(p.Trouble), f(p.PublicTrouble)
		p.Gaps, p.PublicGaps = slices.Clone(p.Gaps), slices.Clone(p.PublicGaps)
		for i := range p.Gaps {
			p.Gaps[i] = f(p.Gaps[i])
		}
		for i := range p.PublicGaps {
			p.PublicGaps[i] = f(p.PublicGaps[i])
		}
		p.Unhealthy = slices.Clone(p.Unhealthy)
		for i := range p.Unhealthy {
			p.Unhealthy[i].Error = f(p.Unhealthy[i].Error)
		}
		r.Proxy = &p
	}
	return r
}

func mapKey(k Key, f func(string) string) Key {
	k.Waiting = f(k.Waiting)
	k.Generations, k.Targets, k.Actions = slices.Clone(k.Generations), slices.Clone(k.Targets), slices.Clone(k.Actions)
	k.Days, k.Models = slices.Clone(k.Days), slices.Clone(k.Models)
	for i := range k.Days {
		k.Days[i].Models = slices.Clone(k.Days[i].Models)
	}
	for i := range k.Targets {
		t := &k.Targets[i]
		t.Detail, t.PublicDetail = f(t.Detail), f(t.PublicDetail)
	}
	for i := range k.Actions {
		a := &k.Actions[i]
		a.Reason, a.Who, a.Error, a.PublicError = f(a.Reason), f(a.Who), f(a.Error), f(a.PublicError)
	}
	return k
}
