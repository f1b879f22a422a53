package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/rotate"
	"github.com/org/openclaw-litellm-action/secret"
)

// liveLife is the life of a key: made, used, rotated while calls are in flight to the books, its predecessor retired.
func liveLife(s *site, p liveProxy) {
	s.env["OPENCLAW_LITELLM_GRACE_PERIOD"] = "1h"
	s.must("run")
	s.settled()
	first := s.key()
	h := s.holder()
	if !h.MaxBudget.Decimal.Equal(usd("50")) || h.BudgetDuration != "1mo" || !h.BudgetResetAt.Equal(nextMonth()) {
		s.Errorf("the holder has %s USD a %q until %s, want 50 a month", h.MaxBudget.Decimal, h.BudgetDuration, h.BudgetResetAt)
	}
	run := s.still(mostOfRun, "run")
	rotation := s.still(mostOfRotate, "rotate")
	s.Logf("requests with nothing due: run %d, rotate %d", run.requests, rotation.requests)
	s.toldOnce("was rotated: generation 1")

	row := s.row(first)
	row.Metadata["theirs"] = json.RawMessage(`{"cost_centre":42}`)
	models := []string{"backup", "primary"}
	err := s.look.UpdateKey(context.Background(), first.SHA256(), litellm.Fields{
		"metadata": row.Metadata, "rpm_limit": 1000, "models": models,
	})
	if err != nil {
		s.Fatal(err)
	}
	time.Sleep(1100 * time.Millisecond)   // --now means: not minted within the second in which this run begins
	s.answers(first, first, first, first) // 0.20 USD, of which the proxy has not booked everything yet
	s.must("rotate", "--now")
	second := s.key()
	if second.Equal(first) {
		s.Fatal("the secret still holds the first key")
	}
	s.kept(row, second, models)
	s.answers(first, second)
	s.flushed()
	if now := s.holder(); !now.MaxBudget.Decimal.Equal(h.MaxBudget.Decimal) || !now.BudgetResetAt.Equal(h.BudgetResetAt) {
		s.Errorf("after the rotation the holder has %s USD until %s", now.MaxBudget.Decimal, now.BudgetResetAt)
	}
	s.Logf("%s USD spent through two generations, %s USD booked on the holder", s.total, s.holder().Spend.Round(6))

	s.retires(p, first)
	s.answers(second)
	s.still(mostOfRun, "run")
	s.toldOnce("generation 1 of " + s.name + " was blocked")
	if n := len(s.github.Issues(testRepository)); n != 1 {
		s.Errorf("there are %d issues, want one living one", n)
	}
}

// kept asserts that the new generation is what people made of the old one.
func (s *site) kept(old *litellm.Key, second secret.Value, models []string) {
	s.Helper()
	k := s.row(second)
	slices.Sort(k.Models)
	if k.Alias != s.name || !slices.Equal(k.Models, models) || string(k.Raw["rpm_limit"]) != "1000" {
		s.Errorf("the new generation has the alias %q, models %v, rpm_limit %s", k.Alias, k.Models, k.Raw["rpm_limit"])
	}
	var theirs struct {
		CostCentre int `json:"cost_centre"`
	}
	if err := json.Unmarshal(k.Metadata["theirs"], &theirs); err != nil || theirs.CostCentre != 42 {
		s.Errorf("somebody else's metadata is %s", k.Metadata["theirs"])
	}
	if k.BudgetDuration != "1mo" || !k.MaxBudget.Decimal.Equal(old.MaxBudget.Decimal) {
		s.Errorf("the new generation's own limit is %s USD a %q", k.MaxBudget.Decimal, k.BudgetDuration)
	}
}

