package budget_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/org/openclaw-litellm-action/budget"
)

// reset is what a real proxy said at some moment: the end of the window then.
type reset struct {
	at, end time.Time
	line    string
}

// readResets returns testdata/resets.tsv by release, zone, time of day and duration; refused durations are left out.
func readResets(t *testing.T) map[[4]string][]reset {
	t.Helper()
	text, err := os.ReadFile("testdata/resets.tsv")
	if err != nil {
		t.Fatal(err)
	}
	all := map[[4]string][]reset{}
	for line := range strings.Lines(string(text)) {
		f := strings.Split(strings.TrimSpace(line), "\t")
		if len(f) != 6 || f[5] == "refused" || strings.HasPrefix(line, "#") {
			continue
		}
		at, err := time.Parse(time.RFC3339, f[4])
		end, err2 := time.Parse(time.RFC3339, f[5])
		if err != nil || err2 != nil {
			t.Fatalf("%q: %v %v", line, err, err2)
		}
		key := [4]string(f[:4])
		all[key] = append(all[key], reset{at, end, strings.TrimSpace(line)})
	}
	return all
}

// TestWindowsOfRealProxies holds the starts of windows against when real proxies of three releases said that they end, in
// several time zones and at times of day, around changes of daylight saving time: a window holds the moment at which it was
// read, and windows of the calendar follow each other without gap or overlap.
func TestWindowsOfRealProxies(t *testing.T) {
	t.Parallel()
	pairs := 0
	for key, resets := range readResets(t) {
		release, zoneName, duration := key[0], key[1], key[3]
		if !strings.HasPrefix(release, "1.106.") && (strings.HasSuffix(duration, "ly") || strings.HasSuffix(duration, "w") && release == "1.81.13") {
			continue // words and weeks are a day to those releases; settings writes neither
		}
		var zone *time.Location // 1.81 counts by fixed offsets, which the reset itself tells
		if !strings.HasPrefix(release, "1.81.") {
			var err error
			if zone, err = time.LoadLocation(zoneName); err != nil {
				t.Skipf("no time zones here: %v", err)
			}
		}
		for _, r := range resets {
			start, ok := budget.WindowStartIn(duration, r.end, zone)
			if !ok {
				if !slices.Contains([]string{"90s", "45m", "5h", "36h", "2mo", "yearly", "30days", "bogus"}, duration) {
					t.Errorf("%s: no start is told", r.line)
				}
				continue
			}
			start = budget.Begun(start, r.at, r.at)
			if start.After(r.at) || !r.end.After(r.at) {
				t.Errorf("%s: the window is said to begin at %s", r.line, start.Format(time.RFC3339))
			}
			if slices.Contains([]string{"2d", "15d", "45d", "365d", "2w"}, duration) {
				if n := r.at.Sub(start); n >= 25*time.Hour {
					t.Errorf("%s: days count from when the row is made, not from %s before", r.line, n)
				}
				continue
			}
			for _, other := range resets {
				if zone != nil && short(duration) && changes(zone, other.at, r.end) {
					continue // LiteLLM repeats or leaves out hours then
				}
				pairs++
				switch {
				case other.at.Before(start) && other.end.After(start):
					t.Errorf("%s: begins at %s, but at %s a window until %s was told", r.line, start.Format(time.RFC3339), other.at.Format(time.RFC3339), other.end.Format(time.RFC3339))
				case !other.at.Before(start) && other.at.Before(r.end) && !other.end.Equal(r.end):
					t.Errorf("%s: begins at %s, but %s", r.line, start.Format(time.RFC3339), other.line)
				}
			}
		}
	}
	if pairs < 10_000 {
		t.Errorf("only %d pairs were held against each other", pairs)
	}
}

// short reports whether a duration is of hours or less.
func short(duration string) bool {
	return duration == "hourly" || strings.HasSuffix(duration, "h") || strings.HasSuffix(duration, "m") || strings.HasSuffix(duration, "s")
}

// changes reports whether the zone's clocks change from a day before one of the moments to a day after the other.
func changes(zone *time.Location, a, b time.Time) bool {
	if b.Before(a) {
		a, b = b, a
	}
	for at := a.Add(-26 * time.Hour); at.Before(b.Add(26 * time.Hour)); at = at.Add(12 * time.Hour) {
		if offset(at, zone) != offset(a, zone) {
			return true
		}
	}
	return false
}
