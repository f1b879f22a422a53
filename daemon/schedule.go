package daemon

import (
	"errors"
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // the service's image has no time zones of its own

	"github.com/robfig/cron/v3"
)

// Schedule says when a job is due. The zero Schedule is never due.
type Schedule struct {
	spec  string
	zone  *time.Location
	every time.Duration // of "@every", 0 for the rest
	wall  cron.Schedule // in UTC, which stands for the clock on the wall of zone
	// hourly says that every hour of the day is meant, so that time differences and not the clock on the wall count.
	hourly bool
}

// ParseSchedule reads a cron spec of five fields (minute, hour, day of month, month, day of week) or one of @hourly,
// @daily, @weekly, @monthly, @yearly and "@every 90m". tz is an IANA time zone; "" is UTC. What could be misread is
// refused, and so is a spec that never comes due.
//
// A job at a fixed hour runs once a day also when clocks change: one that falls into the skipped hour runs at its end,
// one in the repeated hour runs the first time.
func ParseSchedule(spec, tz string) (Schedule, error) {
	s, err := parse(strings.TrimSpace(spec), tz)
	if err != nil {
		return Schedule{}, fmt.Errorf("reading schedule %q: %w", spec, err)
	}
	return s, nil
}

func parse(spec, tz string) (Schedule, error) {
	zone, err := location(tz)
	if err != nil {
		return Schedule{}, err
	}
	s := Schedule{spec: spec, zone: zone}
	if delay, ok := strings.CutPrefix(spec, "@every"); ok {
		s.every, err = interval(strings.TrimSpace(delay))
		return s, err
	}
	if err := checkFields(spec); err != nil {
		return Schedule{}, err
	}
	if s.wall, err = guarded(spec); err != nil {
		return Schedule{}, err
	}
	if c, ok := s.wall.(*cron.SpecSchedule); ok {
		const allHours = 1<<24 - 1
		c.Location = time.UTC
		s.hourly = c.Hour&allHours == allHours
	}
	if s.wall.Next(time.Unix(0, 0).UTC()).IsZero() {
		return Schedule{}, errors.New("it never comes due")
	}
	return s, nil
}

func location(tz string) (*time.Location, error) {
	switch tz {
	case "":
		return time.UTC, nil
	case "Local":
		return nil, errors.New(`time zone "Local" depends on the machine: name one, such as Europe/Berlin`)
	}
	zone, err := time.LoadLocation(tz)
	if err != nil {
		return nil, fmt.Errorf("there is no time zone %q: use an IANA name, such as Europe/Berlin or UTC", tz)
	}
	return zone, nil
}

func interval(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	switch {
	case err != nil:
		return 0, errors.New("@every needs a duration, such as @every 90m")
	case d < time.Minute:
		return 0, errors.New("@every takes a minute or more")
	}
	return d, nil
}

// checkFields refuses what the parser would panic on, take in another sense or explain badly.
func checkFields(spec string) error {
	switch {
	case spec == "":
		return errors.New("it is empty")
	case strings.HasPrefix(spec, "TZ=") || strings.HasPrefix(spec, "CRON_TZ="):
		return errors.New("the time zone is a setting of its own and not part of the schedule")
	case strings.HasPrefix(spec, "@"):
		return nil
	}
	fields := strings.Fields(spec)
	switch {
	case len(fields) == 6:
		return errors.New("it has six fields; there is none for seconds: minute, hour, day of month, month, day of week")
	case len(fields) != 5:
		return fmt.Errorf("it has %d fields and not five: minute, hour, day of month, month, day of week", len(fields))
	}
	for _, f := range fields {
		if strings.HasPrefix(f, ",") || strings.HasSuffix(f, ",") || strings.Contains(f, ",,") {
			return fmt.Errorf("field %q has an empty part", f)
		}
	}
	for _, day := range strings.FieldsFunc(fields[4], func(r rune) bool { return r == ',' || r == '-' }) {
		if day, _, _ = strings.Cut(day, "/"); day == "7" {
			return errors.New("day of week 7 is not known: Sunday is 0 or sun")
		}
	}
	return nil
}

// guarded parses spec, and returns as an error whatever the parser does about it.
func guarded(spec string) (s cron.Schedule, err error) {
	defer func() {
		if p := recover(); p != nil {
			s, err = nil, errors.New("it is not a cron schedule")
		}
	}()
	return cron.ParseStandard(spec)
}

// String returns the spec and, but for UTC, the time zone.
func (s Schedule) String() string {
	if s.zone == nil || s.zone == time.UTC {
		return s.spec
	}
	return s.spec + " " + s.zone.String()
}

// IsZero reports whether s is the zero Schedule.
func (s Schedule) IsZero() bool { return s.zone == nil }

// Next returns the first time after t at which s is due, in UTC, and the zero time if there is none within five years.
//
// It walks through the periods of constant offset that the zone has, in each of which the wall clock is regular.
func (s Schedule) Next(t time.Time) time.Time {
	switch {
	case s.zone == nil:
		return time.Time{}
	case s.every > 0:
		return t.Add(s.every).UTC()
	}
	p := periodOf(t.In(s.zone))
	from := p.wall(t)
	for {
		w := s.wall.Next(from)
		if w.IsZero() {
			return time.Time{}
		}
		if due := p.instant(w); p.end.IsZero() || due.Before(p.end) {
			if p.repeats(w) && !s.hourly {
				from = w
				continue
			}
			return due
		}
		next := periodOf(p.end)
		if skipped := w.Before(next.wall(p.end)); skipped && !s.hourly {
			return p.end.UTC()
		}
		p, from = next, next.wall(next.start).Add(-time.Nanosecond)
	}
}

// period is a time of constant offset from UTC in one zone. The wall clock is written as a time in UTC.
type period struct {
	start, end     time.Time // zero: unbounded
	offset, before time.Duration
}

func periodOf(t time.Time) period {
	var p period
	p.start, p.end = t.ZoneBounds()
	p.offset = offset(t)
	p.before = p.offset
	if !p.start.IsZero() {
		p.before = offset(p.start.Add(-time.Nanosecond))
	}
	return p
}

func offset(t time.Time) time.Duration {
	_, seconds := t.Zone()
	return time.Duration(seconds) * time.Second
}

func (p period) wall(t time.Time) time.Time    { return t.UTC().Add(p.offset) }
func (p period) instant(w time.Time) time.Time { return w.Add(-p.offset) }

// repeats reports whether the wall clock showed w in the period before as well.
func (p period) repeats(w time.Time) bool {
	return p.before > p.offset && w.Before(p.start.UTC().Add(p.before))
}