// retires lets the grace pass: a run blocks the old generation, and a day later one removes it.
func (s *site) retires(p liveProxy, old secret.Value) {
	s.Helper()
	s.env["OPENCLAW_LITELLM_GRACE_PERIOD"] = s.grace
	// The grace period, and up to a second each that the proxy's clock cuts off, that it is told late, and that the log cuts off.
	time.Sleep(5 * time.Second)
	s.must("run")
	if err := s.look.VerifyKey(context.Background(), old); !litellm.IsKind(err, litellm.KeyBlocked) {
		s.Errorf("after its grace the old generation is told: %v", err)
	}
	s.still(mostOfRun, "run")
	if p.database == "" {
		s.Logf("the database of LiteLLM %s is not known: the deletion a day later was not seen", p.version)
		return
	}
	s.pass(25 * time.Hour)
	ran := s.must("run")
	if k, err := s.look.FindKey(context.Background(), old.SHA256()); !litellm.IsKind(err, litellm.NotFound) {
		s.Errorf("a day after it was blocked the old generation is still there: %+v, error %v, after %s", k, err, ran)
	}
}

// liveBudget spends a small budget through both generations to the end. A spent budget stops no rotation that is due.
func liveBudget(s *site, p liveProxy) {
	limit := usd("0.5")
	s.env["OPENCLAW_LITELLM_MAX_BUDGET"] = limit.String()
	s.env["OPENCLAW_LITELLM_GRACE_PERIOD"] = "1h"
	s.must("rotate")
	first := s.key()
	s.answers(first, first, first, first)
	s.must("rotate", "--now")
	second := s.key()
	refused := map[int]bool{}
	keys := []secret.Value{first, second}
	var cost decimal.Decimal
	for i := 0; len(refused) < 2 && i < 40; i++ {
		price, err := s.call(keys[i%2])
		switch {
		case litellm.IsKind(err, litellm.BudgetExceeded):
			refused[i%2] = true
		case err != nil:
			s.Fatal(err)
		default:
			refused = map[int]bool{}
			cost = price
		}
		s.total = s.total.Add(price)
	}
	over := s.total.Sub(limit)
	s.Logf("both refused after %s USD of %s; the proxy's own overshoot is %s USD, one call costs %s", s.total, limit, over, cost)
	if len(refused) < 2 || over.Abs().GreaterThan(cost.Add(usd("0.000001"))) {
		s.Errorf("%s USD were spent of %s, want the limit give or take one call of %s", s.total, limit, cost)
	}
	s.flushed()

	p.needsDatabase(s)
	s.pass(30 * 24 * time.Hour)
	s.must("rotate")
	third := s.key()
	if third.Equal(second) {
		s.Error("a spent budget stopped a rotation that was due")
	}
	for i, v := range []secret.Value{first, second, third} {
		if _, err := s.call(v); !litellm.IsKind(err, litellm.BudgetExceeded) {
			s.Errorf("with the budget spent, a call with generation %d is told: %v", i+1, err)
		}
	}
}

// liveAdoption takes over a key that somebody made by hand and that has been used in its window.
func liveAdoption(s *site, _ liveProxy) {
	ctx := context.Background()
	hand := secret.New("sk-by-hand-" + s.name)
	s.Cleanup(func() { _ = s.look.DeleteKey(ctx, hand.SHA256()) })
	err := s.look.GenerateKey(ctx, litellm.NewKey{Value: hand, Fields: litellm.Fields{
		"key_alias": s.name, "max_budget": 20, "budget_duration": "1mo", "metadata": litellm.Fields{"theirs": "yes"},
	}})
	if err != nil {
		s.Fatal(err)
	}
	s.answers(hand, hand, hand)
	for i := 0; i < 60 && s.row(hand).Spend.Sub(s.total).Abs().GreaterThan(usd("0.000001")); i++ {
		time.Sleep(250 * time.Millisecond)
	}
	before := s.row(hand)
	s.env["OPENCLAW_LITELLM_MAX_BUDGET"] = "20"
	s.env["OPENCLAW_LITELLM_GRACE_PERIOD"] = "1h"
	if r := s.bot("rotate"); r.code != exitUsage || len(r.writes) > 0 || !strings.Contains(r.errors+r.out, "adopt") {
		s.Errorf("without adopt it should refuse: %s", r)
	}
	s.env["OPENCLAW_LITELLM_ADOPT"] = "true"
	s.must("rotate")
	h := s.holder()
	if !h.Spend.Sub(before.Spend).IsZero() || !h.MaxBudget.Decimal.Equal(usd("20")) || !h.BudgetResetAt.Equal(before.BudgetResetAt) {
		s.Errorf("the holder has spent %s of %s until %s; the key had spent %s until %s",
			h.Spend, h.MaxBudget.Decimal, h.BudgetResetAt, before.Spend, before.BudgetResetAt)
	}
	s.Logf("adopted with %s USD spent; the holder has %s", before.Spend.Round(6), h.Spend.Round(6))
	s.answers(hand, s.key())
	s.flushed()
	if k := s.row(hand); string(k.Metadata["theirs"]) != `"yes"` || k.UserID != rotate.HolderID(s.name) {
		s.Errorf("the adopted key belongs to %q, somebody else's metadata is %s", k.UserID, k.Metadata["theirs"])
	}
	s.still(mostOfRotate, "rotate")
}

