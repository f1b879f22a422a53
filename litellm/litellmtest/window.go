package litellmtest

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// window is a budget's period: LiteLLM's budget_duration and budget_reset_at.
type window struct {
	family   family
	duration string
	resetAt  time.Time // zero: none
}

// next is the end of the window that now lies in. A duration that cannot be computed ends at the next midnight, as the
// real proxy has it.
func (w window) next(now time.Time) time.Time {
	at, err := nextReset(w.family, w.duration, now)
	if err != nil {
		return midnight(now).AddDate(0, 0, 1)
	}
	return at
}

// start is when the window that ends at resetAt began; the zero time if there is none.
func (w window) start() time.Time {
	if w.resetAt.IsZero() {
		return time.Time{}
	}
	duration := w.duration
	if w.family == family106 {
		duration = alias(duration)
	}
	count, unit, ok := splitDuration(duration)
	units := map[string]time.Duration{"h": time.Hour, "m": time.Minute, "s": time.Second}
	switch length := units[unit]; {
	case ok && (unit == "mo" || unit == "d" && count == 30):
		return w.resetAt.AddDate(0, -1, 0)
	case ok && unit == "d":
		return w.resetAt.AddDate(0, 0, -count)
	case ok && unit == "w" && w.family != family81:
		return w.resetAt.AddDate(0, 0, -7*count)
	case ok && length > 0:
		return w.resetAt.Add(-time.Duration(count) * length)
	default:
		return w.resetAt.AddDate(0, 0, -1)
	}
}

var (
	budgetPattern = regexp.MustCompile(`^(\d+)([a-z]+)`)
	expiryPattern = regexp.MustCompile(`^(\d+)(mo|[smhdw]?)`)
)

// exception is an error in LiteLLM's words.
type exception string

// Error implements error.
func (e exception) Error() string { return string(e) }

const (
	errMonths   exception = "Monthly resets currently only support 1 month intervals"
	errDuration exception = "Invalid duration format"
)

// nextReset is LiteLLM's calendar: 1d, 24h → midnight; 7d → Monday; 30d, 1mo → the 1st; other days from today's
// midnight; hours, minutes and seconds aligned. What it does not understand, it takes for a day.
func nextReset(f family, duration string, now time.Time) (time.Time, error) {
	now = now.UTC()
	if f == family106 {
		duration = alias(duration)
	}
	count, unit, ok := splitDuration(duration)
	tomorrow := midnight(now).AddDate(0, 0, 1)
	if !ok {
		return tomorrow, nil
	}
	switch {
	case unit == "mo" && count != 1:
		return time.Time{}, errMonths
	case unit == "mo":
		return firstOfNextMonth(now), nil
	case unit == "w" && f != family81:
		return nextDays(now, 7*count), nil
	case unit == "d":
		return nextDays(now, count), nil
	case unit == "h":
		return aligned(now, count, time.Hour), nil
	case unit == "m":
		return aligned(now, count, time.Minute), nil
	case unit == "s":
		return aligned(now, count, time.Second), nil
	default:
		return tomorrow, nil
	}
}

// nextDays is the reset of a window of so many days.
func nextDays(now time.Time, days int) time.Time {
	switch days {
	case 0:
		return now
	case 7:
		return midnight(now).AddDate(0, 0, 7-(int(now.Weekday())+6)%7)
	case 30:
		return firstOfNextMonth(now)
	default:
		return midnight(now).AddDate(0, 0, days)
	}
}

// aligned is the next multiple of count units within the enclosing unit. A window that passes midnight ends on the next
// day, however long it is: 36h is at most a day ahead.
func aligned(now time.Time, count int, unit time.Duration) time.Time {
	if count == 0 {
		return now
	}
	base := midnight(now)
	switch unit {
	case time.Minute:
		base = now.Truncate(time.Hour)
	case time.Second:
		base = now.Truncate(time.Minute)
	}
	passed := int(now.Sub(base) / unit)
	at := base.Add(time.Duration(passed+count-passed%count) * unit)
	if tomorrow := midnight(now).AddDate(0, 0, 1); !at.Before(tomorrow) {
		at = tomorrow.Add(at.Sub(midnight(at)))
	}
	return at
}

func midnight(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
}

func firstOfNextMonth(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month()+1, 1, 0, 0, 0, 0, time.UTC)
}

// alias is the word aliases of new releases.
func alias(duration string) string {
	switch strings.ToLower(strings.TrimSpace(duration)) {
	case "hourly":
		return "1h"
	case "daily":
		return "24h"
	case "weekly":
		return "7d"
	case "monthly":
		return "30d"
	default:
		return duration
	}
}

// splitDuration is LiteLLM's lenient reading of a budget duration: leading digits, then all letters that follow.
func splitDuration(text string) (count int, unit string, ok bool) {
	m := budgetPattern.FindStringSubmatch(text)
	if m == nil {
		return 0, "", false
	}
	count, err := strconv.Atoi(m[1])
	return count, m[2], err == nil
}

// expiry is when a key with such a duration expires: an exact offset from now, months by the calendar.
func expiry(f family, duration string, now time.Time) (time.Time, error) {
	if f == family106 {
		duration = alias(duration)
	}
	m := expiryPattern.FindStringSubmatch(duration)
	if m == nil {
		return time.Time{}, errDuration
	}
	count, err := strconv.Atoi(m[1])
	if err != nil {
		return time.Time{}, errDuration
	}
	units := map[string]time.Duration{
		"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour,
	}
	if m[2] == "mo" {
		return monthsLater(now, count), nil
	}
	unit, ok := units[m[2]]
	if !ok {
		return time.Time{}, exception("Unsupported duration unit, passed duration: " + duration)
	}
	return now.Add(time.Duration(count) * unit), nil
}

// monthsLater is the same day so many months on, or that month's last day.
func monthsLater(now time.Time, months int) time.Time {
	first := time.Date(now.Year(), now.Month()+time.Month(months), 1, 0, 0, 0, 0, time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	day := slices.Min([]int{now.Day(), last})
	return first.AddDate(0, 0, day-1).Add(now.Sub(midnight(now)))
}
