package report

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/budget"
	"github.com/org/openclaw-litellm-action/failover"
	"github.com/org/openclaw-litellm-action/finding"
	"github.com/org/openclaw-litellm-action/rotate"
)

// Input is everything a Report is made of. What was not asked is nil.
type Input struct {
	Now      time.Time
	Command  string // "run", "check", …
	DryRun   bool   // nothing was written: the steps are a plan
	Version  string // of the tool
	Period   *Period
	Outcomes []rotate.Outcome // one a key; their findings are taken in
	Spend    []budget.Facts   // one a key whose spend was observed
	Failover *failover.Facts
	Findings []finding.Finding // what budget and failover judged
	Failures []Failure         // what belongs to no step: observing, reading
	Errors   []error           // the same, without further detail
	Notes    []string          // in words for everybody
	Doubts   []failover.Gap    // what could not be learned besides, which becomes notes
	Left     int               // keys that were not looked after, because the program was told to stop
	Overview *Overview         // of Period
	History  *History          // of past passes; nil: none is kept
	Logs     *Logs             // an export of spend logs
	Zone     *time.Location    // in which the proxy resets budgets; nil: not told
	Requests map[string]int    // by outside system
	// Configured names every key of the configuration, whether or not this pass touched it; nil: not told. A story about
	// a key that is configured no more is over.
	Configured []string
	// Redact, if not nil, takes known secrets out of every text from outside.
	Redact func(string) string
}

// New makes the report of in. It is pure, keeps nothing of in, and orders everything: the same input, in whatever order,
// gives the same report.
func New(in Input) Report {
	redact := in.Redact
	if redact == nil {
		redact = func(s string) string { return s }
	}
	r := Report{
		SchemaVersion: SchemaVersion, GeneratedAt: in.Now.UTC(), Command: in.Command, DryRun: in.DryRun,
		ToolVersion: in.Version, Period: in.Period, Overview: in.Overview, History: in.History.asOf(in.Now), Logs: in.Logs, Requests: in.Requests,
		Totals: Totals{Left: in.Left}, Notes: append([]string{}, in.Notes...), Failures: append([]Failure{}, in.Failures...), Findings: []finding.Finding{},
		judged: coverageOf(in),
	}
	for i := range r.Notes {
		r.Notes[i] = redact(r.Notes[i])
	}
	for _, err := range in.Errors {
		r.Failures = append(r.Failures, FailureOf("", "", "", err))
	}
	r.Findings = append(r.Findings, in.Findings...)
	for _, o := range in.Outcomes {
		r.Findings = append(r.Findings, o.Findings...)
		r.Failures = append(r.Failures, failuresOf(o)...)
	}
	for i := range r.Failures {
		f := &r.Failures[i]
		f.Message, f.Public = redact(f.Message), redact(f.Public)
	}
	r.PublicNotes = slices.Clone(r.Notes)
	for _, d := range in.Doubts {
		r.Notes = append(r.Notes, redact(d.Text+said(d.Said)))
		r.PublicNotes = append(r.PublicNotes, redact(d.Text))
	}
	for i := range r.Findings {
		f := &r.Findings[i]
		f.Summary, f.Cause, f.Advice = redact(f.Summary), redact(f.Cause), redact(f.Advice)
		f.Said, f.Who = redact(f.Said), redact(f.Who)
	}
	if in.Failover != nil {
		r.Proxy = proxyOf(*in.Failover, redact)
	}
	r.Findings = sortFindings(r.Findings)
	r.Keys = keysOf(in, redact)
	r.grade()
	below := belowZero(r.Keys)
	r.Notes, r.PublicNotes = append(r.Notes, below...), append(r.PublicNotes, below...)
	return r
}

// said is what an outside system said, after our own words.
func said(s string) string {
	if s == "" {
		return ""
	}
	return ": " + s
}

// belowZero notes of which keys the spend is less than nothing: the proxy lets them spend that much beyond their limit.
func belowZero(keys []Key) []string {
	var names []string
	for _, k := range keys {
		if k.Spend.Valid && k.Spend.Decimal.IsNegative() {
			names = append(names, k.Name)
		}
	}
	slices.Sort(names)
	for i, name := range names {
		names[i] = "the spend of " + name + " is below zero, so the proxy allows more than its limit: " +
			"somebody changed it, or LiteLLM lost count"
	}
	return names
}

// sortFindings orders worst first, then by rule and subject, and drops what is said twice.
func sortFindings(found []finding.Finding) []finding.Finding {
	slices.SortStableFunc(found, func(a, b finding.Finding) int {
		return cmp.Or(cmp.Compare(b.Severity, a.Severity), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Key(), b.Key()))
	})
	seen := map[string]bool{}
	return slices.DeleteFunc(found, func(f finding.Finding) bool {
		twice := seen[f.Key()]
		seen[f.Key()] = true
		return twice
	})
}

