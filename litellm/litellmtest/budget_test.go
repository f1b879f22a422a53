package litellmtest_test

import (
	"testing"
	"time"

	"github.com/org/openclaw-litellm-action/litellm/litellmtest"
	"github.com/org/openclaw-litellm-action/secret"
)

// TestFlush: a budget binds at once on the worker that served, on another one and in the rows only after the flush.
func TestFlush(t *testing.T) {
	t.Parallel()
	c := newClock()
	p := litellmtest.New(litellmtest.Options{Release: "1.93.2", Now: c.now, NoServer: true, FlushEvery: 10 * time.Second})
	second := p.Second(0)
	must(t, p, "POST", "/user/new", `{"user_id":"u","max_budget":0.2,"auto_create_key":false}`)
	must(t, p, "POST", "/key/generate", `{"key":"`+testKey(1)+`","user_id":"u"}`)
	for range 4 {
		wantChat(t, p, testKey(1), "backup", 200, "")
	}
	wantChat(t, p, testKey(1), "backup", 429, "budget_exceeded")
	wantChat(t, second, testKey(1), "backup", 200, "")
	if u, _ := p.User("u"); !u.Spend.IsZero() {
		t.Errorf("spend %s in the row before the flush", u.Spend)
	}
	logs := "/spend/logs/v2?start_date=2026-11-22&end_date=2026-11-23"
	if got := must(t, p, "GET", logs, "")["total"]; got != 0.0 {
		t.Errorf("%v log rows before the flush", got)
	}
	c.pass(10 * time.Second)
	if u, _ := p.User("u"); !u.Spend.Equal(usd("0.25")) {
		t.Errorf("spend %s after the flush", u.Spend)
	}
	wantChat(t, second, testKey(1), "backup", 429, "budget_exceeded")
	c.pass(10 * time.Second)
	if got := must(t, p, "GET", logs, "")["total"]; got != 7.0 {
		t.Errorf("%v log rows, want 5 served and 2 refused", got)
	}
}

// TestFlushOfDeletedKey: spend in flight when a key is deleted reaches the user, not the archived key.
func TestFlushOfDeletedKey(t *testing.T) {
	t.Parallel()
	c := newClock()
	p := litellmtest.New(litellmtest.Options{Now: c.now, NoServer: true, FlushEvery: time.Minute})
	must(t, p, "POST", "/user/new", `{"user_id":"u","auto_create_key":false}`)
	must(t, p, "POST", "/key/generate", `{"key":"`+testKey(1)+`","user_id":"u"}`)
	wantChat(t, p, testKey(1), "backup", 200, "")
	must(t, p, "POST", "/key/delete", `{"keys":["`+testKey(1)+`"]}`)
	p.Flush()
	k, ok := p.Key(secret.New(testKey(1)).SHA256())
	if !ok || !k.Deleted || !k.Spend.IsZero() {
		t.Errorf("deleted key: %+v", k)
	}
	if u, _ := p.User("u"); !u.Spend.Equal(usd("0.05")) {
		t.Errorf("spend of the user: %s", u.Spend)
	}
}

// TestWindows holds the calendar of each family.
func TestWindows(t *testing.T) {
	t.Parallel()
	const midnight, monday, first = "2026-11-23T00:00:00+00:00", "2026-11-23T00:00:00+00:00", "2026-12-01T00:00:00+00:00"
	cases := []struct{ duration, at81, at93, at106 string }{
		{"1mo", first, first, first},
		{"30d", first, first, first},
		{"monthly", midnight, midnight, first},
		{"30days", midnight, midnight, midnight},
		{"1d", midnight, midnight, midnight},
		{"24h", midnight, midnight, midnight},
		{"7d", monday, monday, monday},
		{"2w", midnight, "2026-12-06T00:00:00+00:00", "2026-12-06T00:00:00+00:00"},
		{"15d", "2026-12-07T00:00:00+00:00", "2026-12-07T00:00:00+00:00", "2026-12-07T00:00:00+00:00"},
		{"1h", "2026-11-22T13:00:00+00:00", "2026-11-22T13:00:00+00:00", "2026-11-22T13:00:00+00:00"},
		{"5h", "2026-11-22T15:00:00+00:00", "2026-11-22T15:00:00+00:00", "2026-11-22T15:00:00+00:00"},
		{"36h", "2026-11-23T12:00:00+00:00", "2026-11-23T12:00:00+00:00", "2026-11-23T12:00:00+00:00"},
		{"90m", "2026-11-22T13:30:00+00:00", "2026-11-22T13:30:00+00:00", "2026-11-22T13:30:00+00:00"},
		{"bogus", midnight, midnight, ""},
		{"2mo", "", "", ""},
	}
	for i, release := range releases() {
		p := litellmtest.New(litellmtest.Options{Release: release, Now: newClock().now, NoServer: true})
		for n, tc := range cases {
			want := []string{tc.at81, tc.at93, tc.at106}[i]
			status, _ := ask(t, p, master, "POST", "/key/generate", `{"key":"`+testKey(n)+`","budget_duration":"`+tc.duration+`"}`)
			if want == "" {
				if status < 400 {
					t.Errorf("%s: %s was taken", release, tc.duration)
				}
				continue
			}
			info := must(t, p, "GET", "/key/info?key="+testKey(n), "")["info"].(map[string]any)
			if info["budget_reset_at"] != want {
				t.Errorf("%s: %s resets at %v, want %s", release, tc.duration, info["budget_reset_at"], want)
			}
		}
	}
}

