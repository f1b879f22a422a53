package rotate_test

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/openclaw"
	"github.com/org/openclaw-litellm-action/rotate"
	"github.com/org/openclaw-litellm-action/secret"
)

// agents are programs that use a key which is rotated under them.
type agents struct {
	*live
	file *openclaw.KeyFile
	purse
	stop chan struct{}

	mu     sync.Mutex
	most   decimal.Decimal // what they spend in all
	tokens map[string]bool // that were used
}

// read is the key in the file, as OpenClaw reads it.
func (a *agents) read() secret.Value {
	v, err := a.file.Read(context.Background())
	if err != nil {
		a.Error(err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.tokens[v.SHA256()] = true
	return v
}

// rereads is an agent that reads its key file before each call.
func (a *agents) rereads() {
	a.calls(func(secret.Value) secret.Value { return a.read() })
}

// holds is an agent that keeps its key until a second before its grace ends: it knows from the file when a newer key came.
func (a *agents) holds() {
	var since, end time.Time
	a.calls(func(v secret.Value) secret.Value {
		info, err := os.Stat(a.file.Path)
		if err != nil {
			a.Error(err)
			return v
		}
		if end.IsZero() && info.ModTime().After(since) {
			end = info.ModTime().Add(a.policy.Grace)
		}
		if v.IsZero() || time.Until(end) < time.Second && !end.IsZero() {
			since, end = info.ModTime(), time.Time{}
			return a.read()
		}
		return v
	})
}

func (a *agents) enough() decimal.Decimal {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.most
}

func (a *agents) calls(next func(secret.Value) secret.Value) {
	var v secret.Value
	every := time.NewTicker(450 * time.Millisecond)
	defer every.Stop()
	for a.total().LessThan(a.enough()) {
		v = next(v)
		a.call(context.Background(), a.client, v)
		select {
		case <-a.stop:
			return
		case <-every.C:
		}
	}
}

// TestLiveAgentsNeverNotice: twenty rotations under agents that make at least five calls a second and use more than nine
// tenths of their budget, with its reset within a grace period: LiteLLM's own spend logs show not one refusal.
func TestLiveAgentsNeverNotice(t *testing.T) {
	onLive(t, func(t *testing.T, l *live) {
		l.sql("SELECT 1")
		a := &agents{live: l, stop: make(chan struct{}), tokens: map[string]bool{}}
		a.file = &openclaw.KeyFile{Path: filepath.Join(t.TempDir(), "litellm.key")}
		limit := decimal.NewFromInt(80)
		a.most = limit
		l.policy.MaxBudget = decimal.NewNullDecimal(limit)
		l.policy.Grace, l.policy.MaxGrace, l.policy.BlockInUse = 5*time.Second, 5*time.Second, true
		l.policy.Targets = []rotate.Target{a.file, l.a}
		l.rotate()

		start := time.Now()
		var wg sync.WaitGroup
		for _, agent := range []func(){a.rereads, a.rereads, a.rereads, a.holds} {
			wg.Go(agent)
		}
		rotations, blocked, reset := 0, 0, decimal.Zero
		for i := range 20 {
			if o := a.again(); o.Rotated {
				rotations++
			}
			if i == 0 { // in the grace of generation 1: the window ends
				reset = a.endWindow()
				a.mu.Lock()
				a.most = reset.Add(limit.Mul(decimal.RequireFromString("0.91")))
				a.mu.Unlock()
			}
			time.Sleep(l.policy.Grace + 1100*time.Millisecond) // the proxy's clock has seconds
			a.live.rotate()                                    // what is over is blocked
		}
		for _, k := range a.holder().Keys {
			if k.Blocked {
				blocked++
			}
		}
		rotating := time.Since(start)
		wg.Wait()
		lasted := time.Since(start)
		time.Sleep(3 * time.Second) // every row is written
		rate := float64(a.passed) / lasted.Seconds()
		used := a.total().Sub(reset).Div(limit)
		t.Logf("%d rotations in %s, %d old generations blocked, %d calls with %d keys, %.1f a second, %s of the budget used",
			rotations, rotating.Round(time.Second), blocked, a.passed, len(a.tokens), rate, used.StringFixed(3))
		if rotations != 20 || blocked < 19 || rate < 5 || used.LessThan(decimal.RequireFromString("0.9")) {
			t.Error("that was not hard enough to show anything")
		}
		if a.refused > 0 || len(a.errs) > 0 {
			t.Errorf("%d calls were refused, others failed: %v", a.refused, a.errs)
		}
		for token := range a.tokens {
			rows := l.client.SpendLogs(t.Context(), litellm.LogQuery{Token: token, Status: "failure", From: start.Add(-time.Minute), To: time.Now().Add(time.Minute)})
			for row, err := range rows {
				if err != nil {
					t.Fatal(err)
				}
				t.Errorf("LiteLLM logged a refusal at %s: %s %s", row.StartTime, row.ErrorClass, row.ErrorMessage)
			}
		}
	})
}

// endWindow ends the holder's window and returns what the agents had spent by then.
func (a *agents) endWindow() decimal.Decimal {
	a.Helper()
	a.moveWindows(40 * 24 * time.Hour)
	a.eventually("the window begins anew", func() bool { return a.holder().BudgetResetAt.After(time.Now()) })
	return a.total().Sub(a.holder().Spend)
}
