package litellm

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Page sizes of /spend/logs/v2: larger ones are refused with 422.
const (
	smallLogPage = 100  // every release
	largeLogPage = 1000 // since 1.96 at the latest
	logTime      = "2006-01-02 15:04:05"
)

// SpendLogs streams the spend rows that q selects (GET /spend/logs/v2), in order of their start or spend, holding one page in
// memory at a time. After an error nothing follows. Rows that the proxy writes while pages are read may be missed or, if
// they shift a page, are kept from coming twice in a row; whoever needs them all reads an overlap again.
func (c *Client) SpendLogs(ctx context.Context, q LogQuery) iter.Seq2[SpendLog, error] {
	return func(yield func(SpendLog, error) bool) {
		size := smallLogPage
		if r, err := c.Release(ctx); err != nil {
			yield(SpendLog{}, err)
			return
		} else if r.AtLeast(1, 96) {
			size = largeLogPage
		}
		if q.Limit > 0 {
			size = min(size, q.Limit)
		}
		pager := logPager{client: c, query: q, size: size, page: 1}
		for left := cmp.Or(q.Limit, -1); ; {
			rows, last, err := pager.next(ctx)
			if err != nil {
				yield(SpendLog{}, err)
				return
			}
			for _, row := range rows {
				if left == 0 || !yield(row, nil) {
					return
				}
				left--
			}
			if last || left == 0 {
				return
			}
		}
	}
}

// logPager reads one page after the other.
type logPager struct {
	client   *Client
	query    LogQuery
	size     int
	page     int
	previous map[string]bool // request ids of the page before
	pages    circle
	idle     int // pages in a row on which nothing was selected
}

// mostIdle is how many pages in a row may hold nothing that was asked for: the proxy takes in a second more than was asked for
// at either end, in which a busy one can have a few pages.
const mostIdle = 10

const readingLogs = "reading spend logs"

// next returns the rows of the next page that are selected, and whether it was the last page.
func (p *logPager) next(ctx context.Context) (rows []SpendLog, last bool, err error) {
	q := call{op: readingLogs, path: "/spend/logs/v2", query: p.values()}
	if p.page > maxPages {
		return nil, false, endless(q, 0, maxPages)
	}
	o, _, err := p.client.get(ctx, q, "data")
	if p.shrink(err) {
		return p.next(ctx)
	}
	if err != nil {
		return nil, false, err
	}
	r := reader{object: o}
	list := r.list("data")
	if err := p.pages.again(q, p.page, list); err != nil {
		return nil, false, err
	}
	seen := make(map[string]bool, len(list))
	for _, raw := range list {
		log, err := p.client.parseLog(raw)
		if err != nil {
			return nil, false, unreadable(readingLogs, err)
		}
		seen[log.RequestID] = true
		if !p.previous[log.RequestID] && p.selects(log) {
			rows = append(rows, log)
		}
	}
	if r.err != nil {
		return nil, false, unreadable(readingLogs, r.err)
	}
	p.previous = seen
	p.page++
	if p.idle++; len(rows) > 0 {
		p.idle = 0
	}
	if p.idle > mostIdle {
		return nil, false, ours(&Error{Op: q.op, Route: "GET " + q.path, Kind: BadAnswer,
			Message: fmt.Sprintf("%d pages in a row hold nothing that was asked for", p.idle)})
	}
	return rows, len(list) < p.size, nil
}

// parseLog reads a row of /spend/logs/v2 from its JSON.
func (c *Client) parseLog(raw json.RawMessage) (SpendLog, error) {
	row, err := parseObject(raw)
	if err != nil {
		return SpendLog{}, err
	}
	return c.readLog(row)
}

// shrink goes over to small pages if err says that a large one is refused or too large to read.
func (p *logPager) shrink(err error) bool {
	var e *Error
	if p.size <= smallLogPage || !errors.As(err, &e) || e.Kind != TooLarge && e.Status != http.StatusUnprocessableEntity {
		return false
	}
	p.page = (p.page-1)*p.size/smallLogPage + 1
	p.size = smallLogPage
	return true
}

// selects reports whether the row starts in [From, To): the proxy takes both ends in.
func (p *logPager) selects(row SpendLog) bool {
	return !row.StartTime.Before(p.query.From.Truncate(time.Second)) && row.StartTime.Before(p.query.To.Truncate(time.Second))
}

func (p *logPager) values() url.Values {
	v := url.Values{
		"start_date": {p.query.From.UTC().Format(logTime)}, "end_date": {p.query.To.UTC().Format(logTime)},
		"page": {strconv.Itoa(p.page)}, "page_size": {strconv.Itoa(p.size)}, "sort_by": {"startTime"}, "sort_order": {"asc"},
	}
	if p.query.Descending {
		v.Set("sort_order", "desc")
	}
	if p.query.BySpend {
		v.Set("sort_by", "spend")
	}
	if p.query.UserID != "" {
		v.Set("user_id", p.query.UserID)
	}
	if p.query.Token != "" {
		v.Set("api_key", p.query.Token)
	}
	if p.query.CacheHits { // which are free
		v.Set("max_spend", "0")
		v.Set("cache_hit_filter", "hit")
	}
	if p.query.Status != "" {
		v.Set("status_filter", p.query.Status)
	}
	return v
}

// readLog reads a row of /spend/logs/v2.
func (c *Client) readLog(row object) (SpendLog, error) {
	r := reader{object: row}
	meta := reader{object: r.inner("metadata")}
	fault := reader{object: meta.inner("error_information")}
	l := SpendLog{
		RequestID: r.text("request_id"), Token: r.text("api_key"), KeyAlias: meta.text("user_api_key_alias"),
		Model: r.text("model"), ModelGroup: r.text("model_group"), Provider: r.text("custom_llm_provider"),
		Status: cmp.Or(r.text("status"), meta.text("status"), "success"), Spend: r.money("spend"),
		PromptTokens: r.natural("prompt_tokens"), CompletionTokens: r.natural("completion_tokens"),
		StartTime: r.time("startTime"), EndTime: r.time("endTime"), User: r.text("user"), EndUser: r.text("end_user"),
		TeamID: r.text("team_id"), Tags: r.texts("request_tags", "name"), IP: r.text("requester_ip_address"),
		CacheHit: strings.EqualFold(r.text("cache_hit"), "true"), AttemptedFallbacks: -1,
		OriginalModelGroup: meta.text("original_model_group"), ErrorClass: clean(fault.text("error_class"), c.Key),
		ErrorMessage: clean(fault.text("error_message"), c.Key),
	}
	if meta.has("attempted_fallbacks") {
		l.AttemptedFallbacks = int(meta.count("attempted_fallbacks"))
	}
	if l.Status == "failure" {
		var asked string
		asked, l.FailedFallbacks = unsaved(fault.text("error_message"))
		l.OriginalModelGroup = cmp.Or(l.OriginalModelGroup, clean(asked, c.Key))
		for i, name := range l.FailedFallbacks { // they come out of a text that anybody may have written
			l.FailedFallbacks[i] = clean(name, c.Key)
		}
	}
	return l, errors.Join(r.err, meta.err, fault.err)
}
