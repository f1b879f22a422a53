package litellm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/internal/figure"
)

const (
	activityPage    = 1000 // the largest page of /user/daily/activity on every release
	readingActivity = "reading daily activity"
)

// Activity sums spend by day from the proxy's daily tables (GET /user/daily/activity): its cost does not grow with the
// number of requests. Pages, which may split a day, are put together. The tables lag requests by the proxy's batch time.
// Releases before 1.93 ignore UserID: there the sums are made from those of the user's keys, deleted ones included, for
// two requests more.
func (c *Client) Activity(ctx context.Context, q ActivityQuery) (*Activity, error) {
	only, err := c.activityKeys(ctx, q.UserID)
	if err != nil {
		return nil, err
	}
	query := url.Values{"start_date": {q.From}, "end_date": {q.To}, "page_size": {strconv.Itoa(activityPage)}}
	if q.UserID != "" {
		query.Set("user_id", q.UserID)
	}
	if q.Token != "" {
		query.Set("api_key", q.Token)
	}
	days := map[string]*DayActivity{}
	truncated, err := c.activityPages(ctx, call{op: readingActivity, path: "/user/daily/activity", query: query}, func(day object) error {
		return addDay(days, day, only)
	})
	if err != nil {
		return nil, err
	}
	return &Activity{Days: inOrder(days), Truncated: truncated}, nil
}

// mostActivity is how many pages of a thousand results are read of one list of days.
const mostActivity = 200

// activityPages gives every result of a list of days to take, page by page. truncated: the proxy left keys out.
func (c *Client) activityPages(ctx context.Context, q call, take func(day object) error) (truncated bool, err error) {
	pages := circle{}
	for page := 1; page <= mostActivity; page++ {
		q.query.Set("page", strconv.Itoa(page))
		o, _, err := c.get(ctx, q, "results")
		if err != nil {
			return false, err
		}
		r := reader{object: o}
		meta := reader{object: r.inner("metadata")}
		results, total := r.list("results"), int(meta.natural("total_pages"))
		more := meta.flag("has_more") || page < total
		if limit := meta.natural("api_key_limit"); limit > 0 && meta.natural("total_api_keys") > limit {
			truncated = true
		}
		for _, raw := range results {
			r.err = errors.Join(r.err, takeDay(raw, take))
		}
		switch err := errors.Join(r.err, meta.err); {
		case err != nil:
			return false, unreadable(q.op, err)
		case !more:
			return truncated, nil
		case total > mostActivity:
			return false, endless(q, total, mostActivity)
		case len(results) == 0:
			return false, ours(&Error{Op: q.op, Route: "GET " + q.path, Kind: BadAnswer, Message: fmt.Sprintf("page %d is empty, and not the last", page)})
		}
		if err := pages.again(q, page, results); err != nil {
			return false, err
		}
	}
	return false, endless(q, 0, mostActivity)
}

// takeDay gives one result to take.
func takeDay(raw json.RawMessage, take func(day object) error) error {
	day, err := parseObject(raw)
	if err != nil {
		return err
	}
	return take(day)
}

// activityKeys returns the tokens to which sums must be restricted on our side: those of userID where the proxy's release
// is not known to do it, nil where nothing is to be restricted.
func (c *Client) activityKeys(ctx context.Context, userID string) (map[string]bool, error) {
	if userID == "" {
		return nil, nil
	}
	release, err := c.Release(ctx)
	if err != nil || release.AtLeast(1, 93) {
		return nil, err
	}
	only := map[string]bool{}
	for _, status := range []string{"", "deleted"} {
		query := url.Values{"user_id": {userID}}
		if status != "" {
			query.Set("status", status)
		}
		keys, err := c.listKeys(ctx, readingActivity+" by key", query)
		if err != nil {
			return nil, err
		}
		for _, k := range keys {
			only[k.Token] = only[k.Token] || k.UserID == userID
		}
	}
	return only, nil
}

// inOrder returns the days by date.
func inOrder(days map[string]*DayActivity) []DayActivity {
	out := make([]DayActivity, 0, len(days))
	for _, d := range days {
		out = append(out, *d)
	}
	slices.SortFunc(out, func(a, b DayActivity) int { return strings.Compare(a.Date, b.Date) })
	return out
}

