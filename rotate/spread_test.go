package rotate

import (
	"fmt"
	"testing"
	"time"
)

func TestSpread(t *testing.T) {
	const interval = 30 * 24 * time.Hour
	if Spread("openclaw", interval, 1) != 0 || Spread("openclaw", interval, 20) != 0 {
		t.Error("a small fleet's keys are early")
	}
	hours := map[time.Duration]int{}
	for n := range 1000 {
		early := Spread(fmt.Sprintf("agent-%d", n), interval, 1000)
		if early < 0 || early > interval/2 || early != Spread(fmt.Sprintf("agent-%d", n), interval, 21) {
			t.Fatalf("agent-%d is early by %s", n, early)
		}
		hours[early/time.Hour]++
	}
	for hour, n := range hours {
		if n > 20 {
			t.Errorf("%d keys of 1,000 come due %d hours early", n, hour)
		}
	}
}

// TestFirstGenerationIsEarly wants the first one to be due earlier, and no other.
func TestFirstGenerationIsEarly(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	p := Policy{Interval: 20 * 24 * time.Hour, Early: 3 * 24 * time.Hour}
	due1 := due(row{journal: journal{Gen: 1, MintedAt: now}}, p)
	due2 := due(row{journal: journal{Gen: 2, MintedAt: now}}, p)
	if want := now.Add(20*24*time.Hour - 12*time.Hour); !due2.Equal(want) || !due1.Equal(want.Add(-p.Early)) {
		t.Errorf("due at %s and %s", due1, due2)
	}
}

func TestTargetsOfALargeFleetAreReadInTurns(t *testing.T) {
	start := time.Date(2026, 11, 22, 0, 17, 0, 0, time.UTC)
	if !ReadsTarget("any", 50, start) {
		t.Error("a small fleet's target is not read")
	}
	most := 0
	for n := range 1000 {
		target := fmt.Sprint(n)
		daily := func(hour int) (read bool) {
			for day := range 7 {
				read = read || ReadsTarget(target, 1000, start.AddDate(0, 0, day).Add(time.Duration(hour)*time.Hour))
			}
			return read
		}
		hourly := false
		for hour := range 24 {
			hourly = hourly || ReadsTarget(target, 1000, start.Add(time.Duration(hour)*time.Hour))
			if !daily(hour) {
				t.Fatalf("target %d is not read once a week by runs at %d:17", n, hour)
			}
		}
		if !hourly {
			t.Fatalf("target %d is not read once a day by hourly runs", n)
		}
		if ReadsTarget(target, 1000, start) {
			most++
		}
	}
	if most > 250 {
		t.Errorf("one run reads %d targets of 1,000", most)
	}
}
