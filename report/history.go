package report

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/budget"
	"github.com/org/openclaw-litellm-action/finding"
)

// History is what past passes saw, as far as a state file kept it.
type History struct {
	From    time.Time `json:"from"`    // of the first pass in it
	Passes  int       `json:"passes"`  // how many there were
	Failed  int       `json:"failed"`  // of them, in how many something failed
	Rotated int       `json:"rotated"` // keys rotated in them

	Keys     []KeyPast `json:"keys"`     // by name
	Episodes []Episode `json:"episodes"` // in order of their beginning
}

// KeyPast is how the budget of one key was used.
type KeyPast struct {
	Name   string  `json:"name"`
	Points []Point `json:"points"` // in order of time; between two the figures stayed as they were
}

// Point is what was known of a key at one moment.
type Point struct {
	At         time.Time           `json:"at"`
	Generation int                 `json:"generation"` // -1: none, or not known
	Spend      decimal.NullDecimal `json:"spend"`      // in the window
	MaxBudget  decimal.NullDecimal `json:"max_budget"`
	Used       decimal.NullDecimal `json:"used_percent"`
}

// The kinds of episode.
const (
	EpisodeFallback  = "fallback"  // requests for Subject were served by Detail
	EpisodeUnserved  = "unserved"  // requests for Subject failed, and so did Detail, their fallback
	EpisodeUnhealthy = "unhealthy" // a deployment of Subject failed its health check
	EpisodeProxy     = "proxy"     // the proxy was not ready, for the reason Subject
)

// Episode is a trouble and how long it lasted.
type Episode struct {
	Kind    string    `json:"kind"`
	Subject string    `json:"subject"`
	Detail  string    `json:"detail,omitempty"`
	From    time.Time `json:"from"`
	To      time.Time `json:"to"` // when it was last seen
}

// Episodes returns the troubles that r tells of, for a store to keep: one that goes on has begun before.
func Episodes(r Report) []Episode {
	p := r.Proxy
	if p == nil {
		return nil
	}
	var out []Episode
	if !p.Ready {
		out = append(out, Episode{EpisodeProxy, cmp.Or(p.Cause, "not known"), "", r.GeneratedAt, r.GeneratedAt})
	}
	for _, s := range p.Served {
		out = append(out, Episode{EpisodeFallback, clip(s.Primary, nameLimit), clip(s.By, nameLimit), orTime(s.First, r.GeneratedAt), orTime(s.Last, r.GeneratedAt)})
	}
	for _, u := range p.Unserved {
		out = append(out, Episode{EpisodeUnserved, clip(u.Primary, nameLimit), clip(u.By, nameLimit), orTime(u.First, r.GeneratedAt), orTime(u.Last, r.GeneratedAt)})
	}
	for _, u := range p.Unhealthy {
		out = append(out, Episode{EpisodeUnhealthy, clip(u.Model, nameLimit), "", earlier(u.CheckedAt, r.GeneratedAt), r.GeneratedAt})
	}
	return out
}

func orTime(at, fallback time.Time) time.Time {
	if at.IsZero() {
		return fallback
	}
	return at
}

// UsedShare is a spend in percent of a limit, to a tenth; null where one of them is not known.
func UsedShare(spend, limit decimal.NullDecimal) decimal.NullDecimal {
	if !spend.Valid || !limit.Valid {
		return decimal.NullDecimal{}
	}
	return decimal.NewNullDecimal(budget.Percent(budget.Facts{Spend: spend.Decimal, Limit: limit}).RoundFloor(1))
}

// words says what the episode was.
func (e Episode) words() string {
	switch e.Kind {
	case EpisodeFallback:
		return brief(shown(e.Subject, nameLimit), nameLimit/2) + " served by " + brief(shown(e.Detail, nameLimit), nameLimit/2)
	case EpisodeUnserved:
		return brief(shown(e.Subject, nameLimit), nameLimit/2) + " served by nobody, " + brief(shown(e.Detail, nameLimit), nameLimit/2) + " failed too"
	case EpisodeUnhealthy:
		return brief(shown(e.Subject, nameLimit), nameLimit/2) + ": unhealthy deployment"
	case EpisodeProxy:
		return "proxy down: " + brief(shown(e.Subject, nameLimit), nameLimit/2)
	}
	return shown(e.Kind+" "+e.Subject, nameLimit)
}

