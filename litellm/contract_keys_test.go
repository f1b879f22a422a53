package litellm_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/secret"
)

// mark is metadata by which a writer is known.
func mark(writer any) litellm.Fields {
	return litellm.Fields{"openclaw_litellm": map[string]any{"run": fmt.Sprint(writer)}}
}

// writer tells whose metadata a row has.
func writer(k *litellm.Key) string {
	return strings.Trim(strings.TrimPrefix(strings.ReplaceAll(string(k.Metadata["openclaw_litellm"]), " ", ""), `{"run":`), `"}`)
}

// The first row made with a value stays as it is, and later writers are not told.
func createOnce(t *testing.T, w *world) {
	user := w.user(t, "once", nil)
	first := litellm.Fields{"user_id": user, "key_alias": w.name("once-1"), "max_budget": usd("1.5"), "metadata": mark("first")}
	value := w.key(t, first)
	second := litellm.Fields{"user_id": user, "key_alias": w.name("once-2"), "max_budget": usd("9"), "metadata": mark("second"), "blocked": true}
	wantNil(t, w.GenerateKey(t.Context(), litellm.NewKey{Value: value, Fields: second}))
	wantNil(t, w.GenerateKey(t.Context(), litellm.NewKey{Value: value}))
	k := w.row(t, value)
	if k.Alias != w.name("once-1") || !k.MaxBudget.Decimal.Equal(usd("1.5")) || k.Blocked || writer(k) != "first" || k.UserID != user {
		t.Errorf("the second writer got through: %+v", k)
	}
	// The proxy refuses the same alias, which the row itself has; the client sees through that.
	wantNil(t, w.GenerateKey(t.Context(), litellm.NewKey{Value: value, Fields: first}))
	if k.Token != value.SHA256() || k.CreatedBy != "default_user_id" || k.CreatedAt.IsZero() {
		t.Errorf("%+v", k)
	}
}

