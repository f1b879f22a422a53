package litellmtest

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// dailyKey is the primary key of the daily sums, those by user, by tag and by end user alike.
type dailyKey struct {
	table                                         string // "user", "tag" or "customer"
	entity                                        string // user, tag or end user
	date, token, model, group, provider, endpoint string
}

// dailyRow is one row of the daily sums.
type dailyRow struct {
	dailyKey
	sum metrics
}

// metrics are sums over calls.
type metrics struct {
	spend                         decimal.Decimal
	prompt, completion            int
	requests, successes, failures int
	duration                      time.Duration
}

func (m *metrics) add(o metrics) {
	m.spend = m.spend.Add(o.spend)
	m.prompt += o.prompt
	m.completion += o.completion
	m.requests += o.requests
	m.successes += o.successes
	m.failures += o.failures
	m.duration += o.duration
}

// json prints sums as a release does.
func (m metrics) json(f family) object {
	o := object{
		"spend": number(m.spend), "prompt_tokens": m.prompt, "completion_tokens": m.completion,
		"cache_read_input_tokens": 0, "cache_creation_input_tokens": 0, "total_tokens": m.prompt + m.completion,
		"successful_requests": m.successes, "failed_requests": m.failures, "api_requests": m.requests,
	}
	if f == family106 {
		o.with(object{"flat_cost": number(decimal.Zero), "total_response_time_ms": m.duration.Milliseconds(), "timed_requests": m.successes})
	}
	return o
}

// addDaily counts a log row into its day: once for its user, and for each of its tags and its end user.
func (s *store) addDaily(row *logRow) {
	s.addDailyOf(row, "user", row.userID)
	for _, tag := range row.tags {
		s.addDailyOf(row, "tag", tag)
	}
	if row.endUser != "" {
		s.addDailyOf(row, "customer", row.endUser)
	}
}

func (s *store) addDailyOf(row *logRow, table, entity string) {
	key := dailyKey{
		table: table, entity: entity, date: row.start.UTC().Format(time.DateOnly), token: row.token,
		model: row.model, group: row.group, provider: row.provider,
	}
	if row.callType == "acompletion" {
		key.endpoint = "/chat/completions"
		key.group = cmp.Or(row.group, row.model)
	}
	day := s.daily[key]
	if day == nil {
		day = &dailyRow{dailyKey: key}
		s.daily[key] = day
	}
	sum := metrics{spend: row.spend, prompt: row.prompt, completion: row.completion, requests: 1}
	if row.status == statusSuccess {
		sum.successes, sum.duration = 1, row.end.Sub(row.start)
	} else {
		sum.failures = 1
	}
	day.sum.add(sum)
}

// dailyActivity is GET /user/daily/activity, and the same by tag and by end user. Pages split rows, so that a day may be on two and totals are the page's.
func dailyActivity(c *call) (any, error) {
	rows, err := c.dailyRows()
	if err != nil {
		return nil, err
	}
	page, refused := c.integer("page", 1, 1, 0)
	if refused != nil {
		return nil, refused
	}
	size, refused := c.integer("page_size", 50, 1, 1000)
	if refused != nil {
		return nil, refused
	}
	shown := slice(rows, page, size)
	count := pages(len(rows), size)
	return object{"results": c.days(shown, nil), "metadata": c.totals(shown).with(object{
		"page": page, "total_pages": count, "has_more": page < count,
	})}, nil
}

// dailyAggregated is GET /user/daily/activity/aggregated: all in one, with the keys cut to a limit on new releases.
func dailyAggregated(c *call) (any, error) {
	rows, err := c.dailyRows()
	if err != nil {
		return nil, err
	}
	metadata := c.totals(rows).with(object{"page": 1, "total_pages": 1, "has_more": false})
	if c.family() != family106 {
		return object{"results": c.days(rows, nil), "metadata": metadata}, nil
	}
	limit, refused := c.integer("api_key_limit", 100, 1, 1000)
	if refused != nil {
		return nil, refused
	}
	shown, all := topKeys(rows, limit)
	metadata.with(object{"api_key_limit": limit, "total_api_keys": all, "entity_total_api_keys": nil})
	return object{"results": c.days(rows, shown), "metadata": metadata}, nil
}

// topKeys are the tokens that spent most, and how many there are.
func topKeys(rows []*dailyRow, limit int) (map[string]bool, int) {
	spent := map[string]decimal.Decimal{}
	for _, row := range rows {
		spent[row.token] = spent[row.token].Add(row.sum.spend)
	}
	tokens := slices.SortedFunc(maps.Keys(spent), func(a, b string) int {
		return cmp.Or(spent[b].Cmp(spent[a]), cmp.Compare(a, b))
	})
	shown := map[string]bool{}
	for _, token := range tokens[:min(limit, len(tokens))] {
		shown[token] = true
	}
	return shown, len(tokens)
}

