package observe_test

import (
	"context"
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/budget"
	"github.com/org/openclaw-litellm-action/failover"
	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/litellm/litellmtest"
	"github.com/org/openclaw-litellm-action/observe"
	"github.com/org/openclaw-litellm-action/secret"
)

// readingRoutes are those of the recipe for a reading key in docs/facts.md.
func readingRoutes(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("../docs/facts.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`"allowed_routes":(\[[^\]]*\])`).FindAllSubmatch(text, -1) {
		var routes []string
		if json.Unmarshal(m[1], &routes) == nil && !slices.Contains(routes, "/key/generate") {
			return routes
		}
	}
	t.Fatal("docs/facts.md has no recipe for a reading key")
	return nil
}

// readsEverything reads what check and report need with a key that may do nothing else.
func readsEverything(t *testing.T, c *litellm.Client, h observe.Holder, now time.Time) {
	t.Helper()
	o := observe.Observer{Client: c, Configured: true, Keys: []observe.Asker{{Name: h.Key, Holder: h.UserID, Models: []string{"primary"}}}}
	f, err := o.Spend(t.Context(), h)
	if err != nil {
		t.Error(err)
	}
	seen := o.Look(t.Context(), now)
	allowed := []string{failover.RuleUnhealthy} // without background checks
	for _, rule := range seen.Failover.Unjudged {
		if !slices.Contains(allowed, rule) {
			t.Errorf("%s is not judged: %q", rule, seen.Failover.Gaps)
		}
	}
	if !seen.Failover.Proxy.Ready || seen.Recent[h.Key] == nil || seen.Failover.Groups == nil || seen.Failover.Proxy.Release == "" {
		t.Errorf("not all was read: %+v", seen.Failover)
	}
	if err := o.Activity(t.Context(), &f, h, now.AddDate(0, 0, -7), now); err != nil || f.Days == nil {
		t.Error(err)
	}
	if left, err := o.Parts(t.Context(), &f, 10); err != nil || left != 0 || len(f.Tokens) == 0 {
		t.Errorf("tags and end users of %v: %d left, %v", f.Tokens, left, err)
	}
	prices, err := o.Prices(t.Context())
	if err == nil {
		_, err = o.CacheHits(t.Context(), h, now.AddDate(0, 0, -7), now.Add(time.Second), 100, prices)
	}
	if err != nil {
		t.Error(err)
	}
	if _, err := o.Dearest(t.Context(), h, now.AddDate(0, 0, -7), now.Add(time.Second), 3); err != nil {
		t.Error(err)
	}
	if err := c.BlockKey(t.Context(), strings.Repeat("0", 64)); !litellm.IsKind(err, litellm.Forbidden) {
		t.Errorf("a reading key may write: %v", err)
	}
}

func TestReadingKey(t *testing.T) {
	t.Parallel()
	for _, release := range []string{"1.81.13", "1.93.2", "1.106.10"} {
		t.Run(release, func(t *testing.T) {
			t.Parallel()
			p, o := world(t, release)
			use(p, 5, "backup")
			readsEverything(t, client(p, readingKey(t, o.Client, "reader")), observe.Holder{Key: "openclaw", UserID: holder}, noon)
		})
	}
}

func TestLiveReadingKey(t *testing.T) {
	onLive(t, func(l *live) {
		l.Parallel()
		l.call(l.key("primary"), "primary")
		l.settle(1)
		reader := &litellm.Client{BaseURL: l.BaseURL, Key: readingKey(l.T, l.Client, l.holder.UserID+"-reader")}
		readsEverything(l.T, reader, l.holder, time.Now())
	})
}

