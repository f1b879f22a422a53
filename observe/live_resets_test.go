package observe_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/org/openclaw-litellm-action/budget"
	"github.com/org/openclaw-litellm-action/litellm"
)

// durations are the forms of budget_duration that some release takes, and some that it should not.
func durations() []string {
	return []string{
		"30s", "90s", "1m", "5m", "45m", "1h", "2h", "5h", "12h", "24h", "36h", "1d", "2d", "7d", "15d", "30d", "45d", "365d",
		"1w", "2w", "1mo", "2mo", "hourly", "daily", "weekly", "monthly", "yearly", "30days", "bogus",
	}
}

// TestLiveResets reads when a real proxy resets budgets of every form of duration: the window whose start we tell holds the
// present. The environment may name
//
//	LITELLM_LIVE_ZONE    the proxies' litellm_settings.timezone, and after an @ their budget_reset_time
//	LITELLM_LIVE_CLOCK   a file that libfaketime reads the proxies' time from (FAKETIME_TIMESTAMP_FILE, FAKETIME_NO_CACHE=1):
//	                     they are taken to every moment of ../budget/testdata/moments.txt
//	LITELLM_LIVE_RECORD  a file to add what was read to, for ../budget/testdata/resets.tsv
func TestLiveResets(t *testing.T) {
	onLive(t, func(l *live) {
		zoneName, atTime, _ := strings.Cut(os.Getenv("LITELLM_LIVE_ZONE"), "@")
		var zone *time.Location
		if zoneName != "" {
			var err error
			zone, err = time.LoadLocation(zoneName)
			l.must(err)
		} else {
			zoneName = "UTC"
		}
		for _, moment := range moments(l) {
			for _, duration := range durations() {
				l.resets(duration, zoneName, atTime, zone, moment)
			}
		}
	})
}

// resets makes a user with a budget of the duration and holds its window against the moment, the zero time for now.
func (l *live) resets(duration, zoneName, atTime string, zone *time.Location, moment time.Time) {
	l.Helper()
	id := l.holder.UserID + "/" + duration
	defer func() { _ = l.DeleteUser(l.Context(), id) }()
	earliest := l.asOf(moment)
	reset, told := time.Time{}, "refused"
	if err := l.CreateUser(l.Context(), id, litellm.Fields{"max_budget": 1, "budget_duration": duration}); err == nil {
		u, err := l.User(l.Context(), id)
		l.must(err)
		if reset = u.BudgetResetAt; !reset.IsZero() {
			told = reset.Format(time.RFC3339)
		}
	}
	l.record(l.version, zoneName, atTime, duration, earliest.UTC().Format(time.RFC3339), told)
	start, ok := budget.WindowStartIn(duration, reset, zone)
	if !ok || !strings.HasPrefix(l.version, "1.106.") && (strings.HasSuffix(duration, "w") || strings.HasSuffix(duration, "ly")) {
		return // older releases take words, and 1.81 weeks, for a day; settings writes neither
	}
	latest := l.asOf(moment).Add(2 * time.Second)
	start = budget.Begun(start, earliest, latest)
	if start.After(latest) || !reset.After(earliest.Add(-2*time.Second)) {
		l.Errorf("%s in %s: the window from %s to %s does not hold %s", duration, zoneName, start.Format(time.RFC3339), told, earliest.Format(time.RFC3339))
	}
}

// asOf is the proxy's time: now, or shortly after the moment to which its clock was set.
func (l *live) asOf(moment time.Time) time.Time {
	if moment.IsZero() {
		return time.Now()
	}
	return moment
}

// moments sets the proxies' clock to each moment in turn, or returns the zero time alone.
func moments(l *live) func(yield func(int, time.Time) bool) {
	return func(yield func(int, time.Time) bool) {
		clock := os.Getenv("LITELLM_LIVE_CLOCK")
		if clock == "" {
			yield(0, time.Time{})
			return
		}
		text, err := os.ReadFile("../budget/testdata/moments.txt")
		l.must(err)
		for i, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
			at, err := time.Parse(time.RFC3339, line)
			l.must(err)
			l.must(os.WriteFile(clock, fmt.Appendf(nil, "%+d", int64(time.Until(at).Seconds())), 0o644))
			if !yield(i, at) {
				return
			}
		}
	}
}

func (l *live) record(fields ...string) {
	name := os.Getenv("LITELLM_LIVE_RECORD")
	if name == "" {
		return
	}
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	l.must(err)
	defer f.Close()
	fmt.Fprintln(f, strings.Join(fields, "\t"))
}
