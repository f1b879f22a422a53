package litellm_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/shopspring/decimal"
)

func TestKeyRowIsReadLeniently(t *testing.T) {
	row := `{"key_alias":null,"spend":0.20000000000000284,"max_budget":"1e-05","blocked":null,"expires":"2026-12-01 00:00:00",` +
		`"metadata":"{\"a\":{\"b\":1}}","models":["m"],"created_at":"2026-11-23T18:01:56.528000+02:00","created_by":"bot","rpm_limit":60}`
	k, err := client(serve(t, reply{body: `{"key":"x","info":` + row + `}`}), nil).FindKey(context.Background(), token)
	wantNil(t, err)
	if k.Token != token || k.Alias != "" || k.Blocked || k.CreatedBy != "bot" || !slices.Equal(k.Models, []string{"m"}) {
		t.Errorf("%+v", k)
	}
	if k.Spend.String() != "0.2" || !k.MaxBudget.Valid || !k.MaxBudget.Decimal.Equal(usd("0.00001")) {
		t.Errorf("money: %v, %v", k.Spend, k.MaxBudget)
	}
	if !k.Expires.Equal(time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)) || k.CreatedAt.Hour() != 16 || k.CreatedAt.Location() != time.UTC {
		t.Errorf("times: %v, %v", k.Expires, k.CreatedAt)
	}
	if !k.BudgetResetAt.IsZero() || string(k.Metadata["a"]) != `{"b":1}` || string(k.Raw["rpm_limit"]) != "60" {
		t.Errorf("%+v", k)
	}
}

func TestWhatCannotBeReadIsNoZero(t *testing.T) {
	for _, field := range []string{`"spend":"much"`, `"spend":{}`, `"max_budget":1e999999999`, `"expires":"soon"`, `"metadata":[1]`,
		`"models":"x"`, `"blocked":"perhaps"`, `"spend":` + strings.Repeat("9", 100), `"key_alias":["x"]`} {
		_, err := client(serve(t, reply{body: `{"info":{` + field + `}}`}), nil).FindKey(context.Background(), token)
		wantKind(t, err, litellm.BadAnswer)
		if name, _, _ := strings.Cut(field, ":"); err != nil && !strings.Contains(err.Error(), name) {
			t.Errorf("the field is not named: %v", err)
		}
	}
}

func TestDeletedKeyIsNotFound(t *testing.T) {
	for _, info := range []string{`{"status":"deleted","spend":1}`, `{"deleted_at":"2026-11-23T00:00:00Z"}`} {
		_, err := client(serve(t, reply{body: `{"info":` + info + `}`}), nil).FindKey(context.Background(), token)
		wantKind(t, err, litellm.NotFound)
	}
}

func TestUser(t *testing.T) {
	body := `{"user_id":"u","user_info":{"user_id":"u","user_role":"internal_user_viewer","spend":0.05,"max_budget":1.0,"budget_duration":"1mo",` +
		`"budget_reset_at":"2026-12-01T00:00:00Z","metadata":{"a":1},"teams":[{"team_id":"t1"},"t2"]},` +
		`"keys":[{"token":"a","user_id":"u","blocked":true},{"token":"b","user_id":"another"}],"teams":[]}`
	s := serve(t, reply{body: body})
	u, err := client(s, nil).User(context.Background(), "openclaw-litellm/u v")
	wantNil(t, err)
	if s.asked[0] != "GET /user/info?user_id=openclaw-litellm%2Fu+v" {
		t.Error(s.asked)
	}
	if !u.AsOf.Equal(noon) || len(u.Keys) != 0 || !slices.Equal(u.Teams, []string{"t1", "t2"}) {
		t.Errorf("%+v", u)
	}
	u, err = client(s, nil).User(context.Background(), "u")
	wantNil(t, err)
	if len(u.Keys) != 1 || !u.Keys[0].Blocked || u.Role != "internal_user_viewer" || !u.MaxBudget.Decimal.Equal(usd("1")) {
		t.Errorf("%+v", u)
	}
	for _, missing := range []string{`{"user_id":"u","user_info":null,"keys":[]}`, `{"user_id":"u","user_info":{},"keys":[]}`} {
		_, err = client(serve(t, reply{body: missing}), nil).User(context.Background(), "u")
		wantKind(t, err, litellm.NotFound)
	}
	_, err = client(s, nil).User(context.Background(), "")
	wantKind(t, err, litellm.BadRequest)
}

