package observe_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/budget"
	"github.com/org/openclaw-litellm-action/failover"
	"github.com/org/openclaw-litellm-action/finding"
	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/litellm/litellmtest"
	"github.com/org/openclaw-litellm-action/observe"
	"github.com/org/openclaw-litellm-action/secret"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

const (
	holder = "openclaw-litellm/openclaw"
	token  = "sk-sandbox-observe-000001"
)

// world is a proxy with one key of ours that may ask for primary only.
func world(t *testing.T, release string) (*litellmtest.Proxy, observe.Observer) {
	t.Helper()
	p := litellmtest.New(litellmtest.Options{Release: release, Now: func() time.Time { return noon }})
	t.Cleanup(p.Close)
	c := client(p, p.MasterKey())
	ctx := t.Context()
	err := c.CreateUser(ctx, holder, litellm.Fields{"max_budget": decimal.NewFromInt(50), "budget_duration": "1mo"})
	if err == nil {
		err = c.GenerateKey(ctx, litellm.NewKey{Value: secret.New(token), Fields: litellm.Fields{"user_id": holder, "models": []string{"primary"}}})
	}
	if err != nil {
		t.Fatal(err)
	}
	o := observe.Observer{Client: client(p, p.MasterKey()), URL: p.URL(), Keys: []observe.Asker{{
		Name: "openclaw", Tokens: []string{secret.New(token).SHA256()}, Models: []string{"primary"},
	}}}
	return p, o
}

func client(p *litellmtest.Proxy, key secret.Value) *litellm.Client {
	return &litellm.Client{
		BaseURL: p.URL(), Key: key, HTTP: p.Client(), Attempts: 1,
		Sleep: func(context.Context, time.Duration) error { return nil },
	}
}

func use(p *litellmtest.Proxy, minutes int, served string) {
	p.Record(litellmtest.Usage{
		Token: secret.New(token).SHA256(), At: noon.Add(-time.Duration(minutes) * time.Minute), Model: "primary", Served: served,
		Spend: decimal.New(5, -2), PromptTokens: 10, CompletionTokens: 5,
	})
}

func TestModelsServedByFallback(t *testing.T) {
	t.Parallel()
	for release, want := range map[string]struct {
		evidence finding.Evidence
		requests int64
	}{
		"1.106.10": {finding.Recorded, 4},
		"1.93.2":   {finding.Inferred, 4},
		"1.81.13":  {finding.Inferred, 5},
	} {
		t.Run(release, func(t *testing.T) {
			t.Parallel()
			p, o := world(t, release)
			use(p, 90, "backup") // before the window
			use(p, 50, "backup")
			use(p, 20, "primary")
			use(p, 10, "backup")
			f := o.Models(t.Context(), noon)
			if !f.Proxy.Ready || f.Proxy.Release != release {
				t.Errorf("proxy is %+v", f.Proxy)
			}
			if f.Requests != 3 {
				t.Errorf("saw %d requests, want 3", f.Requests)
			}
			served := []failover.Served{{
				Primary: "primary", By: "backup", Requests: 2, Of: 3, First: noon.Add(-50 * time.Minute),
				Last: noon.Add(-10 * time.Minute), Evidence: want.evidence, Keys: []string{"openclaw"},
				Spend: decimal.New(10, -2), Tokens: 30, OwnSpend: decimal.New(5, -2), OwnTokens: 15,
			}}
			if diff := cmp.Diff(served, f.Served); diff != "" {
				t.Errorf("served (-want +got):\n%s", diff)
			}
			if n := o.Client.Requests(); n > want.requests {
				t.Errorf("made %d requests, want at most %d", n, want.requests)
			}
		})
	}
}

// TestCooled: what no deployment took is counted by model, from the log, and whether the model has answered since.
func TestCooled(t *testing.T) {
	t.Parallel()
	for _, release := range []string{"1.81.13", "1.93.2", "1.106.10"} {
		p, o := world(t, release)
		for i, minutes := range []int{30, 20, 10} {
			p.Record(litellmtest.Usage{Token: secret.New(token).SHA256(), At: noon.Add(-time.Duration(minutes) * time.Minute), Model: []string{"primary", "primary", "backup"}[i], Cooled: true})
		}
		use(p, 5, "primary")
		f := o.Look(t.Context(), noon).Failover
		want := []failover.Cooled{
			{Model: "backup", Requests: 1, First: noon.Add(-10 * time.Minute), Last: noon.Add(-10 * time.Minute)},
			{Model: "primary", Requests: 2, First: noon.Add(-30 * time.Minute), Last: noon.Add(-20 * time.Minute), Answered: noon.Add(-5 * time.Minute)},
		}
		if diff := cmp.Diff(want, f.Cooled); diff != "" {
			t.Errorf("%s: cooled (-want +got):\n%s", release, diff)
		}
	}
}

