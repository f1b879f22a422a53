package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/org/openclaw-litellm-action/internal/netx"
	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/observe"
	"github.com/org/openclaw-litellm-action/report"
	"github.com/org/openclaw-litellm-action/rotate"
	"github.com/org/openclaw-litellm-action/settings"
)

// pass is one whole pass: what it gathers, until it is one report.
type pass struct {
	*bot
	in      report.Input
	holders *rotate.Holders // all of them, where they had to be read anyway
	told    report.Result
	errs    []error // everything that failed, for the exit code
	refused refusals
	noted   []*netx.Refusal // what notes tell of already
	touched bool            // something outside was written, apart from what people were told
	due     bool            // a plan found work
	damage  string          // why the export of spend logs could not be read to its end
}

// once makes one pass of the command, prints it and returns the exit code.
func (b *bot) once(ctx context.Context) int {
	p := b.pass(ctx)
	r := p.publish(ctx, true)
	p.complain()
	return p.exitCode(r)
}

// publish gives the report to every surface but those of people, who were told in the pass, and returns it as it is
// after that. It is printed only if print says so.
func (p *pass) publish(ctx context.Context, print bool) report.Report {
	r := p.report()
	if print {
		p.surface(&r, "writing the report", func() error { return p.print(r) })
	}
	p.surface(&r, "recording the pass", func() error { return p.record(ctx, r) })
	p.tellRunner(&r)
	return r
}

// complain says on standard error what failed, a line each, unless a person has just read it in the report.
func (p *pass) complain() {
	if p.stdoutTerminal.width > 0 && p.stderrTerminal.width > 0 && p.set.Format == "text" && p.set.Output == "" {
		return
	}
	if p.in.Left > 0 {
		p.errorLine(p.leftover())
	}
	told := map[string]bool{}
	for _, err := range p.errs {
		line := p.say(err)
		once := line
		if fault := (*settingFault)(nil); errors.As(err, &fault) {
			once = fault.setting + ": " + fault.remedy // one setting can be to blame for every key's failure
		}
		if !told[once] {
			told[once] = true
			p.errorLine(line)
		}
	}
}

// pass does the parts that the command asks for. What fails in one part stops no other.
func (b *bot) pass(ctx context.Context) *pass {
	began := b.now()
	in, end := b.phases(ctx)
	defer end()
	b, found := b.expandedOrNot(in.work)
	p := &pass{bot: b, holders: found.holders}
	p.in = report.Input{
		Now: began, Command: b.set.Command, DryRun: b.set.DryRun, Version: version, Redact: b.known.Redact, Zone: b.set.LiteLLM.Timezone,
		Findings: found.findings, Configured: found.others,
	}
	for _, f := range found.failed {
		p.fail("for_each", f.key, f.err)
	}
	for _, k := range b.set.Keys {
		p.in.Configured = append(p.in.Configured, k.Name)
	}
	if found.broken {
		p.in.Configured = nil
	}
	switch {
	case b.set.Command == settings.CommandKeys && !b.set.Unblock:
		p.part("listing the keys", func() { p.list(in.work) })
	case b.set.Command == settings.CommandKeys:
		p.part("unblocking", func() { p.rotate(in.work) })
	case b.set.Does(settings.PartRotate):
		p.part("rotating", func() { p.rotate(in.work) })
	}
	if p.holders != nil {
		p.part("looking for keys without a configuration", func() {
			p.in.Findings = append(p.in.Findings, p.holders.Unconfigured(b.set.Owner, p.in.Configured)...)
		})
	}
	if b.set.Does(settings.PartCheck) {
		p.part("checking", func() { p.check(in.work) })
	}
	p.part("reading what the page charts", func() { p.chart(in.work) })
	p.part("reading past passes", func() { p.past(ctx) })
	if b.set.Command == settings.CommandReport {
		p.part("reading the period", func() { p.period(in.work) })
	}
	p.part("saying what was not asked", func() {
		p.tellRefused(netx.Broken(in.work))
		p.sayLeft()
	})
	p.part("counting requests", p.count)
	if b.set.Does(settings.PartReport) && !b.set.DryRun {
		p.part("reporting to people", func() { p.tell(in.telling) })
		p.part("pinging the heartbeat", func() { p.beat(in.pinging) })
	}
	return p
}

// beat tells the heartbeat how the pass went, as far as it has come: also whether its report can be rendered.
func (p *pass) beat(ctx context.Context) {
	if p.set.Heartbeat.IsZero() {
		return
	}
	r := p.report()
	_, broken := p.rendered(r)
	if err := p.heartbeat(ctx, len(p.errs) == 0 && p.in.Left == 0 && broken == nil, r); err != nil {
		p.errs = append(p.errs, err)
		p.in.Failures = append(p.in.Failures, report.Failure{Step: "heartbeat", Message: err.Error()})
	}
}

