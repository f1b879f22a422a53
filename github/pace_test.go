package github_test

import (
	"context"
	"testing"
	"time"

	"github.com/org/openclaw-litellm-action/github"
)

func TestPacerLetsThroughAllThatTheLimitsAllow(t *testing.T) {
	start := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	now := start
	p := &github.Pacer{
		Now:   func() time.Time { return now },
		Sleep: func(_ context.Context, d time.Duration) error { now = now.Add(d); return nil },
	}
	var sent []time.Time
	for range 600 {
		if err := p.Wait(t.Context(), true); err != nil {
			t.Fatal(err)
		}
		sent = append(sent, now)
	}
	for i := range sent {
		if i >= 80 && sent[i].Sub(sent[i-80]) < time.Minute {
			t.Fatalf("writes %d and %d are %s apart: more than 80 in a minute", i-80, i, sent[i].Sub(sent[i-80]))
		}
		if i >= 500 && sent[i].Sub(sent[i-500]) < time.Hour {
			t.Fatalf("writes %d and %d are %s apart: more than 500 in an hour", i-500, i, sent[i].Sub(sent[i-500]))
		}
	}
	if took := sent[499].Sub(start); took > 6*time.Minute+10*time.Second {
		t.Errorf("500 writes took %s, the limits allow them in 6 minutes", took)
	}
}

// TestPacerWhoseClockIsSetBack: the limits still hold, and no request waits for the old time to return.
func TestPacerWhoseClockIsSetBack(t *testing.T) {
	for _, back := range []time.Duration{time.Second, time.Hour, 365 * 24 * time.Hour} {
		now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
		var waited time.Duration
		p := &github.Pacer{
			Now:   func() time.Time { return now },
			Sleep: func(_ context.Context, d time.Duration) error { now, waited = now.Add(d), waited+d; return nil },
		}
		send := func(n int) {
			for range n {
				if err := p.Wait(t.Context(), true); err != nil {
					t.Fatal(err)
				}
			}
		}
		send(80)
		now = now.Add(-back)
		send(80)
		if waited < time.Minute || waited > time.Minute+time.Second {
			t.Errorf("set back by %s: waited %s for another 80 writes", back, waited)
		}
		send(500 - 160)
		now, waited = now.Add(-back), 0
		send(1)
		if waited < 50*time.Minute || waited > time.Hour+time.Second {
			t.Errorf("set back by %s: waited %s for more than 500 writes", back, waited)
		}
	}
}

func TestPacerStopsWithItsContext(t *testing.T) {
	p := &github.Pacer{PerMinute: 1, Sleep: func(context.Context, time.Duration) error { return context.Canceled }}
	if err := p.Wait(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	if err := p.Wait(t.Context(), true); err != context.Canceled {
		t.Errorf("got %v", err)
	}
}
