// Package daemon runs jobs on schedules, one at a time.
//
// A Schedule is a cron spec in an explicit time zone, checked when it is read. A Daemon holds the jobs. Its loop sleeps
// until the next job is due, or half a minute, and runs what is due in a goroutine of its own; never two at once. A job
// that comes due while another runs (or itself) is run once afterwards, however often it was missed.
//
// When the daemon is told to stop, the running job may finish the step it is at: Stopping(ctx) is closed at once, and ctx
// only after StopGrace. Health answers whether the loop ticks and whether the last passes were good, without any data.
package daemon
