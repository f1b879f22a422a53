package litellm_test

import (
	"context"
	"testing"
	"time"

	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/shopspring/decimal"
)

// The routes of the recipes in docs/facts.md: what the whole product needs, and what check and report need.
var (
	readRoutes = []string{"/user/info", "/user/list", "/key/info", "/key/list", "/team/info", "/user/daily/activity", "/tag/daily/activity",
		"/customer/daily/activity", "/spend/logs/v2", "/v1/models", "/model/info", "/health/readiness/details", "/health/latest"}
	manageRoutes = append([]string{"/user/new", "/user/update", "/key/generate", "/key/update", "/key/block", "/key/unblock", "/key/delete",
		"/team/member_add", "/team/member_update"}, readRoutes...)
)

// narrowKeys holds that keys made by the recipes can do what they are for, and nothing else.
func narrowKeys(t *testing.T, w *world) {
	ctx := t.Context()
	bot := w.user(t, "bot", litellm.Fields{"user_role": "proxy_admin"})
	manager := w.as(w.key(t, litellm.Fields{"user_id": bot, "allowed_routes": manageRoutes}))
	reader := w.as(w.key(t, litellm.Fields{"user_id": bot, "allowed_routes": readRoutes}))
	team := w.team(t, "narrow")

	for _, c := range []*litellm.Client{manager, reader} {
		id, err := c.Identity(ctx)
		if wantNil(t, err); id.Master || id.UserID != bot || len(id.Routes) == 0 {
			t.Errorf("%+v", id)
		}
	}
	holder := w.name("narrow-holder")
	t.Cleanup(func() { w.DeleteUser(context.Background(), holder) })
	wantKind(t, reader.CreateUser(ctx, holder, nil), litellm.Forbidden)
	wantNil(t, manager.CreateUser(ctx, holder, litellm.Fields{"user_role": "internal_user_viewer", "max_budget": usd("1")}))
	wantNil(t, manager.UpdateUser(ctx, holder, litellm.Fields{"max_budget": usd("2")}))
	wantNil(t, manager.AddTeamMember(ctx, team, holder, decimal.NewNullDecimal(usd("1")), ""))
	wantNil(t, manager.UpdateTeamMember(ctx, team, holder, decimal.NewNullDecimal(usd("2")), ""))

	value := newKeyValue()
	w.keep(t, value)
	token := value.SHA256()
	wantNil(t, manager.GenerateKey(ctx, litellm.NewKey{Value: value, Fields: litellm.Fields{"user_id": holder, "metadata": mark("bot")}}))
	wantNil(t, manager.VerifyKey(ctx, value))
	wantNil(t, manager.UpdateKey(ctx, token, litellm.Fields{"max_budget": usd("3")}))
	wantNil(t, manager.BlockKey(ctx, token))
	wantNil(t, manager.UnblockKey(ctx, token))
	for _, err := range []error{reader.BlockKey(ctx, token), reader.UpdateKey(ctx, token, litellm.Fields{"max_budget": usd("9")}),
		reader.DeleteKey(ctx, token), reader.GenerateKey(ctx, litellm.NewKey{Value: newKeyValue()}), reader.AddTeamMember(ctx, team, bot, decimal.NullDecimal{}, "")} {
		wantKind(t, err, litellm.Forbidden)
	}
	for _, route := range manageRoutes[:len(manageRoutes)-len(readRoutes)] { // which changes nothing, as what follows shows
		wantNil(t, w.MayPost(ctx, route))
		wantNil(t, manager.MayPost(ctx, route))
		wantKind(t, reader.MayPost(ctx, route), litellm.Forbidden)
	}
	for _, c := range []*litellm.Client{manager, reader} {
		reads(t, w, c, holder, team, token)
		_, err := c.Chat(ctx, c.Key, "backup", 20)
		wantKind(t, err, litellm.Forbidden)
	}
	k, err := manager.FindKey(ctx, token)
	if wantNil(t, err); k.CreatedBy != bot || !k.MaxBudget.Decimal.Equal(usd("3")) {
		t.Errorf("made by a management key: %+v", k)
	}
	wantNil(t, manager.DeleteKey(ctx, token))
}

// reads does everything that only reads.
func reads(t *testing.T, w *world, c *litellm.Client, holder, team, token string) {
	t.Helper()
	ctx := t.Context()
	u, err := c.User(ctx, holder)
	if wantNil(t, err); len(u.Keys) != 1 || !u.MaxBudget.Decimal.Equal(usd("2")) {
		t.Errorf("%+v", u)
	}
	users, err := c.Users(ctx, holder)
	if wantNil(t, err); len(users) != 1 {
		t.Errorf("%+v", users)
	}
	keys, err := c.Keys(ctx, holder)
	if wantNil(t, err); len(keys) != 1 || keys[0].Token != token {
		t.Errorf("%+v", keys)
	}
	m, err := c.TeamMember(ctx, team, holder)
	if wantNil(t, err); !m.MaxBudget.Decimal.Equal(usd("2")) {
		t.Errorf("%+v", m)
	}
	day := w.now().UTC().Format(time.DateOnly)
	_, err = c.Activity(ctx, litellm.ActivityQuery{From: day, To: day, UserID: holder})
	wantNil(t, err)
	for _, d := range []litellm.Dimension{litellm.ByTag, litellm.ByEndUser} {
		_, err = c.Breakdown(ctx, d, litellm.ActivityQuery{From: day, To: day, Token: token})
		wantNil(t, err)
	}
	for _, err := range c.SpendLogs(ctx, w.lastHour(token)) {
		wantNil(t, err)
	}
	models, err := c.Models(ctx)
	if wantNil(t, err); len(models) < 2 {
		t.Errorf("%+v", models)
	}
	_, err = c.Deployments(ctx)
	wantNil(t, err)
	r, err := c.Readiness(ctx)
	if wantNil(t, err); r.Release.Version != w.version {
		t.Errorf("%+v", r)
	}
	_, err = c.LatestHealth(ctx)
	wantNil(t, err)
}