func TestTeamMember(t *testing.T) {
	body := `{"team_info":{"members_with_roles":[{"user_id":"u","role":"user"}]},"team_memberships":[` +
		`{"user_id":"unlisted","spend":9,"litellm_budget_table":{"max_budget":9}},` +
		`{"user_id":"u","spend":0.1,"litellm_budget_table":{"max_budget":0.5,"budget_reset_at":null}}]}`
	c := client(serve(t, reply{body: body}), nil)
	m, err := c.TeamMember(context.Background(), "t", "u")
	wantNil(t, err)
	if !m.Spend.Equal(usd("0.1")) || !m.MaxBudget.Decimal.Equal(usd("0.5")) || m.TeamID != "t" {
		t.Errorf("%+v", m)
	}
	m, err = c.TeamMember(context.Background(), "t", "unlisted")
	if wantNil(t, err); !m.MaxBudget.Decimal.Equal(usd("9")) {
		t.Errorf("%+v", m)
	}
	_, err = c.TeamMember(context.Background(), "t", "stranger")
	wantKind(t, err, litellm.NotFound)
}

func TestIdentity(t *testing.T) {
	ctx := context.Background()
	c := client(serve(t, reply{status: 404, body: `{"error":{"message":"Key not found in database","type":"not_found_error","param":"key","code":"404"}}`}), nil)
	for range 3 {
		id, err := c.Identity(ctx)
		wantNil(t, err)
		if !id.Master || id.UserID != "default_user_id" || c.Requests() != 1 {
			t.Errorf("%+v after %d requests", id, c.Requests())
		}
	}
	c = client(serve(t, reply{body: `{"info":{"user_id":"bot","allowed_routes":["/key/info"]}}`}), nil)
	id, err := c.Identity(ctx)
	wantNil(t, err)
	if id.Master || id.UserID != "bot" || !slices.Equal(id.Routes, []string{"/key/info"}) || c.Requests() != 1 {
		t.Errorf("%+v after %d requests", id, c.Requests())
	}
	c = client(serve(t, down), nil)
	_, err = c.Identity(ctx)
	wantKind(t, err, litellm.DatabaseDown)
}

func TestReleaseAndReadiness(t *testing.T) {
	ctx := context.Background()
	details := reply{body: `{"status":"healthy","db":"connected","litellm_version":"1.106.10"}`}
	open := reply{body: `{"status":"connected","db":"connected","litellm_version":"1.81.13"}`}
	bare := reply{body: `{"status":"healthy","db":"connected"}`}
	noRoute := reply{status: 404, body: `{"detail":"Not Found"}`}
	off := reply{status: 503, body: `{"status":"healthy","db":"disconnected"}`}
	tests := []struct {
		name     string
		replies  []reply
		version  string
		ready    bool
		database string
		requests int64
	}{
		{"new", []reply{details}, "1.106.10", true, "connected", 1},
		{"1.81", []reply{noRoute, open}, "1.81.13", true, "connected", 2},
		{"not_allowed", []reply{{status: 403, body: `{"detail":"no"}`}, bare}, "", true, "connected", 2},
		{"database_down", []reply{down, off}, "", false, "disconnected", 2},
		{"database_down_1.81", []reply{noRoute, {status: 503, body: `{"detail":"Service Unhealthy (Can't reach database server at localhost:5432)"}`}}, "", false, "disconnected", 2},
		{"database_down_told_at_once", []reply{off}, "", false, "disconnected", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := client(serve(t, tt.replies...), nil)
			r, err := c.Readiness(ctx)
			wantNil(t, err)
			if r.Release.Version != tt.version || r.Ready != tt.ready || r.Database != tt.database || c.Requests() != tt.requests {
				t.Errorf("%+v after %d requests", r, c.Requests())
			}
			if release, err := c.Release(ctx); tt.version != "" && (err != nil || release != r.Release || c.Requests() != tt.requests) {
				t.Errorf("asked again: %+v, %v", release, err)
			}
		})
	}
	for have, last := range map[string]int64{`{"token":"t","user_id":"u"}`: 2, `{"token":"t","user_id":"u","last_active":null}`: 3} {
		user := reply{body: `{"user_info":{"user_id":"u"},"keys":[` + have + `]}`}
		replies := []reply{user, open}
		if last == 3 {
			replies = []reply{user, noRoute, open}
		}
		c := client(serve(t, replies...), nil)
		_, err := c.User(ctx, "u")
		wantNil(t, err)
		if r, err := c.Readiness(ctx); err != nil || r.Release.Version != "1.81.13" || c.Requests() != last {
			t.Errorf("after the key row %s: %+v, %v, %d requests", have, r, err, c.Requests())
		}
	}
	_, err := client(serve(t, reply{status: 502, body: "<html>"}), nil).Readiness(ctx)
	wantKind(t, err, litellm.ProxyDown)
	_, err = client(serve(t, reply{body: `{"hello":1}`}), nil).Readiness(ctx)
	wantKind(t, err, litellm.NotLiteLLM)
}

