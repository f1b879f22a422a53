package rotate_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/litellm/litellmtest"
	"github.com/org/openclaw-litellm-action/rotate"
	"github.com/org/openclaw-litellm-action/secret"
)

func TestALifeOfAKey(t *testing.T) {
	releases(t, func(t *testing.T, s *site) {
		o := s.rotate()
		if got, want := kinds(o), "holder mint verify place place finish alias"; got != want || !o.Rotated {
			t.Fatalf("first run: %s, want %s; rotated %v", got, want, o.Rotated)
		}
		first := s.a.value
		s.works(first, http.StatusOK)
		if !first.Equal(s.b.value) {
			t.Error("the targets hold different keys")
		}

		writes := s.proxy.Writes()
		if o = s.rotate(); len(o.Steps) > 0 || s.proxy.Writes() != writes || s.a.writes != 1 {
			t.Errorf("a run with nothing due did %s and %d writes", kinds(o), s.proxy.Writes()-writes)
		}

		s.clock.advance(29*24*time.Hour + 12*time.Hour)
		o = s.rotate()
		if got, want := kinds(o), "mint verify place place finish alias alias"; got != want {
			t.Fatalf("after the interval: %s, want %s", got, want)
		}
		if got, want := states(o), "g1=retiring(openclaw.g1) g2=current(openclaw)"; got != want {
			t.Errorf("generations %s, want %s", got, want)
		}
		s.works(first, http.StatusOK)
		s.works(s.a.value, http.StatusOK)

		s.clock.advance(7*24*time.Hour - time.Minute)
		if o = s.rotate(); len(o.Steps) > 0 {
			t.Errorf("a minute before grace ends: %s", kinds(o))
		}
		s.clock.advance(time.Minute)
		if o = s.rotate(); kinds(o) != "block alias" {
			t.Errorf("when grace ends: %q", kinds(o))
		}
		s.works(first, http.StatusUnauthorized)
		o = s.rotate(func(r *rotate.Runner) { r.Options.Unblock = true })
		if kinds(o) != "alias unblock" {
			t.Errorf("unblocking: %q", kinds(o))
		}
		s.works(first, http.StatusOK)
		if o = s.rotate(); len(o.Steps) > 0 {
			t.Errorf("after it was reopened: %q", kinds(o))
		}
		s.clock.advance(7 * 24 * time.Hour)
		if o = s.rotate(); kinds(o) != "block alias" {
			t.Errorf("when its second grace ends: %q", kinds(o))
		}
		s.clock.advance(24 * time.Hour)
		if o = s.rotate(); kinds(o) != "delete" {
			t.Errorf("a day later: %q", kinds(o))
		}
		s.works(s.a.value, http.StatusOK)
		if n := len(s.proxy.KeysOf(rotate.HolderID("openclaw"))); n != 1 {
			t.Errorf("%d rows are left, want the current key alone", n)
		}
	})
}

func TestRequestsWithNothingDue(t *testing.T) {
	s := newSite(t, "1.106.10")
	s.rotate()
	c := s.client()
	r := s.runner()
	r.LiteLLM = c
	if o := r.Rotate(t.Context()); len(o.Steps) > 0 || c.Requests() > 2 {
		t.Errorf("%d requests to the proxy for %q, want 2", c.Requests(), kinds(o))
	}
}

func TestWhatPeopleSetIsKept(t *testing.T) {
	releases(t, func(t *testing.T, s *site) {
		s.rotate()
		token := s.a.value.SHA256()
		k, err := s.client().FindKey(t.Context(), token)
		if err != nil {
			t.Fatal(err)
		}
		k.Metadata["theirs"] = json.RawMessage(`{"cost_centre":42}`)
		if err := s.client().UpdateKey(t.Context(), token, litellm.Fields{
			"metadata": k.Metadata, "rpm_limit": 7, "models": []string{"backup"},
		}); err != nil {
			t.Fatal(err)
		}
		s.rotate(forced)
		k, err = s.client().FindKey(t.Context(), s.a.value.SHA256())
		if err != nil {
			t.Fatal(err)
		}
		if got := string(k.Metadata["theirs"]); got != `{"cost_centre":42}` {
			t.Errorf("foreign metadata: %s", got)
		}
		if got := string(k.Raw["rpm_limit"]); got != "7" {
			t.Errorf("rpm_limit: %s", got)
		}
		if diff := cmp.Diff([]string{"backup"}, k.Models); diff != "" {
			t.Errorf("models:\n%s", diff)
		}
	})
}

