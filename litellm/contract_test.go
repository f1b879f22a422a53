package litellm_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/litellm/litellmtest"
	"github.com/org/openclaw-litellm-action/secret"
	"github.com/shopspring/decimal"
)

// The contract is what the product stands on: it holds for the fake, in every release family it knows, and for real
// proxies named by LITELLM_LIVE. Where releases differ, the difference is part of it. What the fake does otherwise is a
// fault of the fake.
//
//	LITELLM_LIVE             VERSION=URL[,VERSION=URL…]; models as in the fake (DefaultModels), spend written every second
//	LITELLM_LIVE_MASTER_KEY  the master key of all of them
//	LITELLM_LIVE_SECOND      VERSION=URL of one more proxy on the database of the LITELLM_LIVE proxy of that version

// world is one proxy under contract.
type world struct {
	*litellm.Client                 // with the master key
	second          *litellm.Client // another proxy on the same database; nil: none
	version         string
	live            bool
	pass            func(time.Duration) // lets time pass
	now             func() time.Time    // the proxy's, about
	run             string              // makes this run's names unique
	down            func(bool)          // stops the database; nil: it must not be
}

func TestContractFake(t *testing.T) {
	for _, version := range []string{"1.81.13", "1.93.2", "1.106.10"} {
		t.Run(version, func(t *testing.T) {
			contract(t, func(t *testing.T) *world { return fakeWorld(t, version) })
		})
	}
}

func TestContractLive(t *testing.T) {
	list := os.Getenv("LITELLM_LIVE")
	if list == "" {
		t.Skip("LITELLM_LIVE is not set: no real proxy to hold to the contract")
	}
	for _, entry := range strings.Split(list, ",") {
		version, url, _ := strings.Cut(strings.TrimSpace(entry), "=")
		t.Run(version, func(t *testing.T) {
			contract(t, func(t *testing.T) *world { return liveWorld(version, url) })
		})
	}
}

// contract runs every clause, each with a world from newProxy.
func contract(t *testing.T, newProxy func(t *testing.T) *world) {
	clauses := []struct {
		name string
		hold func(*testing.T, *world)
	}{
		{"create_once", createOnce}, {"create_once_concurrently", createOnceConcurrently}, {"alias", aliases},
		{"metadata", metadataReplaced}, {"claim", claimRow}, {"block_and_delete", blockAndDelete}, {"expiry", expiry},
		{"unknown_key", unknownKey}, {"clear_fields", clearFields}, {"lists", lists},
		{"user_twice", userTwice}, {"user_info", userInfo}, {"user_update_creates", userUpdateCreates}, {"user_deleted", userDeleted},
		{"shared_budget", sharedBudget}, {"carried_spend", carriedSpend}, {"windows", windows}, {"raise_budget", raiseBudget},
		{"move_key", moveKey}, {"team_budget", teamBudget}, {"member_limit", memberLimit},
		{"spend_rows", spendRows}, {"activity_of_user", activityOfUser}, {"breakdown", breakdown}, {"cache_hits", cacheHits},
		{"fallback", fallback},
		{"models", modelsListed}, {"health", health}, {"narrow_keys", narrowKeys}, {"identity", identity}, {"two_proxies", twoProxies},
		{"database_down", databaseDown},
	}
	for _, c := range clauses {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.hold(t, newProxy(t))
		})
	}
}

// fakeWorld is a proxy in memory with a clock of its own: Wednesday, 18 November 2026, noon.
func fakeWorld(t *testing.T, version string) *world {
	var passed atomic.Int64
	start := time.Date(2026, 11, 18, 12, 0, 0, 0, time.UTC)
	now := func() time.Time { return start.Add(time.Duration(passed.Load())) }
	proxy := litellmtest.New(litellmtest.Options{Release: version, Now: now})
	t.Cleanup(proxy.Close)
	other := proxy.Second(time.Minute)
	t.Cleanup(other.Close)
	pass := func(d time.Duration) { passed.Add(int64(d)) }
	connect := func(p *litellmtest.Proxy) *litellm.Client {
		return &litellm.Client{BaseURL: p.URL(), Key: p.MasterKey(), HTTP: p.Client(), Now: now,
			Sleep: func(ctx context.Context, d time.Duration) error { pass(d); return ctx.Err() }}
	}
	return &world{Client: connect(proxy), second: connect(other), version: version, pass: pass, now: now, run: "fake", down: proxy.SetDatabaseDown}
}

