package settings

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Period is what a report covers: by name, or so many days, or from one day to another.
type Period struct {
	Name     string    // as it was given: day, week, month, 24h, 7d, 2026-11-01..2026-11-15
	Days     int       // of a number of days, today included; else 0
	From, To time.Time // the first and the last day (UTC) of a range; zero otherwise
}

var daysBack = regexp.MustCompile(`^([1-9][0-9]{0,2})d$`)

// parsePeriod reads a period.
func parsePeriod(text string) (Period, *problem) {
	p := Period{Name: text}
	const remedy = "write day, week, month, 24h, a number of days such as 30d, or days such as 2026-11-01..2026-11-15"
	switch text {
	case "day", "week", "month", "24h":
		return p, nil
	}
	if m := daysBack.FindStringSubmatch(text); m != nil {
		p.Days, _ = strconv.Atoi(m[1])
		if p.Days > 366 {
			return Period{}, bad("write at most 366d", "%s is longer than a year", quote(text))
		}
		return p, nil
	}
	first, last, ok := strings.Cut(text, "..")
	if !ok {
		return Period{}, bad(remedy, "%s is not a period", quote(text))
	}
	var err, err2 error
	p.From, err = time.Parse(time.DateOnly, first)
	p.To, err2 = time.Parse(time.DateOnly, last)
	switch {
	case err != nil || err2 != nil:
		return Period{}, bad(remedy, "%s is not two days", quote(text))
	case p.To.Before(p.From):
		return Period{}, bad("write the first day first", "%s ends before it begins", quote(text))
	case p.To.Sub(p.From) > 366*24*time.Hour:
		return Period{}, bad("write at most a year", "%s is longer than a year", quote(text))
	}
	return p, nil
}
