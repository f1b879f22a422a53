package litellmtest_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/org/openclaw-litellm-action/litellm/litellmtest"
	"github.com/org/openclaw-litellm-action/secret"
)

// TestManyKeys pages over 20,000 keys: each is there once, and a user's own are found without reading the others.
func TestManyKeys(t *testing.T) {
	t.Parallel()
	p := litellmtest.New(litellmtest.Options{Now: newClock().now, NoServer: true})
	p.AddKeys(10_000)
	must(t, p, "POST", "/key/generate", `{"key":"`+testKey(1)+`","user_id":"u"}`)
	p.AddKeys(9_999)
	seen := map[string]bool{}
	for page := 1; ; page++ {
		answer := must(t, p, "GET", fmt.Sprintf("/key/list?size=100&page=%d", page), "")
		keys := answer["keys"].([]any)
		if len(keys) == 0 {
			break
		}
		if answer["total_count"] != 20000.0 || answer["total_pages"] != 200.0 {
			t.Fatalf("page %d: %v of %v", page, answer["total_count"], answer["total_pages"])
		}
		for _, key := range keys {
			seen[key.(string)] = true
		}
	}
	if len(seen) != 20_000 || !seen[secret.New(testKey(1)).SHA256()] {
		t.Errorf("%d keys seen", len(seen))
	}
	if mine := p.KeysOf("u"); len(mine) != 1 || mine[0].UserID != "u" {
		t.Errorf("%+v", mine)
	}
	if keys := must(t, p, "GET", "/key/list?user_id=u", "")["keys"].([]any); len(keys) != 1 {
		t.Errorf("%v", keys)
	}
}

// TestRecord lays out a history and reads it back row by row, by day and in the key's row.
func TestRecord(t *testing.T) {
	t.Parallel()
	c := newClock()
	for _, release := range releases() {
		p := litellmtest.New(litellmtest.Options{Release: release, Now: c.now, NoServer: true})
		must(t, p, "POST", "/user/new", `{"user_id":"u","auto_create_key":false}`)
		must(t, p, "POST", "/key/generate", `{"key":"`+testKey(1)+`","user_id":"u","key_alias":"a"}`)
		token := secret.New(testKey(1)).SHA256()
		var history []litellmtest.Usage
		for day := range 3 {
			at := c.now().AddDate(0, 0, -day)
			history = append(history,
				litellmtest.Usage{Token: token, At: at, Model: "backup", Spend: usd("1.5"), PromptTokens: 7, CompletionTokens: 8},
				litellmtest.Usage{Token: token, At: at.Add(time.Second), Model: "primary", Served: "backup", Spend: usd("0.5")},
				litellmtest.Usage{Token: token, At: at.Add(2 * time.Second), Model: "primary", Failed: true})
		}
		p.Record(history...)
		if k, _ := p.Key(token); !k.Spend.Equal(usd("6")) {
			t.Errorf("%s: spend %s", release, k.Spend)
		}
		rows := must(t, p, "GET", "/spend/logs/v2?start_date=2026-11-20&end_date=2026-11-23&sort_order=asc&api_key="+token, "")["data"].([]any)
		if len(rows) != 9 {
			t.Fatalf("%s: %d rows", release, len(rows))
		}
		metadata := rows[1].(map[string]any)["metadata"].(map[string]any)
		if recorded := metadata["attempted_fallbacks"] == 1.0; recorded != (release == "1.106.10") {
			t.Errorf("%s: fallbacks %v", release, metadata["attempted_fallbacks"])
		}
		days := must(t, p, "GET", "/user/daily/activity?start_date=2026-11-20&end_date=2026-11-22&api_key="+token, "")["results"].([]any)
		if len(days) != 3 {
			t.Fatalf("%s: %d days", release, len(days))
		}
		metrics := days[0].(map[string]any)["metrics"].(map[string]any)
		if metrics["spend"] != 2.0 || metrics["successful_requests"] != 2.0 || metrics["failed_requests"] != 1.0 {
			t.Errorf("%s: %v", release, metrics)
		}
	}
}

