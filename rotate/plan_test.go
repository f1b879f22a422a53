package rotate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/finding"
	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/secret"
)

const (
	day  = 24 * time.Hour
	self = "default_user_id"
)

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// fakeTarget is a target that only a planner sees.
type fakeTarget string

func (t fakeTarget) String() string                                            { return string(t) }
func (t fakeTarget) Fingerprint() string                                       { return "fp-" + string(t) }
func (t fakeTarget) Preflight(context.Context) error                           { return nil }
func (t fakeTarget) Stamp(context.Context) (string, error)                     { return "", nil }
func (t fakeTarget) Write(context.Context, secret.Value) (string, bool, error) { return "", true, nil }

// fakeFile can be read back.
type fakeFile struct{ fakeTarget }

func (fakeFile) Read(context.Context) (secret.Value, error) { return secret.Value{}, nil }

func policy() Policy {
	return Policy{
		Name: "openclaw", Owner: "acme/agents",
		MaxBudget: decimal.NewNullDecimal(decimal.NewFromInt(50)), BudgetDuration: "1mo",
		Interval: 30 * day, Grace: 7 * day, MaxGrace: 35 * day,
		Targets: []Target{fakeTarget("A"), fakeTarget("B")},
	}
}

// world builds readings: a holder with rows.
type world struct {
	Policy
	Reading
	journal journal
}

func newWorld() *world {
	w := &world{Policy: policy()}
	w.journal = journal{Version: 1, Kind: kindHolder, Name: w.Name, Owner: w.Owner, Nonce: strings.Repeat("5a", nonceBytes)}
	w.Reading = Reading{Now: now, Self: self, Holder: &litellm.User{
		ID: HolderID(w.Name), MaxBudget: w.Policy.MaxBudget, BudgetDuration: "1mo", AsOf: now,
	}}
	return w
}

// generation adds a row minted age ago; done says whether every target held it a minute later.
func (w *world) generation(n int, age time.Duration, done bool, change ...func(*litellm.Key, *journal)) *world {
	j := journal{Version: 1, Kind: kindGeneration, Name: w.Name, Gen: n, Run: fmt.Sprint("run", n), MintedAt: now.Add(-age)}
	k := litellm.Key{
		Token: fmt.Sprintf("token%d", n), Alias: generationAlias(w.Name, n), UserID: HolderID(w.Name), CreatedBy: self,
		MaxBudget: w.Policy.MaxBudget, BudgetDuration: "1mo", CreatedAt: j.MintedAt, UpdatedAt: j.MintedAt,
	}
	if done {
		j.DoneAt = j.MintedAt.Add(time.Minute)
		j.Placed = map[string]string{"fp-A": fmt.Sprint("stamp", n), "fp-B": fmt.Sprint("stamp", n)}
		k.Alias = w.Name
		for i := range w.Holder.Keys {
			if w.Holder.Keys[i].Alias == w.Name {
				old, _ := readJournal(w.Holder.Keys[i].Metadata)
				w.Holder.Keys[i].Alias = generationAlias(w.Name, old.Gen)
			}
		}
		w.stamps(fmt.Sprint("stamp", n))
	}
	for _, c := range change {
		c(&k, &j)
	}
	k.Metadata = withJournal(k.Metadata, j)
	w.Holder.Keys = append(w.Holder.Keys, k)
	return w
}

func (w *world) stamps(value string) *world {
	w.Stamps = map[string]Stamp{"fp-A": {Value: value}, "fp-B": {Value: value}}
	return w
}

func (w *world) claim(n int, run string, expires time.Time) *world {
	w.Holder.Keys = append(w.Holder.Keys, litellm.Key{
		Token: claimValue(w.journal.Nonce, secret.New(self), w.Name, n).SHA256(), UserID: HolderID(w.Name), CreatedBy: self, Blocked: true, Expires: expires,
		Metadata: withJournal(nil, journal{Version: 1, Kind: kindClaim, Name: w.Name, Gen: n, Run: run}),
	})
	return w
}

// aliasOf is who has the plain alias, apart from the holder.
func (w *world) aliasOf(others ...litellm.Key) *world {
	w.Reading.Alias = append([]litellm.Key{}, others...)
	return w
}

