package budget

import (
	"regexp"
	"strconv"
	"time"
)

// durationForm is what LiteLLM takes as a budget_duration; its words for whole units are resolved first.
var durationForm = regexp.MustCompile(`^([0-9]{1,6})(mo|[smhdw])$`)

// WindowStart is WindowStartIn for a proxy whose time zone is not known: it is taken from resetAt, which is a midnight
// there, so that a start on the other side of a change to or from daylight saving time is an hour off.
func WindowStart(duration string, resetAt time.Time) (start time.Time, ok bool) {
	return WindowStartIn(duration, resetAt, nil)
}

// WindowStartIn returns the start of the budget window that ends at resetAt, by LiteLLM's calendar in the proxy's time zone
// (nil: not known): 30d and 1mo run from a first of the month to the next, 7d and 1w from Monday to Monday, other days from
// the same time of day that many days before, hours and less simply back from their end. ok is false where duration or
// resetAt does not tell, and for hours, minutes and seconds that do not divide a day, an hour and a minute: those windows are
// of several lengths.
func WindowStartIn(duration string, resetAt time.Time, zone *time.Location) (start time.Time, ok bool) {
	n, unit, ok := parseDuration(duration)
	if !ok || resetAt.IsZero() {
		return time.Time{}, false
	}
	end := inMidnightZone(resetAt.UTC())
	if zone != nil {
		end = resetAt.In(zone)
	}
	switch unit {
	case "mo":
		return end.AddDate(0, -1, 0).UTC(), true
	case "w":
		n, unit = 7*n, "d"
	}
	if unit == "d" {
		if n == 30 && end.Day() == 1 {
			return end.AddDate(0, -1, 0).UTC(), true
		}
		return end.AddDate(0, 0, -n).UTC(), true
	}
	length := map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour}[unit]
	whole := map[string]int{"s": 60, "m": 60, "h": 24}[unit]
	if whole%n != 0 {
		return time.Time{}, false
	}
	return end.Add(-time.Duration(n) * length).UTC(), true
}

// parseDuration reads LiteLLM's words. Only one month is a month: longer ones are refused by the proxy.
func parseDuration(text string) (n int, unit string, ok bool) {
	switch text {
	case "hourly":
		return 1, "h", true
	case "daily":
		return 1, "d", true
	case "weekly":
		return 7, "d", true
	case "monthly":
		return 1, "mo", true
	}
	m := durationForm.FindStringSubmatch(text)
	if m == nil {
		return 0, "", false
	}
	n, err := strconv.Atoi(m[1])
	if err != nil || n == 0 || m[2] == "mo" && n != 1 {
		return 0, "", false
	}
	return n, m[2], true
}

// inMidnightZone returns t in the zone in which it is a midnight, or t as it is where no zone makes it one.
func inMidnightZone(t time.Time) time.Time {
	past := t.Sub(t.Truncate(24 * time.Hour))
	if past == 0 {
		return t
	}
	offset := -past // west of Greenwich: midnight comes later
	if past >= 12*time.Hour {
		offset = 24*time.Hour - past
	}
	return t.In(time.FixedZone("", int(offset/time.Second)))
}
