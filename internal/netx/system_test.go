package netx_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/org/openclaw-litellm-action/internal/netx"
)

const limit = 30 * time.Second

// ask does an operation of at most four attempts as clients do it. answer tells how long an attempt takes to be answered;
// less than zero: for ever. It returns how many attempts were made.
func ask(ctx context.Context, s *netx.System, o netx.Operation, answer time.Duration) (attempts int, err error) {
	turn, err := s.Begin(ctx, o)
	if err != nil {
		return 0, err
	}
	defer turn.Close()
	for {
		attempts++
		err := attempt(turn, answer)
		if err == nil {
			turn.Answered()
			return attempts, nil
		}
		class := netx.Classify(err)
		if !turn.Again(class, 4) {
			return attempts, turn.GiveUp(class, "words", err)
		}
		if err := turn.Pause(time.Second, sleep); err != nil {
			return attempts, err
		}
	}
}

func attempt(turn *netx.Turn, answer time.Duration) error {
	ctx, cancel := turn.Attempt(limit)
	defer cancel()
	if answer < 0 {
		<-ctx.Done()
		return ctx.Err()
	}
	return sleep(ctx, answer)
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

const never = -1

func read(route string) netx.Operation { return netx.Operation{Route: route, Read: true} }

// took fails unless exactly d has passed since start.
func took(t *testing.T, start time.Time, d time.Duration) {
	t.Helper()
	if got := time.Since(start); got != d {
		t.Errorf("it took %s, want %s", got, d)
	}
}

// TestSilentSystem: after one operation with its repetition, and one short probe, nothing is asked any more, and every
// error is of the one event.
func TestSilentSystem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, start := &netx.System{Name: "the proxy"}, time.Now()
		n, first := ask(t.Context(), s, read("GET /user/info"), never)
		if n != 2 || !errors.Is(first, context.DeadlineExceeded) || first.Error() != "context deadline exceeded" {
			t.Errorf("the first: %d attempts, %v", n, first)
		}
		took(t, start, 61*time.Second)
		why := netx.RefusalOf(first)
		if n, err := ask(t.Context(), s, read("GET /user/info"), 0); n != 0 || netx.RefusalOf(err) != why {
			t.Errorf("the same route: %d attempts, %v", n, err)
		}
		if n, err := ask(t.Context(), s, read("GET /key/info"), never); n != 1 || netx.RefusalOf(err) != why {
			t.Errorf("the probe: %d attempts, %v", n, err)
		}
		took(t, start, 61*time.Second+netx.ProbeTimeout)
		for _, o := range []netx.Operation{read("GET /models"), {Route: "POST /key/delete"}} {
			n, err := ask(t.Context(), s, o, 0)
			if n != 0 || err != error(why) || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: %d attempts, %v", o.Route, n, err)
			}
		}
		took(t, start, 61*time.Second+netx.ProbeTimeout)
		if want := "the proxy does not answer (GET /user/info timed out twice in 1m1s)"; why.Error() != want || why.Reason != netx.Unanswered {
			t.Errorf("refused with %q, want %q", why, want)
		}
	})
}

// TestSlowRoute: where the probe is answered, only the route that was not is left alone.
func TestSlowRoute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &netx.System{Name: "the proxy"}
		_, slow := ask(t.Context(), s, read("GET /spend/logs"), never)
		if n, err := ask(t.Context(), s, read("GET /user/info"), 4*time.Second); n != 1 || err != nil {
			t.Errorf("the probe: %d attempts, %v", n, err)
		}
		if _, err := ask(t.Context(), s, read("GET /user/info"), 20*time.Second); err != nil {
			t.Errorf("after it: %v", err)
		}
		if n, err := ask(t.Context(), s, read("GET /spend/logs"), 0); n != 0 || netx.RefusalOf(err) != netx.RefusalOf(slow) {
			t.Errorf("the slow route: %d attempts, %v", n, err)
		}
	})
}

// TestApart: a model that does not answer says nothing about the proxy.
func TestApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &netx.System{Name: "the proxy"}
		if _, err := ask(t.Context(), s, netx.Operation{Route: "POST /chat", Apart: true}, never); netx.RefusalOf(err) != nil {
			t.Error(err)
		}
		if n, err := ask(t.Context(), s, netx.Operation{Route: "POST /chat", Apart: true}, 20*time.Second); n != 1 || err != nil {
			t.Errorf("%d attempts, %v", n, err)
		}
	})
}

