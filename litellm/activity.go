package litellm

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

const activityPage = 1000 // the largest page of /user/daily/activity on every release

// Activity sums spend by day from the proxy's daily tables (GET /user/daily/activity): its cost does not grow with the
// number of requests. Pages, which may split a day, are put together. The tables lag requests by the proxy's batch time.
func (c *Client) Activity(ctx context.Context, q ActivityQuery) (*Activity, error) {
	const op = "reading daily activity"
	query := url.Values{"start_date": {q.From}, "end_date": {q.To}, "page_size": {strconv.Itoa(activityPage)}}
	if q.UserID != "" {
		query.Set("user_id", q.UserID)
	}
	if q.Token != "" {
		query.Set("api_key", q.Token)
	}
	days := map[string]*DayActivity{}
	out := &Activity{}
	for page := 1; page <= maxPages; page++ {
		query.Set("page", strconv.Itoa(page))
		o, _, err := c.get(ctx, call{op: op, path: "/user/daily/activity", query: query}, "results")
		if err != nil {
			return nil, err
		}
		r := reader{object: o}
		meta := reader{object: r.inner("metadata")}
		for _, raw := range r.list("results") {
			day, err := parseObject(raw)
			if err == nil {
				err = addDay(days, day)
			}
			r.err = errors.Join(r.err, err)
		}
		more := meta.flag("has_more") || int64(page) < meta.count("total_pages")
		if limit := meta.count("api_key_limit"); limit > 0 && meta.count("total_api_keys") > limit {
			out.Truncated = true
		}
		if err := errors.Join(r.err, meta.err); err != nil {
			return nil, unreadable(op, err)
		}
		if !more {
			out.Days = inOrder(days)
			return out, nil
		}
	}
	return nil, &Error{Op: op, Kind: TooLarge, Message: "the list does not end; ask for fewer days"}
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

// addDay adds one result to its day.
func addDay(days map[string]*DayActivity, result object) error {
	r := reader{object: result}
	date := r.text("date")
	day := days[date]
	if day == nil {
		day = &DayActivity{Date: date, Models: map[string]Metrics{}, Providers: map[string]Metrics{}, Keys: map[string]Metrics{}}
		days[date] = day
	}
	m, err := readMetrics(r.inner("metrics"))
	day.Metrics = day.Metrics.plus(m)
	breakdown := reader{object: r.inner("breakdown")}
	models := "models"
	if len(breakdown.inner("model_groups")) > 0 {
		models = "model_groups"
	}
	return errors.Join(r.err, err, addMetrics(day.Models, &breakdown, models),
		addMetrics(day.Providers, &breakdown, "providers"), addMetrics(day.Keys, &breakdown, "api_keys"), breakdown.err)
}

// addMetrics adds one dimension of a breakdown: name → {metrics, …}.
func addMetrics(to map[string]Metrics, breakdown *reader, dimension string) error {
	for name, raw := range breakdown.inner(dimension) {
		o, err := parseObject(raw)
		if err != nil {
			return err
		}
		r := reader{object: o}
		m, err := readMetrics(r.inner("metrics"))
		if err := errors.Join(r.err, err); err != nil {
			return err
		}
		to[name] = to[name].plus(m)
	}
	return nil
}

func readMetrics(o object) (Metrics, error) {
	r := reader{object: o}
	m := Metrics{
		Spend: r.money("spend"), PromptTokens: r.count("prompt_tokens"), CompletionTokens: r.count("completion_tokens"),
		Requests: r.count("api_requests"), Successful: r.count("successful_requests"), Failed: r.count("failed_requests"),
	}
	return m, r.err
}

// plus returns the sum of both.
func (m Metrics) plus(n Metrics) Metrics {
	return Metrics{
		Spend: m.Spend.Add(n.Spend), PromptTokens: m.PromptTokens + n.PromptTokens,
		CompletionTokens: m.CompletionTokens + n.CompletionTokens, Requests: m.Requests + n.Requests,
		Successful: m.Successful + n.Successful, Failed: m.Failed + n.Failed,
	}
}