// TestReset: the window ends by the clock, spend starts again, and raising the limit leaves the window alone.
func TestReset(t *testing.T) {
	t.Parallel()
	c := newClock()
	p := litellmtest.New(litellmtest.Options{Now: c.now, NoServer: true})
	must(t, p, "POST", "/user/new", `{"user_id":"u","max_budget":0.05,"budget_duration":"1d","spend":0.05,"auto_create_key":false}`)
	must(t, p, "POST", "/key/generate", `{"key":"`+testKey(1)+`","user_id":"u"}`)
	wantChat(t, p, testKey(1), "backup", 422, "budget_exceeded")
	must(t, p, "POST", "/user/update", `{"user_id":"u","max_budget":0.06}`)
	wantChat(t, p, testKey(1), "backup", 200, "")
	wantChat(t, p, testKey(1), "backup", 422, "budget_exceeded")
	if status, kind := p.Works(secret.New(testKey(1)), "backup"); status != 422 || kind != "budget_exceeded" {
		t.Errorf("Works: %d %q", status, kind)
	}
	c.pass(11*time.Hour + 26*time.Minute)
	u, _ := p.User("u")
	if want := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC); !u.Spend.IsZero() || !u.BudgetResetAt.Equal(want) {
		t.Errorf("after the reset: %+v", u)
	}
	wantChat(t, p, testKey(1), "backup", 200, "")
}

// TestUnpricedModel: on 1.81 a call of a model without a price passes every budget, whatever its fallback costs.
func TestUnpricedModel(t *testing.T) {
	t.Parallel()
	for release, want := range map[string]int{"1.81.13": 200, "1.93.2": 429, "1.106.10": 422} {
		p := litellmtest.New(litellmtest.Options{Release: release, NoServer: true})
		must(t, p, "POST", "/key/generate", `{"key":"`+testKey(1)+`","max_budget":0.01,"spend":0.02}`)
		if status, _ := chat(t, p, testKey(1), "primary"); status != want {
			t.Errorf("%s: %d, want %d", release, status, want)
		}
	}
}

// TestReservation: while a call is in flight, its worst case is held against the budget from 1.93 on.
func TestReservation(t *testing.T) {
	t.Parallel()
	for release, want := range map[string]int{"1.81.13": 200, "1.93.2": 429, "1.106.10": 422} {
		p := litellmtest.New(litellmtest.Options{Release: release, NoServer: true})
		must(t, p, "POST", "/key/generate", `{"key":"`+testKey(1)+`","max_budget":5}`)
		const unlimited = `{"model":"backup","messages":[{"role":"user","content":"x"}]}`
		inside := 0
		p.OnModelCall(func(string) {
			p.OnModelCall(nil)
			inside, _ = ask(t, p, testKey(1), "POST", "/chat/completions", unlimited)
		})
		if status, answer := ask(t, p, testKey(1), "POST", "/chat/completions", unlimited); status != 200 {
			t.Errorf("%s: %d %v", release, status, answer)
		}
		if inside != want {
			t.Errorf("%s: a call beside another: %d, want %d", release, inside, want)
		}
		if status, _ := ask(t, p, testKey(1), "POST", "/chat/completions", unlimited); status != 200 {
			t.Errorf("%s: the reservation stayed", release)
		}
	}
}
