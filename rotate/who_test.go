package rotate

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/finding"
	"github.com/org/openclaw-litellm-action/litellm"
)

// canary is a name that nobody reads in public.
const canary = "Mallory Miller"

// TestPlansNameNobodyInPublic: of a foreign row, a key to adopt, a holder of another owner, a team and options that people set,
// nothing that somebody made up is in the words for everybody. Insiders read it.
func TestPlansNameNobodyInPublic(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	raw := func(v any) json.RawMessage { text, _ := json.Marshal(v); return text }
	ours := func(name string, j journal) map[string]json.RawMessage {
		j.Version, j.Name = journalVersion, name
		return map[string]json.RawMessage{journalKey: raw(j)}
	}
	p := Policy{
		Name: "openclaw", Owner: "acme/agents", Interval: 30 * 24 * time.Hour, Grace: time.Hour, MaxGrace: 2 * time.Hour,
		MaxBudget: decimal.NewNullDecimal(decimal.NewFromInt(60)), Options: litellm.Fields{"tags": []any{"team-a"}, "rpm_limit": int64(60)},
	}
	generation := litellm.Key{
		Token: strings.Repeat("a", 64), Alias: "openclaw", UserID: HolderID(p.Name), CreatedBy: "us", TeamID: canary, CreatedAt: now,
		MaxBudget: decimal.NewNullDecimal(decimal.NewFromInt(50)),
		Metadata:  ours(p.Name, journal{Kind: kindGeneration, Gen: 1, DoneAt: now, MintedAt: now, Placed: map[string]string{}}),
		Raw:       map[string]json.RawMessage{"tags": raw([]string{canary}), "rpm_limit": raw(5)},
	}
	foreign := litellm.Key{Token: strings.Repeat("b", 64), Alias: canary, UserID: HolderID(p.Name), CreatedBy: canary}
	corrupt := foreign
	corrupt.Token, corrupt.Metadata = strings.Repeat("c", 64), map[string]json.RawMessage{journalKey: raw(map[string]any{"v": journalVersion, "done_at": canary})}
	holder := &litellm.User{ID: HolderID(p.Name), Metadata: ours(p.Name, journal{Kind: kindHolder, Owner: p.Owner}), Keys: []litellm.Key{generation, foreign, corrupt}}
	other := *holder
	other.Metadata = ours(p.Name, journal{Kind: kindHolder, Owner: canary})
	unread := *holder
	unread.Metadata = corrupt.Metadata
	adopting := p
	adopting.Adopt = true
	for name, plan := range map[string]Plan{
		"rows and options": NewPlan(p, Reading{Now: now, Self: "us", Holder: holder, Alias: []litellm.Key{}, Stamps: map[string]Stamp{}}, Options{}),
		"another owner":    NewPlan(p, Reading{Now: now, Self: "us", Holder: &other}, Options{}),
		"a corrupt holder": NewPlan(p, Reading{Now: now, Self: "us", Holder: &unread}, Options{}),
		"to adopt":         NewPlan(adopting, Reading{Now: now, Self: "us", Alias: []litellm.Key{{Token: "t", CreatedBy: canary}}, Stamps: map[string]Stamp{}}, Options{}),
		"not to adopt":     NewPlan(p, Reading{Now: now, Self: "us", Alias: []litellm.Key{{Token: "t", CreatedBy: canary}}, Stamps: map[string]Stamp{}}, Options{}),
		"of another team":  NewPlan(adopting, Reading{Now: now, Self: "us", Alias: []litellm.Key{{Token: "t", TeamID: canary}}, Stamps: map[string]Stamp{}}, Options{}),
		"of a user":        NewPlan(adopting, Reading{Now: now, Self: "us", Alias: []litellm.Key{{Token: "t", UserID: canary}}, Stamps: map[string]Stamp{}}, Options{}),
	} {
		public, private := finding.Public(plan.Refused), ""
		if plan.Refused != nil {
			private = plan.Refused.Error()
		}
		for _, s := range plan.Steps {
			public, private = public+s.Reason+s.Target+"\n", private+s.Who+"\n"
		}
		for _, f := range append(plan.Findings, plan.rows.foreign...) {
			public, private = public+f.Summary+f.Cause+f.Advice+f.Level+f.Subject.Name+"\n", private+f.Who+f.Said+"\n"
		}
		if strings.Contains(public, canary) {
			t.Errorf("%s: in public it says\n%s", name, public)
		}
		if !strings.Contains(private, canary) {
			t.Errorf("%s: insiders do not read who it is:\n%s\n%s", name, public, private)
		}
	}
}

// TestShownAlias: of our own rows' aliases everybody reads those that we give.
func TestShownAlias(t *testing.T) {
	t.Parallel()
	p := Policy{Name: "openclaw"}
	for alias, shown := range map[string]bool{
		"openclaw": true, generationAlias("openclaw", 12): true, "openclaw.g3-4f1c": true,
		markedAlias("openclaw", 3, markBlocked, time.Now()): true, markedAlias("openclaw", 3, markReopened, time.Now()) + "-4f1c": true,
		"openclaw.gMallory": false, "openclaw.g3 of Mallory": false, canary: false, "openclaw-mallory": false, "": false,
	} {
		if got := p.shownAlias(alias); (got == "the alias "+alias) != shown {
			t.Errorf("%q is shown as %q", alias, got)
		}
	}
}

// TestConflictsStayConflicts: that somebody is named does not hide what kind of error it is.
func TestConflictsStayConflicts(t *testing.T) {
	t.Parallel()
	var c *Conflict
	if err := finding.Naming(&Conflict{"why"}, canary); !errors.As(err, &c) || c.Why != "why" {
		t.Errorf("%v", err)
	}
}
