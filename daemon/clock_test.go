package daemon_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/org/openclaw-litellm-action/daemon"
)

// wallClock is the bubble's clock, set ahead or back.
type wallClock struct{ offset atomic.Int64 }

func (w *wallClock) now() time.Time         { return time.Now().Add(time.Duration(w.offset.Load())) }
func (w *wallClock) set(step time.Duration) { w.offset.Add(int64(step)) }

// step is one setting of the wall clock, so long after the one before.
type step struct{ after, by time.Duration }

// quarterly is one job that is due every quarter of an hour.
func quarterly(t *testing.T, run func()) []daemon.Job {
	t.Helper()
	return []daemon.Job{{Name: "run", Schedule: mustParse(t, "*/15 * * * *", ""), Run: func(context.Context) error {
		run()
		return nil
	}}}
}

// runsUnder returns when, by elapsed time, a service ran a job of that schedule over so long a time in which its wall
// clock was set. It starts at midnight. Runs are instant.
func runsUnder(t *testing.T, schedule string, steps []step, long time.Duration) (at []time.Duration, log string) {
	synctest.Test(t, func(t *testing.T) {
		var clock wallClock
		var logged bytes.Buffer
		start := time.Now()
		d := &daemon.Daemon{
			Now: clock.now, Log: slog.New(slog.NewTextHandler(&logged, nil)),
			Jobs: []daemon.Job{{Name: "run", Schedule: mustParse(t, schedule, ""), Run: func(context.Context) error {
				at = append(at, time.Since(start))
				return nil
			}}},
		}
		stop, result := serve(t, d)
		for _, s := range steps {
			time.Sleep(s.after)
			clock.set(s.by)
			synctest.Wait()
		}
		time.Sleep(long - time.Since(start))
		wantHealth(t, d, "at the end", 200, 200)
		stop()
		if err := result(); err != nil {
			t.Error(err)
		}
		log = logged.String()
	})
	return at, log
}

func TestClockIsSet(t *testing.T) {
	const hour, day, year = time.Hour, 24 * time.Hour, 365 * 24 * time.Hour
	var often []step // five seconds back about every minute, which adds up
	for range 58 {
		often = append(often, step{61 * time.Second, -5 * time.Second})
	}
	const quarters, nine, back = "*/15 * * * *", "0 9 * * *", "set back"
	minutes := func(n int) time.Duration { return time.Duration(n) * time.Minute }
	tests := map[string]struct {
		schedule string
		steps    []step
		long     time.Duration
		want     string // elapsed times of the runs
		log      string // "": nothing about the clock
	}{
		"never":          {quarters, nil, minutes(50), "15m0s 30m0s 45m0s", ""},
		"back an hour":   {quarters, []step{{minutes(7), -hour}}, minutes(50), "15m0s 30m0s 45m0s", back},
		"back a day":     {quarters, []step{{minutes(7), -day}}, minutes(50), "15m0s 30m0s 45m0s", back},
		"back a year":    {quarters, []step{{minutes(7), -year}}, minutes(50), "15m0s 30m0s 45m0s", back},
		"back 67m":       {quarters, []step{{minutes(7), -minutes(67)}}, minutes(50), "22m0s 37m0s", back},
		"every, back":    {"@every 90m", []step{{hour, -day}}, 5 * hour, "1h30m0s 3h0m0s 4h30m0s", back},
		"daily, back 1h": {nine, []step{{minutes(510), -hour}}, day, "10h0m0s", back},
		"after its run":  {nine, []step{{minutes(570), -hour}}, day, "9h0m0s 10h0m0s", back},
		"ahead and back": {nine, []step{{hour, 2 * hour}, {hour, -2 * hour}}, day, "9h0m0s", back},
		"ahead":          {"@hourly", []step{{time.Second, 5 * hour}}, minutes(59), "30s", "went ahead"},
		// Five seconds before it is due, noticed when it is due: run now, and not again a few seconds later.
		"just before": {quarters, []step{{minutes(15) - 5*time.Second, -hour - 3*time.Second}}, minutes(29), "15m0s", back},
		// NTP sets the clock back across the minute of a run that has just begun.
		"small, across": {quarters, []step{{minutes(15) + time.Second, -5 * time.Second}}, minutes(29), "15m0s", ""},
		"small, often":  {quarters, often, minutes(62), "16m15s 32m40s 48m55s", back},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			at, log := runsUnder(t, tt.schedule, tt.steps, tt.long)
			if got := strings.Trim(fmt.Sprint(at), "[]"); got != tt.want {
				t.Errorf("ran after %s, want %s", got, tt.want)
			}
			told := strings.Contains(log, "wall clock")
			if told != (tt.log != "") || !strings.Contains(log, tt.log) {
				t.Errorf("the log is to say %q:\n%s", tt.log, log)
			}
		})
	}
}

