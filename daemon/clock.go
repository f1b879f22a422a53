package daemon

import "time"

// tolerance is how far the wall clock may fall behind before jobs are planned again. Schedules are in minutes, and NTP
// steps are in seconds: a step across the minute of a run must not make a second one.
const tolerance = time.Minute

// moment is one look at both clocks. Jobs are due by the wall clock; how long something takes is measured by the other.
type moment struct {
	wall time.Time // may be set in either direction; no monotonic part, because a suspended machine misses time, too
	mono time.Time // nobody sets it, but it stops while the machine is suspended; only differences mean something
}

// look reads both clocks.
func (d *Daemon) look() moment {
	now := time.Now()
	m := moment{wall: now.Round(0), mono: now}
	if d.Now != nil {
		m.wall = d.Now().Round(0)
	}
	return m
}

// since is the time from before to m, whatever was done to the wall clock in between.
func (m moment) since(before moment) time.Duration { return m.mono.Sub(before.mono) }

// drift is how far the wall clock went ahead of the time that passed from before to m. It is negative if the clock was
// set back.
func (m moment) drift(before moment) time.Duration {
	return m.wall.Sub(before.wall) - m.since(before)
}

// compare reports whether the wall clock was set back since jobs were last planned by it. Steps that are too small to
// matter add up until they do. The caller holds mu.
func (d *Daemon) compare(now moment) (setBack bool) {
	drift := now.drift(d.state.planned)
	switch {
	case drift <= -tolerance:
		d.log().Warn("wall clock was set back: planning all jobs again", "by", -drift, "now", now.wall)
	case drift >= tolerance:
		d.log().Info("wall clock went ahead: it was set, or the machine was suspended", "by", drift, "now", now.wall)
	case drift <= 0:
		return false
	}
	d.state.planned = now
	return drift < 0
}

// jobState is where one job stands.
type jobState struct {
	next    time.Time     // when it is due, by the wall clock; zero: never
	planned moment        // when next was computed, in an unbroken wall time
	wait    time.Duration // from planned to next
	period  time.Duration // from next to the time after that; 0: there is none

	due     bool
	waiting moment // since when it is due
	running bool
	last    *Run
}

// plan computes when the job is due after from, which is now or a little later.
func (s *jobState) plan(schedule Schedule, now moment, from time.Time) {
	s.planned = now
	s.next = schedule.Next(from)
	s.period = 0
	if s.next.IsZero() {
		return
	}
	s.wait = s.next.Sub(now.wall)
	if after := schedule.Next(s.next); !after.IsZero() {
		s.period = after.Sub(s.next)
	}
}

// mark makes the job due if its time has come, however often it was missed. setBack says that the wall clock was set
// back: the job is then planned by the new time. If it had come due without that, it is due now, and again in a minute
// at the earliest. So no job waits a whole period of its schedule longer than planned, even if the clock is set back
// again and again.
func (s *jobState) mark(schedule Schedule, now moment, setBack bool) {
	switch {
	case s.next.IsZero() && !setBack:
	case s.next.IsZero():
		s.plan(schedule, now, now.wall)
	case !s.next.After(now.wall):
		s.become(now)
		s.plan(schedule, now, now.wall)
	case setBack && now.since(s.planned) >= s.wait:
		s.become(now)
		s.plan(schedule, now, now.wall.Add(tolerance))
	case setBack && schedule.every > 0: // counts from the run before and not by the hands of a clock
		s.next = now.wall.Add(s.wait - now.since(s.planned))
	case setBack:
		s.next = schedule.Next(now.wall)
	}
}

// become makes the job due.
func (s *jobState) become(now moment) {
	if !s.due {
		s.due, s.waiting = true, now
	}
}

// late reports whether the job has been due for as long as it should take to the next time, and has not begun.
func (s *jobState) late(now moment) bool {
	const least = 5 * time.Minute // a run may take longer than the minute after which it is due again
	return s.due && s.period > 0 && now.since(s.waiting) >= max(s.period, least)
}