// readingKey makes a key by the recipe, gone at the end.
func readingKey(t *testing.T, c *litellm.Client, user string) secret.Value {
	t.Helper()
	v := secret.New("sk-reading-" + random(16))
	t.Cleanup(func() { _ = c.DeleteUser(context.Background(), user) })
	err := c.CreateUser(t.Context(), user, litellm.Fields{"user_role": "proxy_admin"})
	if err == nil {
		err = c.GenerateKey(t.Context(), litellm.NewKey{Value: v, Fields: litellm.Fields{"user_id": user, "allowed_routes": readingRoutes(t)}})
	}
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestRowsOfOthers: of the rows in the log only those count that the key's agents made, whichever generation they used, a
// deleted one included. Health checks of old releases are nobody's requests.
func TestRowsOfOthers(t *testing.T) {
	t.Parallel()
	p, o := world(t, "1.81.13")
	o.Keys[0].Holder = holder
	old := secret.New("sk-sandbox-observe-000000")
	if err := o.Client.GenerateKey(t.Context(), litellm.NewKey{Value: old, Fields: litellm.Fields{"user_id": holder}}); err != nil {
		t.Fatal(err)
	}
	book := func(token, model string, failed bool) {
		p.Record(litellmtest.Usage{Token: token, At: noon.Add(-time.Minute), Model: model, Failed: failed, EndUser: "eve", PromptTokens: 3})
	}
	book(old.SHA256(), "primary", false)
	book(secret.New(token).SHA256(), "primary", true)
	book("litellm-internal-health-check", "backup", false)
	book("litellm_proxy_master_key", "backup", false)
	book("somebody", "backup", false)
	if err := o.Client.DeleteKey(t.Context(), old.SHA256()); err != nil {
		t.Fatal(err)
	}
	seen := o.Look(t.Context(), noon)
	r := seen.Recent["openclaw"]
	if len(r.Requests) != 2 || r.Requests[0].Failed == r.Requests[1].Failed || r.Requests[0].User != "eve" || r.Source != "GET /spend/logs/v2" {
		t.Errorf("recent requests %+v", r)
	}
	if seen.Failover.Requests != 3 {
		t.Errorf("%d requests were answered, want 3: no failure, no health check", seen.Failover.Requests)
	}
	f := seen.Failover
	if err := o.Activity(t.Context(), &budget.Facts{}, observe.Holder{Key: "openclaw", UserID: holder}, noon.AddDate(0, 0, -1), noon); err != nil {
		t.Error(err)
	}
	if len(f.Served) != 0 {
		t.Errorf("served %+v", f.Served)
	}
}

// TestProbe: one call each, through the first who may, until enough is spent; the cost is told, and who may not is left out.
func TestProbe(t *testing.T) {
	t.Parallel()
	p, o := world(t, "1.81.13")
	through := func(v secret.Value) func(context.Context, string) (*litellm.ChatResult, error) {
		return func(ctx context.Context, model string) (*litellm.ChatResult, error) {
			return o.Client.Chat(ctx, v, model, 1)
		}
	}
	p.SetModel(litellmtest.ModelSpec{Name: "embed", Mode: "embedding"})
	f := failover.Facts{Groups: []failover.Group{{Name: "primary"}, {Name: "backup"}, {Name: "openai/*"}, {Name: "embed"}}}
	o.Probe(t.Context(), &f, []observe.Caller{
		{Name: "key gone", Call: through(secret.New("sk-sandbox-nobody-0000001"))},
		{Name: "key openclaw", Models: []string{"primary"}, Call: through(secret.New(token))},
		{Name: "the management key", Models: []string{"backup", "embed"}, Call: through(p.MasterKey())},
	}, noon)
	if len(f.Probes) != 2 || f.Probes[0].Model != "primary" || f.Probes[0].Through != "key openclaw" ||
		f.Probes[1].Model != "backup" || f.Probes[1].Through != "the management key" || f.Probes[1].ServedBy != "backup" {
		t.Errorf("probes %+v", f.Probes)
	}
	if gaps := gapsOf(f.Gaps); strings.Count(gaps, "through key gone") != 1 || !strings.Contains(gaps, "2 calls, which cost") ||
		!strings.Contains(gaps, "not for chat: embed") {
		t.Errorf("gaps %q", f.Gaps)
	}
	f.Gaps = nil
	for i := range 30 {
		p.SetModel(litellmtest.ModelSpec{Name: "m" + string(rune('a'+i)), InputCost: decimal.New(1, -3)})
		f.Groups = append(f.Groups, failover.Group{Name: "m" + string(rune('a'+i))})
	}
	o.Probe(t.Context(), &f, []observe.Caller{{Name: "the management key", Call: through(p.MasterKey())}}, noon)
	if n := len(f.Probes); n > 20 || n < 3 || !strings.Contains(gapsOf(f.Gaps), "enough was spent") {
		t.Errorf("made %d calls: %q", n, f.Gaps)
	}
}