// liveFourAtOnce starts four rotations at the same moment, first when there is nothing yet, then when a new one is asked
// for.
func liveFourAtOnce(s *site, _ liveProxy) {
	s.atOnce(1, "rotate")
	time.Sleep(1100 * time.Millisecond)
	s.atOnce(2, "rotate", "--now")
}

// atOnce asserts that of four runs started together one makes the generation, and the others say why not and exit with 0.
func (s *site) atOnce(generation int, args ...string) {
	s.Helper()
	var wg sync.WaitGroup
	runs := make([]ran, 4)
	for i := range runs {
		_, wait := s.start(args...)
		wg.Go(func() { runs[i] = wait() })
	}
	wg.Wait()
	rotated := 0
	for _, r := range runs {
		won := strings.Contains(r.out, fmt.Sprintf("rotated, now generation %d", generation))
		if won {
			rotated++
		}
		if r.code != exitOK || !won && !strings.Contains(r.out+r.errors, "another run") && !strings.Contains(r.out, "Nothing was due") {
			s.Errorf("a run that lost should say why and exit with 0: %s", r)
		}
	}
	if rows := s.rows(); rotated != 1 || len(rows) != generation {
		s.Errorf("%d of four rotated, %d rows, want one new generation", rotated, len(rows))
	}
	s.settled()
}

// readRoutes are those of the README's recipe for a key that reads and nothing else.
func readRoutes() []string {
	return []string{
		"/user/info", "/user/list", "/key/info", "/key/list", "/team/info", "/user/daily/activity", "/tag/daily/activity",
		"/customer/daily/activity", "/spend/logs/v2", "/v1/models", "/model/info", "/health/readiness/details", "/health/latest",
	}
}

// manageRoutes are those of the recipe for a management key.
func manageRoutes() []string {
	return append(readRoutes(), "/user/new", "/user/update", "/key/generate", "/key/update", "/key/block", "/key/unblock",
		"/key/delete", "/team/member_add", "/team/member_update")
}

// liveNarrowKey does the job with a key that may do only what the job takes.
func liveNarrowKey(s *site, _ liveProxy) {
	ctx := context.Background()
	user := s.name + "-manager"
	s.Cleanup(func() { _ = s.look.DeleteUser(ctx, user) })
	narrow := secret.New("sk-narrow-" + s.name)
	err := s.look.CreateUser(ctx, user, litellm.Fields{"user_role": "proxy_admin"})
	if err == nil {
		err = s.look.GenerateKey(ctx, litellm.NewKey{Value: narrow, Fields: litellm.Fields{"user_id": user, "allowed_routes": manageRoutes()}})
	}
	if err != nil {
		s.Fatal(err)
	}
	s.env["LITELLM_MASTER_KEY"] = narrow.Reveal()
	s.env["OPENCLAW_LITELLM_GRACE_PERIOD"] = "1h" // a slow proxy takes longer for a rotation than s.grace
	s.must("run")
	s.settled()
	run := s.still(mostOfRun, "run")
	rotation := s.still(mostOfRotate, "rotate")
	s.Logf("requests with nothing due: run %d, rotate %d", run.requests, rotation.requests)
	first := s.key()
	time.Sleep(1100 * time.Millisecond)
	s.must("rotate", "--now")
	s.answers(first, s.key())
}
