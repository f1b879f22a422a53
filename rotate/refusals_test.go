package rotate_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/litellm/litellmtest"
	"github.com/org/openclaw-litellm-action/rotate"
	"github.com/org/openclaw-litellm-action/secret"
)

// TestNothingRotatesOnWhatAgentsAreRefused: an agent's refusals, of every status that LiteLLM gives them, make no
// rotation due. Whether one is due is a matter of time, drift and being asked.
func TestNothingRotatesOnWhatAgentsAreRefused(t *testing.T) {
	refusals := map[string]struct {
		make   func(s *site)
		status []int // one a release, oldest first
	}{
		"unknown key": {func(s *site) { s.agent(secret.New("sk-sandbox-nobody-0001")) }, []int{401, 401, 401}},
		"spent budget": {func(s *site) {
			s.proxy.Record(litellmtest.Usage{Token: s.a.value.SHA256(), Model: "backup", Spend: decimal.NewFromInt(51)})
			s.agent(s.a.value)
		}, []int{400, 429, 422}},
		"failing model": {func(s *site) { s.proxy.SetFailing("backup", true); s.agent(s.a.value) }, []int{500, 500, 500}},
		"gateway": {func(s *site) {
			defer s.proxy.Inject(litellmtest.HTML(http.StatusServiceUnavailable))()
			s.agent(s.a.value)
		}, []int{503, 503, 503}},
		"rate limit": {func(s *site) {
			defer s.proxy.Inject(litellmtest.Fault{Status: 429, Body: `{"error":{"message":"slow down","type":"throttling_error","code":"429"}}`})()
			s.agent(s.a.value)
		}, []int{429, 429, 429}},
	}
	for name, refusal := range refusals {
		t.Run(name, func(t *testing.T) {
			n := 0
			releases(t, func(t *testing.T, s *site) {
				s.rotate()
				refusal.make(s)
				if want := refusal.status[n]; s.refused != want {
					t.Errorf("the agent got %d, want %d", s.refused, want)
				}
				n++
				if o := s.rotate(); len(o.Steps) > 0 {
					t.Errorf("then the run did %s", kinds(o))
				}
			})
		})
	}
}

// agent makes one call as an agent would and notes the status.
func (s *site) agent(v secret.Value) {
	_, err := s.client().Chat(s.t.Context(), v, "backup", 20)
	var e *litellm.Error
	if errors.As(err, &e) {
		s.refused = e.Status
	}
}

// TestASpentBudgetDoesNotStopADueRotation: the new key answers that its budget is spent, which proves that it is known.
func TestASpentBudgetDoesNotStopADueRotation(t *testing.T) {
	releases(t, func(t *testing.T, s *site) {
		s.rotate()
		old := s.a.value
		s.proxy.Record(litellmtest.Usage{Token: old.SHA256(), Model: "backup", Spend: decimal.NewFromInt(60)})
		s.clock.advance(29*24*time.Hour + 12*time.Hour) // due; the window has ended meanwhile, so it is spent again
		s.proxy.Record(litellmtest.Usage{Token: old.SHA256(), Model: "backup", Spend: decimal.NewFromInt(60)})
		o := s.rotate()
		if !o.Rotated || s.a.value.Equal(old) {
			t.Fatalf("steps %s", kinds(o))
		}
		if _, kind := s.proxy.Works(s.a.value, "backup"); kind != "budget_exceeded" {
			t.Errorf("the new key gets %q, want the same spent budget", kind)
		}
	})
}

func TestLiveASpentBudgetDoesNotStopADueRotation(t *testing.T) {
	onLive(t, func(t *testing.T, l *live) {
		l.policy.MaxBudget = decimal.NewNullDecimal(decimal.RequireFromString("0.1"))
		l.rotate()
		old := l.a.value
		var p purse
		l.eventually("the budget is spent", func() bool { return !p.call(t.Context(), l.client, old) })
		if o := l.rotate(); len(o.Steps) > 0 {
			t.Errorf("on a spent budget, nothing being due: %s", kinds(o))
		}
		l.moveJournals(30 * days)
		time.Sleep(1100 * time.Millisecond)
		if o := l.rotate(); !o.Rotated || l.a.value.Equal(old) {
			t.Fatalf("the due rotation: %s", kinds(o))
		}
		l.eventually("the new key is refused too", func() bool { return !p.call(t.Context(), l.client, l.a.value) })
		if p.passed > 4 { // two that fit, one that LiteLLM counts too late, one because 1.81 refuses only above the limit
			t.Errorf("%d calls of 0.05 USD passed on 0.10", p.passed)
		}
	})
}

