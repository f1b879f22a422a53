package spendlog

import (
	"cmp"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/internal/figure"
)

// Summary is what an export says. Its sums are exact; where a table had more names than are kept, the rest is under
// Others.
type Summary struct {
	Bytes       int64     // of the uncompressed stream
	Rows        int64     // that count
	Outside     int64     // rows that start outside of the time asked for, and do not count
	Lost        int64     // rows, and places between rows, that are not what they should be
	LostMore    bool      // some of those places may have held more than one row
	Faults      []Fault   // the first of them, at most 20
	First, Last time.Time // when the first and the last row start; zero: there is none

	Total     Sums
	Keys      []Key
	Models    []Group
	Days      []Group // by date, YYYY-MM-DD in UTC
	Providers []Group
	Tags      []Group   // a request with several tags counts in each
	EndUsers  []Group   // of the requests that name one
	Dearest   []Request // the most expensive requests, at most 10, the dearest first
	Served    []Served  // by primary and who served

	Repeats      Repeats
	Unread       int64 // rows whose metadata could not be read: neither alias nor fallbacks are known of them
	FallbackTold int64 // rows that tell whether a fallback served
	Saved        Saving
}

// Others names what a table has no room for.
const Others = "(others)"

// Sums are the sums of some rows.
type Sums struct {
	Spend                              decimal.Decimal
	Requests, Failed, Fallbacks        int64
	Prompt, Completion, Tokens         int64
	CacheHits, HitTokens, CachedPrompt int64 // answered by LiteLLM's cache, their tokens; prompt tokens cached by providers
}

// Add adds t to s.
func (s *Sums) Add(t Sums) {
	s.Spend = s.Spend.Add(t.Spend)
	for _, sum := range []struct {
		to *int64
		n  int64
	}{
		{&s.Requests, t.Requests}, {&s.Failed, t.Failed}, {&s.Fallbacks, t.Fallbacks}, {&s.Prompt, t.Prompt}, {&s.Completion, t.Completion},
		{&s.Tokens, t.Tokens}, {&s.CacheHits, t.CacheHits}, {&s.HitTokens, t.HitTokens}, {&s.CachedPrompt, t.CachedPrompt},
	} {
		*sum.to = figure.Add(*sum.to, sum.n)
	}
}

// Group is a name and its sums.
type Group struct {
	Name string
	Sums
}

// Key is one virtual key: its column api_key, and the alias that its rows tell last.
type Key struct {
	Token string // the hash, or what LiteLLM writes where there is none; Others
	Alias string // "" if no row tells
	Sums
	Days, Models []Group

	Dear    int64   // requests that cost Options.Dear or more
	Dearest Request // the most expensive one of them, the first of several
}

// Request is one row.
type Request struct {
	ID, Token, Alias, Model, EndUser string
	Start                            time.Time
	Spend                            decimal.Decimal
	Tokens                           int64
	Failed                           bool
}

// Served counts the requests for Primary that By served, of all the requests for Primary that tell.
type Served struct {
	Primary, By  string
	Requests, Of int64
	First, Last  time.Time
}

// Repeats says how many rows have the request id of an earlier row. In a large export that is estimated from the ids of
// one row in every Of; exact if Of is 1.
type Repeats struct {
	Rows int64
	Of   int64
}

// Saving is what LiteLLM's cache saved: the tokens of its hits at the average price of a token of the same model, as far
// as other requests of this export tell one.
type Saving struct {
	Amount   decimal.Decimal
	Unpriced int64 // hits of models that nothing was paid for
}

// byName orders groups.
func byName(a, b Group) int { return cmp.Compare(a.Name, b.Name) }

// dearestFirst orders groups by what they cost.
func dearestFirst(a, b Group) int { return cmp.Or(b.Spend.Cmp(a.Spend), byName(a, b)) }

// summary makes the Summary of what was counted.
func (t *tally) summary() *Summary {
	s := &Summary{
		Rows: t.total.requests, Outside: t.outside, Lost: t.lost, LostMore: t.more, Faults: t.faults, First: t.first, Last: t.last,
		Total: t.total.sums(), Models: t.models.groups(name), Days: t.days.groups(date), Providers: t.providers.groups(name),
		Tags: t.tags.groups(name), EndUsers: t.endUsers.groups(name),
		Unread: t.unread, FallbackTold: t.told, Repeats: t.seen.repeats(),
	}
	slices.SortFunc(s.Models, dearestFirst)
	slices.SortFunc(s.Days, byName)
	for _, list := range [][]Group{s.Providers, s.Tags, s.EndUsers} {
		slices.SortFunc(list, dearestFirst)
	}
	s.Keys = t.summaryKeys()
	for _, r := range t.top {
		q := r.taken()
		q.Alias = t.aliasOf(q.Token)
		s.Dearest = append(s.Dearest, q)
	}
	for pair, v := range t.served {
		s.Served = append(s.Served, Served{pair[0], pair[1], v.requests, t.asked[pair[0]], v.first, v.last})
	}
	slices.SortFunc(s.Served, func(a, b Served) int { return cmp.Or(cmp.Compare(a.Primary, b.Primary), cmp.Compare(a.By, b.By)) })
	s.Saved = t.saving()
	return s
}

func name(n string) string { return n }

// date is a day's name.
func date(day int32) string {
	if day == othersDay {
		return Others
	}
	return time.Unix(int64(day)*86400, 0).UTC().Format(time.DateOnly)
}

// summaryKeys puts each key's days and models with it.
func (t *tally) summaryKeys() []Key {
	keys := make([]Key, len(t.keys.cells))
	for token, i := range t.keys.index {
		keys[i] = Key{Token: token, Alias: t.aliases[i], Sums: t.keys.cells[i].sums()}
		if d, any := t.dear[i]; any {
			keys[i].Dear, keys[i].Dearest = d.requests, d.top.taken()
		}
	}
	for at, i := range t.keyDays.index {
		keys[at.key].Days = append(keys[at.key].Days, Group{date(at.part), t.keyDays.cells[i].sums()})
	}
	models := make([]string, len(t.models.cells))
	for name, i := range t.models.index {
		models[i] = name
	}
	for at, i := range t.keyModels.index {
		model := Others
		if at.part != othersModel {
			model = models[at.part]
		}
		keys[at.key].Models = append(keys[at.key].Models, Group{model, t.keyModels.cells[i].sums()})
	}
	for i := range keys {
		slices.SortFunc(keys[i].Days, byName)
		slices.SortFunc(keys[i].Models, dearestFirst)
	}
	slices.SortFunc(keys, func(a, b Key) int { return cmp.Or(b.Spend.Cmp(a.Spend), cmp.Compare(a.Token, b.Token)) })
	return keys
}

func (t *tally) aliasOf(token string) string {
	if i, ok := t.keys.index[token]; ok {
		return t.aliases[i]
	}
	return ""
}

// saving prices the hits of each model.
func (t *tally) saving() (s Saving) {
	for _, c := range t.models.cells {
		switch {
		case c.hitTokens == 0:
		case c.paidTokens == 0:
			s.Unpriced += c.hits
		default:
			price := c.spend.Decimal().DivRound(decimal.NewFromInt(c.paidTokens), scale)
			s.Amount = s.Amount.Add(price.Mul(decimal.NewFromInt(c.hitTokens)))
		}
	}
	s.Amount = s.Amount.Round(9)
	return s
}
