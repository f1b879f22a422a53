package report

import (
	"net/netip"
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

	// Public leaves out what people outside must not read: users, e-mail and IP addresses, the proxy's address.
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

// The shapes of what is not shown in public. The words before a user's name are LiteLLM's own.
var (
	userForm   = regexp.MustCompile(`(?i)\b(user|user_id|end_user|end-user|customer|email|tag)(\s*[=:]\s*)[^\s,;)]+`)
	emailForm  = regexp.MustCompile(`[^\s<>"'=,;:()]+@[^\s<>"'=,;:()]+\.[^\s<>"'=,;:()]+`)
	addrForm   = regexp.MustCompile(`[0-9A-Fa-f:.]*[0-9A-Fa-f]+[:.][0-9A-Fa-f:.]+`)
	urlForm    = regexp.MustCompile(`https?://[^\s"'<>)]+`)
	amountForm = regexp.MustCompile(`(?i)([$€]\s?[0-9][0-9.,]*)|([0-9][0-9.,]*\s?(USD|EUR|dollars?)\b)|((cost|budget|spend)[a-z_ ]*[:=]\s*[0-9][0-9.,]*)`)
)

// Hide returns a text without what o leaves out, for what is told outside of a Report: a log.
func (o Options) Hide(s string) string {
	if o.Public {
		s = scrub(s)
	}
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

// scrub takes users, addresses and URLs out of a text.
func scrub(s string) string {
	s = urlForm.ReplaceAllString(s, "[address]")
	s = userForm.ReplaceAllString(s, "$1$2[user]")
	s = emailForm.ReplaceAllString(s, "[user]")
	return addrForm.ReplaceAllStringFunc(s, func(text string) string {
		bare := strings.Trim(text, ".:")
		if addr, err := netip.ParseAddr(bare); err == nil {
			return strings.Replace(text, addr.String(), "[address]", 1)
		}
		if addr, err := netip.ParseAddrPort(bare); err == nil {
			return strings.Replace(text, addr.String(), "[address]", 1)
		}
		return text
	})
}

// public returns r as people outside may read it.
func public(r Report) Report {
	r = mapTexts(r, scrub)
	r.Logs, r.Overview = r.Logs.public(), r.Overview.public()
	for i := range r.Findings { // mapTexts copied them
		r.Findings[i].Said, r.Findings[i].Who = "", ""
	}
	if r.Proxy != nil {
		r.Proxy.URL = ""
	}
	return r
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
		r.Failures[i].Message = f(r.Failures[i].Message)
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
		p.Trouble, p.Gaps = f(p.Trouble), slices.Clone(p.Gaps)
		for i := range p.Gaps {
			p.Gaps[i] = f(p.Gaps[i])
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
		k.Targets[i].Detail = f(k.Targets[i].Detail)
	}
	for i := range k.Actions {
		k.Actions[i].Reason, k.Actions[i].Error = f(k.Actions[i].Reason), f(k.Actions[i].Error)
	}
	return k
}
