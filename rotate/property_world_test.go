package rotate_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/litellm/litellmtest"
	"github.com/org/openclaw-litellm-action/rotate"
	"github.com/org/openclaw-litellm-action/secret"
)

// perCall is what one call costs, so that budgets can be counted in calls.
var perCall = decimal.New(5, -2)

func calls(n int) decimal.Decimal { return perCall.Mul(decimal.NewFromInt(int64(n))) }

// errDied is what a process sees that does not exist any more: nothing.
var errDied = errors.New("the process has died")

// life is one run of the program. Each request and each write to a target is one tick of it; at tick at, something
// happens.
type life struct {
	mu        sync.Mutex
	ticks, at int
	what      string // "" nothing, "before", "after": it dies there; "lost": that answer is lost; "meanwhile": do
	do        func()
	dead      bool
}

// tick lets do happen, or not, as this life has it.
func (l *life) tick(do func() error) error {
	dead, now := l.next()
	switch {
	case dead:
		return errDied
	case !now:
		return do()
	case l.what == "meanwhile":
		l.do()
		return do()
	}
	return errors.Join(do(), errDied)
}

// next counts a tick and says whether the process is dead by now, or whether something happens here.
func (l *life) next() (dead, now bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dead {
		return true, false
	}
	l.ticks++
	now = l.what != "" && l.ticks == l.at
	l.dead = now && (l.what == "before" || l.what == "after")
	return now && l.what == "before", now
}

// cable is the connection of one life to the proxy.
type cable struct {
	life *life
	next http.RoundTripper
}

func (c cable) RoundTrip(r *http.Request) (resp *http.Response, err error) {
	err = c.life.tick(func() (err error) { resp, err = c.next.RoundTrip(r); return err })
	if err != nil {
		return nil, err
	}
	return resp, nil
}

// place is a target in memory. A file can be read back, and its stamp is its content's hash.
type place struct {
	mu      sync.Mutex
	name    string
	file    bool
	life    *life // of the run that writes now
	value   secret.Value
	stamp   string
	writes  int
	refuses bool
	waived  bool                    // --compromised could not write it
	dead    bool                    // what it holds was blocked on its way here, by a run that took over
	late    func(secret.Value) bool // reports whether a value was blocked on its way; nil: none is
}

func (p *place) String() string                  { return p.name }
func (p *place) Fingerprint() string             { return "fp-" + p.name }
func (p *place) Preflight(context.Context) error { return nil }

func (p *place) Stamp(context.Context) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stamp, nil
}

func (p *place) Write(_ context.Context, v secret.Value) (string, bool, error) {
	if p.refuses {
		return "", false, errors.New("no permission")
	}
	var stamp string
	err := p.life.tick(func() error {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.writes++
		p.value, p.stamp = v, fmt.Sprintf("%s write %d", p.name, p.writes)
		p.waived, p.dead = false, p.late != nil && p.late(v)
		if p.file {
			p.stamp = v.SHA256()
		}
		stamp = p.stamp
		return nil
	})
	return stamp, true, err
}

// keyFile is a place that can be read back.
type keyFile struct{ *place }

func (k keyFile) Read(context.Context) (secret.Value, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.value, nil
}

// machine is one logical key with everything that can happen to it, and what should be true of its money.
type machine struct {
	clock  *clock
	proxy  *litellmtest.Proxy
	policy rotate.Policy
	places []*place
	minted []secret.Value // every plaintext that ever was
	old    bool           // 1.81: a user's budget refuses only above the limit

	spent       int       // calls in the window
	resetAt     time.Time // zero: no window
	window      string    // as the row has it
	limits      []int     // what the limit may be, in calls: one when the last run was clean
	former      []int     // limits that 1.81 may still hold a member to, before formerUntil
	formerUntil time.Time
	adopted     secret.Value
	moved       bool // the adopted key is the holder's
	story       []string

	wrong time.Duration // what the clock of the machine that runs is wrong by; the proxy's is right

	held        map[string]time.Time // :: token → when every target last held it
	compromised map[string]bool      // :: token → a run with --compromised came after it
}

func newMachine(t *rapid.T) *machine {
	c := &clock{at: time.Date(2026, 11, 2, 10, 0, 0, 0, time.UTC)}
	release := rapid.SampledFrom([]string{"1.81.13", "1.93.2", "1.106.10"}).Draw(t, "release")
	m := &machine{clock: c, old: release == "1.81.13", moved: true, held: map[string]time.Time{}, compromised: map[string]bool{}}
	m.proxy = litellmtest.New(litellmtest.Options{Release: release, Now: c.Now, NoServer: true})
	m.proxy.SetModel(litellmtest.ModelSpec{Name: "backup", OutputCost: decimal.New(25, -4)})
	limit := rapid.IntRange(4, 12).Draw(t, "limit")
	m.limits = []int{limit}
	m.places = []*place{{name: "A"}, {name: "B"}, {name: "F", file: true}}
	m.policy = rotate.Policy{
		Name: "openclaw", Owner: "acme/agents", MaxBudget: decimal.NewNullDecimal(calls(limit)),
		BudgetDuration: rapid.SampledFrom(windows).Draw(t, "window"),
		Interval:       10 * 24 * time.Hour, Grace: 2 * 24 * time.Hour, MaxGrace: 20 * 24 * time.Hour, BlockInUse: true,
		Targets: []rotate.Target{m.places[0], m.places[1], keyFile{m.places[2]}},
	}
	if rapid.IntRange(0, 2).Draw(t, "team") == 0 {
		m.policy.TeamID = "agents"
		m.must(m.post("/team/new", `{"team_id":"agents"}`))
	}
	if rapid.IntRange(0, 2).Draw(t, "adopt") == 0 {
		m.existing(t)
	}
	return m
}

