package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The program under test as a process whose wall clock can be moved on while it is suspended: no test can wait until a
// claim of 15 minutes is past.

// pausedBot is the name of that program, and skewVariable names the file that says how far its clock is ahead.
const (
	pausedBot    = "bot-to-pause"
	skewVariable = "BOT_TEST_SKEW"
)

// asPaused is main with that clock.
func asPaused() {
	now := func() time.Time {
		text, _ := os.ReadFile(os.Getenv(skewVariable))
		ahead, _ := time.ParseDuration(strings.TrimSpace(string(text))) // none: not moved yet
		return time.Now().Add(ahead)
	}
	dir, _ := os.Getwd()
	os.Exit(run(process{
		args: os.Args[1:], getenv: os.Getenv, environ: os.Environ(), dir: dir,
		now: now, stop: context.Background().Done(), stdout: os.Stdout, stderr: os.Stderr,
	}))
}

// pausedFor is how long the process sleeps: longer than a claim lasts, with what is added for skewed clocks.
const pausedFor = 21 * time.Minute

// TestPaused suspends the process that has the claim before and after each of its writes in turn, until the claim is
// past and another process has rotated, then lets it go on; at every second point the other works through another worker
// on the same database.
func TestPaused(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: some dozens of processes")
	}
	bin := pausable(t)
	pauses(t, 8, func(t *testing.T, i int) *site { return memorySite(t, bin, releaseOf(i), "openclaw") })
}

// TestLivePaused is the same against real proxies. LITELLM_LIVE_SECOND is VERSION=URL of other processes on the same
// databases; without one, everything goes through one.
func TestLivePaused(t *testing.T) {
	proxies := live(t)
	if os.Getenv("LIVE_PAUSES") == "" {
		t.Skip("LIVE_PAUSES is not set: eighteen suspended processes a release take minutes on a real proxy")
	}
	bin := pausable(t)
	for _, p := range proxies {
		t.Run(p.version, func(t *testing.T) {
			p.needsDatabase(t)
			pauses(t, number(t, "LIVE_CRASH_AT_ONCE", 8), func(t *testing.T, _ int) *site {
				s := liveSite(t, bin, p, "pause")
				s.grace = longGrace
				s.second = func() string { return secondLive(p.version) }
				return s
			})
		})
	}
}

// secondLive is the other process of that version, "" if there is none.
func secondLive(version string) string {
	for entry := range strings.SplitSeq(os.Getenv("LITELLM_LIVE_SECOND"), ",") {
		if v, at, _ := strings.Cut(strings.TrimSpace(entry), "="); v == version {
			return at
		}
	}
	return ""
}

// pausable is where the program is that can be suspended.
func pausable(t *testing.T) string {
	path, err := exec.LookPath(pausedBot)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// pauses does every pause of a rotation.
func pauses(t *testing.T, atOnce int, newSite func(t *testing.T, i int) *site) {
	now := scenario{args: []string{"rotate", "--now"}, writes: 9, prepare: rotated}
	writes := now.dryRun(t, func(t *testing.T) *site { return newSite(t, 0) })
	var points []point
	for n := range writes {
		points = append(points, point{nth: n, blow: pauseBefore}, point{nth: n, blow: pauseAfter})
	}
	apart := make([]bool, len(points))
	begin := time.Now()
	inParallel(atOnce, points, func(i int, p point) {
		t.Run(p.String()+" "+writes[p.nth].String(), func(t *testing.T) { apart[i] = newSite(t, i).overtaken(p, (i+i/2)%2 == 0) })
	})
	second := 0
	for _, yes := range apart {
		if yes {
			second++
		}
	}
	t.Logf("%d pauses in %s, the other run through a second proxy at %d of them", len(points), time.Since(begin).Round(time.Second), second)
}

// overtaken suspends a rotation, lets another one happen, and the first go on; it reports whether the other worked
// through a second proxy.
func (s *site) overtaken(p point, apart bool) bool {
	old := rotated(s)
	before := s.budgetNow()
	skew := filepath.Join(s.TempDir(), "skew")
	s.env[skewVariable] = skew
	s.ahead.Add(int64(time.Second))
	strike := s.arm(p.nth, p.blow)
	process, wait := s.start("rotate", "--now")
	done := make(chan ran, 1)
	go func() { done <- wait() }()
	select {
	case <-strike.hit:
	case r := <-done:
		s.Fatalf("it was not suspended: %s", r)
	case <-time.After(2 * time.Minute):
		_ = process.Kill()
		s.Fatalf("the program hangs: %s", <-done)
	}
	goOn := s.suspend(process)
	s.pass(pausedFor)
	if err := os.WriteFile(skew, []byte(pausedFor.String()), 0o600); err != nil {
		s.Error(err)
	}
	apart = s.other(apart)
	s.holds(before, old)
	s.ahead.Add(int64(2 * time.Second)) // two writes within one second look like one
	close(strike.dead)
	goOn()
	var r ran
	select {
	case r = <-done:
	case <-time.After(2 * time.Minute):
		_ = process.Kill()
		s.Fatalf("it does not end: %s", <-done)
	}
	s.disarm()
	if r.code != exitOK && r.code != exitFailed {
		s.Errorf("the run that was suspended: %s", r)
	}
	s.holds(before, old)
	s.pass(pausedFor)
	s.recovered()
	s.holds(before, old)
	s.settled()
	s.retired()
	return apart
}

// suspend stops the process, waits until it is, and returns what lets it go on.
func (s *site) suspend(process *os.Process) (goOn func()) {
	s.Helper()
	if err := process.Signal(syscall.SIGSTOP); err != nil {
		s.Fatal(err)
	}
	for range 100 {
		stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", process.Pid))
		if _, state, _ := strings.Cut(string(stat), ") "); state == "" || strings.HasPrefix(state, "T") {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	return func() {
		if err := process.Signal(syscall.SIGCONT); err != nil {
			s.Error(err)
		}
	}
}

// other is a rotation by another process, with a clock of its own, through the second proxy if it is to be and there is
// one.
func (s *site) other(apart bool) bool {
	s.Helper()
	first, skew := s.env["LITELLM_BASE_URL"], s.env[skewVariable]
	defer func() { s.env["LITELLM_BASE_URL"], s.env[skewVariable] = first, skew }()
	s.env[skewVariable] = ""
	at := ""
	if apart && s.second != nil {
		at = s.second()
	}
	if at != "" {
		s.env["LITELLM_BASE_URL"] = s.gate(s.T, "litellm", at)
	}
	_, wait := s.start("rotate", "--now")
	if r := wait(); r.code != exitOK || !strings.Contains(r.out, "rotated, now generation") {
		s.Errorf("the other run: %s", r)
	}
	return at != ""
}