func TestTheBudgetIsTheHolders(t *testing.T) {
	releases(t, func(t *testing.T, s *site) {
		s.rotate()
		old := s.a.value
		spend := func(v secret.Value, usd string) {
			s.proxy.Record(litellmtest.Usage{Token: v.SHA256(), Model: "backup", Spend: decimal.RequireFromString(usd)})
		}
		spend(old, "30")
		o := s.rotate(forced)
		if !o.Spend.Equal(decimal.NewFromInt(30)) || !o.MaxBudget.Decimal.Equal(decimal.NewFromInt(50)) {
			t.Errorf("after a rotation: spend %s of %s, want 30 of 50", o.Spend, o.MaxBudget.Decimal)
		}
		spend(s.a.value, "19.99")
		s.works(old, http.StatusOK)
		spend(old, "0.02") // 1.81 refuses only what is above the limit
		for _, v := range []secret.Value{old, s.a.value} {
			if status, kind := s.proxy.Works(v, "backup"); kind != "budget_exceeded" {
				t.Errorf("with the budget spent through both: %d %s", status, kind)
			}
		}
		if o := s.rotate(forced); !o.Rotated {
			t.Error("a spent budget stopped a rotation that was asked for")
		}
	})
}

func TestAdoptionKeepsSpendAndPlaces(t *testing.T) {
	releases(t, func(t *testing.T, s *site) {
		old := secret.New("sk-sandbox-hand-made-0001")
		err := s.client().GenerateKey(t.Context(), litellm.NewKey{Value: old, Fields: litellm.Fields{
			"key_alias": "openclaw", "max_budget": 20, "budget_duration": "1mo", "spend": decimal.RequireFromString("12.5"),
		}})
		if err != nil {
			t.Fatal(err)
		}
		var conflict *rotate.Conflict
		if o := s.runner().Rotate(t.Context()); !errors.As(o.Err, &conflict) || len(o.Steps) > 0 {
			t.Fatalf("without adopt: %v, steps %s", o.Err, kinds(o))
		}
		s.policy.Adopt = true
		o := s.rotate()
		if got, want := kinds(o), "holder update adopt update mint verify place place finish alias alias"; got != want {
			t.Errorf("steps %s, want %s", got, want)
		}
		if !o.Spend.Equal(decimal.RequireFromString("12.5")) {
			t.Errorf("spend %s, want what the key had spent", o.Spend)
		}
		s.works(old, http.StatusOK)
		s.works(s.a.value, http.StatusOK)
		if got, want := states(o), "g0=retiring(openclaw.g0) g1=current(openclaw)"; got != want {
			t.Errorf("generations %s, want %s", got, want)
		}
	})
}

func TestAnotherOwnerIsRefused(t *testing.T) {
	s := newSite(t, "1.106.10")
	s.rotate()
	writes := s.proxy.Writes()
	s.policy.Owner = "acme/other"
	var conflict *rotate.Conflict
	if o := s.runner(forced).Rotate(t.Context()); !errors.As(o.Err, &conflict) || s.proxy.Writes() != writes {
		t.Errorf("error %v and %d writes, want a conflict and none", o.Err, s.proxy.Writes()-writes)
	}
}

