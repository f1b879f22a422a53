package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/finding"
)

// Overview is what a period cost, over all keys, against the period before it.
type Overview struct {
	Source     string    `json:"source"`
	BeforeFrom time.Time `json:"before_from"`       // the period before is [BeforeFrom, Period.From)
	Running    bool      `json:"running,omitempty"` // the period is not over: it is held against all of the one before

	// Unread names the keys whose spend could not be read, by name: they are in none of the sums.
	Unread []string `json:"unread_keys,omitempty"`

	Total     PeriodSums   `json:"total"`
	Keys      []PeriodSums `json:"keys,omitempty"`   // dearest first
	Models    []PeriodSums `json:"models,omitempty"` // dearest first
	Providers []PeriodSums `json:"providers,omitempty"`
	Days      []PeriodSums `json:"days,omitempty"`      // in date order
	Tags      []PeriodSums `json:"tags,omitempty"`      // dearest first; a request with several tags counts in each
	EndUsers  []PeriodSums `json:"end_users,omitempty"` // dearest first; of the requests that name one

	Dearest       []LogRequest `json:"dearest,omitempty"` // the most expensive requests
	DearestSource string       `json:"dearest_source,omitempty"`
	PartsSource   string       `json:"parts_source,omitempty"` // of tags and end users

	CachedPrompt int64               `json:"cached_prompt"` // prompt tokens that providers had cached
	Saved        decimal.NullDecimal `json:"saved"`         // by providers' caches, as LiteLLM tells; null: this release does not

	Hits *PeriodHits `json:"cache_hits,omitempty"` // what LiteLLM's own cache answered; nil: not asked
}

// PeriodHits are the requests of a period that LiteLLM's own cache answered, at no cost.
type PeriodHits struct {
	Requests int64               `json:"requests"`
	Unpriced int64               `json:"unpriced"`           // of Requests: no price is known for them
	Saved    decimal.NullDecimal `json:"saved"`              // what the others would have cost
	AtLeast  bool                `json:"at_least,omitempty"` // there may have been more
	Source   string              `json:"source"`
}

// PeriodSums are the sums of a period: of a key, model, provider, tag, end user or day by its name, or of all.
type PeriodSums struct {
	Name     string              `json:"name,omitempty"`
	Spend    decimal.NullDecimal `json:"spend"`
	Before   decimal.NullDecimal `json:"before"`         // Spend of the period before; null for days
	Change   decimal.NullDecimal `json:"change_percent"` // from Before to Spend; null if nothing was spent before
	Requests int64               `json:"requests"`
	Failed   int64               `json:"failed"`
	Tokens   int64               `json:"tokens"`
}

// Grown returns the sums with Change worked out.
func (s PeriodSums) Grown() PeriodSums {
	s.Change = decimal.NullDecimal{}
	if s.Spend.Valid && s.Before.Valid && s.Before.Decimal.IsPositive() {
		grown := s.Spend.Decimal.Sub(s.Before.Decimal).Mul(decimal.NewFromInt(100))
		s.Change = decimal.NewNullDecimal(grown.DivRound(s.Before.Decimal, 1))
	}
	return s
}

// clone returns a copy that shares nothing that is changed below.
func (o *Overview) clone() *Overview {
	c := *o
	c.Keys, c.Models, c.Providers, c.Days = slices.Clone(o.Keys), slices.Clone(o.Models), slices.Clone(o.Providers), slices.Clone(o.Days)
	c.Tags, c.EndUsers, c.Dearest = slices.Clone(o.Tags), slices.Clone(o.EndUsers), slices.Clone(o.Dearest)
	if o.Hits != nil {
		hits := *o.Hits
		c.Hits = &hits
	}
	return &c
}

// public leaves out end users, and what callers write and may name anybody with: tags and request ids.
func (o *Overview) public() *Overview {
	if o == nil {
		return nil
	}
	c := o.clone()
	c.Tags, c.EndUsers = nil, nil
	for i := range c.Dearest {
		c.Dearest[i].ID, c.Dearest[i].EndUser = "", ""
	}
	c.Models = knownPeriods(c.Models)
	return c
}

// knownPeriods returns the sums of models with those that answered nothing under one name.
func knownPeriods(models []PeriodSums) []PeriodSums {
	var out []PeriodSums
	rest := PeriodSums{Name: unanswered}
	for _, m := range models {
		if m.Requests > m.Failed || m.Spend.Decimal.IsPositive() || m.Before.Decimal.IsPositive() {
			out = append(out, m)
			continue
		}
		rest.Spend = plus(rest.Spend, m.Spend)
		rest.Before = plus(rest.Before, m.Before)
		rest.Requests += m.Requests
		rest.Failed += m.Failed
		rest.Tokens += m.Tokens
	}
	if rest.Requests > 0 {
		out = append(out, rest)
	}
	return out
}

// withoutAmounts leaves out money; how much it changed stays.
func (o *Overview) withoutAmounts() *Overview {
	if o == nil {
		return nil
	}
	c, none := o.clone(), decimal.NullDecimal{}
	c.Saved, c.Total.Spend, c.Total.Before = none, none, none
	if c.Hits != nil {
		c.Hits.Saved = none
	}
	for _, list := range [][]PeriodSums{c.Keys, c.Models, c.Providers, c.Days, c.Tags, c.EndUsers} {
		for i := range list {
			list[i].Spend, list[i].Before = none, none
		}
	}
	for i := range c.Dearest {
		c.Dearest[i].Spend = none
	}
	return c
}

