package github

import (
	"context"
	"slices"
	"sync"
	"time"
)

// The limits that GitHub publishes for requests that create content, of which a secret's PUT is one.
const (
	WritesPerMinute = 80
	WritesPerHour   = 500
)

// paceMargin widens the windows a little: GitHub counts when a request arrives, we when it leaves.
const paceMargin = 100 * time.Millisecond

// Pacer spaces writes so that no published limit is met: as fast as the limits allow at first, then as room comes free.
// All clients of one token share one. It is safe for concurrent use; waiting callers are served in turn.
type Pacer struct {
	Now   func() time.Time                                 // nil: time.Now
	Sleep func(ctx context.Context, d time.Duration) error // nil: a timer

	PerMinute, PerHour int // 0: WritesPerMinute, WritesPerHour

	mu   sync.Mutex
	sent []time.Time // the writes let through in the last hour, in order
}

// Wait blocks until one more write keeps within the limits, and counts it. It returns ctx's error if that ends first.
func (p *Pacer) Wait(ctx context.Context) error {
	for {
		wait := p.reserve()
		if wait <= 0 {
			return nil
		}
		if err := (&Client{Sleep: p.Sleep}).sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// reserve counts a write now, or returns how long to wait before asking again.
func (p *Pacer) reserve() time.Duration {
	now := time.Now
	if p.Now != nil {
		now = p.Now
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	at := now()
	p.sent = slices.DeleteFunc(p.sent, func(t time.Time) bool { return at.Sub(t) >= time.Hour+paceMargin })
	wait := max(
		p.room(at, or(p.PerMinute, WritesPerMinute), time.Minute+paceMargin),
		p.room(at, or(p.PerHour, WritesPerHour), time.Hour+paceMargin),
	)
	if wait <= 0 {
		p.sent = append(p.sent, at)
	}
	return wait
}

// room is how long until fewer than limit writes lie within the window before now.
func (p *Pacer) room(now time.Time, limit int, window time.Duration) time.Duration {
	if len(p.sent) < limit {
		return 0
	}
	return p.sent[len(p.sent)-limit].Add(window).Sub(now)
}
