package litellm

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"sync"
	"time"

	"github.com/org/openclaw-litellm-action/internal/panics"
)

// pagesAtOnce is how many pages of one list are asked for side by side.
const pagesAtOnce = 4

// circle notices a list whose pages come again, which would never end.
type circle struct {
	seen map[[sha256.Size]byte]int // by what is on a page: its number
}

// again returns an error if an earlier page had the same rows.
func (c *circle) again(q call, n int, rows []json.RawMessage) error {
	if len(rows) == 0 {
		return nil
	}
	sum := sha256.New()
	for _, row := range rows {
		sum.Write(row)
	}
	on := [sha256.Size]byte(sum.Sum(nil))
	if first, again := c.seen[on]; again {
		return ours(&Error{Op: q.op, Route: "GET " + q.path, Kind: BadAnswer, Message: fmt.Sprintf("page %d of the list is page %d again", n, first)})
	}
	if c.seen == nil {
		c.seen = map[[sha256.Size]byte]int{}
	}
	c.seen[on] = n
	return nil
}

// endless is the error of a list with more pages than are read; pages 0: the proxy does not tell how many.
func endless(q call, pages, limit int) error {
	e := &Error{Op: q.op, Route: "GET " + q.path, Kind: TooLarge, Message: fmt.Sprintf("the list does not end within %d pages", limit)}
	if pages > 0 {
		e.Message = fmt.Sprintf("the proxy says that the list has %d pages; at most %d are read", pages, limit)
	}
	return ours(e)
}

// page is one page of a list.
type page struct {
	rows  []json.RawMessage
	total int // of the pages, as the proxy says; 0: it does not
	date  time.Time
	err   error
}

// pages calls each for every element of the list in field, in order, until the list ends.
func (c *Client) pages(ctx context.Context, q call, field string, each func(json.RawMessage) error) error {
	first, ok, err := c.pagesUpTo(ctx, q, field, maxPages, each)
	if err == nil && !ok {
		return endless(q, first.total, maxPages)
	}
	return err
}

// pagesUpTo is pages for lists of at most limit pages. Of a longer one it returns false, after one request where the
// proxy says how long it is. first is the first page. A list also ends at an empty page, whatever was said.
func (c *Client) pagesUpTo(
	ctx context.Context, q call, field string, limit int, each func(json.RawMessage) error,
) (first page, ok bool, err error) {
	first = c.page(ctx, q, field, 1)
	if first.err != nil || first.total > limit {
		return first, false, first.err
	}
	next, last, pages := 1, first, circle{}
	take := func(p page) error {
		if p.err != nil {
			return p.err
		}
		last = p
		err := pages.again(q, next, p.rows)
		next++
		if err != nil {
			return err
		}
		return c.take(q, p, each)
	}
	if err := take(first); err != nil {
		return first, false, err
	}
	for p := range c.ahead(ctx, q, field, first.total) {
		if err := take(p); err != nil {
			return first, false, err
		}
		if len(p.rows) == 0 {
			break
		}
	}
	for first.total == 0 && len(last.rows) == listSize { // its length is not told
		if next > limit {
			return first, false, nil
		}
		if err := take(c.page(ctx, q, field, next)); err != nil {
			return first, false, err
		}
	}
	return first, true, nil
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
				wg.Go(func() { pages[i] <- c.safePage(ctx, q, field, i+2) })
			}
		})
		for _, p := range pages {
			if !yield(<-p) {
				return
			}
			<-slots // no page is read further ahead, and held in memory, than that
		}
	}
}

// safePage is page for a goroutine of its own, where a panic would end the program.
func (c *Client) safePage(ctx context.Context, q call, field string, n int) page {
	var p page
	err := panics.Catch("reading a page", func() error {
		p = c.page(ctx, q, field, n)
		return nil
	})
	if err != nil {
		p = page{err: err}
	}
	return p
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
	p := page{rows: r.list(field), total: int(r.natural("total_pages")), date: a.date}
	if r.err != nil {
		p.err = unreadable(q.op, r.err)
	}
	return p
}

// take hands the elements of a page on.
func (c *Client) take(q call, p page, each func(json.RawMessage) error) error {
	for _, raw := range p.rows {
		if err := each(raw); err != nil {
			return unreadable(q.op, err)
		}
	}
	return nil
}
