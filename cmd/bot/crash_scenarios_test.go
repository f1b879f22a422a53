package main

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/litellm/litellmtest"
	"github.com/org/openclaw-litellm-action/secret"
)

// scenario is what is interrupted.
type scenario struct {
	name    string
	prepare func(s *site) (old secret.Value) // the key that agents hold so far; zero: none
	args    []string
	writes  int           // there are at least so many
	after   func(s *site) // what else must be so after a recovery; nil: nothing
	meddle  func(s *site) // what the world does between a death and the recovery; nil: nothing
}

func scenarios() []scenario {
	now := []string{"rotate", "--now"}
	due := []string{"rotate"}
	return []scenario{
		{name: "first rotation", args: due, writes: 9, prepare: func(s *site) secret.Value {
			s.fourPlaces()
			return secret.Value{}
		}},
		{name: "next rotation", args: now, writes: 9, prepare: rotated},
		{name: "retirement", args: due, writes: 4, prepare: func(s *site) secret.Value {
			rotated(s)
			s.must(now...)
			s.pass(8 * 24 * time.Hour)
			return secret.Value{}
		}},
		{name: "adoption", args: due, writes: 11, prepare: handMade, meddle: usesHandMade, after: carriesSpend},
	}
}

// rotated is a key in every target, used, and not for a whole grace period since: only time protects it.
func rotated(s *site) secret.Value {
	s.fourPlaces()
	s.must("rotate")
	if err := s.spent(s.key()); err != nil {
		s.Fatalf("spending: %v", err)
	}
	s.pass(8 * 24 * time.Hour)
	return s.key()
}

// handMade is a key that somebody made by hand and that is in use; the tool may adopt it.
func handMade(s *site) secret.Value {
	s.fourPlaces("adopt: true")
	hand := byHand(s)
	err := s.look.GenerateKey(context.Background(), litellm.NewKey{Value: hand, Fields: litellm.Fields{
		"key_alias": s.name, "max_budget": 50, "budget_duration": "1mo",
	}})
	if err != nil {
		s.Fatal(err)
	}
	usesHandMade(s)
	return hand
}

func byHand(s *site) secret.Value { return secret.New("sk-by-hand-" + s.name) }

// usesHandMade goes on spending, whatever becomes of the adoption.
func usesHandMade(s *site) {
	if err := s.spent(byHand(s)); err != nil {
		s.Fatalf("spending: %v", err)
	}
}

// carriesSpend asserts that the holder knows what the adopted key had spent before, and after the death of the run.
func carriesSpend(s *site) {
	if spend := s.holder().Spend; !spend.Equal(decimal.NewFromInt(14)) {
		s.Errorf("the holder has %s USD spent, the adopted key spent 14", spend)
	}
}

// memorySite is a site with a proxy in memory, whose clock stands still but for pass.
func memorySite(t *testing.T, bin, release, name string) *site {
	var passed time.Duration
	var mu sync.Mutex
	start := time.Now()
	now := func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return time.Date(2026, 11, 2, 10, 0, 0, 0, time.UTC).Add(passed + time.Since(start))
	}
	proxy := litellmtest.New(litellmtest.Options{Release: release, Now: now})
	t.Cleanup(proxy.Close)
	s := newSite(t, bin, proxy.URL(), proxy.MasterKey(), name)
	s.pass = func(d time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		passed += d
	}
	s.second = func() string {
		second := proxy.Second(time.Minute)
		t.Cleanup(second.Close)
		return second.URL()
	}
	s.spent = func(v secret.Value) error {
		proxy.Record(litellmtest.Usage{Token: v.SHA256(), Model: "backup", Spend: decimal.NewFromInt(7)})
		return nil
	}
	return s
}
