package litellm

import (
	"context"
	"encoding/json"
	"maps"
	"strconv"
	"sync"
	"time"
)

// pagesAtOnce is how many pages of one list are asked for side by side.
const pagesAtOnce = 4

// page is one page of a list.
type page struct {
	rows  []json.RawMessage
	total int // of the pages, as the proxy says; 0: it does not
	date  time.Time
	err   error
}

// pages calls each for every element of the list in field, in order, until the list ends.
func (c *Client) pages(ctx context.Context, q call, field string, each func(json.RawMessage) error) error {
	_, ok, err := c.pagesUpTo(ctx, q, field, maxPages, each)
	if err == nil && !ok {
		return ours(&Error{Op: q.op, Route: "GET " + q.path, Kind: TooLarge, Message: "the list does not end"})
	}
	return err
}

// pagesUpTo is pages for lists of at most limit pages. Of a longer one it returns false, after one request where the
// proxy says how long it is. asOf is the Date of the first page.
func (c *Client) pagesUpTo(
	ctx context.Context, q call, field string, limit int, each func(json.RawMessage) error,
) (asOf time.Time, ok bool, err error) {
	first := c.page(ctx, q, field, 1)
	if first.err != nil || first.total > limit {
		return asOf, false, first.err
	}
	next, last := 2, first
	if err := c.take(q, first, each); err != nil {
		return asOf, false, err
	}
	for p := range c.ahead(ctx, q, field, first.total) {
		if err := c.take(q, p, each); err != nil {
			return asOf, false, err
		}
		next, last = next+1, p
	}
	for first.total == 0 && len(last.rows) == listSize { // its length is not told
		if next > limit {
			return asOf, false, nil
		}
		if last = c.page(ctx, q, field, next); len(last.rows) == 0 && last.err == nil {
			break
		}
		if err := c.take(q, last, each); err != nil {
			return asOf, false, err
		}
		next++
	}
	return first.date, true, nil
}

// ahead asks for the pages from the second to the last, some side by side, and yields them in order.
func (c *Client) ahead(ctx context.Context, q call, field string, last int) func(func(page) bool) {
	return func(yield func(page) bool) {
		var wg sync.WaitGroup
		defer wg.Wait()
		ctx, cancel := context.WithCancel(ctx) // ends what is under way when the caller has enough
		defer cancel()
		slots := make(chan struct{}, pagesAtOnce)
		pages := make([]chan page, max(0, last-1))
		for i := range pages {
			pages[i] = make(chan page, 1)
		}
		wg.Go(func() {
			for i := range pages {
				select {
				case slots <- struct{}{}:
				case <-ctx.Done():
					return
				}
				wg.Go(func() {
					pages[i] <- c.page(ctx, q, field, i+2)
					<-slots
				})
			}
		})
		for _, p := range pages {
			if !yield(<-p) {
				return
			}
		}
	}
}

// page asks for one page.
func (c *Client) page(ctx context.Context, q call, field string, n int) page {
	q.query = maps.Clone(q.query)
	q.query.Set("page", strconv.Itoa(n))
	o, a, err := c.get(ctx, q, field)
	if err != nil {
		return page{err: err}
	}
	r := reader{object: o}
	p := page{rows: r.list(field), total: int(r.count("total_pages")), date: a.date}
	if r.err != nil {
		p.err = unreadable(q.op, r.err)
	}
	return p
}

// take hands the elements of a page on.
func (c *Client) take(q call, p page, each func(json.RawMessage) error) error {
	if p.err != nil {
		return p.err
	}
	for _, raw := range p.rows {
		if err := each(raw); err != nil {
			return unreadable(q.op, err)
		}
	}
	return nil
}