func createOnceConcurrently(t *testing.T, w *world) {
	user := w.user(t, "once-together", nil)
	value := newKeyValue()
	w.keep(t, value)
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			f := litellm.Fields{"user_id": user, "metadata": mark(i)}
			if err := w.GenerateKey(t.Context(), litellm.NewKey{Value: value, Fields: f}); err != nil {
				t.Errorf("writer %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	winner := writer(w.row(t, value))
	keys, err := w.Keys(t.Context(), user)
	wantNil(t, err)
	if len(keys) != 1 || len(winner) != 1 || writer(&keys[0]) != winner {
		t.Errorf("%d rows, winner %q", len(keys), winner)
	}
}

func aliases(t *testing.T, w *world) {
	plain, retired := w.name("alias"), w.name("alias")+".g1"
	old := w.key(t, litellm.Fields{"key_alias": plain})
	value := newKeyValue()
	w.keep(t, value)
	ctx := t.Context()
	err := w.GenerateKey(ctx, litellm.NewKey{Value: value, Fields: litellm.Fields{"key_alias": plain}})
	wantKind(t, err, litellm.AliasTaken)
	wantStatus(t, err, 400)
	_, err = w.FindKey(ctx, value.SHA256())
	wantKind(t, err, litellm.NotFound)

	next := w.key(t, litellm.Fields{"key_alias": plain + ".next"})
	wantKind(t, w.UpdateKey(ctx, next.SHA256(), litellm.Fields{"key_alias": plain}), litellm.AliasTaken)
	wantNil(t, w.UpdateKey(ctx, old.SHA256(), litellm.Fields{"key_alias": retired}))
	wantNil(t, w.UpdateKey(ctx, next.SHA256(), litellm.Fields{"key_alias": plain}))
	for alias, want := range map[string]secret.Value{plain: next, retired: old} {
		keys, err := w.KeysByAlias(ctx, alias)
		wantNil(t, err)
		if len(keys) != 1 || keys[0].Token != want.SHA256() {
			t.Errorf("alias %q: %+v", alias, keys)
		}
	}
	// A deleted key's alias is free, and so is its value.
	wantNil(t, w.DeleteKey(ctx, next.SHA256()))
	wantNil(t, w.GenerateKey(ctx, litellm.NewKey{Value: next, Fields: litellm.Fields{"key_alias": plain}}))
}

func metadataReplaced(t *testing.T, w *world) {
	value := w.key(t, litellm.Fields{"metadata": map[string]any{"theirs": map[string]any{"deep": []any{1, nil, "é😀"}}, "ours": 1}})
	if got := string(w.row(t, value).Metadata["theirs"]); !strings.Contains(got, "deep") || !strings.Contains(got, "null") {
		t.Errorf("metadata came back as %s", got)
	}
	wantNil(t, w.UpdateKey(t.Context(), value.SHA256(), litellm.Fields{"max_budget": usd("2")}))
	if k := w.row(t, value); len(k.Metadata) != 2 || !k.MaxBudget.Decimal.Equal(usd("2")) {
		t.Errorf("an update of something else changed metadata: %v", k.Metadata)
	}
	wantNil(t, w.UpdateKey(t.Context(), value.SHA256(), litellm.Fields{"metadata": map[string]any{"ours": 2}}))
	if k := w.row(t, value); len(k.Metadata) != 1 || string(k.Metadata["ours"]) != "2" {
		t.Errorf("metadata was not replaced whole: %v", k.Metadata)
	}
}

func claimRow(t *testing.T, w *world) {
	user := w.user(t, "claim", nil)
	value := w.key(t, litellm.Fields{"user_id": user, "blocked": true, "max_budget": usd("0"), "duration": "15m", "metadata": mark("claim")})
	k := w.row(t, value)
	left := k.Expires.Sub(k.CreatedAt)
	if !k.Blocked || !k.MaxBudget.Valid || !k.MaxBudget.Decimal.IsZero() || left < 14*time.Minute || left > 16*time.Minute || k.Alias != "" {
		t.Errorf("%+v expires after %v", k, left)
	}
	wantKind(t, w.call(t, value), litellm.KeyBlocked)
	w.pass(time.Second)
	wantNil(t, w.UpdateKey(t.Context(), value.SHA256(), litellm.Fields{"duration": "15m"}))
	renewed := w.row(t, value)
	if !renewed.Expires.After(k.Expires) || writer(renewed) != "claim" || !renewed.Blocked {
		t.Errorf("renewing moved the expiry from %v to %v: %+v", k.Expires, renewed.Expires, renewed)
	}
}

func blockAndDelete(t *testing.T, w *world) {
	ctx := t.Context()
	user := w.user(t, "block", nil)
	value := w.key(t, litellm.Fields{"user_id": user, "metadata": mark("me")})
	wantNil(t, w.VerifyKey(ctx, value))
	for range 2 {
		wantNil(t, w.BlockKey(ctx, value.SHA256()))
	}
	err := w.VerifyKey(ctx, value)
	wantKind(t, err, litellm.KeyBlocked)
	wantStatus(t, err, 401)
	wantKind(t, w.call(t, value), litellm.KeyBlocked)
	if k := w.row(t, value); !k.Blocked || writer(k) != "me" {
		t.Errorf("%+v", k)
	}
	wantNil(t, w.UnblockKey(ctx, value.SHA256()))
	wantNil(t, w.VerifyKey(ctx, value))
	if w.row(t, value).Blocked {
		t.Error("still blocked")
	}

	for range 2 { // of a key that is gone, deleting is no error
		wantNil(t, w.DeleteKey(ctx, value.SHA256()))
	}
	_, err = w.FindKey(ctx, value.SHA256())
	wantKind(t, err, litellm.NotFound)
	wantKind(t, w.VerifyKey(ctx, value), litellm.UnknownKey)
	wantKind(t, w.call(t, value), litellm.UnknownKey)
	for _, err := range []error{w.BlockKey(ctx, value.SHA256()), w.UnblockKey(ctx, value.SHA256()),
		w.UpdateKey(ctx, value.SHA256(), litellm.Fields{"max_budget": usd("1")})} {
		wantKind(t, err, litellm.NotFound)
		if w.before(93) {
			wantStatus(t, err, 401)
		} else {
			wantStatus(t, err, 404)
		}
	}
	if keys, err := w.Keys(ctx, user); err != nil || len(keys) != 0 {
		t.Errorf("%v, %v", keys, err)
	}
}

func expiry(t *testing.T, w *world) {
	value := w.key(t, litellm.Fields{"duration": "1s"})
	w.pass(2100 * time.Millisecond)
	err := w.VerifyKey(t.Context(), value)
	wantKind(t, err, litellm.KeyExpired)
	if w.before(93) {
		wantStatus(t, err, 400)
	} else {
		wantStatus(t, err, 401)
	}
}

func unknownKey(t *testing.T, w *world) {
	stranger := newKeyValue()
	err := w.VerifyKey(t.Context(), stranger)
	wantKind(t, err, litellm.UnknownKey)
	wantStatus(t, err, 401)
	wantKind(t, w.call(t, stranger), litellm.UnknownKey)
	_, err = w.FindKey(t.Context(), stranger.SHA256())
	wantKind(t, err, litellm.NotFound)
	wantStatus(t, err, 404)
	dead := &litellm.Client{BaseURL: w.BaseURL, HTTP: w.HTTP, Key: stranger, Now: w.Now, Sleep: w.Sleep}
	_, err = dead.User(t.Context(), "anybody")
	wantKind(t, err, litellm.UnknownKey)
	wantKind(t, dead.BlockKey(t.Context(), token), litellm.UnknownKey)
	noLeak(t, err, stranger.Reveal(), stranger.SHA256())
}

func clearFields(t *testing.T, w *world) {
	ctx := t.Context()
	value := w.key(t, litellm.Fields{"max_budget": usd("5"), "budget_duration": "30d", "duration": "1h"})
	wantNil(t, w.UpdateKey(ctx, value.SHA256(), litellm.Fields{"max_budget": nil, "budget_duration": nil, "duration": "-1"}))
	k := w.row(t, value)
	if k.MaxBudget.Valid || !k.Expires.IsZero() {
		t.Errorf("not cleared: %+v", k)
	}
	if kept := k.BudgetDuration == "30d" && !k.BudgetResetAt.IsZero(); kept != w.before(93) {
		t.Errorf("duration %q, reset at %v", k.BudgetDuration, k.BudgetResetAt)
	}
}

func lists(t *testing.T, w *world) {
	ctx := t.Context()
	user := w.user(t, "lists", litellm.Fields{"metadata": mark("lists")})
	tokens := map[string]bool{}
	for range 3 {
		tokens[w.key(t, litellm.Fields{"user_id": user, "metadata": mark("row")}).SHA256()] = true
	}
	keys, err := w.Keys(ctx, user)
	if wantNil(t, err); len(keys) != 3 {
		t.Errorf("%d keys", len(keys))
	}
	for _, k := range keys {
		if !tokens[k.Token] || writer(&k) != "row" || k.UserID != user || k.CreatedAt.IsZero() {
			t.Errorf("%+v", k)
		}
	}
	all, err := w.Keys(ctx, "")
	if wantNil(t, err); len(all) < 3 {
		t.Errorf("%d keys of all", len(all))
	}
	users, err := w.Users(ctx, w.name("lis"))
	if wantNil(t, err); len(users) != 1 || users[0].ID != user || len(users[0].Metadata) != 1 {
		t.Errorf("%+v", users)
	}
	if users, err = w.Users(ctx, w.run+"/lis"); err != nil || len(users) != 0 {
		t.Errorf("no id starts so: %+v, %v", users, err)
	}
}