func (w *world) unused(tokens ...string) *world {
	w.Uses = map[string]LastUse{}
	for _, t := range tokens {
		w.Uses[t] = LastUse{}
	}
	return w
}

func (w *world) plan(o Options) Plan {
	if w.Holder != nil {
		w.Holder.Metadata = withJournal(nil, w.journal)
	}
	if o.Run == "" {
		o.Run = "me"
	}
	if o.Started.IsZero() {
		o.Started = now
	}
	return NewPlan(w.Policy, w.Reading, o)
}

func steps(p Plan) []string {
	var out []string
	for _, s := range p.Steps {
		line := fmt.Sprintf("%s g%d", s.Kind, s.Gen)
		if s.Target != "" {
			line += " " + s.Target
		}
		out = append(out, line)
	}
	return out
}

var rotation2 = []string{"mint g2", "verify g2", "place g2 A", "place g2 B", "finish g2"}

func TestPlan(t *testing.T) {
	blocked := func(k *litellm.Key, _ *journal) { k.Blocked = true }
	tests := []struct {
		name string
		w    *world
		o    Options
		want []string
	}{
		{"nothing is due on a young key", newWorld().generation(1, day, true), Options{}, nil},
		{"no holder: everything from the start",
			func() *world {
				w := newWorld()
				w.Holder, w.Alias, w.Stamps = nil, []litellm.Key{}, map[string]Stamp{}
				return w
			}(), Options{},
			[]string{"holder g0", "mint g1", "verify g1", "place g1 A", "place g1 B", "finish g1"}},
		{"a second short of due", newWorld().generation(1, 30*day-12*time.Hour-time.Second, true), Options{}, nil},
		{"due twelve hours early", newWorld().generation(1, 30*day-12*time.Hour, true), Options{}, rotation2},
		{"--now rotates a young key", newWorld().generation(1, day, true), Options{Now: true}, rotation2},
		{"--now does not rotate what was minted after the run began",
			newWorld().generation(1, day, true), Options{Now: true, Started: now.Add(-2 * day)}, nil},
		{"a run died: its plaintext is lost",
			newWorld().generation(1, day, true).generation(2, time.Hour, false), Options{},
			[]string{"mint g3", "verify g3", "place g3 A", "place g3 B", "finish g3"}},
		{"a target failed: its back-off runs",
			newWorld().generation(1, day, true).generation(2, 14*time.Minute, false, placedA), Options{}, nil},
		{"a target failed: its back-off is over",
			newWorld().generation(1, day, true).generation(2, 15*time.Minute, false, placedA), Options{},
			[]string{"mint g3", "verify g3", "place g3 A", "place g3 B", "finish g3"}},
		{"drift: somebody changed a target", newWorld().generation(1, day, true).stamps("other"), Options{}, rotation2},
		{"drift: a target is empty", newWorld().generation(1, day, true).stamps(""), Options{}, rotation2},
		{"a changed limit is an update, not a rotation",
			func() *world {
				w := newWorld().generation(1, day, true)
				w.Policy.MaxBudget = decimal.NewNullDecimal(decimal.NewFromInt(60))
				return w
			}(), Options{}, []string{"update g0", "update g1"}},
		{"what the configuration does not name stays",
			newWorld().generation(1, day, true, func(k *litellm.Key, _ *journal) {
				k.Models = []string{"gpt-4o"}
				k.Raw = map[string]json.RawMessage{"rpm_limit": json.RawMessage("60")}
			}), Options{}, nil},
		{"a window that does not follow the calendar is the holder's alone",
			func() *world {
				w := newWorld().generation(1, day, true, func(k *litellm.Key, _ *journal) {
					k.MaxBudget, k.BudgetDuration = decimal.NullDecimal{}, ""
				})
				w.Policy.BudgetDuration, w.Holder.BudgetDuration = "15d", "15d"
				return w
			}(), Options{}, nil},
		{"an option that differs is updated",
			func() *world {
				w := newWorld().generation(1, day, true)
				w.Options = litellm.Fields{"rpm_limit": 60}
				return w
			}(), Options{}, []string{"update g1"}},
		{"an option that is the same in other notation is not",
			func() *world {
				w := newWorld().generation(1, day, true, func(k *litellm.Key, _ *journal) {
					k.Raw = map[string]json.RawMessage{"rpm_limit": json.RawMessage("60.0")}
				})
				w.Options = litellm.Fields{"rpm_limit": 60}
				return w
			}(), Options{}, nil},
		{"the old generation works during grace",
			newWorld().generation(1, 37*day, true).generation(2, 7*day, true).unused("token1"), Options{}, nil},
		{"and is blocked when grace is over",
			newWorld().generation(1, 37*day, true).generation(2, 7*day+time.Minute, true).unused("token1"), Options{}, []string{"block g1"}},
		{"but not while a target drifted",
			newWorld().generation(1, 37*day, true).generation(2, 8*day, true).stamps("other").unused("token1"), Options{},
			[]string{"mint g3", "verify g3", "place g3 A", "place g3 B", "finish g3"}},
		{"nor while a target cannot be read",
			func() *world {
				w := newWorld().generation(1, 37*day, true).generation(2, 8*day, true).unused("token1")
				w.Stamps["fp-B"] = Stamp{Err: errors.New("no")}
				return w
			}(), Options{}, nil},
		{"nor while it is used",
			func() *world {
				w := newWorld().generation(1, 37*day, true).generation(2, 8*day, true)
				w.Uses = map[string]LastUse{"token1": {At: now.Add(-time.Hour)}}
				return w
			}(), Options{}, nil},
		{"used after max grace: still not",
			func() *world {
				w := newWorld().generation(1, 66*day, true).generation(2, 36*day, true).generation(3, 8*day, true)
				w.Uses = map[string]LastUse{"token1": {At: now}, "token2": {At: now}}
				w.Policy.MaxGrace = 8 * day
				return w
			}(), Options{}, nil},
		{"used after max grace with block_in_use: blocked",
			func() *world {
				w := newWorld().generation(1, 66*day, true).generation(2, 8*day+time.Minute, true)
				w.Uses = map[string]LastUse{"token1": {At: now}}
				w.Policy.MaxGrace, w.BlockInUse = 8*day, true
				return w
			}(), Options{}, []string{"block g1"}},
		{"compromised above: blocked at once, drift or not",
			newWorld().generation(1, 2*day, true).generation(2, day, true, func(_ *litellm.Key, j *journal) { j.Compromised = true }).stamps("other"),
			Options{}, []string{"mint g3", "verify g3", "place g3 A", "place g3 B", "finish g3", "block g1"}},
		{"an unfinished generation below current is retired like any other",
			newWorld().generation(1, 9*day, false).generation(2, 8*day, true).unused("token1"), Options{}, []string{"block g1"}},
		{"one above current never is",
			newWorld().generation(1, 20*day, true).generation(2, 14*time.Minute, false, placedA), Options{}, nil},
		{"blocked a day ago: deleted",
			newWorld().generation(1, 37*day, true, blocked).generation(2, 8*day, true).
				alias(0, markedAlias("openclaw", 1, markBlocked, now.Add(-day))), Options{}, []string{"delete g1"}},
		{"blocked a second less: not yet",
			newWorld().generation(1, 37*day, true, blocked).generation(2, 8*day, true).
				alias(0, markedAlias("openclaw", 1, markBlocked, now.Add(-day+time.Second))), Options{}, nil},
		{"blocked without a mark, by a person or a run that died: marked, deleted a day later",
			newWorld().generation(1, 37*day, true, blocked).generation(2, 8*day, true), Options{},
			[]string{"alias g1 openclaw.g1.blocked-20261122T120000Z"}},
		{"reopened: its grace begins anew",
			newWorld().generation(1, 37*day, true).generation(2, 8*day, true).unused("token1").
				alias(0, markedAlias("openclaw", 1, markReopened, now.Add(-7*day+time.Second))), Options{}, nil},
		{"and ends anew",
			newWorld().generation(1, 37*day, true).generation(2, 8*day, true).unused("token1").
				alias(0, markedAlias("openclaw", 1, markReopened, now.Add(-7*day))), Options{}, []string{"block g1"}},
		{"unblock reopens the newest retired generation",
			newWorld().generation(1, 60*day, true, blocked).generation(2, 37*day, true, blocked).generation(3, 8*day, true), Options{Unblock: true},
			[]string{"alias g2 openclaw.g2.reopened-20261122T120000Z", "unblock g2"}},
		{"and an older one if that was blocked later",
			newWorld().generation(1, 60*day, true, blocked).generation(2, 37*day, true, blocked).generation(3, 8*day, true).
				alias(0, markedAlias("openclaw", 1, markBlocked, now.Add(-time.Hour))).alias(1, markedAlias("openclaw", 2, markBlocked, now.Add(-20*time.Hour))),
			Options{Unblock: true}, []string{"alias g1 openclaw.g1.reopened-20261122T120000Z", "unblock g1"}},
		{"one that was reopened before begins its grace anew, too",
			newWorld().generation(1, 60*day, true, blocked).generation(2, 37*day, true).
				alias(0, markedAlias("openclaw", 1, markReopened, now.Add(-10*day))),
			Options{Unblock: true}, []string{"alias g1 openclaw.g1.reopened-20261122T120000Z", "unblock g1"}},
		{"--compromised rotates whatever the age",
			newWorld().generation(1, day, true), Options{Compromised: true}, slices.Concat(rotation2, []string{"block g1"})},
		{"compromised and tried everywhere, one target failed: everything older is blocked, current too",
			newWorld().generation(1, day, true).generation(2, time.Minute, false, placedA, func(_ *litellm.Key, j *journal) { j.Compromised = true }),
			Options{}, []string{"block g1"}},
		{"compromised but only minted: nothing older is blocked, a new one is due",
			newWorld().generation(1, day, true).generation(2, time.Minute, false, func(_ *litellm.Key, j *journal) { j.Compromised = true }),
			Options{}, []string{"mint g3", "verify g3", "place g3 A", "place g3 B", "finish g3"}},
		{"a key file still holds the unfinished generation: it is gone on with",
			func() *world {
				w := newWorld().generation(1, day, true).generation(2, time.Minute, false)
				w.Targets[1] = fakeFile{"B"}
				w.Stamps["fp-B"] = Stamp{Value: "token2"}
				return w
			}(), Options{}, []string{"verify g2", "place g2 A", "place g2 B", "finish g2"}},
		{"the plain alias moves off the old generation first, then on",
			newWorld().generation(1, 2*day, true).generation(2, day, true, func(k *litellm.Key, _ *journal) { k.Alias = "openclaw.g2" }).
				alias(0, "openclaw"), Options{}, []string{"alias g1 openclaw.g1", "alias g2 openclaw"}},
		{"an alias that somebody else has is left alone",
			newWorld().generation(1, 2*day, true, func(k *litellm.Key, _ *journal) { k.Alias = "openclaw.g1" }).
				aliasOf(litellm.Key{Alias: "openclaw", UserID: "mallory", Token: "taken"}), Options{}, nil},
		{"an expired claim is cleaned up",
			newWorld().generation(1, day, true).claim(2, "dead", now.Add(-5*time.Minute)), Options{}, []string{"cleanup g2"}},
		{"numbers go on above a dead claim's",
			newWorld().generation(1, day, true).claim(2, "dead", now.Add(-time.Hour)), Options{Now: true},
			[]string{"mint g3", "verify g3", "place g3 A", "place g3 B", "finish g3", "cleanup g2"}},
		{"under an own claim its number is minted",
			newWorld().generation(1, day, true).claim(2, "me", now.Add(15*time.Minute)), Options{Now: true}, rotation2},
		{"a person blocked the current key: --now goes on",
			newWorld().generation(1, day, true, blocked), Options{Now: true}, rotation2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := tt.w.plan(tt.o)
			if p.Waiting != "" || p.Stopped != "" || p.Refused != nil || p.Wants.any() {
				t.Fatalf("waiting %q, stopped %q, refused %v, wants %+v", p.Waiting, p.Stopped, p.Refused, p.Wants)
			}
			if diff := cmp.Diff(tt.want, steps(p)); diff != "" {
				t.Errorf("steps (-want +got):\n%s", diff)
			}
			for _, s := range p.Steps {
				if s.Reason == "" {
					t.Errorf("step %v has no reason", s)
				}
			}
		})
	}
}

