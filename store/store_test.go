package store_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/failover"
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

// point is what is kept of openclaw at some hour of Monday.
func point(hour int, spend, used string) report.Point {
	return report.Point{At: monday.Add(time.Duration(hour) * time.Hour), Generation: 2, Spend: decimal.NewNullDecimal(decimal.RequireFromString(spend)),
		MaxBudget: decimal.NewNullDecimal(decimal.NewFromInt(50)), Used: decimal.NewNullDecimal(decimal.RequireFromString(used))}
}

func TestHistory(t *testing.T) {
	t.Parallel()
	db := open(t, filepath.Join(t.TempDir(), "state.db"))
	record := func(at time.Time, spend string) {
		t.Helper()
		if err := db.Record(t.Context(), passAt(at, spend)); err != nil {
			t.Fatal(err)
		}
	}
	if h, err := db.History(t.Context(), time.Time{}); err != nil || h != nil {
		t.Errorf("at first there is %+v, %v", h, err)
	}
	for i, spend := range []string{"0.10", "0.30", "12.345678901234567890", "12.345678901234567890"} {
		record(monday.Add(time.Duration(i)*time.Hour), spend)
	}
	record(monday.Add(time.Hour), "0.2") // the same second again
	plan := passAt(monday.Add(5*time.Hour), "1")
	plan.DryRun = true
	if err := db.Record(t.Context(), plan); err != nil {
		t.Fatal(err)
	}
	got, err := db.History(t.Context(), monday.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	want := &report.History{From: monday.Add(time.Hour), Passes: 3, Episodes: []report.Episode{}, Keys: []report.KeyPast{
		{Name: "openclaw", Points: []report.Point{point(1, "0.2", "0.4"), point(2, "12.345678901234567890", "24.6")}},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("history differs (-want +got):\n%s", diff)
	}

	// Of a day that is over only the last figures stay, and after 400 days nothing.
	for d := 1; d < 6; d++ {
		record(monday.AddDate(0, 0, d), fmt.Sprint(12+d))
	}
	got, err = db.History(t.Context(), time.Time{})
	if err != nil || len(got.Keys) != 2 || got.Passes != 9 {
		t.Fatalf("%+v, %v", got, err)
	}
	if diff := cmp.Diff(point(2, "12.345678901234567890", "24.6"), got.Keys[0].Points[0]); diff != "" || len(got.Keys[0].Points) != 6 {
		t.Errorf("%d points, the first (-want +got):\n%s", len(got.Keys[0].Points), diff)
	}
	record(monday.AddDate(0, 0, 410), "1")
	if got, err := db.History(t.Context(), time.Time{}); err != nil || got.Passes != 1 || len(got.Keys[0].Points) != 1 {
		t.Errorf("after 400 days: %+v, %v", got, err)
	}
}

// TestAbsurdFigures: amounts that somebody wrote into the file, and that no arithmetic is fit for, are not known.
func TestAbsurdFigures(t *testing.T) {
	t.Parallel()
	db := open(t, filepath.Join(t.TempDir(), "state.db"))
	if err := db.Record(t.Context(), passAt(monday, "1")); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"1e999999999", "-1e999999999", "NaN", "much"} {
		if err := db.SetSpend(t.Context(), text); err != nil {
			t.Fatal(err)
		}
		h, err := db.History(t.Context(), time.Time{})
		if err != nil || h.Keys[0].Points[0].Spend.Valid || h.Keys[0].Points[0].Used.Valid {
			t.Errorf("%s: %+v, %v", text, h, err)
		}
	}
}

// TestEpisodes: what is seen again and again is one trouble, from when it began to when it was last seen.
func TestEpisodes(t *testing.T) {
	t.Parallel()
	db := open(t, filepath.Join(t.TempDir(), "state.db"))
	ready := failover.Proxy{Ready: true}
	pass := func(minutes int, f failover.Facts) {
		t.Helper()
		r := report.New(report.Input{Now: monday.Add(time.Duration(minutes) * time.Minute), Failover: &f})
		if err := db.Record(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	at := func(minutes int) time.Time { return monday.Add(time.Duration(minutes) * time.Minute) }
	served := func(first, last int) []failover.Served {
		return []failover.Served{{Primary: "claude", By: "gpt-4o", Requests: 3, First: at(first), Last: at(last)}}
	}
	pass(0, failover.Facts{Proxy: ready, Served: served(-20, -1)})
	pass(15, failover.Facts{Proxy: ready, Served: served(-20, 14), Unhealthy: []failover.Unhealthy{{Model: "gpt-4o", CheckedAt: at(10)}}})
	pass(75, failover.Facts{Proxy: ready, Served: served(16, 70)})
	pass(90, failover.Facts{Proxy: failover.Proxy{Cause: "network"}})
	pass(105, failover.Facts{Proxy: failover.Proxy{Cause: "network"}})
	pass(120, failover.Facts{Proxy: ready, Unserved: []failover.Unserved{{Primary: "claude", By: []string{"gpt-4o"}, Requests: 2, First: at(110), Last: at(119)}}})
	pass(600, failover.Facts{Proxy: ready, Served: served(590, 599)})
	got, err := db.History(t.Context(), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	want := []report.Episode{
		{Kind: report.EpisodeFallback, Subject: "claude", Detail: "gpt-4o", From: at(-20), To: at(70)},
		{Kind: report.EpisodeUnhealthy, Subject: "gpt-4o", From: at(10), To: at(15)},
		{Kind: report.EpisodeProxy, Subject: "network", From: at(90), To: at(105)},
		{Kind: report.EpisodeUnserved, Subject: "claude", Detail: "gpt-4o", From: at(110), To: at(119)},
		{Kind: report.EpisodeFallback, Subject: "claude", Detail: "gpt-4o", From: at(590), To: at(599)},
	}
	if diff := cmp.Diff(want, got.Episodes); diff != "" {
		t.Errorf("episodes differ (-want +got):\n%s", diff)
	}
}

// TestClockSetBack: figures recorded while the clock was a year ahead hide none that are recorded once it is right.
func TestClockSetBack(t *testing.T) {
	t.Parallel()
	db := open(t, filepath.Join(t.TempDir(), "state.db"))
	down := func(at time.Time) {
		t.Helper()
		r := passAt(at, "1")
		r.Proxy = &report.Proxy{Cause: "network"}
		if err := db.Record(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	down(monday.AddDate(1, 0, 0))
	now := monday.Add(time.Hour)
	down(now)
	h, err := db.History(t.Context(), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	got := report.New(report.Input{Now: now, History: h}).History
	if diff := cmp.Diff([]report.Point{point(1, "1", "2")}, got.Keys[0].Points); diff != "" {
		t.Errorf("figures differ (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]report.Episode{{Kind: report.EpisodeProxy, Subject: "network", From: now, To: now}}, got.Episodes); diff != "" {
		t.Errorf("episodes differ (-want +got):\n%s", diff)
	}
	if later := report.New(report.Input{Now: monday.AddDate(1, 0, 0), History: h}).History; len(later.Keys[0].Points) != 2 || len(later.Episodes) != 2 {
		t.Errorf("a year later there is %+v", later)
	}
}

// TestOlderFile: a file of the version before keeps what it holds and takes episodes.
func TestOlderFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state.db")
	db := open(t, path)
	if err := db.Record(t.Context(), passAt(monday, "1")); err != nil {
		t.Fatal(err)
	}
	if err := db.MakeVersion1(t.Context()); err != nil {
		t.Fatal(err)
	}
	db.Close()
	db = open(t, path)
	down := report.New(report.Input{Now: monday.Add(time.Hour), Failover: &failover.Facts{Proxy: failover.Proxy{Cause: "network"}}})
	if err := db.Record(t.Context(), down); err != nil {
		t.Fatal(err)
	}
	if h, err := db.History(t.Context(), time.Time{}); err != nil || h.Passes != 2 || len(h.Episodes) != 1 {
		t.Errorf("%+v, %v", h, err)
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
	if got, err := open(t, path).History(t.Context(), monday); err != nil || got.Passes != 20 {
		t.Errorf("%+v, %v", got, err)
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
	if err := db.SetVersion(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	db.Close()
	if _, err := store.Open(t.Context(), path); !errors.Is(err, store.ErrNewer) {
		t.Errorf("opened what a newer version made: %v", err)
	}
}
