package litellmtest_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/org/openclaw-litellm-action/litellm/litellmtest"
)

// ask sends one request with a key and returns the status and the body parsed as JSON (nil if it is none).
func ask(t *testing.T, p *litellmtest.Proxy, key, method, path, body string) (int, map[string]any) {
	t.Helper()
	status, raw := askRaw(t, p, key, method, path, body)
	var parsed map[string]any
	_ = json.Unmarshal(raw, &parsed)
	return status, parsed
}

func askRaw(t *testing.T, p *litellmtest.Proxy, key, method, path, body string) (int, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, p.URL()+path, bytes.NewBufferString(body))
	if err != nil {
		t.Fatal(err)
	}
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	resp, err := p.Client().Do(req)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s %s: reading: %v", method, path, err)
	}
	return resp.StatusCode, raw
}

const master = litellmtest.DefaultMasterKey

// TestRoutesAnswer calls every route once on every family.
func TestRoutesAnswer(t *testing.T) {
	t.Parallel()
	const key = "sk-sandbox-test-00000001"
	steps := []struct{ key, method, path, body string }{
		{master, "POST", "/user/new", `{"user_id":"u","max_budget":10,"budget_duration":"1mo","auto_create_key":false}`},
		{master, "POST", "/key/generate", `{"key":"` + key + `","user_id":"u","key_alias":"a","metadata":{"x":1}}`},
		{master, "POST", "/key/update", `{"key":"` + key + `","metadata":{"y":2}}`},
		{master, "GET", "/key/info?key=" + key, ""},
		{key, "GET", "/key/info", ""},
		{master, "GET", "/key/list?user_id=u&return_full_object=true", ""},
		{master, "GET", "/user/info?user_id=u", ""},
		{master, "GET", "/user/list", ""},
		{master, "POST", "/user/update", `{"user_id":"u","max_budget":11}`},
		{key, "POST", "/v1/chat/completions", `{"model":"primary","messages":[{"role":"user","content":"x"}]}`},
		{key, "GET", "/v1/models?include_metadata=true", ""},
		{master, "GET", "/model/info", ""},
		{master, "GET", "/model_group/info", ""},
		{master, "GET", "/router/settings", ""},
		{master, "GET", "/fallback/primary", ""},
		{"", "GET", "/health/readiness", ""},
		{"", "GET", "/health/liveliness", ""},
		{master, "GET", "/health/latest", ""},
		{master, "GET", "/spend/logs/v2?start_date=2020-01-01&end_date=2050-01-01", ""},
		{master, "GET", "/user/daily/activity?start_date=2020-01-01&end_date=2050-01-01", ""},
		{master, "GET", "/user/daily/activity/aggregated?start_date=2020-01-01&end_date=2050-01-01", ""},
		{master, "POST", "/team/new", `{"team_id":"t"}`},
		{master, "POST", "/team/member_add", `{"team_id":"t","member":{"user_id":"u","role":"user"},"max_budget_in_team":1}`},
		{master, "POST", "/team/member_update", `{"team_id":"t","user_id":"u","max_budget_in_team":2}`},
		{master, "GET", "/team/info?team_id=t", ""},
		{master, "POST", "/team/delete", `{"team_ids":["t"]}`},
		{master, "POST", "/key/block", `{"key":"` + key + `"}`},
		{master, "POST", "/key/unblock", `{"key":"` + key + `"}`},
		{master, "POST", "/key/delete", `{"keys":["` + key + `"]}`},
		{master, "POST", "/user/delete", `{"user_ids":["u"]}`},
	}
	for _, release := range []string{"1.81.13", "1.93.2", "1.106.10"} {
		t.Run(release, func(t *testing.T) {
			t.Parallel()
			p := litellmtest.New(litellmtest.Options{Release: release, NoServer: true})
			for _, s := range steps {
				if status, raw := askRaw(t, p, s.key, s.method, s.path, s.body); status != http.StatusOK {
					t.Errorf("%s %s: %d %s", s.method, s.path, status, raw)
				}
			}
			for _, r := range p.Requests() {
				if strings.Contains(r.Body+r.Query, "sk-") {
					t.Errorf("request log holds a key: %+v", r)
				}
			}
		})
	}
}