// keysOf joins outcomes and spend facts by key name.
func keysOf(in Input, redact func(string) string) []Key {
	byName := map[string]*Key{}
	at := func(name string) *Key {
		if byName[name] == nil {
			byName[name] = &Key{Name: name, Generation: -1}
		}
		return byName[name]
	}
	for _, o := range in.Outcomes {
		at(o.Name).takeOutcome(o, in.Zone, redact)
	}
	for _, f := range in.Spend {
		at(f.Key).takeSpend(f)
	}
	keys := make([]Key, 0, len(byName))
	for _, k := range byName {
		keys = append(keys, *k)
	}
	return keys
}

func (k *Key) takeOutcome(o rotate.Outcome, zone *time.Location, redact func(string) string) {
	k.Owner, k.Generation, k.Rotated = o.Owner, o.CurrentNumber, o.Rotated
	k.Waiting, k.WaitUntil = cmp.Or(o.Waiting, o.Overtaken), o.WaitUntil
	k.heldUp = o.Waiting != "" && o.Waiting != rotate.ToldToStop
	if n := o.NotDone; n != nil {
		k.NotDone = &NotDone{Asked: n.Asked, Until: n.Until}
	}
	k.BudgetDuration, k.ResetAt, k.NextRotation = o.BudgetDuration, o.ResetAt, o.NextRotation
	known := len(o.Generations) > 0 || o.MaxBudget.Valid || !o.Spend.IsZero()
	if o.Unread {
		k.setSpend(decimal.NullDecimal{}, decimal.NullDecimal{})
	} else {
		k.setSpend(decimal.NullDecimal{Decimal: o.Spend, Valid: known}, o.MaxBudget)
	}
	k.WindowStart, _ = budget.WindowStartIn(o.BudgetDuration, o.ResetAt, zone)
	for _, g := range o.Generations {
		k.Generations = append(k.Generations, Generation{
			Number: g.Number, State: string(g.State), Alias: g.Alias, Spend: decimal.NewNullDecimal(g.Spend),
			MintedAt: g.MintedAt, DoneAt: g.DoneAt, RetireAt: g.RetireAt,
		})
	}
	for _, t := range o.Targets {
		k.Targets = append(k.Targets, Target{
			Name: t.Name, Generation: t.Generation, State: string(t.State), Detail: redact(t.Detail),
			PublicDetail: redact(t.PublicDetail),
		})
	}
	for _, s := range o.Steps {
		a := Action{
			Step: string(s.Kind), Generation: s.Gen, Target: s.Target, Reason: s.Reason, Who: redact(s.Who), Done: s.Done,
		}
		if s.Err != nil {
			a.Error, a.PublicError = redact(s.Err.Error()), redact(finding.Public(s.Err))
		}
		k.Actions = append(k.Actions, a)
	}
}

// takeSpend lets observed spend stand before what rotation read, which may be older.
func (k *Key) takeSpend(f budget.Facts) {
	k.setSpend(decimal.NewNullDecimal(f.Spend), f.Limit)
	k.SpendSource, k.DaysSource = f.Source, f.DaysSource
	if !f.WindowStart.IsZero() {
		k.WindowStart = f.WindowStart
	}
	if !f.ResetAt.IsZero() {
		k.ResetAt = f.ResetAt
	}
	for _, d := range f.Days {
		k.Days = append(k.Days, Day{
			Date: d.Date, Spend: decimal.NewNullDecimal(d.Spend), Requests: d.Requests, Failed: d.Failed, Models: modelsOf(d.Models),
		})
	}
	k.Models = append(k.Models, modelsOf(f.Models)...)
}

// modelsOf returns the models, dearest first.
func modelsOf(spent []budget.ModelSpend) []Model {
	var models []Model
	for _, m := range spent {
		models = append(models, Model{
			Name: m.Model, Spend: decimal.NewNullDecimal(m.Spend), Requests: m.Requests, Tokens: m.Tokens,
			Answered: m.Requests > m.Failed || m.Spend.IsPositive(),
		})
	}
	slices.SortStableFunc(models, func(a, b Model) int {
		return cmp.Or(b.Spend.Decimal.Cmp(a.Spend.Decimal), cmp.Compare(a.Name, b.Name))
	})
	return models
}

func (k *Key) setSpend(spend, limit decimal.NullDecimal) {
	k.Spend, k.MaxBudget, k.UsedPercent = spend, limit, UsedShare(spend, limit)
	k.unlimited = spend.Valid && !limit.Valid
}

