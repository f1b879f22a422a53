package rotate_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/litellm/litellmtest"
	"github.com/org/openclaw-litellm-action/rotate"
	"github.com/org/openclaw-litellm-action/secret"
)

// clock is a time that tests move.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// target is a place in memory that can fail or be written by others.
type target struct {
	name    string
	clock   *clock
	value   secret.Value
	stamp   string
	refuses error // of every write
	blocked error // of the preflight
	writes  int
	before  func() // called before a write is applied
}

func (t *target) String() string                  { return t.name }
func (t *target) Fingerprint() string             { return "fp-" + t.name }
func (t *target) Preflight(context.Context) error { return t.blocked }
func (t *target) Stamp(context.Context) (string, error) {
	return t.stamp, nil
}

func (t *target) Write(_ context.Context, v secret.Value) (string, bool, error) {
	if t.before != nil {
		t.before()
	}
	if t.refuses != nil {
		return "", false, t.refuses
	}
	t.writes++
	t.value, t.stamp = v, fmt.Sprintf("%s write %d", t.name, t.writes)
	return t.stamp, true, nil
}

// site is one logical key against an in-memory proxy.
type site struct {
	t      *testing.T
	clock  *clock
	proxy  *litellmtest.Proxy
	policy rotate.Policy
	a, b   *target
	minted []secret.Value

	refused int // the status of the last call of an agent
}

func newSite(t *testing.T, release string) *site {
	c := &clock{at: time.Date(2026, 11, 2, 10, 0, 0, 0, time.UTC)}
	s := &site{t: t, clock: c, proxy: litellmtest.New(litellmtest.Options{Release: release, Now: c.Now})}
	t.Cleanup(s.proxy.Close)
	s.a, s.b = &target{name: "A", clock: c}, &target{name: "B", clock: c}
	s.policy = rotate.Policy{
		Name: "openclaw", Owner: "acme/agents", MaxBudget: decimal.NewNullDecimal(decimal.NewFromInt(50)), BudgetDuration: "1mo",
		Interval: 30 * 24 * time.Hour, Grace: 7 * 24 * time.Hour, MaxGrace: 35 * 24 * time.Hour,
		Targets: []rotate.Target{s.a, s.b},
	}
	return s
}

func (s *site) client() *litellm.Client {
	return &litellm.Client{
		BaseURL: s.proxy.URL(), Key: s.proxy.MasterKey(), Now: s.clock.Now,
		Sleep: func(context.Context, time.Duration) error { return nil },
	}
}

func (s *site) runner(change ...func(*rotate.Runner)) *rotate.Runner {
	s.clock.advance(time.Second) // no two runs begin at once
	r := &rotate.Runner{
		LiteLLM: s.client(), Policy: s.policy, Options: rotate.Options{CheckTargets: true}, Now: s.clock.Now,
		Sleep: func(_ context.Context, d time.Duration) error { s.clock.advance(d); return nil },
		Mask:  func(v secret.Value) { s.minted = append(s.minted, v) },
	}
	for _, c := range change {
		c(r)
	}
	return r
}

func forced(r *rotate.Runner) { r.Options.Now = true }

// rotate runs once and fails the test on an error.
func (s *site) rotate(change ...func(*rotate.Runner)) rotate.Outcome {
	s.t.Helper()
	o := s.runner(change...).Rotate(s.t.Context())
	if o.Err != nil {
		s.t.Fatalf("rotating: %v", o.Err)
	}
	return o
}

// works asserts what a call with the key gets.
func (s *site) works(v secret.Value, want int) {
	s.t.Helper()
	if status, kind := s.proxy.Works(v, "backup"); status != want {
		s.t.Errorf("a call with the key gets %d %s, want %d", status, kind, want)
	}
}

func kinds(o rotate.Outcome) string {
	var out []string
	for _, st := range o.Steps {
		word := string(st.Kind)
		if !st.Done {
			word += "!"
		}
		out = append(out, word)
	}
	return strings.Join(out, " ")
}

func states(o rotate.Outcome) string {
	var out []string
	for _, g := range o.Generations {
		out = append(out, fmt.Sprintf("g%d=%s(%s)", g.Number, g.State, g.Alias))
	}
	return strings.Join(out, " ")
}

func releases(t *testing.T, f func(t *testing.T, s *site)) {
	for _, release := range []string{"1.81.13", "1.93.2", "1.106.10"} {
		t.Run(release, func(t *testing.T) { f(t, newSite(t, release)) })
	}
}
