package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/finding"
	"github.com/org/openclaw-litellm-action/report"
	"github.com/org/openclaw-litellm-action/rotate"
	"github.com/org/openclaw-litellm-action/store"
)

func open(t *testing.T, path string) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

var monday = time.Date(2026, 11, 23, 18, 10, 0, 0, time.UTC)

func passAt(at time.Time, spend string) report.Report {
	o := rotate.Outcome{Name: "openclaw", CurrentNumber: 2, Spend: decimal.RequireFromString(spend),
		MaxBudget: decimal.NewNullDecimal(decimal.NewFromInt(50)), Generations: []rotate.Generation{{Number: 2}}}
	return report.New(report.Input{Now: at, Command: "run", Outcomes: []rotate.Outcome{o, {Name: "other", CurrentNumber: -1}},
		Findings: []finding.Finding{{Rule: "budget-used", Severity: finding.Warning, Subject: finding.Subject{Kind: "key", Name: "openclaw"}}}})
}

func TestHistory(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state.db")
	db := open(t, path)
	for i, spend := range []string{"0.10", "0.30", "12.345678901234567890"} {
		if err := db.Record(t.Context(), passAt(monday.Add(time.Duration(i)*time.Hour), spend)); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Record(t.Context(), passAt(monday.Add(time.Hour), "0.2")); err != nil { // the same second again
		t.Fatal(err)
	}
	plan := passAt(monday.Add(5*time.Hour), "1")
	plan.DryRun = true
	if err := db.Record(t.Context(), plan); err != nil {
		t.Fatal(err)
	}
	got, err := db.History(t.Context(), monday.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	figure := func(spend string) []store.Figure {
		return []store.Figure{
			{Key: "openclaw", Generation: 2, Spend: decimal.NewNullDecimal(decimal.RequireFromString(spend)),
				MaxBudget: decimal.NewNullDecimal(decimal.NewFromInt(50)), Worst: "warning"},
			{Key: "other", Generation: -1},
		}
	}
	want := []store.Pass{
		{At: monday.Add(time.Hour), Command: "run", Warnings: 1, Figures: figure("0.2")},
		{At: monday.Add(2 * time.Hour), Command: "run", Warnings: 1, Figures: figure("12.345678901234567890")},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("history differs (-want +got):\n%s", diff)
	}

	// After 400 days it is forgotten.
	if err := db.Record(t.Context(), passAt(monday.AddDate(0, 0, 401), "1")); err != nil {
		t.Fatal(err)
	}
	if got, err := db.History(t.Context(), time.Time{}); err != nil || len(got) != 1 {
		t.Errorf("%d passes are left, %v", len(got), err)
	}
}

// TestReopen: what was saved is there after a restart, for its owner alone.
func TestReopen(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state?#%.db")
	first := open(t, path)
	if err := first.Save(t.Context(), []byte("told")); err != nil {
		t.Fatal(err)
	}
	first.Close()
	if got, err := open(t, path).Load(t.Context()); err != nil || string(got) != "told" {
		t.Errorf("loaded %q, %v", got, err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v, %v", info.Mode(), err)
	}
}

// TestTwoProcesses: two that share a file wait for each other.
func TestTwoProcesses(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state.db")
	var wg sync.WaitGroup
	for _, db := range []*store.DB{open(t, path), open(t, path)} {
		for i := range 20 {
			wg.Go(func() {
				if err := db.Record(t.Context(), passAt(monday.Add(time.Duration(i)*time.Second), "1")); err != nil {
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
	if got, err := open(t, path).History(t.Context(), monday); err != nil || len(got) != 20 {
		t.Errorf("%d passes, %v", len(got), err)
	}
}

// TestOpenRefuses: what is no state file of ours is refused and left as it is.
func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	other := filepath.Join(dir, "notes.txt")
	if err := os.WriteFile(other, []byte("these are somebody's notes, long enough to be no empty database file"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{"no SQLite": other, "no folder": filepath.Join(dir, "none", "state.db"), "a folder": dir} {
		if db, err := store.Open(t.Context(), path); err == nil {
			db.Close()
			t.Errorf("%s: opened", name)
		}
	}
	if text, err := os.ReadFile(other); err != nil || string(text[:5]) != "these" {
		t.Errorf("the notes are %q, %v", text, err)
	}
}

func TestNewer(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state.db")
	db := open(t, path)
	if err := db.SetVersion(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	db.Close()
	if _, err := store.Open(t.Context(), path); !errors.Is(err, store.ErrNewer) {
		t.Errorf("opened what a newer version made: %v", err)
	}
}
