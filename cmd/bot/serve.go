package main

import (
	"context"
	"errors"
	"net"

	"github.com/org/openclaw-litellm-action/daemon"
	"github.com/org/openclaw-litellm-action/settings"
)

// serve makes passes on the schedule until the program is told to stop. A pass that failed ends nothing: the next one
// tries again, and /readyz says so meanwhile.
func (b *bot) serve(ctx context.Context) int {
	jobs, err := b.jobs()
	if err != nil {
		return b.refuse(err)
	}
	d := &daemon.Daemon{
		Jobs: jobs, Log: b.log, HealthListen: b.set.HealthListen, Now: b.now, StopGrace: stopWithin,
		OnListen: func(a net.Addr) { b.log.Info("health endpoints listen", "address", a.String()) },
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-b.stop:
			b.log.Info("stopping: the step in hand is finished first")
			cancel()
		case <-ctx.Done():
		}
	}()
	if err := d.Serve(ctx); err != nil {
		b.log.Error("serving", "error", err)
		return exitFailed
	}
	return exitOK
}

func (b *bot) jobs() ([]daemon.Job, error) {
	zone := b.set.Schedule.Timezone.String()
	run, err := daemon.ParseSchedule(b.set.Schedule.Run, zone)
	if err != nil {
		return nil, err
	}
	jobs := []daemon.Job{{Name: settings.CommandRun, Schedule: run, AtStart: true, Run: b.scheduled(settings.CommandRun)}}
	if b.set.Schedule.Report == "" {
		return jobs, nil
	}
	report, err := daemon.ParseSchedule(b.set.Schedule.Report, zone)
	if err != nil {
		return nil, err
	}
	return append(jobs, daemon.Job{Name: settings.CommandReport, Schedule: report, Run: b.scheduled(settings.CommandReport)}), nil
}

// scheduled is one pass of the service: as the command by hand, with clients that know nothing of the last pass. Its
// report is printed if there is something to read in it; a file is written in every pass.
func (b *bot) scheduled(command string) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		once, set := *b, *b.set
		once.set, once.stop = &set, daemon.Stopping(ctx)
		set.Command, set.Parts = command, partsOf(command)
		ctx = once.begun(ctx)
		if err := once.connect(); err != nil {
			return err
		}
		p := once.pass(ctx)
		r := p.publish(ctx, p.touched || len(p.errs) > 0 || command == settings.CommandReport || set.Output != "")
		b.log.Info("pass done", "command", command, "keys", len(r.Keys), "rotated", r.Totals.Rotated,
			"findings", len(r.Findings), "failures", len(r.Failures))
		return errors.Join(p.errs...)
	}
}

// partsOf are the parts of a scheduled pass.
func partsOf(command string) []settings.Part {
	if command == settings.CommandRun {
		return []settings.Part{settings.PartRotate, settings.PartCheck, settings.PartReport}
	}
	return nil
}