// TestEarlierRequests: what is older than the window counts for the burn rate alone, as far as that looks back.
func TestEarlierRequests(t *testing.T) {
	t.Parallel()
	p, o := world(t, "1.106.10")
	for _, minutes := range []int{20, 59, 61, 359, 361} {
		use(p, minutes, "primary")
	}
	seen := o.Look(t.Context(), noon)
	r := seen.Recent["openclaw"]
	if seen.Failover.Requests != 2 || len(r.Requests) != 2 || len(r.Earlier) != 2 || !r.From.Equal(noon.Add(-time.Hour)) {
		t.Errorf("%d requests of models; recent %+v", seen.Failover.Requests, r)
	}
	o.Rows = 3 // the page ends within the hours before
	seen = o.Look(t.Context(), noon)
	if r = seen.Recent["openclaw"]; len(r.Requests) != 2 || len(r.Earlier) != 1 || seen.Failover.Window != time.Hour || len(seen.Failover.Gaps) > 1 {
		t.Errorf("recent %+v of %s, gaps %q", r, seen.Failover.Window, seen.Failover.Gaps)
	}
}

// TestInferenceIsConservative holds what must not be concluded on releases that do not record fallbacks.
func TestInferenceIsConservative(t *testing.T) {
	t.Parallel()
	for name, models := range map[string][]string{
		"no model list":        nil,
		"may ask for both":     {"primary", "backup"},
		"wildcard":             {"*"},
		"no fallback to it":    {"other"},
		"the word for all":     {"all-team-models"},
		"the key is not known": {"-"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, o := world(t, "1.81.13")
			use(p, 10, "backup")
			o.Keys[0].Models = models
			if name == "the key is not known" {
				o.Keys = nil
			}
			if f := o.Models(t.Context(), noon); len(f.Served) != 0 {
				t.Errorf("concluded %+v", f.Served)
			}
		})
	}
}

func TestModelsBounded(t *testing.T) {
	t.Parallel()
	p, o := world(t, "1.81.13")
	for i := range 250 {
		p.Record(litellmtest.Usage{Token: "other", At: noon.Add(-time.Duration(i) * time.Second), Model: "backup"})
	}
	f := o.Models(t.Context(), noon)
	if f.Requests != 100 || f.Window >= 2*time.Minute {
		t.Errorf("looked at %d requests in %s, want the newest 100", f.Requests, f.Window)
	}
	if n := o.Client.Requests(); n > 5 {
		t.Errorf("made %d requests", n)
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	p, o := world(t, "1.106.10")
	f := o.Models(t.Context(), noon)
	if !strings.Contains(gapsOf(f.Gaps), "background health checks") || !contains(f.Unjudged, failover.RuleUnhealthy) {
		t.Errorf("without checks: gaps %q, unjudged %q", f.Gaps, f.Unjudged)
	}
	p.SetHealth("primary", false, "AuthenticationError")
	p.SetHealth("backup", true, "")
	f = o.Models(t.Context(), noon)
	if len(f.Unhealthy) != 1 || f.Unhealthy[0].Model != "primary" || f.Checked["backup"] != 1 || len(f.Unjudged) != 0 {
		t.Errorf("facts are %+v", f)
	}
}

func contains(list []string, s string) bool {
	return strings.Contains("|"+strings.Join(list, "|")+"|", "|"+s+"|")
}

func TestProxyInTrouble(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		damage func(*litellmtest.Proxy, *observe.Observer)
		cause  string
		rule   string
	}{
		"gone": {func(p *litellmtest.Proxy, _ *observe.Observer) {
			p.Inject(litellmtest.Fault{Drop: litellmtest.DropBefore})
		}, "network", failover.RuleProxyDown},
		"html": {func(p *litellmtest.Proxy, _ *observe.Observer) { p.Inject(litellmtest.HTML(http.StatusOK)) }, "not-litellm", failover.RuleProxyDown},
		"wrong key": {func(p *litellmtest.Proxy, o *observe.Observer) {
			o.Client = client(p, secret.New("sk-sandbox-wrong-0000001"))
		}, "auth", failover.RuleProxyDown},
		"database": {func(p *litellmtest.Proxy, _ *observe.Observer) { p.SetDatabaseDown(true) }, "database", failover.RuleDatabase},
		"no tls": {func(p *litellmtest.Proxy, o *observe.Observer) {
			o.Client = &litellm.Client{BaseURL: strings.Replace(p.URL(), "http:", "https:", 1), Key: p.MasterKey(), Attempts: 1}
		}, "tls", failover.RuleProxyDown},
	} {
		for _, release := range []string{"1.81.13", "1.106.10"} {
			t.Run(name+" "+release, func(t *testing.T) {
				t.Parallel()
				p, o := world(t, release)
				tc.damage(p, &o)
				f := o.Models(t.Context(), noon)
				if f.Proxy.Ready || f.Proxy.Cause != tc.cause || f.Proxy.Trouble == "" {
					t.Errorf("proxy is %+v, want cause %q", f.Proxy, tc.cause)
				}
				found := failover.Check(f, failover.Policy{}, noon)
				if len(found) != 1 || found[0].Rule != tc.rule {
					t.Errorf("found %+v, want one of rule %s", found, tc.rule)
				}
				if n := o.Client.Requests(); n > 5 {
					t.Errorf("made %d requests", n)
				}
			})
		}
	}
}

