package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/rotate"
	"github.com/org/openclaw-litellm-action/secret"
)

// TestCrash kills the program, a real process, before and after each of its writes in turn, loses each answer in turn and
// refuses each write in turn, in a first rotation and in a later one, with four targets of different kinds. What must
// never break is looked at in the moment of death. Then a fresh process goes on, is killed itself, and another one ends
// what is left.
func TestCrash(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: the crash matrix runs several hundred processes")
	}
	bin := buildBot(t)
	for _, sc := range scenarios() {
		t.Run(sc.name, func(t *testing.T) {
			t.Parallel()
			writes := sc.dryRun(t, func(t *testing.T) *site { return memorySite(t, bin, "1.106.10", "openclaw") })
			points := everyPoint(len(writes))
			inParallel(12, points, func(i int, p point) {
				t.Run(p.String()+" "+writes[p.nth].String(), func(t *testing.T) {
					sc.strike(memorySite(t, bin, releaseOf(i), "openclaw"), p)
				})
			})
			t.Logf("%d points: %d writes, each killed before and after, unanswered, refused", len(points), len(writes))
		})
	}
}

// releaseOf spreads the points over the release families.
func releaseOf(i int) string {
	return []string{"1.106.10", "1.81.13", "1.93.2"}[i/4%3]
}

// What a run and a rotation with nothing due may ask of everything outside.
const (
	mostOfRun    = 9
	mostOfRotate = 3
)

// TestNothingDue holds that a pass with nothing due asks little and writes nothing, on every release family.
func TestNothingDue(t *testing.T) {
	bin := buildBot(t)
	for _, release := range []string{"1.106.10", "1.93.2", "1.81.13"} {
		t.Run(release, func(t *testing.T) {
			s := memorySite(t, bin, release, "openclaw")
			s.must("run")
			s.still(mostOfRun, "run")
			s.still(mostOfRotate, "rotate")
		})
	}
}

// point is one blow of the matrix.
type point struct {
	nth  int
	blow blow
	then int // the write at which the recovery is killed as well, counted from 0
}

func (p point) String() string { return fmt.Sprintf("%s write %d", p.blow, p.nth+1) }

// kills reports whether the run dies, so that another has to recover.
func (p point) kills() bool { return p.blow == killBefore || p.blow == killAfter }

// everyPoint is the whole matrix over so many writes.
func everyPoint(writes int) []point {
	var points []point
	for n := range writes {
		for _, how := range []blow{killBefore, killAfter, loseAnswer, refuse503} {
			points = append(points, point{n, how, n % 5})
		}
	}
	return points
}

// inParallel does all of the work, so much of it at once. Most of it is waiting for processes that wait.
func inParallel[T any](atOnce int, all []T, do func(i int, item T)) {
	var wg sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	for i, item := range all {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			do(i, item)
		})
	}
	wg.Wait()
}

// dryRun lets the scenario happen undisturbed and returns its writes.
func (sc scenario) dryRun(t *testing.T, newSite func(*testing.T) *site) (writes []crossing) {
	t.Run("undisturbed", func(t *testing.T) {
		s := newSite(t)
		sc.prepare(s)
		writes = s.must(sc.args...).writes
		s.settled()
		s.retired()
	})
	if len(writes) < sc.writes {
		t.Errorf("the scenario has %d writes, less than there are steps: %v", len(writes), writes)
	}
	return writes
}

// strike runs the scenario with one blow and looks at what must hold: in the moment of death, after a recovery that is
// killed as well, and in the end.
func (sc scenario) strike(s *site, p point) (recoveryKilled bool) {
	old := sc.prepare(s)
	before := s.budgetNow()
	r := s.struck(p, sc.args...)
	s.holds(before, old)
	switch {
	case p.blow == loseAnswer && r.code != exitOK:
		s.Errorf("a lost answer was not made up for: %s", r)
	case p.blow == refuse503 && r.code != exitFailed && r.code != exitOK:
		s.Errorf("exit code %d with one write refused: %s", r.code, r)
	}
	if sc.meddle != nil {
		sc.meddle(s)
	}
	s.freshHome()
	if s.claimed() {
		if r := s.must("rotate"); len(r.writes) > 0 {
			s.Errorf("while the claim of a dead run lasts, another writes: %v", r.writes)
		}
		s.pass(21 * time.Minute)
	}
	if p.kills() {
		recoveryKilled = s.struck(point{nth: p.then, blow: p.blow}, "rotate").code == -1
		s.holds(before, old)
		s.pass(21 * time.Minute)
	}
	s.recovered()
	s.holds(before, old)
	if sc.after != nil {
		sc.after(s)
	}
	s.settled()
	if p.blow == killAfter {
		s.retired()
	}
	return recoveryKilled
}

// freshHome gives the next processes a home where nothing is.
func (s *site) freshHome() {
	home := s.TempDir()
	s.env["HOME"], s.env["TMPDIR"] = home, home
}

// struck runs the program with one blow to a write.
func (s *site) struck(p point, args ...string) ran {
	s.Helper()
	s.reset()
	strike := s.arm(p.nth, p.blow)
	process, wait := s.start(args...)
	done := make(chan ran, 1)
	go func() { done <- wait() }()
	var r ran
	select {
	case <-strike.hit:
		if err := process.Kill(); err != nil {
			s.Errorf("killing the program: %v", err)
		}
		r = <-done
		close(strike.dead)
	case r = <-done:
	case <-time.After(2 * time.Minute):
		_ = process.Kill()
		s.Fatalf("the program hangs: %s", <-done)
	}
	s.disarm()
	r.requests, r.writes = s.count()
	return r
}

