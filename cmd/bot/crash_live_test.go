package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/rotate"
	"github.com/org/openclaw-litellm-action/secret"
)

// TestLiveCrash is the crash matrix against real proxies, with 7 USD of 50 spent before: as many points of a rotation that
// is due, spread over its writes and blows and over the writes of the recovery, as LIVE_CRASH_POINTS says, and 10 without
// it. LIVE_CRASH_AT_ONCE says how many of them run at once.
func TestLiveCrash(t *testing.T) {
	proxies := live(t)
	wanted, atOnce := number(t, "LIVE_CRASH_POINTS", 10), number(t, "LIVE_CRASH_AT_ONCE", 8)
	bin := buildBot(t)
	due := scenario{name: "due rotation", args: []string{"rotate"}, writes: 9, prepare: sevenSpent}
	for _, p := range proxies {
		t.Run(p.version, func(t *testing.T) {
			p.needsDatabase(t)
			writes := due.dryRun(t, func(t *testing.T) *site { return liveSite(t, bin, p, "crash") })
			chosen := livePoints(len(writes), wanted)
			var mu sync.Mutex
			again := map[int]int{} // write of a recovery that killed it → how often
			begin := time.Now()
			inParallel(atOnce, chosen, func(_ int, at point) {
				name := fmt.Sprintf("%s %s then recovery %d", at, writes[at.nth], at.then+1)
				t.Run(name, func(t *testing.T) {
					if due.strike(liveSite(t, bin, p, "crash"), at) {
						mu.Lock()
						defer mu.Unlock()
						again[at.then+1]++
					}
				})
			})
			recoveries := 0
			var list []string
			for _, n := range slices.Sorted(maps.Keys(again)) {
				recoveries += again[n]
				list = append(list, fmt.Sprintf("%d×%d", n, again[n]))
			}
			t.Logf("LiteLLM %s: %d points in %s, 7 USD spent before each, 4 targets; %d recoveries killed as well, at their writes %s",
				p.version, len(chosen), time.Since(begin).Round(time.Second), recoveries, strings.Join(list, " "))
		})
	}
}

func number(t *testing.T, variable string, otherwise int) int {
	if n := os.Getenv(variable); n != "" {
		if _, err := fmt.Sscan(n, &otherwise); err != nil {
			t.Fatalf("%s: %v", variable, err)
		}
	}
	return otherwise
}

// livePoints chooses so many points. The first round has every write with every blow, in an order that makes the first
// few of every kind; later rounds have the deaths again, with their recovery killed at another of its writes each time.
func livePoints(writes, wanted int) []point {
	all := everyPoint(writes)
	stride := 11
	if len(all)%stride == 0 {
		stride = 13
	}
	var out []point
	for round := 0; len(out) < wanted && round < 2*writes; round++ {
		for i := range all {
			at := all[i*stride%len(all)]
			if round > 0 && !at.kills() {
				continue
			}
			recovery := writes + 2 // it removes a claim first, and retires
			if at.nth > writes-4 {
				recovery = 4 // the new key is in every target; what is left is the name, and the claim
			}
			at.then = (at.nth + int(at.blow)*2 + round*3) % recovery
			if len(out) < wanted {
				out = append(out, at)
			}
		}
	}
	return out
}

// sevenSpent is a key in four targets that is due by its age, with one call and 7 USD more on its holder.
func sevenSpent(s *site) secret.Value {
	s.fourPlaces()
	s.must("rotate")
	s.answers(s.key())
	s.flushed()
	s.total = s.total.Add(decimal.NewFromInt(7))
	spent := litellm.Fields{"spend": s.total}
	if err := s.look.UpdateUser(s.Context(), rotate.HolderID(s.name), spent); err != nil {
		s.Fatal(err)
	}
	s.flushed()
	if spend := s.holder().Spend; spend.LessThan(decimal.NewFromInt(7)) {
		s.Errorf("the holder has %s USD spent, want 7 before the rotation", spend)
	}
	s.pass(40 * 24 * time.Hour)
	return s.key()
}