// addDay adds one result to its day: all of it, or if only is not nil what those keys did.
func addDay(days map[string]*DayActivity, result object, only map[string]bool) error {
	r := reader{object: result}
	breakdown := reader{object: r.inner("breakdown")}
	models := "models"
	if len(breakdown.inner("model_groups")) > 0 {
		models = "model_groups"
	}
	total, err := readMetrics(r.inner("metrics"))
	part := DayActivity{Date: r.text("date"), Keys: map[string]Metrics{}, Models: map[string]Metrics{}, Providers: map[string]Metrics{}}
	err = errors.Join(err, r.err,
		addMetrics(part.Keys, &breakdown, "api_keys", nil), addMetrics(part.Models, &breakdown, models, only),
		addMetrics(part.Providers, &breakdown, "providers", only), breakdown.err)
	if err != nil {
		return err
	}
	if only != nil {
		maps.DeleteFunc(part.Keys, func(token string, _ Metrics) bool { return !only[token] })
		if total = sum(part.Keys); total.Requests == 0 {
			return nil
		}
	}
	day := days[part.Date]
	if day == nil {
		day = &DayActivity{Date: part.Date, Keys: map[string]Metrics{}, Models: map[string]Metrics{}, Providers: map[string]Metrics{}}
		days[part.Date] = day
	}
	day.Metrics = day.Metrics.Plus(total)
	merge(day.Keys, part.Keys)
	merge(day.Models, part.Models)
	merge(day.Providers, part.Providers)
	return nil
}

// addMetrics reads one dimension of a breakdown, name → {metrics, api_key_breakdown}: the metrics, or if only is not nil
// those of its keys.
func addMetrics(to map[string]Metrics, breakdown *reader, dimension string, only map[string]bool) error {
	for name, raw := range breakdown.inner(dimension) {
		r := reader{}
		r.object, r.err = parseObject(raw)
		m, err := readMetrics(r.inner("metrics"))
		if only != nil {
			keys := map[string]Metrics{}
			err = addMetrics(keys, &r, "api_key_breakdown", nil)
			maps.DeleteFunc(keys, func(token string, _ Metrics) bool { return !only[token] })
			m = sum(keys)
		}
		if err := errors.Join(r.err, err); err != nil {
			return err
		}
		if only == nil || m.Requests > 0 {
			to[name] = m
		}
	}
	return nil
}

func readMetrics(o object) (Metrics, error) {
	r := reader{object: o}
	m := Metrics{
		Spend: r.money("spend"), PromptTokens: r.natural("prompt_tokens"), CompletionTokens: r.natural("completion_tokens"),
		Requests: r.natural("api_requests"), Successful: r.natural("successful_requests"), Failed: r.natural("failed_requests"),
		CacheReadTokens: r.natural("cache_read_input_tokens"), CacheSaved: r.amount("prompt_caching_savings_spend"),
	}
	return m, r.err
}

// merge adds from to to, name by name.
func merge(to, from map[string]Metrics) {
	for name, m := range from {
		to[name] = to[name].Plus(m)
	}
}

// sum returns the sum over all names.
func sum(of map[string]Metrics) Metrics {
	var total Metrics
	for _, m := range of {
		total = total.Plus(m)
	}
	return total
}

// Plus returns the sum of both.
func (m Metrics) Plus(n Metrics) Metrics {
	return Metrics{
		Spend:            m.Spend.Add(n.Spend),
		PromptTokens:     figure.Add(m.PromptTokens, n.PromptTokens),
		CompletionTokens: figure.Add(m.CompletionTokens, n.CompletionTokens),
		Requests:         figure.Add(m.Requests, n.Requests),
		Successful:       figure.Add(m.Successful, n.Successful),
		Failed:           figure.Add(m.Failed, n.Failed),
		CacheReadTokens:  figure.Add(m.CacheReadTokens, n.CacheReadTokens),
		CacheSaved: decimal.NullDecimal{
			Decimal: m.CacheSaved.Decimal.Add(n.CacheSaved.Decimal), Valid: m.CacheSaved.Valid || n.CacheSaved.Valid,
		},
	}
}

// Tokens returns the sum of prompt and completion tokens.
func (m Metrics) Tokens() int64 { return figure.Add(m.PromptTokens, m.CompletionTokens) }