// rotate does or plans the rotations. Being told to stop before all are done is no failure, but not done either.
func (p *pass) rotate(ctx context.Context) {
	outcomes := p.rotateKeys(ctx, p.fleet(ctx), p.set.DryRun)
	p.take(outcomes)
	left := len(p.selected())
	for _, o := range outcomes {
		if o.Waiting != rotate.ToldToStop {
			left--
		}
	}
	p.in.Left = left
}

// sayLeft notes that keys were not looked after.
func (p *pass) sayLeft() {
	if p.in.Left > 0 {
		p.in.Notes = append(p.in.Notes, p.leftover())
	}
}

// leftover says how many keys were not looked after.
func (p *pass) leftover() string {
	return fmt.Sprintf("%d of %d keys were not looked after, because the program was told to stop; the next run goes on with them",
		p.in.Left, len(p.selected()))
}

// fleet reads the keys together, if that is worth it, and keeps the holders that this shows.
func (p *pass) fleet(ctx context.Context) *rotate.Fleet {
	fleet := p.readFleet(ctx, p.holders)
	if p.holders == nil {
		p.holders = fleet.Holders()
	}
	return fleet
}

// list reads every key and plans nothing from it.
func (p *pass) list(ctx context.Context) {
	outcomes := p.rotateKeys(ctx, p.fleet(ctx), true)
	if p.holders == nil {
		var err error
		if p.holders, err = rotate.ReadHolders(ctx, p.proxy); err != nil {
			p.failed("", err)
		}
	}
	p.take(outcomes)
}

func (p *pass) take(outcomes []rotate.Outcome) {
	for i := range outcomes {
		p.adviseOutcome(&outcomes[i])
		p.takeRefused(&outcomes[i])
	}
	p.in.Outcomes = outcomes
	for _, o := range outcomes {
		if o.Err != nil {
			p.errs = append(p.errs, report.Leaves(o.Err)...)
		}
		if o.Later != nil {
			p.errs = append(p.errs, fmt.Errorf("key %q: %w", o.Name, o.Later))
		}
		for _, s := range o.Steps {
			p.due = true
			p.touched = p.touched || s.Done && !p.set.DryRun
		}
	}
}

// failed notes what could not be learned of a key, unless its rotation has said so already: that there is none yet, or
// that the proxy fails in this way.
func (p *pass) failed(key string, err error) {
	kind := litellm.KindOf(err)
	known := func(o rotate.Outcome) bool {
		return o.Name == key && (kind == litellm.NotFound || litellm.IsKind(o.Err, kind))
	}
	if kind != "" && slices.ContainsFunc(p.in.Outcomes, known) {
		return
	}
	if refused := (*litellm.Error)(nil); kind == litellm.NotFound && errors.As(err, &refused) {
		what := "has no budget and no generation yet; rotate makes them"
		if refused.Route == observe.TeamSource {
			what = "is not in its team yet; rotate puts it there, if there is such a team"
		}
		err = fmt.Errorf("key %q %s: bot rotate", key, what)
	}
	p.fail("observe", key, p.adviseProxy(err))
}

// tell tells people what is new.
func (p *pass) tell(ctx context.Context) {
	p.told, _ = p.telling().Tell(ctx, p.report()) // the error is that of the failures
	p.takeTold(p.told.Failures)
	p.in.Notes = append(p.in.Notes, p.told.Notes...)
	if where := p.reportedWhere(p.told); where != "" {
		p.in.Notes = append(p.in.Notes, where)
	}
	p.count()
}

// count notes the requests made so far.
func (p *pass) count() {
	p.in.Requests = map[string]int{"litellm": int(p.proxy.Requests())}
	if n := p.secrets.requests() + p.issuesAPI.Requests(); n > 0 {
		p.in.Requests["github"] = int(n)
	}
}

// exitCode is what the program says of the pass.
func (p *pass) exitCode(r report.Report) int {
	worst, any := r.Worst()
	switch {
	case len(p.errs) > 0 && !p.touched && p.onlySettings():
		return exitUsage
	case len(p.errs) > 0 || p.in.Left > 0:
		return exitFailed
	case p.set.FailOn != nil && any && worst >= *p.set.FailOn:
		return exitFinding
	case p.set.DetailedExitCode && p.due:
		return exitDue
	}
	return exitOK
}
