package main

import (
	"fmt"
	"slices"

	"github.com/org/openclaw-litellm-action/internal/panics"
	"github.com/org/openclaw-litellm-action/report"
	"github.com/org/openclaw-litellm-action/settings"
)

// catch runs one part of the program: one key, one surface, one thing to find out. A panic in it is the part's error,
// with its stack in the log, and stops no other part.
func (b *bot) catch(doing string, f func() error) error {
	err := panics.Catch(doing, func() error {
		if b.failpoint != nil {
			b.failpoint(doing)
		}
		return f()
	})
	if caught, ok := err.(*panics.Error); ok && caught.Doing == doing { // and not one that a part within has caught
		caught.Value = b.known.Redact(fmt.Sprint(caught.Value)) // whoever is told of it
		b.logPanic(caught)
	}
	return err
}

func (b *bot) logPanic(caught *panics.Error) {
	b.log.Error("internal error", "doing", caught.Doing, "error", caught, "stack", string(caught.Stack))
}

// giveUp says that a mistake of ours ended the program, and returns the exit code.
func (b *bot) giveUp(caught *panics.Error) int {
	text := caught.Doing + ": " + b.say(caught)
	b.errorLine(text)
	b.annotate("error", nil, text)
	return exitFailed
}

// part does a part of the pass that has no key of its own. A panic in it is a failure of the pass.
func (p *pass) part(doing string, f func()) {
	err := p.catch(doing, func() error {
		f()
		return nil
	})
	p.broke(doing, "", err)
}

// broke notes that a part failed, of a key or ("") of the pass; nil is nothing.
func (p *pass) broke(doing, key string, err error) {
	if err == nil {
		return
	}
	err = fmt.Errorf("%s: %w", doing, err)
	p.errs = append(p.errs, err)
	p.in.Failures = append(p.in.Failures, report.FailureOf(doing, key, "", err))
}

// report makes the report of what is known. Should some of it be more than the report can take, it is made without
// figures, or else of the failures alone.
func (p *pass) report() report.Report {
	const doing = "making the report"
	for _, reduced := range []func(report.Input) report.Input{whole, withoutFigures, failuresOnly} {
		var r report.Report
		err := p.catch(doing, func() error {
			r = report.New(reduced(p.in))
			return nil
		})
		if err == nil {
			return r
		}
		if !slices.ContainsFunc(p.in.Failures, func(f report.Failure) bool { return f.Step == doing }) {
			p.broke(doing, "", err)
		}
	}
	return report.Report{}.Add(p.in.Failures...)
}

func whole(in report.Input) report.Input { return in }

// withoutFigures keeps what was done, and what was found.
func withoutFigures(in report.Input) report.Input {
	in.Spend, in.Failover, in.Overview, in.History, in.Logs = nil, nil, nil, nil, nil
	return in
}

func failuresOnly(in report.Input) report.Input {
	out := report.Input{
		Now: in.Now, Command: in.Command, DryRun: in.DryRun, Version: in.Version, Period: in.Period, Left: in.Left,
		Failures: slices.Clone(in.Failures), Notes: in.Notes, Requests: in.Requests, Redact: in.Redact,
	}
	for _, o := range in.Outcomes {
		if o.Err != nil {
			out.Failures = append(out.Failures, report.FailureOf("", o.Name, "", o.Err))
		}
	}
	return out
}

// surface gives the report to one surface. If that fails, the surfaces after it say so.
func (p *pass) surface(r *report.Report, doing string, show func() error) {
	err := p.catch(doing, show)
	if err == nil {
		return
	}
	p.errs = append(p.errs, err)
	f := report.FailureOf(doing, "", "", err)
	f.Message, f.Public = p.known.Redact(f.Message), p.known.Redact(f.Public)
	if !slices.ContainsFunc(r.Failures, func(g report.Failure) bool { return g.Message == f.Message }) {
		*r = r.Add(f)
		p.in.Failures = append(p.in.Failures, f)
	}
}

// loadSettings reads the settings. Of what cannot be read because of a mistake of ours, the secrets are known all the
// same.
func loadSettings(p process) (*settings.Settings, error) {
	var set *settings.Settings
	err := panics.Catch("reading the settings", func() (err error) {
		set, err = settings.Load(p.args, p.getenv, p.reader(settings.MaxFile), sandboxConfig)
		return err
	})
	if set == nil {
		set, _ = settings.Load([]string{settings.CommandVersion}, p.getenv, nil, nil)
	}
	return set, err
}