// dailyRows are the rows that match the query, newest day first.
func (c *call) dailyRows() ([]*dailyRow, error) {
	from, to := c.query.Get("start_date"), c.query.Get("end_date")
	if from == "" || to == "" {
		return nil, detail(http.StatusBadRequest, object{"error": "Please provide start_date and end_date"})
	}
	_, err := time.Parse(time.DateOnly, from)
	_, err2 := time.Parse(time.DateOnly, to)
	if c.family() == family106 && (err != nil || err2 != nil) {
		return nil, detail(http.StatusBadRequest, object{"error": "start_date and end_date must be valid YYYY-MM-DD dates"})
	}
	table, _, _ := strings.Cut(strings.TrimPrefix(c.r.URL.Path, "/"), "/")
	user := c.query.Get("user_id")
	if c.family() == family81 || table != "user" {
		user = "" // not a parameter yet: admins get everybody's
	}
	if !c.who.admin() && c.who.role != roleAdminViewer {
		if c.who.userID == "" && c.family() == family106 {
			return nil, detail(http.StatusForbidden, object{"error": "Service-account keys cannot query user analytics. " +
				"Use a user-bound key, or call as a proxy admin."})
		}
		if user != "" && user != c.who.userID {
			return nil, detail(http.StatusForbidden, object{"error": "Non-admin users can only view their own spend data."})
		}
		user = c.who.userID
	}
	token, model := c.query.Get("api_key"), c.query.Get("model")
	var found []*dailyRow
	for _, row := range c.store.daily {
		if row.table == table && row.date >= from && row.date <= to && (user == "" || row.entity == user) &&
			(token == "" || row.token == token) && (model == "" || row.model == model) {
			found = append(found, row)
		}
	}
	slices.SortFunc(found, func(a, b *dailyRow) int {
		return cmp.Or(cmp.Compare(b.date, a.date), cmp.Compare(a.token, b.token), cmp.Compare(a.entity, b.entity),
			cmp.Compare(a.model, b.model), cmp.Compare(a.group, b.group), cmp.Compare(a.provider, b.provider),
			cmp.Compare(a.endpoint, b.endpoint))
	})
	return found, nil
}

// totals are the sums over rows.
func (c *call) totals(rows []*dailyRow) object {
	var sum metrics
	for _, row := range rows {
		sum.add(row.sum)
	}
	o := object{
		"total_spend": number(sum.spend), "total_prompt_tokens": sum.prompt, "total_completion_tokens": sum.completion,
		"total_tokens": sum.prompt + sum.completion, "total_api_requests": sum.requests,
		"total_successful_requests": sum.successes, "total_failed_requests": sum.failures,
		"total_cache_read_input_tokens": 0, "total_cache_creation_input_tokens": 0,
	}
	if c.family() == family106 {
		o["total_flat_cost"] = number(decimal.Zero)
	}
	return o
}

// days renders rows by day, newest first. keys are those that the breakdown names; nil: all.
func (c *call) days(rows []*dailyRow, keys map[string]bool) []object {
	results := []object{}
	for len(rows) > 0 {
		n := 1
		for n < len(rows) && rows[n].date == rows[0].date {
			n++
		}
		var sum metrics
		for _, row := range rows[:n] {
			sum.add(row.sum)
		}
		results = append(results, object{
			"date": rows[0].date, "metrics": sum.json(c.family()), "breakdown": c.breakdown(rows[:n], keys),
		})
		rows = rows[n:]
	}
	return results
}

// breakdown sums one day's rows in several ways.
func (c *call) breakdown(rows []*dailyRow, keys map[string]bool) object {
	entities := c.grouped(rows, keys, func(r *dailyRow) string { return cmp.Or(r.entity, "Unassigned") })
	if c.family() == family106 && keys != nil {
		entities = object{}
	}
	by := func(of func(*dailyRow) string) object {
		return c.grouped(rows, keys, of)
	}
	apiKeys := object{}
	for token, sum := range sums(rows, func(r *dailyRow) string { return r.token }) {
		if keys == nil || keys[token] {
			apiKeys[token] = object{"metrics": sum.json(c.family()), "metadata": c.keyMetadata(token)}
		}
	}
	return object{
		"models":       by(func(r *dailyRow) string { return r.model }),
		"model_groups": by(func(r *dailyRow) string { return r.group }),
		"providers":    by(func(r *dailyRow) string { return cmp.Or(r.provider, "unknown") }),
		"endpoints":    by(func(r *dailyRow) string { return r.endpoint }),
		"entities":     entities, "mcp_servers": object{}, "api_keys": apiKeys,
	}
}

// sums groups rows.
func sums(rows []*dailyRow, of func(*dailyRow) string) map[string]*metrics {
	found := map[string]*metrics{}
	for _, row := range rows {
		name := of(row)
		if found[name] == nil {
			found[name] = &metrics{}
		}
		found[name].add(row.sum)
	}
	return found
}

// grouped renders groups of rows, each with its keys. Rows without a name are in no group.
func (c *call) grouped(rows []*dailyRow, keys map[string]bool, of func(*dailyRow) string) object {
	o := object{}
	for name, sum := range sums(rows, of) {
		if name == "" {
			continue
		}
		inside := slices.DeleteFunc(slices.Clone(rows), func(r *dailyRow) bool { return of(r) != name })
		perKey := object{}
		for token, part := range sums(inside, func(r *dailyRow) string { return r.token }) {
			if keys == nil || keys[token] {
				perKey[token] = object{"metrics": part.json(c.family()), "metadata": c.keyMetadata(token)}
			}
		}
		o[name] = object{"metrics": sum.json(c.family()), "metadata": object{}, "api_key_breakdown": perKey}
	}
	return o
}

// keyMetadata is what a breakdown tells of a key.
func (c *call) keyMetadata(token string) object {
	row, exists := c.store.keys[token]
	if !exists {
		row = c.store.lastDeleted(token)
	}
	if row == nil {
		row = &keyRow{}
	}
	o := object{"key_alias": orNull(row.alias), "team_id": orNull(row.teamID)}
	if c.family() == family106 {
		o.with(object{"user_id": orNull(row.userID), "user_email": nil, "key_exists": exists})
	}
	return o
}
