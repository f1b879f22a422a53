package spendlog

import (
	"bytes"
	"cmp"
	"math"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/org/openclaw-litellm-action/internal/figure"
)

const (
	mostCells   = 10_000 // of a table
	mostServed  = 1000
	mostFaults  = 20
	mostTop     = 10
	othersDay   = math.MaxInt32
	othersModel = -1
	noName      = "(none)" // of a row that does not say
)

// cell is the sums of some rows, as they are added up.
type cell struct {
	spend                               Amount
	requests, failed, fallbacks         int64
	prompt, completion, tokens          int64
	hits, hitTokens, paidTokens, cached int64
}

// add adds a row.
func (c *cell) add(r *row) {
	c.requests++
	c.spend.Add(r.spend)
	tokens := r.tokens()
	c.prompt = figure.Add(c.prompt, r.prompt)
	c.completion = figure.Add(c.completion, r.completion)
	c.tokens = figure.Add(c.tokens, tokens)
	c.cached = figure.Add(c.cached, max(r.meta.cached, r.meta.read))
	if r.failed() {
		c.failed++
	}
	if r.meta.fallbacks > 0 {
		c.fallbacks++
	}
	if r.hit() {
		c.hits++
		c.hitTokens = figure.Add(c.hitTokens, tokens)
	} else if r.spend.Sign() > 0 {
		c.paidTokens = figure.Add(c.paidTokens, tokens)
	}
}

func (c *cell) sums() Sums {
	return Sums{
		Spend: c.spend.Decimal(), Requests: c.requests, Failed: c.failed, Fallbacks: c.fallbacks, Prompt: c.prompt,
		Completion: c.completion, Tokens: c.tokens, CacheHits: c.hits, HitTokens: c.hitTokens, CachedPrompt: c.cached,
	}
}

// table is cells by name, at most mostCells and one for others.
type table[K comparable] struct {
	index map[K]int32
	cells []cell
}

// at returns the cell of a new name, or of others if there is no room.
func (t *table[K]) at(k, others K) int32 {
	if len(t.cells) >= mostCells {
		if i, ok := t.index[others]; ok {
			return i
		}
		k = others
	}
	i := int32(len(t.cells)) // #nosec G115 -- at most mostCells and one
	t.index[k] = i
	t.cells = append(t.cells, cell{})
	return i
}

func (t *table[K]) groups(name func(K) string) []Group {
	all := make([]Group, 0, len(t.cells))
	for k, i := range t.index {
		all = append(all, Group{name(k), t.cells[i].sums()})
	}
	return all
}

// part is a key's day or model.
type part struct{ key, part int32 }

// tally is everything that is counted.
type tally struct {
	total                       cell
	keys, models, providers     table[string]
	tags, endUsers              table[string]
	days                        table[int32]
	keyDays, keyModels          table[part]
	aliases                     []string // by the cell of keys
	aliased                     []time.Time
	top                         []topRequest
	dear                        map[int32]dear // by the cell of keys; nil: not asked for
	dearFrom                    Amount
	served                      map[[2]string]served
	asked                       map[string]int64 // requests that tell, by the primary asked for
	seen                        sample
	first, last                 time.Time
	outside, lost, unread, told int64
	faults                      []Fault
	more                        bool // a lost place may have been more than a row
}

type served struct {
	requests    int64
	first, last time.Time
}

// topRequest is one of the most expensive requests.
type topRequest struct {
	spend   Amount
	request Request
}

// taken is the request with what it cost.
func (q *topRequest) taken() Request {
	out := q.request
	out.Spend = q.spend.Decimal()
	return out
}

// dear is what is known of a key's expensive requests.
type dear struct {
	requests int64
	top      topRequest
}

func newTally() *tally {
	return &tally{
		keys: table[string]{index: map[string]int32{}}, models: table[string]{index: map[string]int32{}},
		providers: table[string]{index: map[string]int32{}}, tags: table[string]{index: map[string]int32{}},
		endUsers: table[string]{index: map[string]int32{}}, days: table[int32]{index: map[int32]int32{}},
		keyDays: table[part]{index: map[part]int32{}}, keyModels: table[part]{index: map[part]int32{}},
		served: map[[2]string]served{}, asked: map[string]int64{}, seen: newSample(),
	}
}

func (t *tally) fault(f Fault) {
	t.lost++
	if len(t.faults) < mostFaults {
		t.faults = append(t.faults, f)
	}
}

