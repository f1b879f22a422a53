package litellm_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/secret"
)

// refusing answers every request with one status, header and body.
type refusing struct {
	status int
	header string // of x-litellm-response-cost and its like
	body   string
}

func (c refusing) RoundTrip(r *http.Request) (*http.Response, error) {
	h := http.Header{"Content-Type": {"application/json"}, "X-Litellm-Model-Group": {c.header}, "X-Litellm-Attempted-Fallbacks": {c.header},
		"X-Litellm-Response-Cost": {c.header}, "X-Litellm-Version": {c.header}, "Date": {c.header}, "Retry-After": {c.header}}
	return &http.Response{StatusCode: c.status, Header: h, Body: io.NopCloser(strings.NewReader(c.body)), Request: r}, nil
}

// FuzzRows lets a proxy answer anything, with any status and header, to whoever reads keys, users, teams, its own state and a
// model's answer: no panic, no amount of work without bounds, and an error has a kind and never the key that asked.
func FuzzRows(f *testing.F) {
	const key = "sk-fuzz-00000000"
	for _, seed := range []struct {
		status       int
		header, body string
	}{
		{200, "0.05", `{"keys":[{"token":"t","key_alias":"a","models":["m"],"spend":1e-05,"max_budget":null,"metadata":{"x":1},"expires":"2026-12-01T00:00:00Z"}],"total_pages":2}`},
		{200, "backup", `{"users":[{"user_id":"u","spend":"0.1","budget_reset_at":"2026-12-01T00:00:00+00:00"}],"total_pages":1}`},
		{200, "1", `{"team_info":{"members_with_roles":[{"user_id":"u"}]},"team_memberships":[{"user_id":"u","spend":0.1,"litellm_budget_table":{"max_budget":1,"budget_duration":"1mo"}}]}`},
		{200, "Wed, 18 Nov 2026 12:00:00 GMT", `{"key":"t","info":{"user_id":"u","allowed_routes":["/key/list"]}}`},
		{200, "1.106.10", `{"status":"healthy","db":"connected","litellm_version":"1.106.10"}`},
		{200, "-1", `{"results":[{"date":"2026-11-23","breakdown":{"entities":{"tag":{"metrics":{},"api_key_breakdown":{"t":{"metrics":{"spend":0.05,"api_requests":1}}}}}}}]}`},
		{422, "30", `{"error":{"message":"Budget has been exceeded! Key=a (` + key + `) Current cost: 0.02","type":"budget_exceeded","param":null,"code":"422"}}`},
		{401, "", `{"error":{"message":"Authentication Error, Can't reach database server","type":"auth_error","param":"None","code":"401"}}`},
		{403, "x", `{"detail":"Virtual key is not allowed to call this route"}`}, {404, "", `{"detail":{"error":"User not found"}}`},
		{500, "", "Internal Server Error"}, {503, "", `{"status":"healthy","db":"disconnected"}`}, {429, "1e99", `[]`}, {302, "", "<html>"}, {200, "", "{"},
	} {
		f.Add(seed.status, seed.header, seed.body)
	}
	f.Fuzz(func(t *testing.T, status int, header, body string) {
		if status < 200 || status > 599 || strings.ContainsAny(header, "\r\n") {
			return
		}
		ctx := context.Background()
		fresh := func() *litellm.Client {
			return &litellm.Client{BaseURL: "http://127.0.0.1", Key: secret.New(key), Attempts: 2, HTTP: &http.Client{Transport: refusing{status, header, body}},
				Now: func() time.Time { return noon }, Sleep: func(context.Context, time.Duration) error { return nil }}
		}
		said := func(what string, err error) {
			if err == nil {
				return
			}
			var e *litellm.Error
			if !errors.As(err, &e) || e.Kind == "" || strings.Contains(err.Error(), key) || len(err.Error()) > 2000 || strings.ContainsAny(err.Error(), "\n\x1b\x00") {
				t.Errorf("%s: %q", what, err)
			}
		}
		_, err := fresh().FindKey(ctx, "t")
		said("finding a key", err)
		_, err = fresh().Keys(ctx, "u")
		said("listing keys", err)
		_, _, _, err = fresh().AllKeys(ctx, 3)
		said("listing all keys", err)
		_, err = fresh().Users(ctx, "u")
		said("listing users", err)
		_, err = fresh().User(ctx, "u")
		said("reading a user", err)
		_, err = fresh().TeamMember(ctx, "team", "u")
		said("reading a member", err)
		_, err = fresh().Identity(ctx)
		said("asking who we are", err)
		_, err = fresh().Readiness(ctx)
		said("asking whether it is ready", err)
		_, err = fresh().Breakdown(ctx, litellm.ByTag, litellm.ActivityQuery{From: "2026-11-22", To: "2026-11-23", Token: "t"})
		said("reading by tag", err)
		said("verifying a key", fresh().VerifyKey(ctx, secret.New(key)))
		said("blocking a key", fresh().BlockKey(ctx, "t"))
		said("making a key", fresh().GenerateKey(ctx, litellm.NewKey{Value: secret.New("sk-fuzz-000000000000")}))
		r, err := fresh().Chat(ctx, secret.New(key), "m", 1)
		if said("calling a model", err); err == nil && r.Cost.IsNegative() {
			t.Errorf("a call costs %s", r.Cost)
		}
	})
}