func TestAFailedTargetIsTriedAgainAndHarmsNobody(t *testing.T) {
	s := newSite(t, "1.106.10")
	s.rotate()
	first := s.a.value
	s.b.refuses = errors.New("no permission")
	o := s.runner(forced).Rotate(t.Context())
	if o.Err == nil || o.Rotated || kinds(o) != "mint verify place place! finish" {
		t.Fatalf("error %v, steps %s", o.Err, kinds(o))
	}
	second := s.a.value
	s.works(first, http.StatusOK) // B holds it
	s.works(second, http.StatusOK)

	s.clock.advance(14 * time.Minute)
	if o = s.rotate(); len(o.Steps) > 0 {
		t.Errorf("within the back-off: %s", kinds(o))
	}
	s.clock.advance(8 * 24 * time.Hour)
	s.b.refuses = nil
	if o = s.rotate(); !o.Rotated {
		t.Fatalf("after it: %s", kinds(o))
	}
	s.works(first, http.StatusOK) // grace runs from now, not from when it failed
	if !s.a.value.Equal(s.b.value) {
		t.Error("the targets hold different keys")
	}
	s.clock.advance(7 * 24 * time.Hour)
	if o = s.rotate(); kinds(o) != "block alias block alias" {
		t.Errorf("a grace later: %s, want both older generations blocked", kinds(o))
	}
	s.works(s.b.value, http.StatusOK)
}

func TestCompromised(t *testing.T) {
	releases(t, func(t *testing.T, s *site) {
		compromised := func(r *rotate.Runner) { r.Options.Compromised = true }
		s.rotate()
		leaked := s.a.value
		if o := s.rotate(compromised); !o.Rotated {
			t.Fatalf("steps %s", kinds(o))
		}
		s.works(leaked, http.StatusUnauthorized)
		s.works(s.a.value, http.StatusOK)

		leaked = s.a.value
		s.b.refuses = errors.New("no permission")
		o := s.runner(compromised).Rotate(t.Context())
		if o.Err == nil || !strings.Contains(o.Err.Error(), "in B") {
			t.Errorf("the target that failed is not named: %v", o.Err)
		}
		s.works(leaked, http.StatusUnauthorized)
		s.works(s.a.value, http.StatusOK)
		s.b.refuses = nil
		s.clock.advance(15 * time.Minute)
		if o := s.rotate(); !o.Rotated || !s.a.value.Equal(s.b.value) {
			t.Errorf("the next run does not put it right: %s", kinds(o))
		}
		s.works(s.b.value, http.StatusOK)
	})
}

// A leaked key ends also if a target would not even be tried by other rotations: its repository is gone, say.
func TestCompromisedWithATargetThatIsGone(t *testing.T) {
	releases(t, func(t *testing.T, s *site) {
		s.rotate()
		leaked := s.a.value
		s.b.blocked, s.b.refuses = errors.New("not found"), errors.New("not found")
		o := s.runner(func(r *rotate.Runner) { r.Options.Compromised = true }).Rotate(t.Context())
		if o.Err == nil || !strings.Contains(o.Err.Error(), "in B") {
			t.Errorf("the target that failed is not named: %v", o.Err)
		}
		s.works(leaked, http.StatusUnauthorized)
		s.works(s.a.value, http.StatusOK)
	})
}

// What is due beside a rotation does not wait for a target to be mended.
func TestALimitIsRaisedWhileATargetIsBroken(t *testing.T) {
	s := newSite(t, "1.106.10")
	s.rotate()
	s.clock.advance(30 * 24 * time.Hour)
	s.b.blocked = errors.New("the token has expired")
	s.policy.MaxBudget = decimal.NewNullDecimal(decimal.NewFromInt(80))
	o := s.runner().Rotate(t.Context())
	if o.Err == nil || o.Rotated || !o.MaxBudget.Decimal.Equal(decimal.NewFromInt(80)) || kinds(o) != "update update" {
		t.Errorf("limit %s, steps %s, error %v", o.MaxBudget.Decimal, kinds(o), o.Err)
	}
	writes := s.proxy.Writes()
	if o = s.runner().Rotate(t.Context()); o.Err == nil || s.proxy.Writes() != writes {
		t.Errorf("the next run made %d writes, error %v", s.proxy.Writes()-writes, o.Err)
	}
}