// liveWorld is a real proxy.
func liveWorld(version, url string) *world {
	connect := func(url string) *litellm.Client {
		return &litellm.Client{BaseURL: url, Key: secret.New(os.Getenv("LITELLM_LIVE_MASTER_KEY"))}
	}
	w := &world{Client: connect(url), version: version, live: true, pass: time.Sleep, now: time.Now, run: randomHex(4)}
	if v, second, ok := strings.Cut(os.Getenv("LITELLM_LIVE_SECOND"), "="); ok && v == version {
		w.second = connect(second)
	}
	return w
}

func randomHex(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	return hex.EncodeToString(b)
}

// newKeyValue is a key nobody has.
func newKeyValue() secret.Value { return secret.New("sk-contract-" + randomHex(16)) }

// before reports whether the proxy is older than 1.minor.
func (w *world) before(minor int) bool {
	var have int
	fmt.Sscanf(w.version, "1.%d.", &have)
	return have < minor
}

// name is a name of this run's own.
func (w *world) name(what string) string { return "contract/" + w.run + "/" + what }

// user makes a user, gone at the end.
func (w *world) user(t *testing.T, what string, f litellm.Fields) string {
	t.Helper()
	id := w.name(what)
	t.Cleanup(func() { w.DeleteUser(context.Background(), id) })
	wantNil(t, w.CreateUser(t.Context(), id, f))
	return id
}

// key makes a key, gone at the end.
func (w *world) key(t *testing.T, f litellm.Fields) secret.Value {
	t.Helper()
	value := newKeyValue()
	w.keep(t, value)
	wantNil(t, w.GenerateKey(t.Context(), litellm.NewKey{Value: value, Fields: f}))
	return value
}

// keep sees to it that the key is gone at the end.
func (w *world) keep(t *testing.T, value secret.Value) {
	t.Cleanup(func() { w.DeleteKey(context.Background(), value.SHA256()) })
}

// row reads a key.
func (w *world) row(t *testing.T, value secret.Value) *litellm.Key {
	t.Helper()
	k, err := w.FindKey(t.Context(), value.SHA256())
	wantNil(t, err)
	return k
}

// call makes one call that costs about 0.05 USD.
func (w *world) call(t *testing.T, key secret.Value) error {
	t.Helper()
	_, err := w.Chat(t.Context(), key, "backup", 20)
	return err
}

// spend makes one call and returns its cost: 0.05 USD, give or take how a release counts the prompt's tokens.
func (w *world) spend(t *testing.T, key secret.Value) decimal.Decimal {
	t.Helper()
	r, err := w.Chat(t.Context(), key, "backup", 20)
	wantNil(t, err)
	if r.Cost.Sub(usd("0.05")).Abs().GreaterThan(usd("0.005")) {
		t.Errorf("a call costs %v", r.Cost)
	}
	return r.Cost
}

// same reports whether amounts are the same but for what the proxy's floats add.
func same(a, b decimal.Decimal) bool { return a.Sub(b).Abs().LessThan(usd("0.000001")) }

// team makes a team, gone at the end. The product makes none, so the client can't.
func (w *world) team(t *testing.T, what string) string {
	t.Helper()
	id := w.name(what)
	t.Cleanup(func() { w.post(context.Background(), "/team/delete", litellm.Fields{"team_ids": []string{id}}) })
	wantNil(t, w.post(t.Context(), "/team/new", litellm.Fields{"team_id": id, "team_alias": id}))
	return id
}

// post sends what the client has no method for.
func (w *world) post(ctx context.Context, path string, body litellm.Fields) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.BaseURL+path, strings.NewReader(string(raw)))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+w.Key.Reveal())
	request.Header.Set("Content-Type", "application/json")
	sender := w.HTTP
	if sender == nil {
		sender = http.DefaultClient
	}
	response, err := sender.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if text, _ := io.ReadAll(response.Body); response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %d %s", path, response.StatusCode, text)
	}
	return nil
}

// eventually waits until check is nil: within 90 s of a real proxy, that writes what calls cost in batches and works with
// keys, users and members as it read them for up to 60 s; at once of the fake, that is told to.
func (w *world) eventually(t *testing.T, check func() error) {
	t.Helper()
	err := check()
	for deadline := w.now().Add(90 * time.Second); err != nil && w.live && w.now().Before(deadline); err = check() {
		w.pass(300 * time.Millisecond)
	}
	wantNil(t, err)
}

// wantStatus checks the status of an error, where releases differ in it.
func wantStatus(t *testing.T, err error, status int) {
	t.Helper()
	var e *litellm.Error
	if !errors.As(err, &e) || e.Status != status {
		t.Errorf("want status %d: %v", status, err)
	}
}