// The longest grace is counted from when a generation was replaced, not from the last rotation: with the defaults, 35 and
// 30 days, it would never end.
func TestALongUsedGenerationThroughRotations(t *testing.T) {
	tests := []struct {
		name       string
		newest     time.Duration // age of generation 3
		blockInUse bool
		steps      []string
		severity   finding.Severity
		advice     string
	}{
		{"the day after a rotation it is still told", day, false, nil, finding.Warning, "critical from "},
		{"the longest grace is over", 8 * day, false, nil, finding.Critical, "set block_in_use"},
		{"and it is to be blocked", 8 * day, true, []string{"block g1"}, finding.Critical, "is blocked now"},
		{"but not before the newest has been everywhere for a grace period", 6 * day, true, nil, finding.Critical, "is blocked at 2026-"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld().generation(1, tt.newest+60*day, true).generation(2, tt.newest+30*day, true).generation(3, tt.newest, true)
			w.Uses = map[string]LastUse{"token1": {At: now.Add(-time.Hour)}, "token2": {}}
			w.Holder.Keys[1].Blocked, w.Holder.Keys[1].Alias = true, markedAlias(w.Name, 2, markBlocked, now)
			w.BlockInUse = tt.blockInUse
			p := w.plan(Options{})
			if diff := cmp.Diff(tt.steps, steps(p)); diff != "" {
				t.Errorf("steps (-want +got):\n%s", diff)
			}
			if len(p.Findings) != 1 || p.Findings[0].Severity != tt.severity || !strings.Contains(p.Findings[0].Advice, tt.advice) ||
				!p.Findings[0].Since.Equal(now.Add(-tt.newest-30*day+time.Minute)) {
				t.Errorf("findings %+v", p.Findings)
			}
		})
	}
}