func TestPreflightComesBeforeAnyWrite(t *testing.T) {
	s := newSite(t, "1.106.10")
	s.rotate()
	writes := s.proxy.Writes()
	s.b.blocked = errors.New("the directory is not writable")
	o := s.runner(forced).Rotate(t.Context())
	if o.Err == nil || s.proxy.Writes() != writes || len(o.Steps) > 0 {
		t.Errorf("error %v, %d writes, steps %s", o.Err, s.proxy.Writes()-writes, kinds(o))
	}
}

func TestRunsAtOnceMakeOneGeneration(t *testing.T) {
	for _, runs := range []int{2, 8} {
		s := newSite(t, "1.106.10")
		s.rotate()
		// Every runner plans before any of them claims.
		start := make(chan struct{})
		outcomes := make([]rotate.Outcome, runs)
		var wg sync.WaitGroup
		started := s.clock.Now()
		for i := range runs {
			wg.Go(func() {
				r := s.runner(forced)
				r.Mask = nil
				r.Options.Started = started.Add(time.Second)
				r.Sleep = func(context.Context, time.Duration) error { runtime.Gosched(); return nil } // patience never ends
				<-start
				outcomes[i] = r.Rotate(t.Context())
			})
		}
		close(start)
		wg.Wait()
		rotated := 0
		for _, o := range outcomes {
			if o.Err != nil {
				t.Errorf("%d runs: %v", runs, o.Err)
			}
			if o.Rotated {
				rotated++
			}
			if !o.Rotated && o.Overtaken == "" {
				t.Errorf("%d runs: a loser does not say why", runs)
			}
		}
		if rotated != 1 {
			t.Errorf("%d runs: %d rotated, want 1", runs, rotated)
		}
		if n := len(s.proxy.KeysOf(rotate.HolderID("openclaw"))); n != 2 {
			t.Errorf("%d runs: %d rows, want two generations and no claim", runs, n)
		}
	}
}

func TestAClaimIsNeverOutlived(t *testing.T) {
	s := newSite(t, "1.106.10")
	s.rotate()
	first := s.a.value
	s.a.before = func() { s.clock.advance(16 * time.Minute) } // the run is suspended in its first placement
	o := s.runner(forced).Rotate(t.Context())
	if o.Err == nil || o.Rotated {
		t.Fatalf("error %v, rotated %v", o.Err, o.Rotated)
	}
	if !s.b.value.Equal(first) {
		t.Error("a target was written after the claim had run out")
	}
	s.a.before = nil
	s.clock.advance(5 * time.Minute)
	if o := s.rotate(); !o.Rotated || !s.a.value.Equal(s.b.value) {
		t.Errorf("the next run does not put it right: %s", kinds(o))
	}
}

func TestTheClaimIsRenewed(t *testing.T) {
	s := newSite(t, "1.106.10")
	s.rotate()
	s.a.before = func() { s.clock.advance(9 * time.Minute) }
	s.b.before = func() { s.clock.advance(9 * time.Minute) }
	if o := s.rotate(forced); !o.Rotated {
		t.Errorf("18 minutes of slow targets: %s", kinds(o))
	}
}

func TestNothingRotatesOnRefusals(t *testing.T) {
	for _, status := range []int{401, 422, 429, 500, 503} {
		s := newSite(t, "1.106.10")
		s.rotate()
		writes := s.proxy.Writes()
		s.proxy.Inject(litellmtest.Fault{Status: status, Body: `{"error":{"message":"no","type":"budget_exceeded","code":"0"}}`})
		o := s.runner().Rotate(t.Context())
		s.proxy.ClearFaults()
		if o.Err == nil || len(o.Steps) > 0 || s.proxy.Writes() != writes {
			t.Errorf("%d: error %v, steps %s, %d writes", status, o.Err, kinds(o), s.proxy.Writes()-writes)
		}
	}
}
