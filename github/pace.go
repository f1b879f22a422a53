package github

import (
	"cmp"
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// The limits that GitHub publishes for one token. Content is created by writes, of which a secret's PUT is one.
const (
	WritesPerMinute = 80
	WritesPerHour   = 500
	PointsPerMinute = 900 // a read is one point, a write five
	RequestsPerHour = 5000
)

// writePoints is what GitHub counts a write as.
const writePoints = 5

// paceMargin widens the windows a little: GitHub counts when a request arrives, we when it leaves.
const paceMargin = 100 * time.Millisecond

// Pacer spaces requests so that no published limit is met: as fast as the limits allow at first, then as room comes
// free. All clients of one token share one. It is safe for concurrent use.
type Pacer struct {
	Now   func() time.Time                                 // nil: time.Now, whose monotonic reading nobody can set
	Sleep func(ctx context.Context, d time.Duration) error // nil: a timer

	PerMinute, PerHour int // writes; 0: WritesPerMinute, WritesPerHour

	mu       sync.Mutex
	minute   []spent // of the last minute, in order
	requests []spent // of the last hour
	writes   []spent // of the last hour
	reserved int     // writes promised to tickets and not sent yet
}

// spent is one request in the past, or what it weighed.
type spent struct {
	at     time.Time
	points int
}

// Wait blocks until one more request keeps within the limits, and counts it. It returns ctx's error if that ends first.
// A write under a context from Reserve has its place already.
func (p *Pacer) Wait(ctx context.Context, write bool) error {
	for {
		wait := p.take(ctx, write)
		if wait <= 0 {
			return nil
		}
		if err := (&Client{Sleep: p.Sleep}).sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// ticketOf is the key of a pacer's ticket in a context.
type ticketOf struct{ p *Pacer }

// ticket is a right to so many writes.
type ticket struct{ left atomic.Int64 }

// Reserve blocks until n writes could be sent at once, and keeps their places for the context that it returns, so that
// who has begun something need not stop in the middle of it for an hour. release gives back what was not used; it is
// never nil. More than fit into a minute are not reserved: the rest waits its turn. When stop is closed, the wait ends
// with context.Canceled; nil is never closed.
func (p *Pacer) Reserve(ctx context.Context, n int, stop <-chan struct{}) (reserved context.Context, release func(), err error) {
	n = min(n, cmp.Or(p.PerMinute, WritesPerMinute))
	for {
		wait := p.promise(n)
		if wait <= 0 {
			break
		}
		if err := p.sleepUntil(ctx, wait, stop); err != nil {
			return ctx, func() {}, err
		}
	}
	t := &ticket{}
	t.left.Store(int64(n))
	release = func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.reserved -= int(t.left.Swap(0))
	}
	return context.WithValue(ctx, ticketOf{p}, t), release, nil
}

// sleepUntil waits, or less if stop is closed.
func (p *Pacer) sleepUntil(ctx context.Context, d time.Duration, stop <-chan struct{}) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	return (&Client{Sleep: p.Sleep}).sleep(ctx, d)
}

// promise reserves n writes, or returns how long to wait before asking again.
func (p *Pacer) promise(n int) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.forget()
	wait := p.writeRoom(now, n)
	if wait <= 0 {
		p.reserved += n
	}
	return wait
}

// take counts a request now, or returns how long to wait before asking again.
func (p *Pacer) take(ctx context.Context, write bool) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	now, points := p.forget(), 1
	t, _ := ctx.Value(ticketOf{p}).(*ticket)
	promised := write && t != nil && t.left.Load() > 0
	if write {
		points = writePoints
	}
	wait := max(
		room(p.minute, now, time.Minute, PointsPerMinute-points),
		room(p.requests, now, time.Hour, RequestsPerHour-1),
	)
	if write && !promised {
		wait = max(wait, p.writeRoom(now, 1))
	}
	if wait > 0 {
		return wait
	}
	p.minute = append(p.minute, spent{now, points})
	p.requests = append(p.requests, spent{now, 1})
	if write {
		p.writes = append(p.writes, spent{now, 1})
	}
	if promised {
		t.left.Add(-1)
		p.reserved--
	}
	return 0
}

// writeRoom is how long until n more writes keep within the limits, besides those that are promised. The lock is held.
func (p *Pacer) writeRoom(now time.Time, n int) time.Duration {
	n += p.reserved
	lately := p.writes
	for len(lately) > 0 && now.Sub(lately[0].at) >= time.Minute+paceMargin {
		lately = lately[1:]
	}
	return max(
		room(lately, now, time.Minute, cmp.Or(p.PerMinute, WritesPerMinute)-n),
		room(p.writes, now, time.Hour, cmp.Or(p.PerHour, WritesPerHour)-n),
	)
}

// forget drops what is in no window any more and returns the time. The lock is held.
func (p *Pacer) forget() time.Time {
	clock := Client{Now: p.Now}
	now := clock.now()
	for list, window := range map[*[]spent]time.Duration{&p.minute: time.Minute, &p.requests: time.Hour, &p.writes: time.Hour} {
		setBack(*list, now)
		for len(*list) > 0 && now.Sub((*list)[0].at) >= window+paceMargin {
			*list = (*list)[1:]
		}
	}
	return now
}

// setBack corrects times in the future, which a clock recorded that has since been set back: the last request counts as
// sent now, and the intervals between requests stay. Otherwise the next one would wait for the old time to return.
func setBack(past []spent, now time.Time) {
	if len(past) == 0 {
		return
	}
	ahead := past[len(past)-1].at.Sub(now)
	if ahead <= 0 {
		return
	}
	for i := range past {
		past[i].at = past[i].at.Add(-ahead)
	}
}

// room is how long until what was spent within the window before now weighs at most limit. Where even nothing would be
// too much, because promises fill the limit, it is a while in which they may be kept.
func room(past []spent, now time.Time, window time.Duration, limit int) time.Duration {
	const awhile = time.Second
	sum := 0
	for _, s := range past {
		sum += s.points
	}
	for _, s := range past {
		if sum <= limit {
			break
		}
		if sum -= s.points; sum <= limit {
			return s.at.Add(window + paceMargin).Sub(now)
		}
	}
	if sum > limit {
		return awhile
	}
	return 0
}