// lasted says from when to when: "29 Oct 2026 09:31 to 13:09 (3h)".
func (e Episode) lasted() string {
	to := stamp(e.To)
	if e.From.UTC().Format(time.DateOnly) == e.To.UTC().Format(time.DateOnly) {
		to = e.To.UTC().Format("15:04")
	}
	return fmt.Sprintf("%s to %s (%s)", e.From.UTC().Format("2 Jan 2006 15:04"), to, finding.Short(max(e.To.Sub(e.From), time.Minute)))
}

// asOf leaves out what a clock recorded in the future that has since been set back.
func (h *History) asOf(now time.Time) *History {
	if h == nil {
		return nil
	}
	c := *h
	c.Episodes = slices.DeleteFunc(slices.Clone(h.Episodes), func(e Episode) bool { return ahead(e.From, now) })
	c.Keys = slices.Clone(h.Keys)
	for i, k := range c.Keys {
		c.Keys[i].Points = slices.DeleteFunc(slices.Clone(k.Points), func(p Point) bool { return ahead(p.At, now) })
	}
	return &c
}

// withoutAmounts leaves out money; shares stay.
func (h *History) withoutAmounts() *History {
	if h == nil {
		return nil
	}
	c := *h
	c.Keys = slices.Clone(h.Keys)
	for i := range c.Keys {
		c.Keys[i].Points = slices.Clone(c.Keys[i].Points)
		for j := range c.Keys[i].Points {
			c.Keys[i].Points[j].Spend, c.Keys[i].Points[j].MaxBudget = decimal.NullDecimal{}, decimal.NullDecimal{}
		}
	}
	return &c
}

// line sums the history up.
func (h *History) line() string {
	s := fmt.Sprintf("%s since %s", finding.Plural(h.Passes, "pass"), date(h.From))
	if h.Failed > 0 {
		s += fmt.Sprintf(", in %d of them something failed", h.Failed)
	}
	if h.Rotated > 0 {
		s += ", " + finding.Plural(h.Rotated, "key") + " rotated"
	}
	return s
}

// pastDay is the use of a key's budget at the end of a UTC day, or now.
type pastDay struct {
	Date string
	Used decimal.Decimal
}

// days are the latest days of the key's past up to now, without gaps, at most n: where nothing changed, the figures go on.
func (k KeyPast) days(now time.Time, n int) []pastDay {
	if len(k.Points) == 0 {
		return nil
	}
	var out []pastDay
	var used decimal.NullDecimal
	i := 0
	for at := k.Points[0].At.UTC().Truncate(24 * time.Hour); !at.After(now); at = at.AddDate(0, 0, 1) {
		for ; i < len(k.Points) && k.Points[i].At.Before(at.AddDate(0, 0, 1)); i++ {
			used = k.Points[i].Used
		}
		if used.Valid {
			out = append(out, pastDay{at.Format(time.DateOnly), used.Decimal})
		}
	}
	return out[max(0, len(out)-n):]
}

// pastOf returns the past of the report's keys that have one, the report's order kept, at most n, and how many more there
// are.
func (r Report) pastOf(n int) (list []KeyPast, more int) {
	if r.History == nil {
		return nil, 0
	}
	byName := map[string]KeyPast{}
	for _, k := range r.History.Keys {
		byName[k.Name] = k
	}
	for _, k := range r.Keys {
		past, ok := byName[k.Name]
		if k.UsedPercent.Valid { // as it is now, which is no past yet
			past.Points = append(slices.Clone(past.Points), Point{At: r.GeneratedAt, Generation: k.Generation, Used: k.UsedPercent})
		}
		if ok && len(past.days(r.GeneratedAt, 1)) > 0 {
			list = append(list, past)
		}
	}
	more = max(len(list)-n, 0)
	return list[:len(list)-more], more
}