// TestLiveTwoRepositoriesWithOneKeyName: the second is told what to do, and touches nothing.
func TestLiveTwoRepositoriesWithOneKeyName(t *testing.T) {
	onLive(t, func(t *testing.T, l *live) {
		l.rotate()
		before := fmt.Sprint(l.holder().Keys)
		r := &rotate.Runner{LiteLLM: l.client, Policy: l.policy, Options: rotate.Options{Now: true, CheckTargets: true}, Now: time.Now, Sleep: sleep}
		r.Policy.Owner = "acme/other"
		o := r.Rotate(t.Context())
		var conflict *rotate.Conflict
		if !errors.As(o.Err, &conflict) || len(o.Steps) > 0 {
			t.Fatalf("error %v, steps %s; want a conflict and none", o.Err, kinds(o))
		}
		for _, part := range []string{"its owner is acme/live", "choose another key name"} {
			if !strings.Contains(o.Err.Error(), part) {
				t.Errorf("%q does not say %q", o.Err, part)
			}
		}
		if after := fmt.Sprint(l.holder().Keys); after != before {
			t.Error("the rows changed")
		}
	})
}

// forgeries are journals that nobody should obey.
func forgeries(name string) map[string]any {
	now := time.Now().UTC()
	return map[string]any{
		"garbage":     "%%%",
		"a list":      []int{1, 2},
		"wrong types": map[string]any{"v": 1, "kind": 7, "gen": "ninety"},
		"future":      map[string]any{"v": 2, "kind": "generation", "name": name, "gen": 98, "done_at": now},
		"foreign":     map[string]any{"v": 1, "kind": "generation", "name": "other", "gen": 97, "minted_at": now, "done_at": now, "placed": map[string]string{}},
		"a claim":     map[string]any{"v": 1, "kind": "claim", "name": name, "gen": 99, "run": "mallory"},
		"compromise": map[string]any{"v": 1, "kind": "generation", "name": name, "gen": 99, "minted_at": now, "done_at": now,
			"compromised": true, "placed": map[string]string{"fp-A": "x"}},
	}
}

// TestLiveForgedJournalsOfAnotherIdentity: each is reported, none obeyed, counted, blocked, renamed or deleted, and what
// is due is done.
func TestLiveForgedJournalsOfAnotherIdentity(t *testing.T) {
	onLive(t, func(t *testing.T, l *live) {
		l.rotate()
		id := l.policy.Name[len(l.policy.Name)-8:]
		forger := l.policy.Name + "-forger"
		post(l, "/user/new", fmt.Sprintf(`{"user_id":%q,"user_role":"proxy_admin","auto_create_key":false}`, forger))
		t.Cleanup(func() { l.client.DeleteUser(context.Background(), forger) })
		as := secret.New("sk-live-forger-" + id)
		post(l, "/key/generate", fmt.Sprintf(`{"key":%q,"user_id":%q}`, as.Reveal(), forger))
		other := &litellm.Client{BaseURL: l.client.BaseURL, Key: as}
		rows := map[string]secret.Value{}
		for what, journal := range forgeries(l.policy.Name) {
			v := secret.New(fmt.Sprintf("sk-live-%s-%s", strings.ReplaceAll(what, " ", "-"), id))
			fields := litellm.Fields{"user_id": rotate.HolderID(l.policy.Name), "metadata": map[string]any{"openclaw_litellm": journal}}
			if err := other.GenerateKey(t.Context(), litellm.NewKey{Value: v, Fields: fields}); err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			rows[what] = v
		}
		if o := l.rotate(); len(o.Steps) > 0 {
			t.Errorf("they made something due: %s", kinds(o))
		}
		before := map[string]string{}
		for what, v := range rows {
			before[what] = describeRow(l.row(v))
		}
		o := l.again()
		if !o.Rotated || o.CurrentNumber != 2 {
			t.Errorf("rotated %v to %d, want generation 2", o.Rotated, o.CurrentNumber)
		}
		for what, v := range rows {
			reported := false
			for _, f := range o.Findings {
				reported = reported || f.Rule == "foreign-row" && strings.Contains(f.Subject.Name, v.SHA256()[:12])
			}
			if !reported {
				t.Errorf("%s: not reported", what)
			}
			if got := describeRow(l.row(v)); got != before[what] {
				t.Errorf("%s: was %s, is %s", what, before[what], got)
			}
		}
	})
}

func describeRow(k litellm.Key) string {
	raw, _ := json.Marshal(k.Metadata)
	return fmt.Sprintf("alias %q, blocked %v, user %s, metadata %s", k.Alias, k.Blocked, k.UserID, raw)
}
