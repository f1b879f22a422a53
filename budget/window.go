package budget

import (
	"regexp"
	"strconv"
	"time"
)

// durationForm is what LiteLLM takes as a budget_duration; its words for whole units are resolved first.
var durationForm = regexp.MustCompile(`^([0-9]{1,6})(mo|[smhdw])$`)

// WindowStart is WindowStartIn for a proxy whose time zone is not known: a start on the other side of a change to or from
// daylight saving time is an hour off, or what the change is.
func WindowStart(duration string, resetAt time.Time) (start time.Time, ok bool) {
	return WindowStartIn(duration, resetAt, nil)
}

// WindowStartIn returns the start of the budget window that ends at resetAt, by LiteLLM's calendar in the proxy's time zone
// (nil: not known): 30d and 1mo run from a first of the month to the next, 7d and 1w from Monday to Monday, other days from
// the same time of day that many days before, hours and less simply back from their end. The time of day at which windows
// end (budget_reset_time) is that of resetAt. ok is false where duration or resetAt does not tell, and for hours, minutes and
// seconds that do not divide a day, an hour and a minute: those windows are of several lengths.
func WindowStartIn(duration string, resetAt time.Time, zone *time.Location) (start time.Time, ok bool) {
	n, unit, ok := parseDuration(duration)
	if !ok || resetAt.IsZero() {
		return time.Time{}, false
	}
	switch unit {
	case "mo":
		return monthBefore(resetAt, zone)
	case "w":
		n, unit = 7*n, "d"
	}
	if unit == "d" {
		if start, ok := monthBefore(resetAt, zone); ok && n == 30 {
			return start, true
		}
		if zone == nil {
			zone = time.UTC // without changes of the clock a day is a day
		}
		return resetAt.In(zone).AddDate(0, 0, -n).UTC(), true
	}
	length := map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour}[unit]
	whole := map[string]int{"s": 60, "m": 60, "h": 24}[unit]
	if whole%n != 0 {
		return time.Time{}, false
	}
	return resetAt.Add(-time.Duration(n) * length).UTC(), true
}

// Begun returns start, or if that is still to come when the budget's row was made (zero: not known). It is to come in the
// first window of a budget of days that ends at a time of day: LiteLLM lets those days begin at that time, and what is left
// until then comes on top.
func Begun(start, since, now time.Time) time.Time {
	if !start.After(now) {
		return start
	}
	if since.After(now) {
		return time.Time{}
	}
	return since
}

// monthBefore returns the first of the month before the first that resetAt lies on: in zone, or where it does not there
// (releases before 1.93 know fixed offsets alone) or zone is nil, in whatever zone it does. ok is false where it does in none.
func monthBefore(resetAt time.Time, zone *time.Location) (start time.Time, ok bool) {
	if zone != nil && resetAt.In(zone).Day() == 1 {
		return resetAt.In(zone).AddDate(0, -1, 0).UTC(), true
	}
	at := resetAt.UTC()
	toMidnight := at.Truncate(24 * time.Hour).Add(24 * time.Hour).Sub(at)
	sinceMidnight := 24*time.Hour - toMidnight
	offset := time.Duration(0)
	switch {
	case at.Day() == 1:
	case at.Add(toMidnight).Day() == 1 && toMidnight <= mostEast: // the first has begun east of Greenwich
		offset = toMidnight
	case at.Day() == 2 && sinceMidnight < mostWest: // it has not ended west of it
		offset = -sinceMidnight - time.Second
	default:
		return time.Time{}, false
	}
	return at.In(time.FixedZone("", int(offset/time.Second))).AddDate(0, -1, 0).UTC(), true
}

// How far zones are from UTC at most.
const (
	mostEast = 14 * time.Hour
	mostWest = 12 * time.Hour
)

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