func placedA(_ *litellm.Key, j *journal) { j.Placed = map[string]string{"fp-A": "stamp2"} }

func (w *world) alias(i int, alias string) *world {
	w.Holder.Keys[i].Alias = alias
	return w
}

// A person at a shell may write the repository in another case than GitHub does.
func TestOwnerInAnotherCase(t *testing.T) {
	w := newWorld().generation(1, 40*day, true)
	w.journal.Owner = "Acme/Agents"
	if p := w.plan(Options{}); p.Refused != nil || len(p.Steps) == 0 {
		t.Errorf("refused: %v, steps %v", p.Refused, steps(p))
	}
}

func TestPlanWritesNothing(t *testing.T) {
	theirs := func(k *litellm.Key, _ *journal) { k.CreatedBy = "mallory" }
	tests := []struct {
		name    string
		w       *world
		o       Options
		waiting string
		refused string
		stopped string
		rule    string
	}{
		{name: "another run is at work", w: newWorld().generation(1, 40*day, true).claim(2, "other", now.Add(time.Minute)), waiting: "another run (other)"},
		{name: "its claim has just expired, clocks may be skewed",
			w: newWorld().generation(1, 40*day, true).claim(2, "other", now.Add(-5*time.Minute+time.Second)), waiting: "another run (other)"},
		{name: "another owner", w: func() *world { w := newWorld(); w.journal.Owner = "acme/other"; return w }(), refused: `(its owner is acme/other)`},
		{name: "a holder of a later version", w: func() *world { w := newWorld(); w.journal.Version = 2; return w }(), refused: "version 2"},
		{name: "a person's user under the holder's name", w: func() *world { w := newWorld(); w.journal.Kind = "?"; return w }(), refused: "was not made by this tool"},
		{name: "a stop order", w: newWorld().generation(1, 40*day, true, func(k *litellm.Key, _ *journal) { k.Blocked = true }),
			stopped: "somebody blocked it", rule: "key-blocked"},
		{name: "unblock never reopens what is compromised", w: func() *world {
			return newWorld().generation(1, 2*day, true, func(k *litellm.Key, _ *journal) { k.Blocked = true }).
				generation(2, day, true, func(_ *litellm.Key, j *journal) { j.Compromised = true })
		}(), o: Options{Unblock: true}, refused: "never reopened"},
		{name: "nothing to unblock", w: newWorld().generation(1, day, true), o: Options{Unblock: true}, refused: "no blocked generation"},
		{name: "the alias is somebody else's", w: func() *world {
			w := newWorld()
			w.Alias = []litellm.Key{{Token: "t", Alias: "openclaw"}}
			return w
		}(), refused: "set adopt: true"},
		{name: "two keys have the alias, and adopting either would leave the other in the way", w: func() *world {
			w := newWorld()
			w.Adopt = true
			w.Alias = []litellm.Key{{Token: "t", Alias: "openclaw"}, {Token: "u", Alias: "openclaw"}}
			return w
		}(), refused: "2 keys have that alias (hashes t and u)"},
		{name: "the key to adopt belongs to a person", w: func() *world {
			w := newWorld()
			w.Adopt = true
			w.Alias = []litellm.Key{{Token: "t", Alias: "openclaw", UserID: "ann"}}
			return w
		}(), refused: "of the user ann)"},
		{name: "a forged generation is reported, not obeyed",
			w: newWorld().generation(1, day, true).generation(99, 0, true, theirs).stamps("stamp1").alias(0, "openclaw"), rule: "foreign-row"},
		{name: "a row of a future version is reported, not obeyed",
			w:    newWorld().generation(1, day, true).generation(2, 0, false, func(_ *litellm.Key, j *journal) { j.Version = 2 }),
			rule: "foreign-row"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.o.CheckTargets = true
			p := tt.w.plan(tt.o)
			if len(p.Steps) > 0 {
				t.Errorf("steps: %v", steps(p))
			}
			contains(t, "waiting", p.Waiting, tt.waiting)
			contains(t, "stopped", p.Stopped, tt.stopped)
			var refused string
			if p.Refused != nil {
				refused = p.Refused.Error()
			}
			contains(t, "refused", refused, tt.refused)
			if tt.rule != "" && !hasRule(p.Findings, tt.rule) {
				t.Errorf("no finding %s in %v", tt.rule, p.Findings)
			}
		})
	}
}

