package rotate_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/rotate"
	"github.com/org/openclaw-litellm-action/secret"
)

// sequences is how many random sequences run on each real proxy: LIVE_SEQUENCES, or else so many that two releases have 200.
func sequences(t *testing.T) int {
	n := 102
	if text := os.Getenv("LIVE_SEQUENCES"); text != "" {
		if _, err := fmt.Sscan(text, &n); err != nil || n < 1 {
			t.Fatalf("LIVE_SEQUENCES %q is no number of sequences", text)
		}
	}
	return n
}

// TestLiveBudgetIsKeptThroughWhateverHappens runs random sequences of rotations, crashes, doubled runs, adoptions and
// changed limits, each with calls going on at the same time through every generation, and then spends the rest.
//
// What is tolerated is LiteLLM's own: the budget may be overrun by one call (it is checked before a call and counted
// after), and on 1.81 by two more, because its users are refused only above the limit and its team members a flush later, and
// by what it had not written when the holder was updated to another limit amid calls (docs/facts.md).
// Spend reaches the rows within a flush of a second or so. Nothing else: a rotation adds no cent.
func TestLiveBudgetIsKeptThroughWhateverHappens(t *testing.T) {
	onLive(t, func(t *testing.T, l *live) {
		release, err := l.client.Release(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		team := l.makeTeam()
		var done, concurrent atomic.Int64
		start := time.Now()
		t.Run("sequences", func(t *testing.T) {
			work := make(chan int)
			var wg sync.WaitGroup
			for range 6 { // more at once, and LiteLLM's transactions on the one team time out
				wg.Go(func() {
					for i := range work {
						s := &sequence{live: l.newLive(t, fmt.Sprintf("-%d", i)), rand: rand.New(rand.NewPCG(1, uint64(i))), slack: 1}
						if i%2 == 1 {
							s.policy.TeamID = team
						}
						if !release.AtLeast(1, 93) {
							s.slack, s.old = 3, true
						}
						s.play(i%5 == 0)
						done.Add(1)
						concurrent.Add(int64(s.purse.passed))
					}
				})
			}
			for i := range sequences(t) {
				work <- i
			}
			close(work)
			wg.Wait()
		})
		t.Logf("%s: %d sequences, %d calls, %s", release.Version, done.Load(), concurrent.Load(), time.Since(start).Round(time.Second))
	})
}

// sequence is what happens to one key on a real proxy.
type sequence struct {
	*live
	rand   *rand.Rand
	purse  purse
	slack  int // calls that may pass beyond the limit
	old    bool
	lost   decimal.Decimal // what an old LiteLLM may have forgotten, because the holder was updated
	mu     sync.Mutex
	values []secret.Value
	before decimal.Decimal // what the adopted key had spent
	places []*place
	story  []string
}

// play takes the key through its sequence. It uses Errorf only: it runs on goroutines of its own.
func (s *sequence) play(adopt bool) {
	s.policy.MaxBudget = decimal.NewNullDecimal(decimal.RequireFromString("0.6"))
	s.places = []*place{{name: "A"}, {name: "F", file: true}}
	s.policy.Targets = []rotate.Target{s.places[0], keyFile{s.places[1]}}
	defer func() {
		if s.purse.errs != nil {
			s.Errorf("%s: calls failed otherwise than by the budget: %v", s.policy.Name, s.purse.errs)
		}
	}()
	if adopt {
		s.before = s.handMade()
	}
	if !s.run("first", &life{}) {
		return
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() { s.callWhile(stop) })
	for range 2 {
		s.something()
	}
	close(stop)
	wg.Wait()
	s.expireClaims()
	if !s.run("last", &life{}) {
		return
	}
	s.drain()
}

// handMade makes a key by hand that the first run adopts, and returns what it had spent already.
func (s *sequence) handMade() decimal.Decimal {
	v := secret.New("sk-hand-" + s.policy.Name[len(s.policy.Name)-14:]) // a value that exists already would be ignored
	spent := decimal.RequireFromString("0.15")
	fields := litellm.Fields{"key_alias": s.policy.Name, "max_budget": s.policy.MaxBudget.Decimal, "budget_duration": "1mo", "spend": spent}
	if s.policy.TeamID != "" {
		fields["team_id"] = s.policy.TeamID
		spent = decimal.Zero // LiteLLM has no way to move it
		delete(fields, "spend")
	}
	if err := s.client.GenerateKey(s.Context(), litellm.NewKey{Value: v, Fields: fields}); err != nil {
		s.Errorf("making a key by hand: %v", err)
	}
	s.policy.Adopt, s.values = true, append(s.values, v)
	return spent
}

// run is one run of the program; life may cut it short. It reports whether all went well.
func (s *sequence) run(what string, life *life, change ...func(*rotate.Runner)) bool {
	for _, p := range s.places {
		p.life = life
	}
	r := s.runner(life)
	for _, c := range change {
		c(r)
	}
	o := r.Rotate(s.Context())
	s.story = append(s.story, fmt.Sprintf("%s: %s", what, kinds(o)))
	if o.Err != nil && life.what == "" {
		s.Errorf("%s: %s: %v", s.policy.Name, strings.Join(s.story, "; "), o.Err)
		return false
	}
	return true
}

func (s *sequence) runner(life *life) *rotate.Runner {
	r := &rotate.Runner{
		Policy: s.policy, Options: rotate.Options{CheckTargets: true}, Now: time.Now, Sleep: sleep,
		Mask: func(v secret.Value) { s.mu.Lock(); defer s.mu.Unlock(); s.values = append(s.values, v) },
	}
	s.cables(life)(r)
	return r
}

// something is one thing that happens to the key.
func (s *sequence) something() {
	time.Sleep(1100 * time.Millisecond) // a second of its own: the proxy's clock has no finer one
	switch s.rand.IntN(5) {
	case 0:
		s.run("now", &life{}, forced)
	case 1:
		s.policy.MaxBudget = decimal.NewNullDecimal(decimal.New(int64(50+5*s.rand.IntN(5)), -2))
		written := s.holder().Spend
		s.run("limit "+s.policy.MaxBudget.Decimal.String(), &life{})
		if s.old && s.policy.TeamID == "" {
			s.lost = s.lost.Add(s.purse.total().Add(s.before).Sub(written))
		}
	case 2:
		var wg sync.WaitGroup
		both := &life{}
		wg.Go(func() { s.beside(both) })
		s.run("doubled", both, forced)
		wg.Wait()
	default:
		what := []string{"before", "after", "lost"}[s.rand.IntN(3)]
		s.run(what, &life{what: what, at: 3 + s.rand.IntN(20)}, forced)
		s.expireClaims()
	}
}

// beside is a second run at the same time, from another process that writes to the same places.
func (s *sequence) beside(life *life) {
	if o := s.runner(life).Rotate(s.Context()); o.Err != nil {
		s.Errorf("%s: the second run: %v", s.policy.Name, o.Err)
	}
}

// callWhile spends up to six calls through every key there is, two at a time, until stop is closed.
func (s *sequence) callWhile(stop <-chan struct{}) {
	for range 3 {
		s.mu.Lock()
		values := s.values
		s.mu.Unlock()
		var wg sync.WaitGroup
		for i := range 2 {
			v := values[(len(values)-1+i)%len(values)]
			if k, err := s.client.FindKey(s.Context(), v.SHA256()); err != nil || k.Blocked {
				continue // minted by a run that has not sent it yet
			}
			wg.Go(func() { s.purse.call(s.Context(), s.client, v) })
		}
		wg.Wait()
		select {
		case <-stop:
			return
		case <-time.After(300 * time.Millisecond):
		}
	}
}

// drain spends what is left through the key in the targets and compares the whole with the limit and with what the
// proxy reports.
func (s *sequence) drain() {
	limit, call := s.policy.MaxBudget.Decimal, decimal.RequireFromString("0.051")
	for range 40 {
		near := s.purse.total().Add(s.before).Add(call).GreaterThanOrEqual(limit)
		if near {
			time.Sleep(2500 * time.Millisecond) // everything spent so far has reached the rows
		}
		if !s.purse.call(s.Context(), s.client, s.places[0].value) {
			break
		}
	}
	total := s.purse.total().Add(s.before)
	most := limit.Add(call.Mul(decimal.NewFromInt(int64(s.slack)))).Add(s.lost)
	if total.LessThan(limit) && total.Add(call).LessThan(limit) || total.GreaterThan(most) {
		s.Errorf("%s (%s): %s USD could be spent of %s", s.policy.Name, strings.Join(s.story, "; "), total, limit)
	}
	var said decimal.Decimal
	for range 60 {
		r := &rotate.Runner{LiteLLM: s.client, Policy: s.policy, Now: time.Now, Sleep: sleep}
		if said = r.Plan(s.Context()).Spend; said.Sub(total).Abs().LessThan(decimal.New(1, -6)) {
			return
		}
		time.Sleep(500 * time.Millisecond)
	}
	s.Errorf("%s (%s): reported spend %s, spent %s", s.policy.Name, strings.Join(s.story, "; "), said, total)
}
