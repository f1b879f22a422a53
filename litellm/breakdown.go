package litellm

import (
	"context"
	"errors"
	"net/url"
	"strconv"
)

// Dimension is what the daily sums of a key can be told apart by, besides what Activity tells.
type Dimension string

// The dimensions, in the words of LiteLLM's routes.
const (
	ByTag     Dimension = "tag"      // GET /tag/daily/activity; a request with several tags counts in each
	ByEndUser Dimension = "customer" // GET /customer/daily/activity; a request that names no end user counts in none
)

// Breakdown sums one key's spend by day and by d from the proxy's daily tables: day (YYYY-MM-DD) → name → sums, never nil.
// q.Token is the key's, a deleted one too; q.UserID is not looked at. Like Activity, it costs the same however many
// requests there were.
func (c *Client) Breakdown(ctx context.Context, d Dimension, q ActivityQuery) (map[string]map[string]Metrics, error) {
	op := "reading daily activity by " + string(d)
	query := url.Values{"start_date": {q.From}, "end_date": {q.To}, "api_key": {q.Token}, "page_size": {strconv.Itoa(activityPage)}}
	days := map[string]map[string]Metrics{}
	_, err := c.activityPages(ctx, call{op: op, path: "/" + string(d) + "/daily/activity", query: query}, func(result object) error {
		r := reader{object: result}
		date, breakdown := r.text("date"), reader{object: r.inner("breakdown")}
		if days[date] == nil {
			days[date] = map[string]Metrics{}
		}
		part := map[string]Metrics{}
		err := addMetrics(part, &breakdown, "entities", map[string]bool{q.Token: true})
		merge(days[date], part)
		return errors.Join(r.err, breakdown.err, err)
	})
	if err != nil {
		return nil, err
	}
	return days, nil
}
