package daemon_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/org/openclaw-litellm-action/daemon"
)

func mustParse(t interface {
	Helper()
	Fatal(...any)
}, spec, tz string) daemon.Schedule {
	t.Helper()
	s, err := daemon.ParseSchedule(spec, tz)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestParseRefuses(t *testing.T) {
	for _, tt := range []struct{ spec, tz, want string }{
		{"", "", "empty"},
		{"TZ=UTC", "", "setting of its own"},
		{"CRON_TZ=", "", "setting of its own"},
		{"CRON_TZ=UTC 0 9 * * 1", "", "setting of its own"},
		{"@every 0s", "", "a minute or more"},
		{"@every 59s", "", "a minute or more"},
		{"@every", "", "duration"},
		{"@every soon", "", "duration"},
		{"@every -5m", "", "a minute or more"},
		{"0 0 9 * * 1", "", "six fields"},
		{"0 9 * *", "", "4 fields"},
		{"0 9 * * 7", "", "Sunday is 0"},
		{"0 9 * * 5-7", "", "Sunday is 0"},
		{"0 9 * * 1,7", "", "Sunday is 0"},
		{"0 9 , * 1", "", "empty part"},
		{"0 9 1,,3 * 1", "", "empty part"},
		{"61 * * * *", "", "above maximum"},
		{"*/0 * * * *", "", "positive"},
		{"0 0 30 2 *", "", "never comes due"},
		{"@fortnightly", "", "unrecognized"},
		{"0 9 * * 1", "Local", "depends on the machine"},
		{"0 9 * * 1", "Mars/Olympus", "no time zone"},
		{"0 9 * * 1", "../etc/passwd", "no time zone"},
	} {
		_, err := daemon.ParseSchedule(tt.spec, tt.tz)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q in %q: got %v, want %q", tt.spec, tt.tz, err, tt.want)
		}
	}
}

func TestNext(t *testing.T) {
	const layout = time.RFC3339
	tests := map[string]struct {
		spec, tz, from string
		want           []string
	}{
		"UTC":                     {"*/15 * * * *", "", "2026-03-01T09:14:59Z", []string{"2026-03-01T09:15:00Z", "2026-03-01T09:30:00Z"}},
		"zone":                    {"0 9 * * 1", "Europe/Berlin", "2026-01-01T00:00:00Z", []string{"2026-01-05T08:00:00Z"}},
		"every":                   {"@every 90m", "", "2026-03-01T09:00:00Z", []string{"2026-03-01T10:30:00Z"}},
		"daily":                   {"@daily", "", "2026-03-01T09:00:00Z", []string{"2026-03-02T00:00:00Z"}},
		"fraction":                {"0 9 * * *", "", "2026-03-01T08:59:59.5Z", []string{"2026-03-01T09:00:00Z", "2026-03-02T09:00:00Z"}},
		"spring, in gap":          {"30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", []string{"2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"}},
		"spring, US":              {"30 2 * * *", "America/New_York", "2026-03-07T12:00:00Z", []string{"2026-03-08T07:00:00Z", "2026-03-09T06:30:00Z"}},
		"spring, Sunday":          {"15 2 * * sun", "Europe/Berlin", "2026-03-23T00:00:00Z", []string{"2026-03-29T01:00:00Z", "2026-04-05T00:15:00Z"}},
		"spring, quarters":        {"*/30 * * * *", "Europe/Berlin", "2026-03-29T00:15:00Z", []string{"2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z"}},
		"midnight gap":            {"0 0 * * *", "Africa/Cairo", "2026-04-23T00:00:00Z", []string{"2026-04-23T22:00:00Z", "2026-04-24T21:00:00Z"}},
		"autumn, once":            {"30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", []string{"2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"}},
		"autumn, started between": {"30 2 * * *", "Europe/Berlin", "2026-10-25T00:45:00Z", []string{"2026-10-26T01:30:00Z"}},
		"autumn, quarters":        {"*/30 * * * *", "Europe/Berlin", "2026-10-25T00:15:00Z", []string{"2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z", "2026-10-25T01:30:00Z", "2026-10-25T02:00:00Z"}},
		"half an hour":            {"15 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00:00Z", []string{"2026-10-03T15:30:00Z", "2026-10-04T15:15:00Z"}},
		"leap day":                {"0 0 29 2 *", "Asia/Tokyo", "2026-01-01T00:00:00Z", []string{"2028-02-28T15:00:00Z"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := mustParse(t, tt.spec, tt.tz)
			at, err := time.Parse(layout, tt.from)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range tt.want {
				if at = s.Next(at); at.Format(layout) != want {
					t.Fatalf("got %s, want %s", at.Format(layout), want)
				}
			}
		})
	}
}

// TestDailyIsDaily holds for every zone with odd changes: a job at a fixed time runs once on each date of the wall
// calendar, and Next always moves on.
func TestDailyIsDaily(t *testing.T) {
	zones := []string{"Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Africa/Cairo", "Asia/Beirut",
		"Australia/Lord_Howe", "America/Havana", "Africa/Casablanca", "Asia/Kathmandu"}
	rapid.Check(t, func(t *rapid.T) {
		tz := rapid.SampledFrom(zones).Draw(t, "zone")
		zone, err := time.LoadLocation(tz)
		if err != nil {
			t.Fatal(err)
		}
		hour, minute := rapid.IntRange(0, 23).Draw(t, "hour"), rapid.IntRange(0, 59).Draw(t, "minute")
		s := mustParse(t, strings.Join([]string{itoa(minute), itoa(hour), "* * *"}, " "), tz)
		year := rapid.IntRange(2010, 2030).Draw(t, "year")
		at := time.Date(year, 1, 1, 12, 0, 0, 0, time.UTC)
		seen := map[string]bool{}
		first := s.Next(at)
		for at = first; at.Before(first.AddDate(1, 0, 0)); {
			day := at.In(zone).Format(time.DateOnly)
			if seen[day] {
				t.Fatalf("twice on %s", day)
			}
			seen[day] = true
			next := s.Next(at)
			if !next.After(at) || next.Sub(at) > 26*time.Hour {
				t.Fatalf("%s is followed by %s", at, next)
			}
			at = next
		}
	})
}

func itoa(n int) string { return string(rune('0'+n/10)) + string(rune('0'+n%10)) }

func FuzzParseSchedule(f *testing.F) {
	for _, s := range []string{"*/15 * * * *", "@every 1h", "TZ=", "0 9 * * 7", "a b c d e", "1-2/3,4 * ? jan mon"} {
		f.Add(s, "Europe/Berlin")
	}
	f.Fuzz(func(t *testing.T, spec, tz string) {
		s, err := daemon.ParseSchedule(spec, tz)
		now := time.Date(2026, 3, 29, 0, 59, 0, 0, time.UTC)
		if err == nil && !s.Next(now).After(now) && !s.Next(now).IsZero() {
			t.Errorf("%q goes back to %s", spec, s.Next(now))
		}
	})
}

func TestScheduleNames(t *testing.T) {
	if got := mustParse(t, " 0 9 * * 1 ", "Europe/Berlin").String(); got != "0 9 * * 1 Europe/Berlin" {
		t.Errorf("got %q", got)
	}
	if got := mustParse(t, "@daily", "").String(); got != "@daily" {
		t.Errorf("got %q", got)
	}
	var zero daemon.Schedule
	if !zero.IsZero() || !zero.Next(time.Now()).IsZero() || zero.String() != "" {
		t.Error("the zero Schedule is due")
	}
}
