package litellmtest_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/org/openclaw-litellm-action/litellm/litellmtest"
	"github.com/org/openclaw-litellm-action/secret"
)

// post sends a request over the wire and returns the status, the body, and the error of either.
func post(t *testing.T, p *litellmtest.Proxy, client *http.Client, path, body string) (int, string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "POST", p.URL()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+master)
	resp, err := client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(raw), err
}

// TestFaults strikes with every kind, over a port and in memory.
func TestFaults(t *testing.T) {
	t.Parallel()
	for _, wire := range []string{"port", "memory"} {
		t.Run(wire, func(t *testing.T) {
			t.Parallel()
			p := litellmtest.New(litellmtest.Options{NoServer: wire == "memory"})
			defer p.Close()
			client := p.Client()
			if wire == "port" {
				client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
			}
			make := func(n int) (int, string, error) {
				return post(t, p, client, "/key/generate", `{"key":"`+testKey(n)+`"}`)
			}
			stored := func(n int) bool {
				_, ok := p.Key(secret.New(testKey(n)).SHA256())
				return ok
			}

			p.Inject(litellmtest.Fault{Method: "POST", Path: "/key/*", Skip: 1, Times: 1, Status: 503, Body: `{"error":{}}`})
			for n, want := range []int{200, 503, 200} {
				if status, body, err := make(n); status != want || err != nil || stored(n) != (want == 200) {
					t.Errorf("call %d: %d %s %v", n, status, body, err)
				}
			}
			p.Inject(litellmtest.Fault{Times: 1, Drop: litellmtest.DropBefore})
			if _, _, err := make(3); err == nil || stored(3) {
				t.Errorf("dropped before: %v, stored %t", err, stored(3))
			}
			p.Inject(litellmtest.Fault{Times: 1, Drop: litellmtest.DropAfter})
			if _, _, err := make(4); err == nil || !stored(4) {
				t.Errorf("dropped after: %v, stored %t", err, stored(4))
			}
			p.Inject(litellmtest.Fault{Times: 1, Truncate: 20})
			if _, body, err := make(5); err == nil || len(body) > 20 || !stored(5) {
				t.Errorf("half an answer: %q %v", body, err)
			}
			page := litellmtest.HTML(http.StatusBadGateway)
			page.Match = func(_ *http.Request, body []byte) bool { return strings.Contains(string(body), testKey(6)) }
			remove := p.Inject(page)
			if status, body, err := make(6); status != 502 || !strings.HasPrefix(body, "<html>") || err != nil {
				t.Errorf("page: %d %q %v", status, body, err)
			}
			remove()
			if status, _, _ := make(6); status != 200 {
				t.Errorf("after the fault was taken away: %d", status)
			}
			log := p.Requests()
			if len(log) != 8 || p.Count() != 8 || p.Writes() != 8 {
				t.Fatalf("%d requests, %d writes", p.Count(), p.Writes())
			}
			if r := log[3]; r.Applied || r.Status != 0 || !strings.Contains(r.Body, "token:"+secret.New(testKey(3)).SHA256()) {
				t.Errorf("dropped before: %+v", r)
			}
			if r := log[4]; !r.Applied || r.Status != 0 {
				t.Errorf("dropped after: %+v", r)
			}
		})
	}
}

// TestDelay: a request can be held back, and given up meanwhile.
func TestDelay(t *testing.T) {
	t.Parallel()
	p := litellmtest.New(litellmtest.Options{NoServer: true})
	ctx, cancel := context.WithCancel(t.Context())
	p.Inject(litellmtest.Fault{Path: "/health/liveliness", Delay: func(ctx context.Context) {
		cancel()
		<-ctx.Done()
	}})
	req, err := http.NewRequestWithContext(ctx, "GET", p.URL()+"/health/liveliness", nil)
	if err != nil {
		t.Fatal(err)
	}
	if resp, err := p.Client().Do(req); err == nil {
		resp.Body.Close()
		t.Error("the request did not give up")
	}
}