// failuresOf lists what failed in o: its steps, and of its error what no step tells.
func failuresOf(o rotate.Outcome) []Failure {
	var out []Failure
	var told []string
	for _, s := range o.Steps {
		if s.Err == nil {
			continue
		}
		told = append(told, s.Err.Error())
		out = append(out, FailureOf(string(s.Kind), o.Name, s.Target, s.Err))
	}
	if o.Later != nil {
		f := FailureOf("", o.Name, strings.Join(o.Later.Targets, ", "), o.Later)
		if f.Target != "" {
			f.Step = string(rotate.StepPlace)
		}
		out = append(out, f)
	}
	for _, err := range Leaves(o.Err) {
		text := err.Error()
		if !slices.ContainsFunc(told, func(t string) bool { return strings.Contains(text, t) }) {
			out = append(out, FailureOf("", o.Name, "", err))
		}
	}
	return out
}

// Leaves takes joined errors apart, so that each gets its own line; nil has none. An error that says more than those it wraps
// stays whole.
func Leaves(err error) []error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	wrapped := joined.Unwrap()
	if plain := errors.Join(wrapped...); plain == nil || plain.Error() != err.Error() {
		return []error{err}
	}
	var out []error
	for _, e := range wrapped {
		out = append(out, Leaves(e)...)
	}
	return out
}

func proxyOf(f failover.Facts, redact func(string) string) *Proxy {
	p := &Proxy{
		URL: f.Proxy.URL, Release: f.Proxy.Release, Ready: f.Proxy.Ready, Database: f.Proxy.Database,
		LatencyMS: f.Proxy.Latency.Milliseconds(), Cause: f.Proxy.Cause,
		Trouble: redact(f.Proxy.Trouble + said(f.Proxy.Said)), PublicTrouble: redact(f.Proxy.Trouble),
		Requests: f.Requests,
	}
	if f.Window > 0 {
		p.Window = finding.Short(f.Window)
	}
	for _, gap := range f.Gaps {
		p.Gaps, p.PublicGaps = append(p.Gaps, redact(gap.Text+said(gap.Said))), append(p.PublicGaps, redact(gap.Text))
	}
	for _, u := range f.Unhealthy {
		p.Unhealthy = append(p.Unhealthy, Unhealthy{Model: u.Model, ID: u.ModelID, Error: redact(u.Error), CheckedAt: u.CheckedAt})
	}
	for _, s := range f.Served {
		p.Served = append(p.Served, Served{
			Primary: s.Primary, By: s.By, Requests: s.Requests, First: s.First, Last: s.Last, Evidence: s.Evidence, Keys: s.Keys,
		})
	}
	for _, u := range f.Unserved {
		p.Unserved = append(p.Unserved, Served{
			Primary: u.Primary, By: strings.Join(u.By, ", "), Requests: u.Requests, First: u.First, Last: u.Last, Evidence: finding.Recorded, Keys: u.Keys,
		})
	}
	return p
}

// grade marks each key with its worst finding, orders the keys by it and counts.
func (r *Report) grade() {
	worst := map[string]finding.Severity{}
	for _, f := range r.Findings {
		if f.Subject.Kind == "key" {
			worst[f.Subject.Name] = max(worst[f.Subject.Name], f.Severity+1)
		}
	}
	for i := range r.Keys {
		k := &r.Keys[i]
		if w := worst[k.Name]; w > 0 {
			k.Worst = (w - 1).String()
		}
		k.Failed = slices.ContainsFunc(r.Failures, func(f Failure) bool { return f.concerns(k.Name) })
	}
	slices.SortFunc(r.Keys, func(a, b Key) int {
		return cmp.Or(
			cmp.Compare(weight(b, worst), weight(a, worst)),
			b.UsedPercent.Decimal.RoundFloor(-1).Cmp(a.UsedPercent.Decimal.RoundFloor(-1)),
			cmp.Compare(a.Name, b.Name))
	})
	r.Totals = totals(*r)
}

func weight(k Key, worst map[string]finding.Severity) int {
	w := 2 * int(worst[k.Name])
	if k.Failed {
		w = max(w, 5) // between a warning and a critical finding
	}
	return w
}

func totals(r Report) Totals {
	t := Totals{Keys: len(r.Keys), Failures: len(r.Failures), Rotated: len(r.RotatedKeys()), Left: r.Totals.Left}
	limited := true
	for _, k := range r.Keys {
		t.Spend = plus(t.Spend, k.Spend)
		t.MaxBudget = plus(t.MaxBudget, k.MaxBudget)
		limited = limited && (k.MaxBudget.Valid || !k.Spend.Valid)
	}
	if !limited {
		t.MaxBudget = decimal.NullDecimal{} // it would not be what Spend is held against
	}
	for _, f := range r.Findings {
		switch f.Severity {
		case finding.Critical:
			t.Criticals++
		case finding.Warning:
			t.Warnings++
		default:
			t.Info++
		}
	}
	return t
}

func plus(a, b decimal.NullDecimal) decimal.NullDecimal {
	if !b.Valid {
		return a
	}
	return decimal.NewNullDecimal(a.Decimal.Add(b.Decimal))
}
