package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/org/openclaw-litellm-action/github"
	"github.com/org/openclaw-litellm-action/internal/netx"
	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/report"
	"github.com/org/openclaw-litellm-action/rotate"
)

// refusals gathers what could not be done because of one event outside of it, such as a proxy that does not answer, by that
// event: it is told once, and not for each key.
type refusals struct {
	order []*netx.Refusal
	by    map[*netx.Refusal]*refused
	told  []*netx.Refusal // that are among the failures
}

// refused is what one event stopped.
type refused struct {
	step string // of the first
	errs []error
	keys []string // in order, each once
}

// add notes an operation about a key ("": about none) that was stopped.
func (r *refusals) add(why *netx.Refusal, step, key string, errs ...error) {
	if r.by == nil {
		r.by = map[*netx.Refusal]*refused{}
	}
	if r.by[why] == nil {
		r.by[why] = &refused{step: step}
		r.order = append(r.order, why)
	}
	to := r.by[why]
	to.errs = append(to.errs, errs...)
	if key != "" && !slices.Contains(to.keys, key) {
		to.keys = append(to.keys, key)
	}
}

// refusalOf returns the refusal that err is, with all that is joined in it; nil if anything in it failed for its own sake.
func refusalOf(err error) *netx.Refusal {
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		var first *netx.Refusal
		for _, e := range many.Unwrap() {
			why := refusalOf(e)
			if why == nil {
				return nil
			}
			first = cmp.Or(first, why)
		}
		return first
	}
	if inner := errors.Unwrap(err); inner != nil && netx.RefusalOf(inner) != nil {
		return refusalOf(inner)
	}
	return netx.RefusalOf(err)
}

// fail notes that something about a key ("": the whole run) failed.
func (p *pass) fail(step, key string, err error) {
	var own []error
	for _, e := range report.Leaves(err) {
		if why := refusalOf(e); why != nil {
			p.refused.add(why, step, key, e)
		} else {
			own = append(own, e)
		}
	}
	if len(own) == 0 {
		return
	}
	if len(own) < len(report.Leaves(err)) {
		err = errors.Join(own...)
	}
	p.errs = append(p.errs, own...)
	p.in.Failures = append(p.in.Failures, report.FailureOf(step, key, "", err))
}

// takeRefused moves what was refused out of a key's outcome, but for what a step says already.
func (p *pass) takeRefused(o *rotate.Outcome) {
	var kept []error
	for _, e := range report.Leaves(o.Err) {
		saidByStep := func(s rotate.StepResult) bool { return s.Err != nil && strings.Contains(e.Error(), s.Err.Error()) }
		if why := refusalOf(e); why != nil && !slices.ContainsFunc(o.Steps, saidByStep) {
			p.refused.add(why, "", o.Name, e)
			shorten(o.Targets, why)
		} else {
			kept = append(kept, e)
		}
	}
	o.Err = errors.Join(kept...)
}

// shorten leaves out of targets why they were not asked, which is told once.
func shorten(targets []rotate.TargetState, why *netx.Refusal) {
	for i := range targets {
		if strings.Contains(targets[i].Detail, why.Public()) {
			targets[i].Detail, targets[i].PublicDetail = "not asked", "not asked"
		}
	}
}

// tellRefused makes one failure of each event. What the signal to stop ended is no failure, but keys are left.
func (p *pass) tellRefused(ends *netx.Refusal) {
	for _, why := range []*netx.Refusal{ends, p.systems.litellm.Refusal(), p.systems.github.Refusal()} {
		if why != nil {
			p.refused.add(why, "", "")
		}
	}
	for _, why := range p.refused.order {
		of := p.refused.by[why]
		if why.Reason == netx.Stopped {
			p.in.Left = max(p.in.Left, len(of.keys))
			continue
		}
		err := of.told(why)
		p.errs = append(p.errs, err)
		f := report.FailureOf(of.step, "", "", err)
		if f.Keys = of.keys; len(of.keys) == 1 {
			f.Key, f.Keys = of.keys[0], nil
		}
		p.in.Failures = append(p.in.Failures, f)
	}
	p.refused = refusals{told: p.refused.order}
}

// takeTold takes in who could not be told. What failed because of an event that is told already is a note.
func (p *pass) takeTold(failures []report.Failure) {
	for _, f := range failures {
		if before, again := p.refused.within(f.Message); again {
			p.in.Notes = append(p.in.Notes, before)
			continue
		}
		p.errs = append(p.errs, f.Err())
		p.in.Failures = append(p.in.Failures, f)
	}
}

// within returns what a message says before an event that is told already, and whether there is one.
func (r *refusals) within(message string) (before string, again bool) {
	for _, why := range r.told {
		if before, _, again := strings.Cut(message, ": "+why.Public()); again {
			return before, true
		}
	}
	return "", false
}

// told is the one error of an event. Of a single key it is what that key met with; of several, it is the event, with the
// setting to mend if there is one.
func (r *refused) told(why *netx.Refusal) error {
	if len(r.keys) <= 1 {
		for _, err := range r.errs {
			if !notAsked(err) {
				return err
			}
		}
	}
	if len(r.keys) == 0 {
		return why
	}
	err := fmt.Errorf("%w; it stopped work on %s", why, keyNames(r.keys))
	for _, e := range r.errs {
		if fault := (*settingFault)(nil); errors.As(e, &fault) {
			return &settingFault{err, fault.setting, fault.remedy}
		}
	}
	return err
}

// notAsked reports whether nothing was sent.
func notAsked(err error) bool {
	return litellm.IsKind(err, litellm.NotAsked) || github.KindOf(err) == github.NotAsked
}

// keyNames lists a few of the keys and counts the others.
func keyNames(names []string) string {
	const few = 3
	if len(names) == 1 {
		return "key " + names[0]
	}
	shown := strings.Join(names[:min(few, len(names))], ", ")
	if more := len(names) - few; more > 0 {
		shown += fmt.Sprintf(" and %d more", more)
	}
	return fmt.Sprintf("%d keys: %s", len(names), shown)
}
