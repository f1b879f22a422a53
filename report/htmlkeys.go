package report

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/shopspring/decimal"
)

// keyRow is a line of the table of budgets.
type keyRow struct {
	Name, State, Used, Spent, Resets, Generation, Rotation string
	Bar                                                    *budgetBar
}

// budgetBar is a bar of 100 units. Elapsed is how much of the window is gone, nil if that is not known.
type budgetBar struct {
	Class, Label string
	Used         float64
	Over         bool
	Elapsed      *float64
}

func (p *page) budgets(r Report) {
	p.Rotating = slices.ContainsFunc(r.Keys, func(k Key) bool { return k.Generation >= 0 || !k.NextRotation.IsZero() })
	p.BudgetNote = "Spend against the limit, in each key's budget window"
	for _, k := range r.Keys[:min(pageKeys, len(r.Keys))] {
		row := keyRow{
			Name: shown(k.Name, nameLimit), State: k.Worst, Used: "no limit", Spent: cmp.Or(spentOf(k), "–"),
			Resets: whenText(k.ResetAt, r), Generation: "–", Rotation: whenText(k.NextRotation, r),
		}
		if k.Failed {
			row.State = "failed"
		}
		if k.Generation >= 0 {
			row.Generation = fmt.Sprint(k.Generation)
		}
		switch {
		case k.UsedPercent.Valid:
			row.Used, row.Bar = percent(k.UsedPercent), barOf(k, r.GeneratedAt)
		case !k.unlimited:
			row.Used = "not known"
		}
		if row.Bar != nil && row.Bar.Elapsed != nil {
			p.BudgetNote = "Spend against the limit, in each key's budget window. The line across a bar marks how much of the window is gone."
		}
		p.Keys = append(p.Keys, row)
	}
	p.MoreKeys = moreThan(len(r.Keys), pageKeys, "key")
}

func barOf(k Key, now time.Time) *budgetBar {
	hundred := decimal.NewFromInt(100)
	used := k.UsedPercent.Decimal
	b := &budgetBar{
		Class: "ok", Used: round(min(max(used.InexactFloat64(), 0), 100)), Over: used.GreaterThan(hundred),
		Label: percent(k.UsedPercent) + " of the budget used",
	}
	switch usedTone(k.UsedPercent) {
	case red:
		b.Class = "critical"
	case yellow:
		b.Class = "warning"
	}
	if window := k.ResetAt.Sub(k.WindowStart); !k.WindowStart.IsZero() && window > 0 && !now.Before(k.WindowStart) {
		gone := round(min(float64(now.Sub(k.WindowStart))/float64(window)*100, 100))
		b.Elapsed = &gone
		b.Label += fmt.Sprintf(", %.0f%% of the window gone", gone)
	}
	return b
}

// whenText prints a moment to come: "1 Dec 2026 (in 7d)".
func whenText(at time.Time, r Report) string {
	if at.IsZero() {
		return "–"
	}
	return date(at) + " (" + nextIn(at, r) + ")"
}

func nextIn(at time.Time, r Report) string {
	if !at.After(r.GeneratedAt) {
		return "now"
	}
	return away(at, r.GeneratedAt)
}

func (p *page) done(r Report) {
	told := 0
	for _, k := range byName(r.Keys) {
		if len(k.Actions) == 0 && k.Waiting == "" {
			continue
		}
		if told++; told > pageCards {
			continue
		}
		d := doneKey{Name: shown(k.Name, nameLimit), Summary: shown(keySummary(k), textLimit)}
		for _, a := range k.Actions {
			d.Steps = append(d.Steps, stepOf(a))
		}
		p.Done = append(p.Done, d)
	}
	p.MoreDone = moreThan(told, pageCards, "key")
}

func stepOf(a Action) doneStep {
	s := doneStep{
		State: "due", Text: shown(actionText(a), textLimit), Reason: shown(a.why(), textLimit),
		Error: shown(a.Error, textLimit),
	}
	switch {
	case a.Error != "":
		s.State = "failed"
	case a.Done:
		s.State = "done"
	}
	return s
}

func (p *page) targets(r Report) {
	n := 0
	for _, k := range r.Keys {
		for _, t := range k.Targets {
			if n++; n > pageTargets {
				continue
			}
			state := shown(t.State, nameLimit)
			if t.Generation >= 0 {
				state = fmt.Sprintf("generation %d, %s", t.Generation, state)
			}
			if t.Detail != "" {
				state += ": " + shown(t.Detail, textLimit)
			}
			p.Targets = append(p.Targets, targetRow{shown(t.Name, nameLimit), shown(k.Name, nameLimit), state})
		}
	}
	p.MoreTargets = moreThan(n, pageTargets, "target")
}
