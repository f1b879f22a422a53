// Package daemon runs jobs on schedules, one at a time.
//
// A Schedule is a cron spec in an explicit time zone, checked when it is read. A Daemon holds the jobs. Its loop sleeps
// until the next job is due, or half a minute, and runs what is due in a goroutine of its own; never two at once. A job
// that comes due while another runs (or itself) is run once afterwards, however often it was missed.
//
// Jobs are due by the wall clock. If that goes ahead, because it was set or the machine was suspended, what was missed
// is run once. If it is set back by a minute or more, all jobs are planned again by the new time, and a job whose time
// had come is run; a clock that stands still delays a job by one period of its schedule at most. Durations (the sleeps,
// how long a run took, whether the loop is alive) are measured by the monotonic clock.
//
// When the daemon is told to stop, the running job may finish the step it is at: Stopping(ctx) is closed at once, and
// ctx only after StopGrace. Health answers whether the loop turns, whether jobs begin when they should and whether
// their last runs were good, without any data.
package daemon