// TestNarrowKey: a management key that may not read logs leaves a gap, and the rest is known.
func TestNarrowKey(t *testing.T) {
	t.Parallel()
	p, o := world(t, "1.106.10")
	p.Inject(litellmtest.Fault{Path: "/spend/logs/v2", Status: http.StatusForbidden,
		Body: `{"error":{"message":"not allowed","type":"auth_error","param":null,"code":"403"}}`})
	f := o.Models(t.Context(), noon)
	if !f.Proxy.Ready || !contains(f.Unjudged, failover.RuleServed) || contains(failover.Judged(f), failover.RuleServed) || len(f.Gaps) == 0 {
		t.Errorf("facts are %+v", f)
	}
}

func TestSpendAndActivity(t *testing.T) {
	t.Parallel()
	for _, release := range []string{"1.81.13", "1.93.2", "1.106.10"} {
		t.Run(release, func(t *testing.T) {
			t.Parallel()
			p, o := world(t, release)
			use(p, 10, "backup")
			use(p, 5, "primary")
			p.Record(litellmtest.Usage{Token: "other", At: noon, Model: "backup", Spend: decimal.NewFromInt(7)})
			h := observe.Holder{Key: "openclaw", UserID: holder}
			f, err := o.Spend(t.Context(), h)
			if err != nil {
				t.Fatal(err)
			}
			if f.Spend.String() != "0.1" || f.Limit.Decimal.String() != "50" || f.WindowStart.Format(time.DateOnly) != "2026-11-01" {
				t.Errorf("facts are %+v", f)
			}
			if n := o.Client.Requests(); n != 1 {
				t.Errorf("made %d requests, want 1", n)
			}
			if err := o.Activity(t.Context(), &f, h, noon.AddDate(0, 0, -7), noon); err != nil {
				t.Fatal(err)
			}
			if len(f.Days) != 1 || f.Days[0].Date != "2026-11-23" || f.Days[0].Spend.String() != "0.1" || f.Days[0].Requests != 2 {
				t.Errorf("days are %+v", f.Days)
			}
			if len(f.Models) != 2 || f.Models[0].Model != "backup" || f.Models[0].Tokens != 15 {
				t.Errorf("models are %+v", f.Models)
			}
		})
	}
}