// TestCallersLimit: a caller's own time limit says something about the system only if it was a while.
func TestCallersLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for limit, says := range map[time.Duration]bool{time.Second: false, 6 * time.Second: true} {
			s := &netx.System{}
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			if _, err := ask(ctx, s, read("GET /"), never); (netx.RefusalOf(err) != nil) != says {
				t.Errorf("after %s: %v", limit, err)
			}
		}
	})
}

// TestReadingIsBounded: what is waited for counts, however many operations it is; what else a run does, does not.
func TestReadingIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run := &netx.Run{Reading: 2 * time.Minute}
		base := netx.With(t.Context(), run)
		planning, s := netx.Planning(base), &netx.System{Name: "the proxy"}
		for range 4 {
			if _, err := ask(planning, s, read("GET /slow"), 29*time.Second); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Hour)
			if _, err := ask(planning, s, netx.Operation{Route: "PUT /"}, 29*time.Second); err != nil { // a write
				t.Fatal(err)
			}
			if _, err := ask(netx.Acting(planning), s, read("GET /"), 29*time.Second); err != nil { // under a claim
				t.Fatal(err)
			}
		}
		start := time.Now()
		_, cut := ask(planning, s, read("GET /slow"), 29*time.Second)
		took(t, start, 4*time.Second)
		why := netx.RefusalOf(cut)
		if why == nil || why.Reason != netx.Overtime || !strings.Contains(why.Error(), "longer than 2m0s") || !strings.Contains(why.Error(), "GET /slow") {
			t.Errorf("cut off with %v", cut)
		}
		if n, err := ask(planning, &netx.System{}, read("GET /other"), 0); n != 0 || netx.RefusalOf(err) != why {
			t.Errorf("after it: %d attempts, %v", n, err)
		}
		if _, err := ask(base, s, read("GET /slow"), 29*time.Second); err != nil {
			t.Errorf("what is no planning: %v", err)
		}
	})
}

// TestReadingAtOnce: operations side by side take the time of one.
func TestReadingAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		planning := netx.Planning(netx.With(t.Context(), &netx.Run{Reading: 30 * time.Second}))
		s, failed := &netx.System{}, make(chan error, 10)
		for range cap(failed) {
			go func() {
				_, err := ask(planning, s, read("GET /"), 29*time.Second)
				failed <- err
			}()
		}
		for range cap(failed) {
			if err := <-failed; err != nil {
				t.Error(err)
			}
		}
	})
}

// TestUncounted: waiting for one's turn is no reading.
func TestUncounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		planning := netx.Planning(netx.With(t.Context(), &netx.Run{Reading: time.Minute}))
		turn, err := (*netx.System)(nil).Begin(planning, read("GET /"))
		if err != nil {
			t.Fatal(err)
		}
		defer turn.Close()
		if err := turn.Uncounted(func(ctx context.Context) error { return sleep(ctx, time.Hour) }); err != nil || turn.Context().Err() != nil {
			t.Error(err, turn.Context().Err())
		}
	})
}

