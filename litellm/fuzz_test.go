package litellm_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/secret"
)

// canned answers every request with one body, and after a few with an error, so that no list goes on for ever.
type canned struct {
	body string
	left int
}

func (c *canned) RoundTrip(r *http.Request) (*http.Response, error) {
	status, body := http.StatusOK, c.body
	if strings.HasPrefix(r.URL.Path, "/health/readiness") {
		body = `{"status":"healthy","db":"connected","litellm_version":"1.106.10"}`
	} else if c.left--; c.left < 0 {
		status, body = http.StatusNotFound, `{"error":{"message":"no more","type":"not_found_error","code":"404"}}`
	}
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

// FuzzAnswers lets a proxy answer anything to whoever reads spend and models: no panic, no amount of work without bounds.
func FuzzAnswers(f *testing.F) {
	for _, body := range []string{
		`{"results":[{"date":"2026-11-23","metrics":{"spend":0.05,"api_requests":1},"breakdown":{"models":{"a":{"metrics":{"spend":1e-9}}},` +
			`"api_keys":{"h":{"metrics":{}}}}}],"metadata":{"has_more":true,"total_pages":2,"api_key_limit":100,"total_api_keys":128}}`,
		`{"data":[{"request_id":"r","spend":0.05,"startTime":"2026-11-23T18:33:07.378+00:00","metadata":{"attempted_fallbacks":1},"request_tags":"[\"a\"]"}],"total":1}`,
		`{"data":[{"id":"primary","metadata":{"fallbacks":["backup",{"model":"c"}]}}]}`,
		`{"latest_health_checks":{"id":{"model_name":"a","status":"unhealthy","checked_at":"2026-11-23T18:33:07Z"}}}`,
		`{"user_info":{"user_id":"u","spend":"1e-05","max_budget":50,"budget_reset_at":"2026-12-01T00:00:00Z"},"keys":[{"token":"t","user_id":"u"}]}`,
		`{"data":[{"model_name":"a","litellm_params":{"model":"x"},"model_info":{"input_cost_per_token":null}}]}`,
		`[]`, `null`, `{"data":{}}`, `{"results":[[]]}`, `{"results":[{"metrics":{"spend":1e999999}}]}`, "{", `{"keys":[{"spend":"-"}]}`,
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		ctx := context.Background()
		fresh := func() *litellm.Client {
			return &litellm.Client{BaseURL: "http://127.0.0.1", Key: secret.New("k"), Attempts: 1, HTTP: &http.Client{Transport: &canned{body, 3}},
				Sleep: func(context.Context, time.Duration) error { return nil }}
		}
		if a, err := fresh().Activity(ctx, litellm.ActivityQuery{From: "2026-11-22", To: "2026-11-23"}); (a == nil) == (err == nil) {
			t.Errorf("activity %v, error %v", a, err)
		}
		n := 0
		for _, err := range fresh().SpendLogs(ctx, litellm.LogQuery{From: noon.AddDate(-1, 0, 0), To: noon.AddDate(1, 0, 0)}) {
			if n++; err != nil && n > len(body)*4+4 {
				t.Errorf("%d rows of %d bytes", n, len(body))
			}
		}
		_, _ = fresh().Models(ctx)
		_, _ = fresh().Deployments(ctx)
		_, _ = fresh().LatestHealth(ctx)
		if u, err := fresh().User(ctx, "u"); err == nil && u.AsOf.After(noon.AddDate(100, 0, 0)) {
			t.Errorf("user %+v", u)
		}
	})
}
