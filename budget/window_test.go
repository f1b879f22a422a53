package budget_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/org/openclaw-litellm-action/budget"
)

// TestWindowsFollowEachOther: a window begins where the one before it ends. testdata/windows.tsv holds pairs of ends as
// LiteLLM's own code computes them, in several time zones, around changes of daylight saving time, with a time of day.
func TestWindowsFollowEachOther(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("testdata/windows.tsv")
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for line := range strings.Lines(string(content)) {
		f := strings.Split(strings.TrimSpace(line), "\t")
		if len(f) != 6 {
			continue
		}
		release, duration := f[0], f[1]
		// 1.81 takes words and weeks for a day, unseen; settings writes neither.
		if release == "1.81.13" && (strings.HasSuffix(duration, "ly") && duration != "daily" || strings.HasSuffix(duration, "w")) {
			continue
		}
		zone, err := time.LoadLocation(f[2])
		if err != nil {
			t.Skipf("no time zones here: %v", err)
		}
		if release == "1.81.13" && f[2] != "Asia/Kolkata" {
			zone = time.UTC // 1.81 knows a handful of zones, one of these, and takes UTC for every other
		}
		first, _ := time.Parse(time.RFC3339, f[4])
		next, _ := time.Parse(time.RFC3339, f[5])
		start, ok := budget.WindowStartIn(duration, next, zone)
		switch changes := offset(first.Add(-26*time.Hour), zone) != offset(next.Add(3*time.Hour), zone); {
		case strings.Contains(" 36h 5h 45m 90s ", " "+duration+" "):
			if ok {
				t.Errorf("%s: a start is told that is not known", line)
			}
			continue
		case changes && (strings.HasSuffix(duration, "h") && duration != "24h" || strings.HasSuffix(duration, "m") || duration == "hourly"):
			continue // LiteLLM repeats or leaves out hours then
		}
		checked++
		if !ok || !start.Equal(first) {
			t.Errorf("%s: the window begins at %s, %t", strings.TrimSpace(line), start.Format(time.RFC3339), ok)
		}
		guess, ok := budget.WindowStart(duration, next)
		if off := guess.Sub(first).Abs(); !ok || off > time.Hour && f[3] == "00:00" || f[2] == "UTC" && f[3] == "00:00" && off != 0 {
			t.Errorf("%s: without the zone it begins at %s, %t", strings.TrimSpace(line), guess.Format(time.RFC3339), ok)
		}
	}
	if checked < 700 {
		t.Errorf("only %d pairs were checked", checked)
	}
}

func offset(at time.Time, zone *time.Location) int {
	_, seconds := at.In(zone).Zone()
	return seconds
}

// FuzzWindowStart: any text for a duration and any end. A start that is told lies before its end and repeats.
func FuzzWindowStart(f *testing.F) {
	for _, d := range []string{"1mo", "30d", "7d", "1w", "24h", "5h", "90s", "monthly", "bogus", "999999d", "0d", "1m0"} {
		f.Add(d, int64(1796083200), "Europe/Berlin")
	}
	f.Fuzz(func(t *testing.T, duration string, end int64, name string) {
		at := time.Unix(end%(1<<40), 0).UTC()
		zone, _ := time.LoadLocation(name)
		start, ok := budget.WindowStartIn(duration, at, zone)
		if ok && !start.Before(at) && !at.IsZero() {
			t.Errorf("%q until %s in %q begins at %s", duration, at, name, start)
		}
		if again, same := budget.WindowStartIn(duration, at, zone); same != ok || !again.Equal(start) {
			t.Error("asked twice, it answers differently")
		}
	})
}