var windows = []string{"1d", "7d", "15d", "3d", "30d", "1mo", ""}

// existing makes a key by hand that is to be adopted, in the middle of its window.
func (m *machine) existing(t *rapid.T) {
	m.adopted, m.moved, m.policy.Adopt = secret.New("sk-sandbox-hand-made-0001"), false, true
	m.spent = rapid.IntRange(0, m.limits[0]).Draw(t, "already spent")
	fields := litellm.Fields{"key_alias": "openclaw", "max_budget": calls(m.limits[0]), "spend": calls(m.spent)}
	if m.policy.BudgetDuration != "" {
		fields["budget_duration"] = m.policy.BudgetDuration
	}
	if m.policy.TeamID != "" {
		fields["team_id"] = m.policy.TeamID
	}
	m.must(m.client(&life{}).GenerateKey(context.Background(), litellm.NewKey{Value: m.adopted, Fields: fields}))
	m.minted = append(m.minted, m.adopted)
	m.look()
}

func (m *machine) must(err error) {
	if err != nil {
		panic(err)
	}
}

func (m *machine) post(path, body string) error {
	req, err := http.NewRequest(http.MethodPost, m.proxy.URL()+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+m.proxy.MasterKey().Reveal())
	resp, err := m.proxy.Client().Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("POST %s: status %d", path, resp.StatusCode)
	}
	return nil
}

func (m *machine) client(l *life) *litellm.Client {
	return &litellm.Client{
		BaseURL: m.proxy.URL(), Key: m.proxy.MasterKey(), Now: m.now, HTTP: &http.Client{Transport: cable{l, m.proxy.Client().Transport}},
		Sleep: func(context.Context, time.Duration) error {
			if l.dead {
				return errDied
			}
			return nil
		},
	}
}

// now is what the clock of the machine that runs shows.
func (m *machine) now() time.Time { return m.clock.Now().Add(m.wrong) }

// run is one run of the program with its own life.
func (m *machine) run(l *life, o rotate.Options) rotate.Outcome {
	m.clock.advance(time.Second)
	o.CheckTargets = true
	outer := m.places[0].life
	for _, p := range m.places {
		p.life = l
	}
	defer func() {
		for _, p := range m.places {
			p.life = outer
		}
	}()
	r := &rotate.Runner{
		LiteLLM: m.client(l), Policy: m.policy, Options: o, Now: m.now,
		Sleep: func(_ context.Context, d time.Duration) error { m.clock.advance(d); return nil },
		Mask:  func(v secret.Value) { m.minted = append(m.minted, v) },
	}
	if o.Compromised {
		for _, v := range m.minted {
			m.compromised[v.SHA256()] = true
		}
	}
	out := r.Rotate(context.Background())
	if o.Compromised {
		for _, p := range m.places {
			p.waived = p.waived || p.refuses
		}
	}
	return out
}

// purse is the budget that binds, as the proxy's rows have it; ok is false while there is none.
func (m *machine) purse() (spend decimal.Decimal, limit decimal.NullDecimal, window string, resetAt time.Time, ok bool) {
	id := rotate.HolderID(m.policy.Name)
	if !m.moved {
		k, _ := m.proxy.Key(m.adopted.SHA256())
		return k.Spend, k.MaxBudget, k.BudgetDuration, k.BudgetResetAt, true
	}
	u, ok := m.proxy.User(id)
	if !ok || m.policy.TeamID == "" {
		return u.Spend, u.MaxBudget, u.BudgetDuration, u.BudgetResetAt, ok
	}
	member, err := m.client(&life{}).TeamMember(context.Background(), m.policy.TeamID, id)
	if err != nil {
		return spend, limit, "", resetAt, false
	}
	return member.Spend, member.MaxBudget, member.BudgetDuration, member.BudgetResetAt, true
}

// look takes over what a run may have changed: the window. Time alone never changes it but at its end.
func (m *machine) look() {
	moved := m.moved
	if !m.moved {
		if k, _ := m.proxy.Key(m.adopted.SHA256()); k.UserID == rotate.HolderID(m.policy.Name) {
			m.moved = true
			if m.policy.TeamID != "" {
				m.spent = 0 // LiteLLM has no way to move it into a team; the plan says so
			}
		}
	}
	_, _, window, resetAt, ok := m.purse()
	if ok && (window != m.window || m.resetAt.IsZero() || m.moved != moved) {
		m.window, m.resetAt = window, resetAt
	}
}

// pass lets time go by, over the ends of windows.
func (m *machine) pass(d time.Duration) {
	m.clock.advance(d)
	if !m.resetAt.IsZero() && !m.clock.Now().Before(m.resetAt) {
		m.spent = 0
		_, _, m.window, m.resetAt, _ = m.purse()
	}
}