// lines says in a few sentences what the period cost.
func (o *Overview) lines() []string {
	s, than := o.Total, " than in the period before"
	if o.Running {
		than = " so far than in all of the period before"
	}
	out := []string{fmt.Sprintf("%s in %s, %d tokens, %d failed", usd(s.Spend.Valid, money(s.Spend)), finding.Plural(int(s.Requests), "request"), s.Tokens, s.Failed)}
	if len(o.Unread) > 0 {
		out[0] += ", " + o.without()
	}
	switch {
	case s.Change.Valid && s.Before.Valid:
		out = append(out, fmt.Sprintf("%s%s (%s USD, from %s)", moreOrLess(s.Change.Decimal), than, money(s.Before), date(o.BeforeFrom)))
	case s.Change.Valid:
		out = append(out, moreOrLess(s.Change.Decimal)+than+", from "+date(o.BeforeFrom))
	case s.Before.Valid:
		out = append(out, "nothing was spent in the period before, from "+date(o.BeforeFrom))
	}
	if o.CachedPrompt > 0 {
		cached := fmt.Sprintf("%d prompt tokens came from providers' caches", o.CachedPrompt)
		if o.Saved.Valid {
			cached += ", which saved " + money(o.Saved) + " USD"
		}
		out = append(out, cached)
	}
	if o.Hits != nil && o.Hits.Requests > 0 {
		out = append(out, o.Hits.line())
	}
	if len(o.Tags) > 1 {
		out = append(out, severalTags)
	}
	return append(out, o.sources())
}

// without says which keys are not in the sums; "" if all are.
func (o *Overview) without() string {
	const most = 5
	if len(o.Unread) == 0 {
		return ""
	}
	var names []string
	for _, name := range o.Unread[:min(most, len(o.Unread))] {
		names = append(names, clip(visible(name), nameLimit))
	}
	if n := len(o.Unread) - most; n > 0 {
		names = append(names, fmt.Sprintf("%d more", n))
	}
	return "without " + strings.Join(names, ", ") + ", which could not be read"
}

// sources says where the figures come from that are shown.
func (o *Overview) sources() string {
	line := "sums by UTC day from " + o.Source
	if o.PartsSource != "" && len(o.Tags)+len(o.EndUsers) > 0 {
		line += ", those of tags and end users from " + o.PartsSource
	}
	if o.DearestSource != "" && len(o.Dearest) > 0 {
		line += "; single requests from " + o.DearestSource
	}
	return line
}

// severalTags says why spend by tag can be more than all.
const severalTags = "a request with several tags counts in each of them"

// line says what the cache answered.
func (h *PeriodHits) line() string {
	line := finding.Plural(int(h.Requests), "request") + " answered by LiteLLM's own cache"
	if h.AtLeast {
		line = "at least " + line
	}
	if h.Saved.Valid && h.Requests > h.Unpriced {
		line += ", which saved " + money(h.Saved) + " USD"
	}
	if h.Unpriced > 0 {
		line += fmt.Sprintf(" (no price is known for %d of them)", h.Unpriced)
	}
	return line + ", from " + h.Source
}

func moreOrLess(change decimal.Decimal) string {
	switch {
	case change.IsNegative():
		return change.Neg().String() + "% less"
	case change.IsZero():
		return "neither more nor less"
	}
	return change.String() + "% more"
}

// tables returns what the period cost by day, key, model, provider, tag and end user, and the dearest requests.
func (o *Overview) tables() []logTable {
	var out []logTable
	for _, g := range []struct {
		noun string
		list []PeriodSums
		last bool // the last ones are shown rather than the first
	}{{"day", o.Days, true}, {"key", o.Keys, false}, {"model", o.Models, false}, {"provider", o.Providers, false},
		{"tag", o.Tags, false}, {"end user", o.EndUsers, false}} {
		list, more := g.list, max(len(g.list)-logLines, 0)
		if g.last {
			list = list[more:]
		}
		t := logTable{title: "Spend by " + g.noun, noun: g.noun, heads: []string{g.noun, "spend USD", "before USD", "change", "requests", "tokens", "failed"}, more: more}
		for _, v := range list[:min(len(list), logLines)] {
			t.rows = append(t.rows, v.row())
		}
		out = append(out, t)
	}
	return append(out, dearestTable(o.Dearest))
}

func (s PeriodSums) row() []string {
	change, before := "", ""
	if s.Change.Valid {
		change = s.Change.Decimal.String() + "%"
	}
	if s.Before.Valid {
		before = money(s.Before)
	}
	return []string{s.Name, money(s.Spend), before, change, fmt.Sprint(s.Requests), fmt.Sprint(s.Tokens), fmt.Sprint(s.Failed)}
}

// overview shows the period.
func (t *text) overview() {
	if t.r.Overview == nil {
		return
	}
	t.head("The period")
	for _, s := range t.r.Overview.lines() {
		t.para("  ", clip(visible(s), textLimit), plain)
	}
	for _, table := range t.r.Overview.tables() {
		t.logTable(table)
	}
}

// mdOverview shows the period.
func mdOverview(r Report) []section {
	if r.Overview == nil {
		return nil
	}
	s := section{title: "The period", noun: "line", share: 50}
	for _, line := range r.Overview.lines() {
		s.rows = append(s.rows, "- "+mdText(clip(line, textLimit)))
	}
	return append([]section{s}, mdTables(r.Overview.tables())...)
}

// csvName is a name that no spreadsheet takes for a formula.
func csvName(s string) string {
	if strings.ContainsAny(s[:min(1, len(s))], "=+-@\t\r") {
		return "'" + s
	}
	return s
}
