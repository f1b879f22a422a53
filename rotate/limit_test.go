package rotate

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/litellm"
)

// TestOwnLimits: a generation has the limit itself only where it cannot bind before the holder's does.
func TestOwnLimits(t *testing.T) {
	own := func(window string, spent int64) func(*litellm.Key, *journal) {
		return func(k *litellm.Key, _ *journal) { k.BudgetDuration, k.Spend = window, decimal.NewFromInt(spent) }
	}
	none := func(spent int64) func(*litellm.Key, *journal) {
		return func(k *litellm.Key, _ *journal) {
			k.MaxBudget, k.BudgetDuration, k.Spend = decimal.NullDecimal{}, "", decimal.NewFromInt(spent)
		}
	}
	for _, tc := range []struct {
		name           string
		policy, holder string // windows
		spent          int64  // the holder's
		generation     func(*litellm.Key, *journal)
		want           []string
	}{
		{"they share a window", "1mo", "1mo", 5, own("1mo", 5), nil},
		{"the window is to change: the own limit goes first", "7d", "1mo", 5, own("1mo", 5), []string{"update g1 own limit", "update g0"}},
		{"the holder's has changed: it comes back", "7d", "7d", 5, none(5), []string{"update g1"}},
		{"but not on more than the holder has counted", "7d", "7d", 4, none(5), nil},
		{"a window begins where there was none", "1d", "", 5, own("", 5), []string{"update g1 own limit", "update g0", "update g1"}},
		{"no calendar: none", "15d", "15d", 5, own("15d", 5), []string{"update g1 own limit"}},
		{"the configuration names no window: the holder's counts", "", "1mo", 5, own("", 5), []string{"update g1 own limit", "update g1"}},
		{"nothing ever resets", "", "", 5, own("", 5), nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld().generation(1, day, true, tc.generation)
			w.Policy.BudgetDuration, w.Holder.BudgetDuration, w.Holder.Spend = tc.policy, tc.holder, decimal.NewFromInt(tc.spent)
			if diff := cmp.Diff(tc.want, steps(w.plan(Options{}))); diff != "" {
				t.Errorf("steps (-want +got):\n%s", diff)
			}
		})
	}
}

// TestTeamWindows: a member's budget has the configured window where the release knows one, and where it does not that is
// said and not tried.
func TestTeamWindows(t *testing.T) {
	team := func(window string) *world {
		w := newWorld().generation(1, day, true)
		w.TeamID = "agents"
		w.Member = &litellm.TeamMember{MaxBudget: w.Policy.MaxBudget, BudgetDuration: window}
		return w
	}
	if got := steps(team("1mo").plan(Options{})); got != nil {
		t.Errorf("as configured: %v", got)
	}
	if diff := cmp.Diff([]string{"update g0 team agents"}, steps(team("").plan(Options{}))); diff != "" {
		t.Errorf("without a window:\n%s", diff)
	}
	old := team("")
	old.Old = true
	if p := old.plan(Options{}); len(p.Steps) > 0 || !hasRule(p.Findings, "team-budget-never-resets") {
		t.Errorf("on a release without: steps %v, findings %v", steps(p), p.Findings)
	}
}

// TestIntoAndOutOfATeam: a budget that another one takes the place of is said, whoever moved the key.
func TestIntoAndOutOfATeam(t *testing.T) {
	into := newWorld().generation(1, day, true)
	into.TeamID, into.Options = "agents", litellm.Fields{"team_id": "agents"}
	p := into.plan(Options{})
	if len(p.Steps) != 2 || !strings.Contains(p.Steps[1].Reason, "not what was spent before") {
		t.Errorf("into a team: %+v", p.Steps)
	}
	inTeam := func(k *litellm.Key, _ *journal) { k.TeamID = "agents" }
	out := newWorld().generation(1, day, true, inTeam)
	if p := out.plan(Options{}); len(p.Steps) > 0 || !hasRule(p.Findings, "budget-does-not-bind") {
		t.Errorf("in a team that the configuration does not name: steps %v, findings %v", steps(p), p.Findings)
	}
	out.Policy.MaxBudget = decimal.NullDecimal{}
	if p := out.plan(Options{}); hasRule(p.Findings, "budget-does-not-bind") {
		t.Error("a key without a budget is judged by its team's")
	}
}

// TestOldReleaseForgetsSpend: that LiteLLM before 1.93 gives some budget away when a holder is updated is said by the step.
func TestOldReleaseForgetsSpend(t *testing.T) {
	for old, want := range map[bool]bool{true: true, false: false} {
		w := newWorld().generation(1, day, true)
		w.Holder.MaxBudget = decimal.NewNullDecimal(decimal.NewFromInt(7))
		w.Old = old
		p := w.plan(Options{})
		if len(p.Steps) == 0 || p.Steps[0].Kind != StepUpdate || strings.Contains(p.Steps[0].Reason, "forgets") != want {
			t.Errorf("old %t: %+v", old, p.Steps)
		}
	}
}

// TestOldReleaseKeepsRefusing: that LiteLLM before 1.93 may not see a spent member's new limit for a while is said by the step.
func TestOldReleaseKeepsRefusing(t *testing.T) {
	for _, tc := range []struct {
		old   bool
		spent string
		said  bool
	}{
		{true, "7", true}, {true, "6.99", false}, {false, "7", false},
	} {
		w := newWorld().generation(1, day, true)
		w.TeamID, w.Old, w.Policy.BudgetDuration = "agents", tc.old, ""
		w.Member = &litellm.TeamMember{MaxBudget: decimal.NewNullDecimal(decimal.NewFromInt(7)), Spend: decimal.RequireFromString(tc.spent)}
		p := w.plan(Options{})
		if len(p.Steps) != 1 || p.Steps[0].Target != "team agents" || strings.Contains(p.Steps[0].Reason, "ten minutes") != tc.said {
			t.Errorf("%+v: %+v", tc, p.Steps)
		}
	}
}