// add counts a row.
func (t *tally) add(r *row, o Options) {
	if r.start.Before(o.From) || !o.To.IsZero() && !r.start.Before(o.To) {
		t.outside++
		return
	}
	if t.first.IsZero() || r.start.Before(t.first) {
		t.first = r.start
	}
	if r.start.After(t.last) {
		t.last = r.start
	}
	t.seen.add(r.id)
	t.total.add(r)
	key := named(&t.keys, r.key)
	t.alias(key, r)
	group := r.group
	if len(group) == 0 {
		group = r.model
	}
	model := named(&t.models, group)
	day := int32(r.start.Unix() / 86400) // #nosec G115 -- years have four digits
	if r.start.Unix() < 0 {
		day = int32((r.start.Unix() - 86399) / 86400) // #nosec G115 -- as above
	}
	t.keys.cells[key].add(r)
	t.models.cells[model].add(r)
	t.providers.cells[named(&t.providers, r.provider)].add(r)
	t.tag(r)
	if len(r.endUser) > 0 {
		t.endUsers.cells[named(&t.endUsers, r.endUser)].add(r)
	}
	t.days.cells[cellOf(&t.days, day, othersDay)].add(r)
	t.keyDays.cells[cellOf(&t.keyDays, part{key, day}, part{key, othersDay})].add(r)
	t.keyModels.cells[cellOf(&t.keyModels, part{key, model}, part{key, othersModel})].add(r)
	t.fallback(r, group)
	t.rank(r, group)
	if t.dear != nil && r.spend.Cmp(t.dearFrom) >= 0 {
		d := t.dear[key]
		if d.requests == 0 || !d.top.before(r) {
			d.top = topOf(r, group)
		}
		d.requests++
		t.dear[key] = d
	}
	if r.meta.lost {
		t.unread++
	}
}

// tag counts a row for each of its tags, once if one is there twice.
func (t *tally) tag(r *row) {
	var counted [mostTags]int32
	done := counted[:0]
	for _, tag := range r.tags {
		if i := named(&t.tags, tag); !slices.Contains(done, i) {
			t.tags.cells[i].add(r)
			done = append(done, i)
		}
	}
}

// cellOf finds or makes the cell of a name.
func cellOf[K comparable](t *table[K], k, others K) int32 {
	if i, ok := t.index[k]; ok {
		return i
	}
	return t.at(k, others)
}

// named finds or makes the cell of a name that a row has.
func named(t *table[string], name []byte) int32 {
	if i, ok := t.index[string(name)]; ok {
		return i
	}
	return cellOf(t, label(name), Others)
}

// label is a name as it is shown: in valid UTF-8, like encoding/json makes it, and never empty.
func label(name []byte) string {
	switch {
	case len(name) == 0:
		return noName
	case utf8.Valid(name):
		return string(name)
	}
	return string([]rune(string(name)))
}

// alias keeps the alias that the latest row tells.
func (t *tally) alias(key int32, r *row) {
	if int(key) == len(t.aliases) {
		t.aliases, t.aliased = append(t.aliases, ""), append(t.aliased, time.Time{})
	}
	if len(r.meta.alias) == 0 || r.start.Before(t.aliased[key]) {
		return
	}
	if later := r.start.After(t.aliased[key]); string(r.meta.alias) != t.aliases[key] && (later || t.aliases[key] < label(r.meta.alias)) {
		t.aliases[key] = label(r.meta.alias)
	}
	t.aliased[key] = r.start
}

// fallback counts what the row tells of who served.
func (t *tally) fallback(r *row, by []byte) {
	if r.meta.fallbacks < 0 {
		return
	}
	t.told++
	if len(r.meta.asked) == 0 {
		return
	}
	if _, known := t.asked[string(r.meta.asked)]; !known && len(t.asked) >= mostServed {
		return
	}
	t.asked[label(r.meta.asked)]++
	if r.meta.fallbacks == 0 || bytes.Equal(r.meta.asked, by) {
		return
	}
	pair := [2]string{label(r.meta.asked), label(by)}
	s, known := t.served[pair]
	if !known && len(t.served) >= mostServed {
		return
	}
	if s.requests++; s.first.IsZero() || r.start.Before(s.first) {
		s.first = r.start
	}
	if r.start.After(s.last) {
		s.last = r.start
	}
	t.served[pair] = s
}

// before reports whether the request ranks before the row.
func (q *topRequest) before(r *row) bool {
	if c := q.spend.Cmp(r.spend); c != 0 {
		return c > 0
	}
	if c := q.request.Start.Compare(r.start); c != 0 {
		return c < 0
	}
	return q.request.ID <= label(r.id)
}

// rank keeps the row if it is among the most expensive ones. Of those that cost the same, the earlier come first.
func (t *tally) rank(r *row, model []byte) {
	if r.spend.Sign() <= 0 || len(t.top) == mostTop && t.top[mostTop-1].before(r) {
		return
	}
	now := topOf(r, model)
	i, _ := slices.BinarySearchFunc(t.top, now, func(a, b topRequest) int {
		return cmp.Or(b.spend.Cmp(a.spend), a.request.Start.Compare(b.request.Start), cmp.Compare(a.request.ID, b.request.ID))
	})
	if i < mostTop {
		t.top = slices.Insert(t.top[:min(len(t.top), mostTop-1)], i, now)
	}
}

// topOf is the row as a request.
func topOf(r *row, model []byte) topRequest {
	user := r.endUser
	if len(user) == 0 {
		user = r.user
	}
	q := topRequest{r.spend, Request{
		ID: label(r.id), Token: label(r.key), Model: label(model), Start: r.start, Tokens: r.tokens(), Failed: r.failed(),
	}}
	if len(user) > 0 {
		q.request.EndUser = label(user)
	}
	return q
}
