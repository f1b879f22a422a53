package report_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/budget"
	"github.com/org/openclaw-litellm-action/failover"
	"github.com/org/openclaw-litellm-action/finding"
	"github.com/org/openclaw-litellm-action/report"
	"github.com/org/openclaw-litellm-action/rotate"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares got with testdata/name, or rewrites that.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got), rewrite with -update if that is right:\n%s", name, diff)
	}
}

var monday = time.Date(2026, 11, 23, 18, 10, 0, 0, time.UTC)

func dec(s string) decimal.Decimal { return decimal.RequireFromString(s) }

func limit(s string) decimal.NullDecimal { return decimal.NewNullDecimal(dec(s)) }

// sample is a pass that rotated one key, failed at another and found a few things.
func sample() report.Input {
	reset := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	openclaw := rotate.Outcome{
		Name: "openclaw", Owner: "acme/ops", Rotated: true, CurrentNumber: 3,
		Steps: []rotate.StepResult{
			{Step: rotate.Step{Kind: rotate.StepMint, Gen: 3, Reason: "generation 2 is 30d old, the interval"}, Done: true},
			{Step: rotate.Step{Kind: rotate.StepVerify, Gen: 3}, Done: true},
			{Step: rotate.Step{Kind: rotate.StepPlace, Gen: 3, Target: "secret LITELLM_API_KEY in acme/agents"}, Done: true},
			{Step: rotate.Step{Kind: rotate.StepPlace, Gen: 3, Target: "file /run/openclaw/litellm.key"}, Done: true},
			{Step: rotate.Step{Kind: rotate.StepFinish, Gen: 3}, Done: true},
		},
		Generations: []rotate.Generation{
			{Number: 2, State: rotate.Retiring, Alias: "openclaw.g2", Spend: dec("34.10"), MintedAt: monday.AddDate(0, -1, 0),
				DoneAt: monday.AddDate(0, -1, 0), RetireAt: monday.AddDate(0, 0, 7)},
			{Number: 3, State: rotate.Current, Alias: "openclaw", Spend: dec("0"), MintedAt: monday, DoneAt: monday},
		},
		Targets: []rotate.TargetState{
			{Name: "secret LITELLM_API_KEY in acme/agents", Generation: 3, State: rotate.Placed},
			{Name: "file /run/openclaw/litellm.key", Generation: 3, State: rotate.Placed},
		},
		Spend: dec("41.2"), MaxBudget: limit("50"), BudgetDuration: "1mo", ResetAt: reset, NextRotation: monday.AddDate(0, 0, 30),
	}
	batch := rotate.Outcome{
		Name: "nightly-batch", CurrentNumber: 7,
		Steps: []rotate.StepResult{
			{Step: rotate.Step{Kind: rotate.StepMint, Gen: 8, Reason: "asked for with --now"}, Done: true},
			{Step: rotate.Step{Kind: rotate.StepPlace, Gen: 8, Target: "secret LITELLM_API_KEY in acme/batch"},
				Err: errors.New("putting secret LITELLM_API_KEY in acme/batch: 403 Resource not accessible by personal access token; needs secrets=write")},
		},
		Generations: []rotate.Generation{{Number: 7, State: rotate.Current, DoneAt: monday.AddDate(0, 0, -9)}, {Number: 8, State: rotate.Unfinished, MintedAt: monday}},
		Targets:     []rotate.TargetState{{Name: "secret LITELLM_API_KEY in acme/batch", Generation: 7, State: rotate.Failed, Detail: "403 Resource not accessible", PublicDetail: "403 Resource not accessible"}},
		Spend:       dec("3.5"), MaxBudget: limit("20"), BudgetDuration: "7d", ResetAt: time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC),
		Err: errors.New("placing generation 8 failed"),
	}
	batch.Err = errors.Join(fmt.Errorf("rotating key %q: %w", "nightly-batch", batch.Steps[1].Err))
	cjk := rotate.Outcome{Name: "研究チーム-エージェント", CurrentNumber: 0, Spend: dec("0.0042"), MaxBudget: limit("5"), BudgetDuration: "1d",
		ResetAt: time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC), NextRotation: monday.AddDate(0, 0, 21),
		Targets: []rotate.TargetState{{Name: "secret KEY in acme/研究", Generation: 0, State: rotate.Unchanged}}}
	free := rotate.Outcome{Name: "unlimited", CurrentNumber: 1, Spend: dec("120"), NextRotation: monday.AddDate(0, 0, 3),
		Waiting: "another run is at work until 18:25 UTC"}
	facts := budget.Facts{Key: "openclaw", Limit: limit("50"), Spend: dec("41.2"), ResetAt: reset,
		WindowStart: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), Source: "GET /user/info", DaysSource: "GET /user/daily/activity"}
	for i, spend := range []string{"2.1", "3", "4.25", "0.4", "0.1", "5.6", "8", "12.75", "5"} {
		facts.Days = append(facts.Days, budget.Day{Date: fmt.Sprintf("2026-11-%02d", 15+i), Spend: dec(spend), Requests: int64(20 * (i + 1))})
	}
	facts.Models = []budget.ModelSpend{{Model: "gpt-4o", Spend: dec("10"), Requests: 200}, {Model: "claude-opus-4-6", Spend: dec("31.2"), Requests: 700, Tokens: 9000000}}
	models := failover.Facts{
		Proxy:  failover.Proxy{URL: "https://litellm.example.com", Release: "1.106.10", Ready: true, Database: "connected", Latency: 12 * time.Millisecond},
		Window: time.Hour, Requests: 120, Source: "GET /spend/logs/v2",
		Served: []failover.Served{{Primary: "claude-opus-4-6", By: "gpt-4o", Requests: 18, Of: 60, First: monday.Add(-50 * time.Minute),
			Last: monday.Add(-2 * time.Minute), Evidence: finding.Recorded, Keys: []string{"openclaw"}}},
	}
	in := report.Input{
		Now: monday, Command: "run", Version: "v1.2.3", Outcomes: []rotate.Outcome{openclaw, batch, cjk, free},
		Spend: []budget.Facts{facts}, Failover: &models, Requests: map[string]int{"litellm": 14, "github": 6},
		Notes:      []string{"the management key is the master key: a narrow key is enough, see the README"},
		Configured: []string{"openclaw", "nightly-batch", "研究チーム-エージェント", "unlimited"},
	}
	thresholds := budget.Policy{Thresholds: []decimal.Decimal{dec("50"), dec("80"), dec("95")}}
	in.Findings = append(budget.Check(facts, thresholds, monday), failover.Check(models, failover.Policy{FallbackRate: 0.05}, monday)...)
	return in
}