func contains(t *testing.T, what, got, want string) {
	t.Helper()
	if want == "" && got != "" || !strings.Contains(got, want) {
		t.Errorf("%s: %q, want %q in it", what, got, want)
	}
}

func hasRule(fs []finding.Finding, rule string) bool {
	for _, f := range fs {
		if f.Rule == rule {
			return true
		}
	}
	return false
}

func TestPlanAsksForNoMoreThanItNeeds(t *testing.T) {
	w := newWorld().generation(1, day, true)
	w.Stamps = nil
	if p := w.plan(Options{}); p.Wants.any() {
		t.Errorf("a young key wants %+v", p.Wants)
	}
	w = newWorld().generation(1, 37*day, true).generation(2, 8*day, true)
	if p := w.plan(Options{}); len(p.Wants.Uses) != 1 || p.Wants.Uses[0].Since != now.Add(-7*day) {
		t.Errorf("before a block: wants %+v", p.Wants)
	}
}

func TestFourthFailureIsCritical(t *testing.T) {
	w := newWorld().generation(1, 5*day, true)
	for n := 2; n <= 5; n++ {
		w.generation(n, time.Hour, false, placedA)
	}
	p := w.plan(Options{})
	if !hasRule(p.Findings, "rotation-failing") {
		t.Errorf("findings %v", p.Findings)
	}
	if len(p.Steps) > 0 {
		t.Errorf("after four failures an hour is within the back-off of two: %v", steps(p))
	}
}

func TestAdoption(t *testing.T) {
	w := newWorld()
	w.Adopt, w.Holder = true, nil
	w.Stamps = map[string]Stamp{}
	w.Alias = []litellm.Key{{Token: "t0", Alias: "openclaw", CreatedBy: "ann", Spend: decimal.RequireFromString("12.5"), UpdatedAt: now}}
	p := w.plan(Options{})
	want := []string{"holder g0", "adopt g0", "mint g1", "verify g1", "place g1 A", "place g1 B", "finish g1"}
	if diff := cmp.Diff(want, steps(p)); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	contains(t, "reason", p.Steps[1].Reason, "12.5 USD spent")
}