// recovered runs the program until it has nothing left to do, as a schedule would; a failed target is only tried again
// after a while, until when each run says so and fails.
func (s *site) recovered() {
	s.Helper()
	for range 4 {
		r := s.bot("rotate")
		later := r.code == exitFailed && len(r.writes) == 0 && s.unfinished() && strings.Contains(r.errors, "that is tried again from")
		if r.code != exitOK && !later {
			s.Fatalf("no recovery: %s", r)
		}
		if len(r.writes) == 0 && !s.unfinished() {
			return
		}
		s.pass(16 * time.Minute)
	}
	s.Errorf("after four runs there is still work: %s", s.bot("plan"))
}

// generation is a row of the holder with what its journal says.
type generation struct {
	litellm.Key
	Kind   string    `json:"kind"`
	Gen    int       `json:"gen"`
	DoneAt time.Time `json:"done_at"`
}

// rows are the holder's rows in order; none if there is no holder.
func (s *site) rows() []generation {
	s.Helper()
	u, err := s.look.User(context.Background(), rotate.HolderID(s.name))
	if litellm.IsKind(err, litellm.NotFound) {
		return nil
	}
	if err != nil {
		s.Fatalf("reading the holder: %v", err)
	}
	var out []generation
	for _, k := range u.Keys {
		g := generation{Key: k}
		if err := json.Unmarshal(k.Metadata["openclaw_litellm"], &g); err != nil {
			s.Errorf("row %.12s has no journal: %v", k.Token, err)
		}
		out = append(out, g)
	}
	slices.SortFunc(out, func(a, b generation) int { return a.Gen - b.Gen })
	return out
}

// claimed reports whether a claim is left.
func (s *site) claimed() bool {
	return slices.ContainsFunc(s.rows(), func(g generation) bool { return g.Kind == "claim" })
}

// unfinished reports whether the newest row is not in every target.
func (s *site) unfinished() bool {
	rows := s.rows()
	return len(rows) == 0 || rows[len(rows)-1].DoneAt.IsZero()
}

// budgetNow is what must not change: the holder's limit, spend and window. It is empty while there is no holder.
func (s *site) budgetNow() string {
	u, err := s.look.User(context.Background(), rotate.HolderID(s.name))
	if litellm.IsKind(err, litellm.NotFound) {
		return ""
	}
	if err != nil {
		s.Fatalf("reading the holder: %v", err)
	}
	return fmt.Sprintf("%s USD of %s, reset %s", u.Spend.Round(6), u.MaxBudget.Decimal, u.BudgetResetAt)
}

// holds asserts what must be so at any moment: every target holds a key that works, or as yet nothing; who still has the
// old key can use it, for its grace; and the budget is as it was.
func (s *site) holds(budget string, old secret.Value) {
	s.Helper()
	if err := s.look.VerifyKey(context.Background(), old); !old.IsZero() && s.grace == longGrace && err != nil {
		s.Errorf("within its grace the old key does not work: %v", err)
	}
	for _, p := range s.places {
		v := p.held()
		if v.IsZero() && budget == "" {
			continue // there never was a key
		}
		if err := s.look.VerifyKey(context.Background(), v); err != nil {
			s.Errorf("the %s holds a key that does not work: %v", p.name, err)
		}
	}
	if now := s.budgetNow(); budget != "" && now != budget {
		s.Errorf("the budget was %s and is %s", budget, now)
	}
}

// settled asserts what must be so once a run has come to its end: one current key that is in every target and carries
// the name; everything else that was ever minted is older, or gone.
func (s *site) settled() {
	s.Helper()
	rows := s.rows()
	if len(rows) == 0 {
		s.Error("there is no key")
		return
	}
	current := rows[len(rows)-1]
	if current.Kind != "generation" || current.DoneAt.IsZero() || current.Blocked || current.Alias != s.name {
		s.Errorf("the newest row is a %s, number %d, done %v, blocked %v, alias %q",
			current.Kind, current.Gen, current.DoneAt, current.Blocked, current.Alias)
	}
	for _, p := range s.places {
		if p.held().SHA256() != current.Token {
			s.Errorf("the %s does not hold the current key", p.name)
		}
	}
	known := map[string]bool{}
	for _, g := range rows {
		known[g.Token] = true
		if g.Kind != "generation" {
			s.Errorf("a %s is left over, number %d", g.Kind, g.Gen)
		}
		if strings.HasPrefix(g.Alias, s.name) == (g.Alias == "") {
			s.Errorf("generation %d has the alias %q", g.Gen, g.Alias)
		}
	}
	for _, v := range s.values() {
		if _, err := s.look.FindKey(context.Background(), v.SHA256()); !known[v.SHA256()] && !litellm.IsKind(err, litellm.NotFound) {
			s.Errorf("an orphan: a key that was minted is no row of the holder (%v)", err)
		}
	}
	s.answers(s.key())
}

// longGrace is the grace of a site in memory, far longer than a recovery takes.
const longGrace = "7d"

// retired lets the grace pass, then the day after which what is blocked is deleted: the current key alone is left.
func (s *site) retired() {
	s.Helper()
	s.pass(8 * 24 * time.Hour)
	s.must("rotate")
	rows := s.rows()
	for _, g := range rows[:len(rows)-1] {
		if !g.Blocked {
			s.Errorf("after its grace generation %d still works", g.Gen)
		}
	}
	s.pass(25 * time.Hour)
	s.must("rotate")
	if rows := s.rows(); len(rows) != 1 || rows[0].Token != s.key().SHA256() {
		s.Errorf("%d rows are left, want the current key alone", len(rows))
	}
}
