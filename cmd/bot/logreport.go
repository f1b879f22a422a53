package main

import (
	"slices"

	"github.com/org/openclaw-litellm-action/report"
	"github.com/org/openclaw-litellm-action/spendlog"
)

// tellRunnerOf gives GitHub Actions what of an export everybody may read. If that cannot be made, what failed is all.
func (p *pass) tellRunnerOf(r report.Report, s *spendlog.Summary, o spendlog.Options) {
	open := report.Report{GeneratedAt: r.GeneratedAt, Command: r.Command, ToolVersion: r.ToolVersion}
	p.surface(&open, "making the report for everybody", func() error {
		open = p.shownTo(p.publicView(), r, s, o)
		return nil
	})
	p.tellRunner(&open)
}

// shownTo returns the report of an export as a view may show it. Its keys are those of everybody who uses the proxy,
// and people put their names into aliases: where everybody can read it, all but the configured one are named by their
// hashes.
func (p *pass) shownTo(view report.Options, r report.Report, s *spendlog.Summary, o spendlog.Options) report.Report {
	if !view.Public || s == nil {
		return r
	}
	open, ours := *p, p.set.Keys[0].Name
	others := func(k spendlog.Key) bool { return k.Alias != "" && keyName(k.Token, k.Alias) != ours }
	if slices.ContainsFunc(s.Keys, others) {
		open.note("keys other than %s are named by their hashes, because everybody can read this", ours)
	}
	return open.logReport(s, o, hashNames(s, ours))
}

// logReport makes the report of an export, nil if it could not be read. name names its keys.
func (p *pass) logReport(s *spendlog.Summary, o spendlog.Options, name namer) report.Report {
	q := &pass{bot: p.bot, in: p.in, damage: p.damage}
	if s != nil {
		q.part("checking the export", func() { q.takeLogs(s, o, name) })
	}
	r := q.report()
	p.errs = append(p.errs, q.errs...)
	return r
}