// TestDatabaseDown: what each family answers, and what it costs.
func TestDatabaseDown(t *testing.T) {
	t.Parallel()
	type answers struct{ list, block, known, unknown, ready int }
	want := map[string]answers{
		"1.81.13": {500, 500, 200, 401, 503}, "1.93.2": {500, 500, 200, 503, 503}, "1.106.10": {500, 503, 200, 503, 503},
	}
	for _, release := range releases() {
		p := litellmtest.New(litellmtest.Options{Release: release, NoServer: true})
		must(t, p, "POST", "/key/generate", `{"key":"`+testKey(1)+`"}`)
		must(t, p, "POST", "/key/generate", `{"key":"`+testKey(2)+`"}`)
		wantChat(t, p, testKey(1), "backup", 200, "")
		p.SetDatabaseDown(true)
		var got answers
		got.list, _ = ask(t, p, master, "GET", "/key/list", "")
		got.block, _ = ask(t, p, master, "POST", "/key/block", `{"key":"`+testKey(1)+`"}`)
		got.known, _ = chat(t, p, testKey(1), "backup")
		got.unknown, _ = chat(t, p, testKey(2), "backup")
		got.ready, _ = ask(t, p, "", "GET", "/health/readiness", "")
		if got != want[release] {
			t.Errorf("%s: %+v, want %+v", release, got, want[release])
		}
		p.SetDatabaseDown(false)
		must(t, p, "GET", "/key/list", "")
		k, _ := p.Key(secret.New(testKey(1)).SHA256())
		if !k.Spend.Equal(usd("0.05")) {
			t.Errorf("%s: spend %s; that of the outage never arrives", release, k.Spend)
		}
		if rows := must(t, p, "GET", "/spend/logs/v2?start_date=2000-01-01&end_date=2100-01-01&api_key="+k.Token, "")["total"]; rows != 2.0 {
			t.Errorf("%s: %v log rows", release, rows)
		}
	}
}

// TestSecondWorker: a change made on one worker reaches another only when its copy of the key is old.
func TestSecondWorker(t *testing.T) {
	t.Parallel()
	c := newClock()
	p := litellmtest.New(litellmtest.Options{Now: c.now, NoServer: true})
	second := p.Second(time.Minute)
	must(t, p, "POST", "/key/generate", `{"key":"`+testKey(1)+`"}`)
	wantChat(t, second, testKey(1), "backup", 200, "")
	must(t, p, "POST", "/key/block", `{"key":"`+testKey(1)+`"}`)
	wantChat(t, p, testKey(1), "backup", 401, "auth_error")
	wantChat(t, second, testKey(1), "backup", 200, "")
	c.pass(time.Minute)
	wantChat(t, second, testKey(1), "backup", 401, "auth_error")
	must(t, second, "POST", "/key/unblock", `{"key":"`+testKey(1)+`"}`)
	wantChat(t, second, testKey(1), "backup", 200, "")
}

// TestRaces: an alias is looked up, not locked; a user made twice at once is there once.
func TestRaces(t *testing.T) {
	t.Parallel()
	p := litellmtest.New(litellmtest.Options{NoServer: true})
	p.OnRace(func(route string) {
		p.OnRace(nil)
		body := `{"key":"` + testKey(2) + `","key_alias":"a"}`
		if route == "/user/new" {
			body = `{"user_id":"u","max_budget":1,"auto_create_key":false}`
		}
		must(t, p, "POST", route, body)
	})
	must(t, p, "POST", "/key/generate", `{"key":"`+testKey(1)+`","key_alias":"a"}`)
	if keys := p.Keys(); len(keys) != 2 || keys[0].Alias != keys[1].Alias {
		t.Errorf("%+v", keys)
	}
	p.OnRace(func(route string) {
		p.OnRace(nil)
		must(t, p, "POST", route, `{"user_id":"u","max_budget":1,"auto_create_key":false}`)
	})
	must(t, p, "POST", "/user/new", `{"user_id":"u","max_budget":2,"auto_create_key":false}`)
	if u, _ := p.User("u"); !u.MaxBudget.Decimal.Equal(usd("1")) {
		t.Errorf("the second writer won: %+v", u)
	}
	if status, _ := ask(t, p, master, "POST", "/user/new", `{"user_id":"u"}`); status != 409 {
		t.Errorf("once more: %d", status)
	}
}