// TestClockStandsStill: a wall clock that does not move delays no run by more than a turn of the loop or two.
func TestClockStandsStill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var at []time.Duration
		d := &daemon.Daemon{
			Now:  func() time.Time { return start },
			Jobs: quarterly(t, func() { at = append(at, time.Since(start)) }),
		}
		stop, result := serve(t, d)
		time.Sleep(2 * time.Hour)
		wantHealth(t, d, "with a clock that stands still", 200, 200)
		stop()
		if err := result(); err != nil {
			t.Error(err)
		}
		for i, now := range at {
			if late := now - time.Duration(i+1)*15*time.Minute; late < 0 || late > time.Duration(i+1)*time.Minute {
				t.Errorf("run %d came after %s", i+1, now)
			}
		}
		if len(at) < 7 {
			t.Errorf("%d runs in two hours", len(at))
		}
	})
}

// TestClockNeverSilences: whatever is done to the wall clock, no two runs are further apart than two periods, and each
// time the clock is set makes at most one run more.
func TestClockNeverSilences(t *testing.T) {
	const period = 15 * time.Minute
	rapid.Check(t, func(r *rapid.T) {
		long := 6 * time.Hour
		var steps []step
		for range rapid.IntRange(0, 20).Draw(r, "steps") {
			seconds := rapid.OneOf(
				rapid.IntRange(-3, 3), rapid.IntRange(-90, 90), rapid.IntRange(-1e5, 1e5), rapid.IntRange(-1e8, 1e8),
			)
			steps = append(steps, step{
				after: time.Duration(rapid.IntRange(1, 16*60).Draw(r, "after")) * time.Second,
				by:    time.Duration(seconds.Draw(r, "by")) * time.Second,
			})
		}
		at, log := runsUnder(t, "*/15 * * * *", steps, long)
		last := time.Duration(0)
		for _, now := range append(at, long) {
			if now-last > 2*period+time.Minute {
				r.Fatalf("silent from %s to %s; all runs: %s\n%s", last, now, at, log)
			}
			last = now
		}
		if most := int(long/period) + len(steps); len(at) > most {
			r.Fatalf("%d runs, at most %d: %s\n%s", len(at), most, at, log)
		}
	})
}

// TestHealthWithoutWallClock: a loop that hangs is not alive, and how long a run took is not negative, though the wall
// clock was set back.
func TestHealthWithoutWallClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var clock wallClock
		hang := make(chan struct{})
		var took atomic.Int64
		d := &daemon.Daemon{
			Now: clock.now, OnDone: func(r daemon.Run) { took.Store(int64(r.Took)); <-hang },
			Jobs: quarterly(t, func() { time.Sleep(20 * time.Second) }),
		}
		stop, result := serve(t, d)
		time.Sleep(15*time.Minute + time.Second)
		clock.set(-24 * time.Hour)
		time.Sleep(time.Minute)
		wantHealth(t, d, "a minute after", 200, 200)
		time.Sleep(2 * time.Minute)
		wantHealth(t, d, "while the loop hangs", 503, 503)
		if took := time.Duration(took.Load()); took != 20*time.Second {
			t.Errorf("the run took %s", took)
		}
		close(hang)
		synctest.Wait()
		wantHealth(t, d, "when it turns again", 200, 200)
		stop()
		if err := result(); err != nil {
			t.Error(err)
		}
	})
}

// TestLateIsNotReady: a service in which one run does not end, so that the next one cannot begin, is alive but not
// ready.
func TestLateIsNotReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var clock wallClock
		runs := 0
		d := &daemon.Daemon{
			Now: clock.now,
			Jobs: quarterly(t, func() {
				if runs++; runs == 2 {
					time.Sleep(50 * time.Minute)
				}
			}),
		}
		stop, result := serve(t, d)
		time.Sleep(35 * time.Minute)
		clock.set(-5 * time.Hour)
		wantHealth(t, d, "while it runs", 200, 200)
		time.Sleep(24 * time.Minute)
		wantHealth(t, d, "once it is due again", 200, 200)
		time.Sleep(2 * time.Minute)
		wantHealth(t, d, "when it is due a second time", 200, 503)
		time.Sleep(20 * time.Minute)
		wantHealth(t, d, "when the next one ran", 200, 200)
		stop()
		if err := result(); err != nil {
			t.Error(err)
		}
	})
}