// TestStop: after the signal reads of planning end at once, what is under way gets its grace, what begins gets a second, and
// nothing is repeated.
func TestStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stop := make(chan struct{})
		base := netx.With(t.Context(), &netx.Run{Stop: stop})
		graced, cancel := netx.Grace(base, 3*time.Second)
		defer cancel()
		start := time.Now()
		time.AfterFunc(4*time.Second, func() { close(stop) })
		type result struct {
			n    int
			err  error
			took time.Duration
		}
		run := func(ctx context.Context, o netx.Operation, answer time.Duration) <-chan result {
			done := make(chan result, 1)
			go func() {
				n, err := ask(ctx, &netx.System{}, o, answer)
				done <- result{n, err, time.Since(start)}
			}()
			return done
		}
		reading, acting := run(netx.Planning(graced), read("GET /"), never), run(graced, netx.Operation{Route: "PUT /"}, never)
		inTime := run(graced, netx.Operation{Route: "PUT /"}, 6*time.Second)
		if r := <-reading; r.took != 4*time.Second || r.n != 1 || netx.RefusalOf(r.err) == nil || netx.RefusalOf(r.err).Reason != netx.Stopped {
			t.Errorf("the read of planning: %+v", r)
		}
		if r := <-inTime; r.err != nil || r.took != 6*time.Second {
			t.Errorf("what was answered in its grace: %+v", r)
		}
		if r := <-acting; r.took != 7*time.Second || r.n != 1 || netx.RefusalOf(r.err) == nil {
			t.Errorf("what was under way: %+v", r)
		}
		late, cancelLate := netx.Grace(base, 5*time.Second)
		defer cancelLate()
		<-late.Done()
		took(t, start, 9*time.Second) // counted from the signal
		start = time.Now()
		s := &netx.System{Name: "Slack"}
		if n, err := ask(base, s, netx.Operation{Route: "POST /a"}, never); n != 1 || netx.RefusalOf(err) == nil {
			t.Errorf("what began after it: %d attempts, %v", n, err)
		}
		if n, _ := ask(base, s, netx.Operation{Route: "POST /b"}, never); n != 0 {
			t.Error("a silent system was probed after the signal")
		}
		took(t, start, netx.StopTimeout)
		if n, err := ask(netx.Planning(base), &netx.System{}, read("GET /"), 0); n != 0 || netx.RefusalOf(err) == nil || !netx.Stopping(base) {
			t.Errorf("a new read: %d attempts, %v", n, err)
		}
	})
}

// TestStopTellsOfSilence: what was waited for in vain until the signal is told of the system, and not of the signal.
func TestStopTellsOfSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stop := make(chan struct{})
		time.AfterFunc(20*time.Second, func() { close(stop) })
		s, base := &netx.System{Name: "the proxy"}, netx.With(t.Context(), &netx.Run{Stop: stop})
		_, err := ask(netx.Planning(base), s, read("GET /user/info"), never)
		why := netx.RefusalOf(err)
		want := "the proxy did not answer GET /user/info within 20s, until the program was told to stop"
		if why == nil || why.Error() != want || why.Reason != netx.Unanswered || s.Refusal() != why {
			t.Errorf("%v: %v", err, why)
		}
	})
}

// TestStopEndsPauses: no repetition is waited for after the signal.
func TestStopEndsPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stop := make(chan struct{})
		turn, err := (&netx.System{}).Begin(netx.With(t.Context(), &netx.Run{Stop: stop}), netx.Operation{})
		if err != nil {
			t.Fatal(err)
		}
		defer turn.Close()
		start := time.Now()
		time.AfterFunc(time.Second, func() { close(stop) })
		if err := turn.Pause(time.Hour, sleep); netx.RefusalOf(err) == nil || turn.Again(netx.Passing, 4) {
			t.Error(err)
		}
		took(t, start, time.Second)
	})
}

// TestAbsentSystem: one whose address leads nowhere is tried a few times, and then once more; certificates are not.
func TestAbsentSystem(t *testing.T) {
	tries := func(s *netx.System, err error) int {
		turn, refused := s.Begin(t.Context(), netx.Operation{Route: "GET /"})
		if refused != nil {
			return 0
		}
		defer turn.Close()
		for n := 1; ; n++ {
			_, cancel := turn.Attempt(limit)
			cancel()
			if class := netx.Classify(err); !turn.Again(class, 4) {
				err = turn.GiveUp(class, "words", err)
				if why := netx.RefusalOf(err); why == nil || why.Error() != "it cannot be reached (GET /): words" || why.Public() != "it cannot be reached (GET /)" {
					t.Errorf("%v", err)
				}
				return n
			}
		}
	}
	absent, lasting := &netx.System{}, &netx.System{}
	for i, want := range []int{3, 1, 0} {
		if n := tries(absent, refused()); n != want {
			t.Errorf("operation %d: %d attempts, want %d", i, n, want)
		}
	}
	for i, want := range []int{1, 0, 0} {
		if n := tries(lasting, untrusted()); n != want {
			t.Errorf("operation %d: %d attempts at a certificate, want %d", i, n, want)
		}
	}
}
