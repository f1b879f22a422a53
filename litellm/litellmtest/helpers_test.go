package litellmtest_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/org/openclaw-litellm-action/litellm/litellmtest"
	"github.com/shopspring/decimal"
)

// clock is a clock that tests move.
type clock struct {
	mu sync.Mutex
	at time.Time
}

// newClock stands at noon of Sunday, 22 November 2026.
func newClock() *clock { return &clock{at: time.Date(2026, 11, 22, 12, 34, 56, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func releases() []string { return []string{"1.81.13", "1.93.2", "1.106.10"} }

// must sends a request with the master key that has to succeed.
func must(t *testing.T, p *litellmtest.Proxy, method, path, body string) map[string]any {
	t.Helper()
	status, answer := ask(t, p, master, method, path, body)
	if status != http.StatusOK {
		t.Fatalf("%s %s: %d %v", method, path, status, answer)
	}
	return answer
}

// testKey is the n-th made-up key.
func testKey(n int) string { return fmt.Sprintf("sk-sandbox-test-%08d", n) }

// chat calls a model and returns the status and the error's type.
func chat(t *testing.T, p *litellmtest.Proxy, key, model string) (int, string) {
	t.Helper()
	status, answer := ask(t, p, key, "POST", "/v1/chat/completions",
		`{"model":"`+model+`","max_tokens":10,"messages":[{"role":"user","content":"hello there, friend"}]}`)
	if e, ok := answer["error"].(map[string]any); ok {
		kind, _ := e["type"].(string)
		return status, kind
	}
	return status, ""
}

// wantChat fails the test unless a call is answered with status.
func wantChat(t *testing.T, p *litellmtest.Proxy, key, model string, status int, kind string) {
	t.Helper()
	if s, k := chat(t, p, key, model); s != status || k != kind {
		t.Errorf("call of %s: %d %q, want %d %q", model, s, k, status, kind)
	}
}

func usd(text string) decimal.Decimal { return decimal.RequireFromString(text) }
