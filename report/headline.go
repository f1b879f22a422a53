package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/org/openclaw-litellm-action/finding"
)

// headline sums the report up in a few words: "1 critical, 2 warnings, 1 failure, 3 keys rotated", or "all is well", which
// it says only of what was checked, and never while something that was asked for is not done or waits for another run.
func headline(r Report) string {
	parts := append(notDone(r), troubles(r)...)
	switch due := dueKeys(r); {
	case due > 0:
		parts = append(parts, finding.Plural(due, "key")+" due")
	case len(parts) > 0:
	case r.planned():
		parts = append(parts, "nothing is due")
	case r.judgedNothing():
		parts = append(parts, totalText(r))
	default:
		parts = append(parts, "all is well")
	}
	if r.Totals.Rotated > 0 {
		parts = append(parts, finding.Plural(r.Totals.Rotated, "key")+" rotated")
	}
	return strings.Join(parts, ", ")
}

// troubles counts what is not well.
func troubles(r Report) []string {
	var parts []string
	add := func(n int, noun string) {
		if n > 0 {
			parts = append(parts, finding.Plural(n, noun))
		}
	}
	add(r.Totals.Failures, "failure")
	if n := r.Totals.Criticals; n > 0 {
		parts = append(parts, fmt.Sprintf("%d critical", n))
	}
	add(r.Totals.Warnings, "warning")
	if n := r.Totals.Left; n > 0 {
		parts = append(parts, finding.Plural(n, "key")+" not looked after")
	}
	if l := r.Logs; l != nil && l.Lost > 0 {
		parts = append(parts, l.lost()+" could not be read")
	}
	return append(parts, unsettled(r)...)
}

// notDone says what a person asked for and did not get, and until when; nil if there is nothing.
func notDone(r Report) []string {
	var undone []Key
	for _, k := range r.Keys {
		if k.NotDone != nil {
			undone = append(undone, k)
		}
	}
	if len(undone) == 0 {
		return nil
	}
	first := undone[0].NotDone
	text := "not done: " + visible(first.Asked) + " " + clip(visible(undone[0].Name), nameLimit)
	if n := len(undone) - 1; n > 0 {
		text += fmt.Sprintf(" and %d more", n)
	}
	if !first.Until.IsZero() {
		text += ", another run holds it until " + stamp(first.Until)
	}
	return []string{text}
}

// unsettled says which keys wait for another run, and which targets are not as a run left them: nothing that failed, and
// not well either.
func unsettled(r Report) []string {
	var parts, waiting []string
	until, differ := "", 0
	for _, k := range r.Keys {
		if k.NotDone == nil && k.heldUp {
			waiting = append(waiting, clip(visible(k.Name), nameLimit))
			if until = ""; !k.WaitUntil.IsZero() {
				until = " until " + stamp(k.WaitUntil)
			}
		}
		for _, t := range k.Targets {
			if t.State == "drifted" && !r.DryRun {
				differ++
			}
		}
	}
	switch len(waiting) {
	case 0:
	case 1:
		parts = append(parts, "key "+waiting[0]+" waits for another run"+until)
	default:
		parts = append(parts, fmt.Sprintf("%d keys wait for other runs", len(waiting)))
	}
	if differ > 0 {
		parts = append(parts, finding.Plural(differ, "target")+" changed by others")
	}
	return parts
}

// well reports whether nothing failed, was found, is left or is unsettled.
func (r Report) well() bool { return len(notDone(r))+len(troubles(r)) == 0 }

// dueKeys counts the keys that a plan has work for.
func dueKeys(r Report) int {
	n := 0
	for _, k := range r.Keys {
		if r.planned() && len(k.Actions) > 0 {
			n++
		}
	}
	return n
}

// planned reports whether r is a plan of what rotation would do.
func (r Report) planned() bool {
	return r.DryRun && slices.Contains([]string{"run", "rotate", "plan"}, r.Command)
}

// judgedNothing reports whether r tells what there is, and not whether it is well: a report of a period, a list of keys.
func (r Report) judgedNothing() bool {
	return slices.Contains([]string{"report", "keys"}, r.Command) && !r.judged.spending() && len(r.judged.failover) == 0
}
