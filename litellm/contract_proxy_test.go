package litellm_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/secret"
)

func health(t *testing.T, w *world) {
	r, err := w.Readiness(t.Context())
	wantNil(t, err)
	if !r.Ready || r.Database != "connected" || r.Release.Version != w.version {
		t.Errorf("%+v", r)
	}
	before := w.Requests()
	release, err := w.Release(t.Context())
	if wantNil(t, err); release != r.Release || w.Requests() != before {
		t.Errorf("%+v after %d requests more", release, w.Requests()-before)
	}
	if _, err = w.Readiness(t.Context()); err != nil || w.Requests() != before+1 {
		t.Errorf("%d requests more, %v", w.Requests()-before, err)
	}
	_, err = w.LatestHealth(t.Context())
	wantNil(t, err)
}

func identity(t *testing.T, w *world) {
	id, err := w.Identity(t.Context())
	if wantNil(t, err); !id.Master || id.UserID != "default_user_id" {
		t.Errorf("%+v", id)
	}
	user := w.user(t, "identity", litellm.Fields{"user_role": "internal_user"})
	plain := w.as(w.key(t, litellm.Fields{"user_id": user}))
	id, err = plain.Identity(t.Context())
	if wantNil(t, err); id.Master || id.UserID != user || len(id.Routes) != 0 {
		t.Errorf("%+v", id)
	}
}

// as is a client with another key.
func (w *world) as(key secret.Value) *litellm.Client {
	return &litellm.Client{BaseURL: w.BaseURL, HTTP: w.HTTP, Key: key, Now: w.Now, Sleep: w.Sleep}
}

// Two proxies on one database: one of two claims wins, and what one does the other sees within its cache's time.
func twoProxies(t *testing.T, w *world) {
	if w.second == nil {
		t.Skip("LITELLM_LIVE_SECOND names no second proxy of this release")
	}
	ctx := t.Context()
	for round := range 5 {
		claim := newKeyValue()
		w.keep(t, claim)
		var wg sync.WaitGroup
		for name, c := range map[string]*litellm.Client{"one": w.Client, "two": w.second} {
			wg.Go(func() {
				f := litellm.Fields{"metadata": mark(name), "blocked": true, "max_budget": usd("0"), "duration": "15m"}
				if err := c.GenerateKey(ctx, litellm.NewKey{Value: claim, Fields: f}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		here, err := w.FindKey(ctx, claim.SHA256())
		wantNil(t, err)
		there, err := w.second.FindKey(ctx, claim.SHA256())
		wantNil(t, err)
		if writer(here) != writer(there) || writer(here) != "one" && writer(here) != "two" {
			t.Errorf("round %d: %q here, %q there", round, writer(here), writer(there))
		}
	}

	value := w.key(t, nil)
	for _, c := range []*litellm.Client{w.Client, w.second} {
		wantNil(t, c.VerifyKey(ctx, value))
	}
	wantNil(t, w.BlockKey(ctx, value.SHA256()))
	wantKind(t, w.VerifyKey(ctx, value), litellm.KeyBlocked)
	w.within(t, 2*time.Minute, func(ctx context.Context) bool {
		return litellm.IsKind(w.second.VerifyKey(ctx, value), litellm.KeyBlocked)
	})
	wantNil(t, w.DeleteKey(ctx, value.SHA256()))
	w.within(t, 2*time.Minute, func(ctx context.Context) bool {
		return litellm.IsKind(w.second.VerifyKey(ctx, value), litellm.UnknownKey)
	})
}

// within waits until check holds, at most for limit.
func (w *world) within(t *testing.T, limit time.Duration, check func(context.Context) bool) {
	t.Helper()
	for start := w.now(); !check(t.Context()); w.pass(time.Second) {
		if w.now().Sub(start) > limit {
			t.Errorf("not within %v", limit)
			return
		}
	}
}

// While the database is down nothing says that a key is dead, or a row gone.
func databaseDown(t *testing.T, w *world) {
	if w.down == nil {
		t.Skip("a real proxy's database is not ours to stop")
	}
	ctx := t.Context()
	value := w.key(t, nil)
	w.down(true)
	t.Cleanup(func() { w.down(false) })
	calls := map[string]func() error{
		"verify": func() error { return w.VerifyKey(ctx, newKeyValue()) },
		"find":   func() error { _, err := w.FindKey(ctx, value.SHA256()); return err },
		"user":   func() error { _, err := w.User(ctx, "u"); return err },
		"keys":   func() error { _, err := w.Keys(ctx, "u"); return err },
		"member": func() error { _, err := w.TeamMember(ctx, "t", "u"); return err },
		"who":    func() error { _, err := w.Identity(ctx); return err },
		"update": func() error { return w.UpdateKey(ctx, value.SHA256(), litellm.Fields{"max_budget": usd("1")}) },
	}
	for name, call := range calls {
		if err := call(); !litellm.IsKind(err, litellm.DatabaseDown) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := w.BlockKey(ctx, value.SHA256()); !litellm.IsKind(err, litellm.DatabaseDown) && !litellm.IsKind(err, litellm.ServerFault) {
		t.Error(err) // some releases only say that something went wrong
	}
	r, err := w.Readiness(ctx)
	if wantNil(t, err); r.Ready || r.Database != "disconnected" {
		t.Errorf("%+v", r)
	}
	w.down(false)
	wantNil(t, w.VerifyKey(ctx, value))
	if release, err := w.Release(ctx); err != nil || release.Version != w.version {
		t.Errorf("%+v, %v", release, err)
	}
}
