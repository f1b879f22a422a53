package observe

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/budget"
	"github.com/org/openclaw-litellm-action/litellm"
)

// ownTag reports whether LiteLLM gives a tag to requests by itself.
func ownTag(tag string) bool { return strings.HasPrefix(tag, "User-Agent: ") }

// Parts adds to the days of f what tags and end users took of them: two requests for each virtual key that Activity found
// to be active then, at most mostKeys. It returns how many were left out. Tags that LiteLLM gives by itself are no parts.
func (o Observer) Parts(ctx context.Context, f *budget.Facts, mostKeys int) (left int, err error) {
	tokens := f.Tokens[:min(len(f.Tokens), mostKeys)]
	for _, d := range []litellm.Dimension{litellm.ByTag, litellm.ByEndUser} {
		days := map[string]map[string]litellm.Metrics{}
		for _, token := range tokens {
			part, err := o.Client.Breakdown(ctx, d, litellm.ActivityQuery{From: f.DaysFrom, To: f.DaysTo, Token: token})
			if err != nil {
				return 0, fmt.Errorf("reading the daily spend of key %q by %s: %w", f.Key, d, err)
			}
			for date, by := range part {
				days[date] = together(days[date], by)
			}
		}
		for i := range f.Days {
			by := days[f.Days[i].Date]
			if d == litellm.ByEndUser {
				f.Days[i].EndUsers = sumsOf(by)
				continue
			}
			maps.DeleteFunc(by, func(tag string, _ litellm.Metrics) bool { return ownTag(tag) })
			f.Days[i].Tags = sumsOf(by)
		}
	}
	return len(f.Tokens) - len(tokens), nil
}

// PartsSource is where Parts come from.
const PartsSource = "GET /tag/daily/activity, GET /customer/daily/activity"

// together adds b to a by name.
func together(a, b map[string]litellm.Metrics) map[string]litellm.Metrics {
	if a == nil {
		a = map[string]litellm.Metrics{}
	}
	for name, m := range b {
		a[name] = a[name].Plus(m)
	}
	return a
}

// Prices are what a token costs by the proxy's own list. The zero Prices know none.
type Prices map[[2]string]price // :: group, model → price

type price struct{ input, output decimal.Decimal }

// Prices reads what the proxy's deployments cost, with one request.
func (o Observer) Prices(ctx context.Context) (Prices, error) {
	deployments, err := o.Client.Deployments(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading what models cost: %w", err)
	}
	prices := Prices{}
	for _, d := range deployments {
		if d.InputCost.Decimal.IsPositive() || d.OutputCost.Decimal.IsPositive() {
			prices[[2]string{d.Group, d.Model}] = price{d.InputCost.Decimal, d.OutputCost.Decimal}
		}
	}
	return prices, nil
}

// of is what a request would have cost; false: not known.
func (p Prices) of(row litellm.SpendLog) (decimal.Decimal, bool) {
	cost, ok := p[[2]string{row.ModelGroup, row.Model}]
	if !ok {
		return decimal.Zero, false
	}
	return cost.input.Mul(decimal.NewFromInt(row.PromptTokens)).Add(cost.output.Mul(decimal.NewFromInt(row.CompletionTokens))), true
}

// HitSource is where Hits come from.
const HitSource = "GET /spend/logs/v2, GET /model/info"

// Hits is what LiteLLM's own cache answered of a key's requests. Of what the cache answers, the daily sums count requests
// and tokens; it costs nothing.
type Hits struct {
	Requests int64
	Unpriced int64           // of Requests: the proxy tells no price for them
	Saved    decimal.Decimal // what the others would have cost, in USD
	Cut      bool            // there may be more: only the newest free requests were looked at
}

// CacheHits counts what LiteLLM's own cache answered in [from, to), among the newest most free requests.
func (o Observer) CacheHits(ctx context.Context, h Holder, from, to time.Time, most int, prices Prices) (Hits, error) {
	var hits Hits
	q := litellm.LogQuery{From: from, To: to, UserID: h.UserID, Status: "success", Descending: true, CacheHits: true, Limit: most}
	read := 0
	for row, err := range o.Client.SpendLogs(ctx, q) {
		if err != nil {
			return Hits{}, fmt.Errorf("reading what the cache answered of key %q: %w", h.Key, err)
		}
		if read++; !row.CacheHit {
			continue
		}
		hits.Requests++
		if saved, known := prices.of(row); known {
			hits.Saved = hits.Saved.Add(saved)
		} else {
			hits.Unpriced++
		}
	}
	hits.Cut = read == most
	return hits, nil
}

// tokensOf returns the virtual keys that were active in a, in order.
func tokensOf(a *litellm.Activity) []string {
	active := map[string]bool{}
	for _, d := range a.Days {
		for token := range d.Keys {
			active[token] = true
		}
	}
	return slices.Sorted(maps.Keys(active))
}