func TestModelsDeploymentsHealth(t *testing.T) {
	ctx := context.Background()
	m, err := client(serve(t, reply{body: `{"data":[{"id":"a","metadata":{"fallbacks":["b"]}},{"id":"b"}]}`}), nil).Models(ctx)
	if wantNil(t, err); len(m) != 2 || !slices.Equal(m[0].Fallbacks, []string{"b"}) || m[1].Fallbacks != nil {
		t.Errorf("%+v", m)
	}
	d, err := client(serve(t, reply{body: `{"data":[{"model_name":"g","litellm_params":{"model":"openai/x"},"model_info":` +
		`{"id":"1","input_cost_per_token":1.5e-07,"output_cost_per_token":null,"max_input_tokens":128000.0,"mode":"chat"}}]}`}), nil).Deployments(ctx)
	if wantNil(t, err); len(d) != 1 || !d[0].InputCost.Decimal.Equal(usd("0.00000015")) || d[0].OutputCost.Valid || d[0].MaxInputTokens != 128000 {
		t.Errorf("%+v", d)
	}
	none := reply{status: 500, body: `{"error":{"message":"{'error': 'LLM Model List not loaded in. Make sure you passed models in your config.yaml'}","type":"internal_server_error","code":"500"}}`}
	d, err = client(serve(t, reply{body: `{"data":[{"model_name":"m","litellm_params":{"model":"openai/m","cache_read_input_token_cost":"5e-07","output_cost_per_token":2},"model_info":` +
		`{"id":"1","output_cost_per_token":1,"cache_read_input_token_cost":null}}]}`}), nil).Deployments(ctx)
	if err != nil || !d[0].CacheReadCost.Decimal.Equal(usd("0.0000005")) || !d[0].OutputCost.Decimal.Equal(usd("1")) || d[0].CacheWriteCost.Valid {
		t.Errorf("prices of the configuration: %+v, %v", d, err)
	}
	if d, err = client(serve(t, none), nil).Deployments(ctx); err != nil || len(d) != 0 {
		t.Errorf("%v, %v", d, err)
	}
	h, err := client(serve(t, reply{body: `{"latest_health_checks":{"id1":{"model_name":"a","status":"unhealthy","error_message":"key sk-abcdefgh",` +
		`"checked_at":"2026-11-23T10:00:00Z"},"id0":{"model_name":"a","model_id":"id0","status":"healthy"}},"total_models":2}`}), nil).LatestHealth(ctx)
	if wantNil(t, err); len(h) != 2 || !h[0].Healthy || h[1].ModelID != "id1" || h[1].Error != "key [redacted]" || h[1].CheckedAt.Hour() != 10 {
		t.Errorf("%+v", h)
	}
}

func TestChat(t *testing.T) {
	headers := map[string]string{"X-Litellm-Model-Group": "backup", "X-Litellm-Attempted-Fallbacks": "1", "X-Litellm-Response-Cost": "0.05",
		"X-Litellm-Call-Id": "c", "X-Litellm-Version": "1.106.10"}
	s := serve(t, reply{body: `{"choices":[]}`, header: headers})
	c := client(s, nil)
	r, err := c.Chat(context.Background(), mintedKey, "primary", 5)
	if wantNil(t, err); r.ServedBy != "backup" || r.AttemptedFallbacks != 1 || !r.Cost.Equal(usd("0.05")) || r.CallID != "c" {
		t.Errorf("%+v", r)
	}
	if s.auth[0] != "Bearer "+mintedKey.Reveal() || !strings.Contains(s.bodies[0], `"max_tokens":5`) {
		t.Error("asked with another key, or without a bound")
	}
	if release, err := c.Release(context.Background()); err != nil || release.Minor != 106 || c.Requests() != 1 {
		t.Errorf("the release was in the answer's header: %+v, %v", release, err)
	}
	r, err = client(serve(t, reply{body: `{}`}), nil).Chat(context.Background(), mintedKey, "m", 1)
	if err != nil || !r.Cost.Equal(decimal.Zero) || r.ServedBy != "" {
		t.Errorf("%+v, %v", r, err)
	}
}