// TestRecordOutsideWindow: what was spent before the window began is history, not spend.
func TestRecordOutsideWindow(t *testing.T) {
	t.Parallel()
	c := newClock()
	for duration, began := range map[string]time.Time{
		"1mo": time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), "7d": time.Date(2026, 11, 16, 0, 0, 0, 0, time.UTC),
		"1d": time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC), "1h": time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC),
	} {
		p := litellmtest.New(litellmtest.Options{Now: c.now, NoServer: true})
		must(t, p, "POST", "/key/generate", `{"key":"`+testKey(1)+`","max_budget":9,"budget_duration":"`+duration+`"}`)
		token := secret.New(testKey(1)).SHA256()
		p.Record(litellmtest.Usage{Token: token, At: began.Add(-time.Second), Model: "backup", Spend: usd("3")},
			litellmtest.Usage{Token: token, At: began, Model: "backup", Spend: usd("2")})
		if k, _ := p.Key(token); !k.Spend.Equal(usd("2")) {
			t.Errorf("%s: spend %s", duration, k.Spend)
		}
	}
}

// TestAggregatedKeyLimit: the newest releases cut the breakdown, not the totals.
func TestAggregatedKeyLimit(t *testing.T) {
	t.Parallel()
	p := litellmtest.New(litellmtest.Options{Now: newClock().now, NoServer: true})
	p.AddKeys(128)
	for _, k := range p.Keys() {
		p.Record(litellmtest.Usage{Token: k.Token, Model: "backup", Spend: usd("0.01")})
	}
	const path = "/user/daily/activity/aggregated?start_date=2026-11-22&end_date=2026-11-22"
	for query, want := range map[string]int{"": 100, "&api_key_limit=1000": 128} {
		answer := must(t, p, "GET", path+query, "")
		day := answer["results"].([]any)[0].(map[string]any)
		keys := day["breakdown"].(map[string]any)["api_keys"].(map[string]any)
		total := answer["metadata"].(map[string]any)
		if len(keys) != want || total["total_api_keys"] != 128.0 || total["total_spend"] != 1.28 {
			t.Errorf("%q: %d keys, %v", query, len(keys), total)
		}
	}
}

// TestModelsAndHealth: models break, mend and report as told.
func TestModelsAndHealth(t *testing.T) {
	t.Parallel()
	c := newClock()
	p := litellmtest.New(litellmtest.Options{Now: c.now, NoServer: true})
	p.SetModel(litellmtest.ModelSpec{Name: "third", InputCost: usd("0.1"), OutputCost: usd("0.1")})
	p.SetModel(litellmtest.ModelSpec{Name: "second", Failing: true, Fallbacks: []string{"primary", "third"}})
	p.SetFailing("backup", true)
	must(t, p, "POST", "/key/generate", `{"key":"`+testKey(1)+`"}`)
	if status, kind := chat(t, p, testKey(1), "primary"); status != 500 || kind != "internal_server_error" {
		t.Errorf("all fail: %d %q", status, kind)
	}
	if status, _ := chat(t, p, testKey(1), "second"); status != 200 {
		t.Errorf("the fallback's sibling serves: %d", status)
	}
	p.SetFailing("primary", false)
	p.SetHealth("backup", false, "connection refused")
	checks := must(t, p, "GET", "/health/latest", "")["latest_health_checks"].(map[string]any)
	if len(checks) != 1 {
		t.Fatalf("%v", checks)
	}
	for _, check := range checks {
		if o := check.(map[string]any); o["status"] != "unhealthy" || o["model_name"] != "backup" {
			t.Errorf("%v", o)
		}
	}
}

// TestDeterministic: the same clock and calls give the same bytes.
func TestDeterministic(t *testing.T) {
	t.Parallel()
	story := func() (answers []string) {
		p := litellmtest.New(litellmtest.Options{Now: newClock().now, NoServer: true})
		for _, r := range [][2]string{
			{"POST /user/new", `{"user_id":"u"}`}, {"POST /key/generate", `{"user_id":"u"}`},
			{"POST /chat/completions", `{"model":"primary","messages":[{"role":"user","content":"x"}]}`},
			{"GET /user/info?user_id=u", ""}, {"GET /spend/logs/v2?start_date=2026-11-22&end_date=2026-11-23", ""},
		} {
			var method, path string
			fmt.Sscan(r[0], &method, &path)
			status, raw := askRaw(t, p, master, method, path, r[1])
			if status != http.StatusOK {
				t.Errorf("%s: %d %s", r[0], status, raw)
			}
			answers = append(answers, string(raw))
		}
		return answers
	}
	if one, two := story(), story(); !slices.Equal(one, two) {
		t.Errorf("%q\n%q", one, two)
	}
}
