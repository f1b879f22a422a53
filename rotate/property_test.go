package rotate_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/rotate"
	"github.com/org/openclaw-litellm-action/secret"
)

// TestWhateverHappensMoneyAndAccessAreKept lets random things happen to a key, on three releases: calls through any
// generation, rotations of every kind, crashes before and after any request or write, lost answers, second runs in the
// middle of one, changed limits and windows, changes by hand, adoption, and time. After each it asks the proxy.
//
// -rapid.checks and -rapid.steps make it longer.
func TestWhateverHappensMoneyAndAccessAreKept(t *testing.T) {
	atMost(t, "rapid.checks", "40")
	atMost(t, "rapid.nofailfile", "true")
	rapid.Check(t, func(t *rapid.T) {
		m := newMachine(t)
		defer m.proxy.Close()
		t.Repeat(map[string]func(*rapid.T){
			"call":     m.call,
			"run":      m.undisturbed,
			"trouble":  m.disturbed,
			"trouble2": m.disturbed,
			"time":     m.time,
			"settings": m.settings,
			"clock":    m.setClock,
			"by hand":  m.byHand,
			"refuse":   m.refuse,
			"reopen":   m.reopen,
			"":         m.check,
		})
		m.end(t)
	})
}

// atMost sets a flag of rapid that the caller has not set.
func atMost(t *testing.T, name, value string) {
	set := false
	flag.Visit(func(f *flag.Flag) { set = set || f.Name == name })
	if !set {
		if err := flag.Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
}

func (m *machine) tell(t *rapid.T, format string, args ...any) {
	m.story = append(m.story, fmt.Sprintf(format, args...))
	t.Logf("%s %s: %s", m.proxy.Release(), m.clock.Now().Format(time.DateTime), m.story[len(m.story)-1])
}

// live are the plaintexts of the rows that are not blocked, the key to be adopted among them.
func (m *machine) live() []secret.Value {
	var out []secret.Value
	for _, v := range m.minted {
		if k, ok := m.proxy.Key(v.SHA256()); ok && !k.Deleted && !k.Blocked {
			out = append(out, v)
		}
	}
	return out
}

// call spends through some live generation.
func (m *machine) call(t *rapid.T) {
	live := m.live()
	if len(live) == 0 {
		t.Skip("there is no key yet")
	}
	v := rapid.SampledFrom(live).Draw(t, "key")
	for range rapid.IntRange(1, 4).Draw(t, "calls") {
		m.spend(t, v)
	}
}

// spend makes one call and holds its fate to what the budget says.
func (m *machine) spend(t *rapid.T, v secret.Value) bool {
	may, must := m.room()
	if v.Equal(m.adopted) && m.policy.TeamID != "" { // its own limit goes on counting what could not be moved into the team
		k, _ := m.proxy.Key(v.SHA256())
		must = must && k.Spend.LessThan(k.MaxBudget.Decimal)
	}
	_, err := m.client(&life{}).Chat(context.Background(), v, "backup", 20)
	switch {
	case err == nil:
		m.spent++
		if !may {
			t.Fatalf("a call passed with %d of %v calls spent", m.spent-1, m.limits)
		}
	case !litellm.IsKind(err, litellm.BudgetExceeded):
		t.Fatalf("a call: %v", err)
	case must:
		t.Fatalf("a call was refused with %d of %v calls spent: %v", m.spent, m.limits, err)
	}
	m.tell(t, "call with %s…: %v; %d of %v spent", v.SHA256()[:6], err == nil, m.spent, m.limits)
	return err == nil
}

// room says whether a call may pass, and whether it must. They differ while the last run was not clean, and on 1.81, where
// a user's budget refuses only above the limit, and a member's limit is what the worker read of it in the last ten minutes.
func (m *machine) room() (may, must bool) {
	over, limits := 0, m.limits
	if m.old {
		over = 1
	}
	if m.clock.Now().Before(m.formerUntil) {
		limits = slices.Concat(limits, m.former)
	}
	return m.spent < slices.Max(limits)+over, m.spent < slices.Min(limits)
}

// undisturbed is one run that nothing happens to.
func (m *machine) undisturbed(t *rapid.T) {
	o := m.options(t)
	out := m.run(&life{}, o)
	m.tell(t, "run %s: %s", optionNames(o), m.result(out))
	m.clean(t, out)
}

// clean is what must be true after an undisturbed run that went through.
func (m *machine) clean(t *rapid.T, out rotate.Outcome) {
	m.look()
	if out.Err != nil || out.Waiting != "" {
		if out.Err != nil && !m.refusing() && !heldUp(out) {
			t.Fatalf("an undisturbed run failed: %v", out.Err)
		}
		return
	}
	for _, p := range m.places {
		if p.dead && !p.refuses && out.Later == nil {
			t.Fatalf("after a clean run %s still has a key that was blocked before it was written", p.name)
		}
	}
	_, limit, window, _, ok := m.purse()
	if !ok || !limit.Valid || !limit.Decimal.Equal(m.policy.MaxBudget.Decimal) {
		t.Fatalf("after a clean run the limit is %v, want %s", limit, m.policy.MaxBudget.Decimal)
	}
	if want := m.policy.BudgetDuration; want != "" && window != want && !m.neverResets() {
		t.Fatalf("after a clean run the window is %q, want %q", window, want)
	}
	if m.old && m.policy.TeamID != "" && len(m.limits) > 1 {
		m.former, m.formerUntil = slices.Concat(m.former, m.limits), m.clock.Now().Add(10*time.Minute)
	}
	m.limits = []int{int(limit.Decimal.Div(perCall).IntPart())}
	if !out.Spend.Equal(calls(m.spent)) {
		t.Fatalf("the run reports %s USD spent, want %s", out.Spend, calls(m.spent))
	}
}

// heldUp reports whether what was asked for waits for the claim of another run, which may be dead. --compromised never does.
func heldUp(out rotate.Outcome) bool {
	var undone *rotate.NotDone
	return errors.As(out.Err, &undone) && !undone.Until.IsZero() && undone.Asked != "rotate --compromised"
}

// neverResets: 1.81 has no window for a member's budget in a team.
func (m *machine) neverResets() bool { return m.old && m.policy.TeamID != "" }

func (m *machine) refusing() bool {
	return slices.ContainsFunc(m.places, func(p *place) bool { return p.refuses })
}

func (m *machine) options(t *rapid.T) rotate.Options {
	switch rapid.IntRange(0, 5).Draw(t, "kind of run") {
	case 0, 1:
		return rotate.Options{Now: true}
	case 2:
		return rotate.Options{Compromised: true}
	}
	return rotate.Options{}
}

func optionNames(o rotate.Options) string {
	switch {
	case o.Now:
		return "--now"
	case o.Compromised:
		return "--compromised"
	}
	return "as due"
}

func (m *machine) result(o rotate.Outcome) string {
	return fmt.Sprintf("%s | %s | waiting %q, error %v", kinds(o), states(o), o.Waiting, o.Err)
}

// disturbed is one run that something happens to at some request or write.
func (m *machine) disturbed(t *rapid.T) {
	o := m.options(t)
	l := &life{at: rapid.IntRange(1, 34).Draw(t, "at")}
	l.what = rapid.SampledFrom([]string{"before", "after", "lost", "second run", "pause", "clock"}).Draw(t, "trouble")
	what := l.what
	if what == "clock" {
		l.what, l.do = "meanwhile", func() { m.setClock(t) }
	}
	if what == "second run" || what == "pause" {
		l.what = "meanwhile"
		l.do = func() {
			if what == "pause" {
				m.pass(21 * time.Minute)
			}
			o := m.options(t)
			second := m.run(&life{}, o)
			if o.Compromised { // what was on its way to a target when the other run took over arrives all the same
				m.late(true)
			}
			m.tell(t, "  meanwhile: %s: %s", optionNames(o), m.result(second))
			m.look()
			if second.Err != nil && !m.refusing() && !heldUp(second) {
				t.Fatalf("the second run failed: %v", second.Err)
			}
		}
	}
	out := m.run(l, o)
	m.late(false)
	m.tell(t, "run %s, %s at %d of %d: %s", optionNames(o), what, l.at, l.ticks, m.result(out))
	m.look()
	if l.what != "" && l.ticks < l.at {
		m.clean(t, out)
	} else {
		m.unsettled()
	}
}

// late says whether a write of a key that is blocked by now may arrive in a target.
func (m *machine) late(may bool) {
	for _, p := range m.places {
		p.late = func(v secret.Value) bool {
			k, ok := m.proxy.Key(v.SHA256())
			return may && ok && k.Blocked
		}
	}
}

// unsettled notes that the limit may be the old or the new one.
func (m *machine) unsettled() {
	m.limits = append(m.limits, int(m.policy.MaxBudget.Decimal.Div(perCall).IntPart()))
}

func (m *machine) time(t *rapid.T) {
	d := rapid.SampledFrom([]time.Duration{
		time.Minute, 21 * time.Minute, time.Hour, 25 * time.Hour, 49 * time.Hour, 8 * 24 * time.Hour, 16 * 24 * time.Hour, 31 * 24 * time.Hour,
	}).Draw(t, "time")
	m.pass(d)
	m.tell(t, "%s pass", d)
}

// setClock sets the clock of the machine that runs.
func (m *machine) setClock(t *rapid.T) {
	m.wrong = rapid.SampledFrom([]time.Duration{0, 0, -time.Hour, -25 * time.Hour, -365 * 24 * time.Hour, time.Hour}).Draw(t, "wrong by")
	m.tell(t, "our clock is wrong by %s", m.wrong)
}

// settings changes what the configuration says.
func (m *machine) settings(t *rapid.T) {
	if rapid.Bool().Draw(t, "limit") {
		m.policy.MaxBudget = decimal.NewNullDecimal(calls(rapid.IntRange(4, 12).Draw(t, "new limit")))
	} else {
		m.policy.BudgetDuration = rapid.SampledFrom(windows).Draw(t, "new window")
	}
	m.unsettled()
	m.tell(t, "settings: %s USD a %q", m.policy.MaxBudget.Decimal, m.policy.BudgetDuration)
}

// byHand is a person who changes limits in LiteLLM's own pages; the next run brings them back.
func (m *machine) byHand(t *rapid.T) {
	n := rapid.IntRange(4, 12).Draw(t, "limit by hand")
	c, ctx := m.client(&life{}), context.Background()
	if _, _, _, _, ok := m.purse(); !ok || !m.moved {
		t.Skip("there is nothing yet")
	}
	limit := decimal.NewNullDecimal(calls(n))
	switch live := m.live(); {
	case len(live) > 0 && rapid.Bool().Draw(t, "of a generation"):
		v := rapid.SampledFrom(live).Draw(t, "generation")
		m.must(c.UpdateKey(ctx, v.SHA256(), litellm.Fields{"max_budget": limit.Decimal}))
		n = 0 // where the key has no window, it counts all it ever spent
	case m.policy.TeamID != "":
		m.must(c.UpdateTeamMember(ctx, m.policy.TeamID, rotate.HolderID("openclaw"), limit, ""))
	default:
		m.must(c.UpdateUser(ctx, rotate.HolderID("openclaw"), litellm.Fields{"max_budget": limit.Decimal}))
	}
	m.limits = append(m.limits, n)
	m.tell(t, "by hand: a limit of %d calls", n)
}

func (m *machine) refuse(t *rapid.T) {
	p := rapid.SampledFrom(m.places).Draw(t, "target")
	p.refuses = !p.refuses && !p.file
	m.tell(t, "%s refuses: %t", p.name, p.refuses)
}

// reopen is "keys unblock".
func (m *machine) reopen(t *rapid.T) {
	out := m.run(&life{}, rotate.Options{Unblock: true})
	m.tell(t, "unblock: %s", m.result(out))
	m.look()
}

// check holds the invariants, at whatever moment.
func (m *machine) check(t *rapid.T) {
	spend, limit, _, _, ok := m.purse()
	if ok && !spend.Equal(calls(m.spent)) {
		t.Fatalf("the proxy says %s USD spent, want %s", spend, calls(m.spent))
	}
	if n := int(limit.Decimal.Div(perCall).IntPart()); ok && m.moved && !slices.Contains(m.limits, n) {
		t.Fatalf("the limit is %d calls, want one of %v", n, m.limits)
	}
	m.checkHeld(t)
	may, must := m.room()
	for _, p := range m.places {
		if p.value.IsZero() || p.waived || p.dead {
			continue
		}
		switch status, kind := m.proxy.Works(p.value, "backup"); {
		case status == http.StatusOK && !may:
			t.Fatalf("the key in %s works with %d of %v calls spent", p.name, m.spent, m.limits)
		case status != http.StatusOK && (kind != "budget_exceeded" || must):
			t.Fatalf("the key in %s gets %d %s with %d of %v calls spent", p.name, status, kind, m.spent, m.limits)
		}
	}
}

// checkHeld: who took the key that every target held may go on with it for a grace period, unless it is compromised.
func (m *machine) checkHeld(t *rapid.T) {
	first := m.places[0].value
	if !first.IsZero() && m.places[1].value.Equal(first) && m.places[2].value.Equal(first) {
		m.held[first.SHA256()] = m.clock.Now()
	}
	for _, v := range m.minted {
		at, ok := m.held[v.SHA256()]
		if !ok || m.compromised[v.SHA256()] || !m.clock.Now().Before(at.Add(m.policy.Grace)) {
			continue
		}
		if status, kind := m.proxy.Works(v, "backup"); status != http.StatusOK && kind != "budget_exceeded" {
			t.Fatalf("a key that every target held at %s gets %d %s within its grace", at.Format(time.DateTime), status, kind)
		}
	}
}

// end lets everything come to rest and then looks for orphans and for the rest of the budget.
func (m *machine) end(t *rapid.T) {
	for _, p := range m.places {
		p.refuses = false
	}
	m.wrong = 0
	m.pass(25 * time.Hour) // past claims and every back-off
	var out rotate.Outcome
	for i := range 6 {
		out = m.run(&life{}, rotate.Options{})
		m.tell(t, "quiet run: %s", m.result(out))
		m.clean(t, out)
		m.check(t)
		m.policy.Interval = 1000 * 24 * time.Hour
		if i < 5 {
			m.pass(25 * time.Hour)
		}
	}
	if len(out.Steps) > 0 {
		t.Fatalf("something is still due: %s", kinds(out))
	}
	rows := m.proxy.KeysOf(rotate.HolderID("openclaw"))
	if len(rows) != 1 || rows[0].Alias != "openclaw" || rows[0].Blocked {
		var aliases []string
		for _, k := range rows {
			aliases = append(aliases, k.Alias)
		}
		t.Fatalf("rows at the end: %s, want the current generation alone", strings.Join(aliases, ", "))
	}
	for _, p := range m.places {
		if p.value.SHA256() != rows[0].Token {
			t.Fatalf("%s does not hold the current generation", p.name)
		}
	}
	for range 20 {
		if !m.spend(t, m.places[0].value) {
			break
		}
	}
	if over := m.spent - m.limits[0]; over != 0 && !(m.old && over == 1) && m.spent < m.limits[0] {
		t.Fatalf("%d calls could be made, want %d", m.spent, m.limits[0])
	}
}
