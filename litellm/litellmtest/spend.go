package litellmtest

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// totalCap is the largest total that releases from 1.93 on count to.
const totalCap = 10000

// spendLogs is GET /spend/logs/v2.
func spendLogs(c *call) (any, error) {
	from, to, err := c.logDates()
	if err != nil {
		return nil, err
	}
	page, refused := c.integer("page", 1, 1, 0)
	if refused != nil {
		return nil, refused
	}
	size, refused := c.integer("page_size", 50, 1, c.family().logPageLimit())
	if refused != nil {
		return nil, refused
	}
	rows, err := c.sortedLogs(from, to)
	if err != nil {
		return nil, err
	}
	data := []object{}
	for _, row := range slice(rows, page, size) {
		data = append(data, row.json(c.family()))
	}
	total := len(rows)
	answer := object{"data": data, "page": page, "page_size": size}
	if c.family() != family81 {
		answer["total_is_capped"] = total > totalCap
		total = min(total, totalCap)
	}
	return answer.with(object{"total": total, "total_pages": pages(total, size)}), nil
}

// logDates reads the two dates, which are required and of two formats only.
func (c *call) logDates() (from, to time.Time, err error) {
	first, last := c.query.Get("start_date"), c.query.Get("end_date")
	if first == "" || last == "" {
		return from, to, envelope(http.StatusBadRequest, "bad_request", "None", "Start date and end date are required")
	}
	if from, err = c.logDate(first); err != nil {
		return from, to, err
	}
	to, err = c.logDate(last)
	return from, to, err
}

func (c *call) logDate(text string) (time.Time, error) {
	for _, layout := range []string{time.DateTime, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, envelope(http.StatusBadRequest, typeInternal, c.none(),
		"Invalid date format: %s. Expected: 'YYYY-MM-DD' or 'YYYY-MM-DD HH:MM:SS'", text)
}

// sortedLogs are the rows that match the query, in the order asked for.
func (c *call) sortedLogs(from, to time.Time) ([]*logRow, error) {
	orders := map[string]func(a, b *logRow) int{
		"startTime":    func(a, b *logRow) int { return a.start.Compare(b.start) },
		"endTime":      func(a, b *logRow) int { return a.end.Compare(b.end) },
		"spend":        func(a, b *logRow) int { return a.spend.Cmp(b.spend) },
		"total_tokens": func(a, b *logRow) int { return cmp.Compare(a.prompt+a.completion, b.prompt+b.completion) },
	}
	if c.family() == family106 {
		orders["model"] = func(a, b *logRow) int { return cmp.Compare(a.model, b.model) }
		orders["request_duration_ms"] = func(a, b *logRow) int { return cmp.Compare(a.end.Sub(a.start), b.end.Sub(b.start)) }
		orders["ttft_ms"] = orders["request_duration_ms"]
	}
	by := cmp.Or(c.query.Get("sort_by"), "startTime")
	order, ok := orders[by]
	if !ok {
		names := []string{}
		for name := range orders {
			names = append(names, name)
		}
		slices.Sort(names)
		return nil, envelope(http.StatusBadRequest, "bad_request", "sort_by",
			"Invalid sort_by: %s. Must be one of: %s", by, strings.Join(names, ", "))
	}
	if direction := c.query.Get("sort_order"); direction != "" && direction != "asc" && direction != "desc" {
		return nil, envelope(http.StatusBadRequest, "bad_request", "sort_order",
			"Invalid sort_order: %s. Must be one of: asc, desc", direction)
	}
	rows := c.matchingLogs(from, to)
	if c.query.Get("sort_order") != "asc" {
		slices.Reverse(rows)
		slices.SortStableFunc(rows, func(a, b *logRow) int { return order(b, a) })
		return rows, nil
	}
	slices.SortStableFunc(rows, order)
	return rows, nil
}

// matchingLogs are the rows that match the query, oldest first. Both ends count, as in the real proxy's filter.
func (c *call) matchingLogs(from, to time.Time) []*logRow {
	filters := map[string]func(*logRow) string{
		"api_key":       func(r *logRow) string { return r.token },
		"user_id":       func(r *logRow) string { return r.userID },
		"team_id":       func(r *logRow) string { return r.teamID },
		"request_id":    func(r *logRow) string { return r.requestID },
		"model":         func(r *logRow) string { return r.model },
		"model_id":      func(r *logRow) string { return r.modelID },
		"model_group":   func(r *logRow) string { return r.group },
		"key_alias":     func(r *logRow) string { return r.alias },
		"end_user":      func(r *logRow) string { return r.endUser },
		"status_filter": func(r *logRow) string { return r.status },
	}
	if c.family() == family106 {
		filters["cache_hit_filter"] = func(r *logRow) string { return map[bool]string{true: "hit", false: "miss"}[r.hit] }
	}
	most, limited := decimal.NewFromString(c.query.Get("max_spend"))
	wanted := map[string]string{}
	for name := range filters {
		if value := c.query.Get(name); value != "" {
			wanted[name] = value
		}
	}
	if !c.who.admin() && c.who.role != roleAdminViewer {
		wanted["user_id"] = c.who.userID
	}
	first, _ := slices.BinarySearchFunc(c.store.logs, from, func(r *logRow, at time.Time) int { return r.start.Compare(at) })
	var found []*logRow
	for _, row := range c.store.logs[first:] {
		if row.start.After(to) {
			break
		}
		matches := limited != nil || row.spend.LessThanOrEqual(most)
		for name, value := range wanted {
			matches = matches && filters[name](row) == value
		}
		if matches {
			found = append(found, row)
		}
	}
	return found
}