func TestSpendInTeam(t *testing.T) {
	t.Parallel()
	p, o := world(t, "1.106.10")
	ask(t, p, "/team/new", `{"team_id":"agents"}`)
	ask(t, p, "/team/member_add", fmt.Sprintf(`{"team_id":"agents","member":{"user_id":%q,"role":"user"},"max_budget_in_team":5}`, holder))
	f, err := o.Spend(t.Context(), observe.Holder{Key: "openclaw", UserID: holder, TeamID: "agents"})
	if err != nil || f.Limit.Decimal.String() != "5" || f.Source != "GET /team/info" || len(f.Generations) != 1 || o.Client.Requests() != 2 {
		t.Errorf("facts are %+v after %d requests, error %v", f, o.Client.Requests(), err)
	}
	if _, err := o.Spend(t.Context(), observe.Holder{Key: "gone", UserID: "openclaw-litellm/gone"}); !litellm.IsKind(err, litellm.NotFound) {
		t.Errorf("a holder that is not there gives %v", err)
	}
	if got := budget.Check(f, budget.Policy{}, noon); got != nil {
		t.Errorf("found %v", got)
	}
}

func ask(t *testing.T, p *litellmtest.Proxy, path, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.URL()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+litellmtest.DefaultMasterKey)
	resp, err := p.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("POST %s: %s", path, resp.Status)
	}
}

// TestUnserved: a request that neither its model nor the fallback served is counted for the model asked for, on every
// release, whichever the row names.
func TestUnserved(t *testing.T) {
	t.Parallel()
	for _, release := range []string{"1.106.10", "1.93.2", "1.81.13"} {
		t.Run(release, func(t *testing.T) {
			t.Parallel()
			p, o := world(t, release)
			p.SetFailing("backup", true)
			if _, err := client(p, p.MasterKey()).Chat(t.Context(), secret.New(token), "primary", 20); err == nil {
				t.Fatal("a call is served though model and fallback fail")
			}
			p.Flush()
			use(p, 10, "backup")
			p.Record(litellmtest.Usage{Token: secret.New(token).SHA256(), At: noon.Add(-5 * time.Minute), Model: "primary", Served: "backup", Failed: true})
			got := o.Models(t.Context(), noon)
			if len(got.Unserved) != 1 {
				t.Fatalf("unserved: %+v", got.Unserved)
			}
			u := got.Unserved[0]
			if u.Primary != "primary" || strings.Join(u.By, " ") != "backup" || u.Requests != 2 || u.Of != 3 ||
				strings.Join(u.Keys, " ") != "openclaw" || !strings.Contains(u.Error, "mock internal server error") || !u.First.Equal(noon.Add(-5*time.Minute)) {
				t.Errorf("unserved: %+v", u)
			}
			if len(got.Served) != 1 || got.Served[0].Requests != 1 || got.Requests != 3 {
				t.Errorf("served: %+v of %d", got.Served, got.Requests)
			}
		})
	}
}

// gapsOf is what could not be learned, a line each, with what was said of it.
func gapsOf(gaps []failover.Gap) string {
	var lines []string
	for _, g := range gaps {
		lines = append(lines, g.Text+": "+g.Said)
	}
	return strings.Join(lines, "\n")
}

// TestUnservedNamesWhatIsServed: which model a request was for is taken out of an error's text, which anybody may have
// written: what the proxy does not serve is nobody's trouble. It is asked what it serves only if there is such a text.
func TestUnservedNamesWhatIsServed(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		model, by string
		want      int
		names     []string
	}{
		{"primary", "backup", 1, []string{"backup"}}, {"primary", "mallory", 1, nil}, {"mallory", "backup", 0, nil},
	} {
		p, o := world(t, "1.106.10")
		for i := range o.Keys {
			o.Keys[i].Models = nil // then nobody else asks what the proxy serves
		}
		asked := func() int {
			n := 0
			for _, r := range p.Requests() {
				if r.Path == "/v1/models" {
					n++
				}
			}
			return n
		}
		if got := o.Models(t.Context(), noon); asked() != 0 || len(got.Unserved) != 0 {
			t.Errorf("asked %d times what is served, unserved %+v", asked(), got.Unserved)
		}
		p.Record(litellmtest.Usage{
			Token: secret.New(token).SHA256(), At: noon.Add(-5 * time.Minute), Model: tc.model, Served: tc.by, Failed: true,
		})
		got := o.Models(t.Context(), noon)
		if len(got.Unserved) != tc.want || asked() != 1 || got.Groups != nil {
			t.Errorf("%s by %s: unserved %+v, asked %d times", tc.model, tc.by, got.Unserved, asked())
		}
		if tc.want == 1 && !slices.Equal(got.Unserved[0].By, tc.names) {
			t.Errorf("%s by %s: %+v", tc.model, tc.by, got.Unserved[0])
		}
	}
}
