package report

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/finding"
)

// fleet is the number of keys from which on only those with something to tell are shown in detail.
const fleet = 12

func (t *text) keys() {
	if len(t.r.Keys) == 0 {
		return
	}
	t.head("Keys")
	columns := []column{
		{head: "key", shrink: true},
		{head: "gen", right: true},
		{head: "budget", drop: 0},
		{head: "used", right: true},
		{head: "spent USD", right: true, drop: 1},
		{head: "resets", drop: 2},
		{head: "next rotation", drop: 3},
	}
	rows := make([][]cell, 0, len(t.r.Keys))
	for _, k := range t.r.Keys {
		rows = append(rows, t.keyRow(k))
	}
	for _, l := range t.table(columns, rows, 2) {
		t.line(l)
	}
	if len(t.r.Keys) > 1 && t.r.Totals.Spend.Valid {
		t.line("  ", t.paint(totalText(t.r), faint))
	}
	for _, k := range t.r.Keys {
		t.keyDetail(k)
	}
}

func totalText(r Report) string {
	s := finding.Plural(r.Totals.Keys, "key")
	if !r.Totals.Spend.Valid {
		return s
	}
	s += ", " + money(r.Totals.Spend)
	if r.Totals.MaxBudget.Valid {
		s += " of " + money(r.Totals.MaxBudget)
	}
	s += " USD"
	if n := r.unknownSpends(); n > 0 {
		s += fmt.Sprintf(" without %d whose spend is not known", n)
	}
	return s
}

// unknownSpends counts the keys whose spend is not among the totals.
func (r Report) unknownSpends() int {
	n := 0
	for _, k := range r.Keys {
		if !k.Spend.Valid {
			n++
		}
	}
	return n
}

func (t *text) keyRow(k Key) []cell {
	n := 10
	if t.width() >= 100 {
		n = 20
	}
	generation := t.mark("–", "-")
	if k.Generation >= 0 {
		generation = fmt.Sprint(k.Generation)
	}
	spent := t.dash(money(k.Spend))
	if k.MaxBudget.Valid {
		spent += " / " + money(k.MaxBudget)
	}
	if !k.Spend.Valid {
		spent = ""
	}
	tn := usedTone(k.UsedPercent)
	return []cell{
		{t.name(k.Name), keyTone(k)},
		{generation, plain},
		{t.budgetBar(k, n), tn},
		{t.dash(percent(k.UsedPercent)), tn},
		{spent, plain},
		{t.when(k.ResetAt), plain},
		{t.when(k.NextRotation), plain},
	}
}

// budgetBar draws the bar, or says that there is no limit.
func (t *text) budgetBar(k Key, n int) string {
	if k.UsedPercent.Valid {
		return t.bar(k.UsedPercent, n)
	}
	if k.unlimited {
		return "no limit"
	}
	return "not known"
}

func (t *text) when(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	if !at.After(t.r.GeneratedAt) {
		return "now"
	}
	return at.UTC().Format("2 Jan") + " (" + finding.Short(at.Sub(t.r.GeneratedAt)) + ")"
}

func keyTone(k Key) tone {
	switch {
	case k.Failed || k.Worst == "critical":
		return red
	case k.Worst == "warning":
		return yellow
	}
	return plain
}

func usedTone(used decimal.NullDecimal) tone {
	switch {
	case !used.Valid:
		return faint
	case used.Decimal.GreaterThanOrEqual(decimal.NewFromInt(95)):
		return red
	case used.Decimal.GreaterThanOrEqual(decimal.NewFromInt(80)):
		return yellow
	}
	return green
}

// worthTelling reports whether a key of a fleet has something beyond its row.
func worthTelling(k Key) bool {
	if k.Failed || k.Rotated || k.Worst != "" {
		return true
	}
	for _, target := range k.Targets {
		if target.State != "unchanged" {
			return true
		}
	}
	return false
}

func (t *text) keyDetail(k Key) {
	if len(t.r.Keys) > fleet && !worthTelling(k) {
		return
	}
	if len(k.Generations)+len(k.Targets)+len(k.Days)+len(k.Models) == 0 {
		return
	}
	t.line("\n  ", t.paint(t.name(k.Name), bold))
	for _, g := range k.Generations {
		t.para("    "+pad("generation", 12, false), generationText(g, t.r.GeneratedAt), generationTone(g))
	}
	for _, target := range k.Targets {
		t.para("    "+pad("target", 12, false), targetText(target), targetTone(target))
	}
	t.days(k)
	t.models(k)
}

func generationText(g Generation, now time.Time) string {
	s := fmt.Sprintf("%d %s", g.Number, clip(visible(g.State), nameLimit))
	switch {
	case g.State == "retiring" && g.RetireAt.After(now):
		s += ", works until " + date(g.RetireAt) + " (" + away(g.RetireAt, now) + ")"
	case g.State == "retiring" && !g.RetireAt.IsZero():
		s += ", works on although its grace ended " + date(g.RetireAt)
	case g.State == "blocked" && !g.RetireAt.IsZero():
		s += " since " + date(g.RetireAt)
	case g.State != "blocked" && !g.DoneAt.IsZero():
		s += " since " + date(g.DoneAt)
	case !g.MintedAt.IsZero():
		s += ", minted " + date(g.MintedAt)
	}
	return s
}

func generationTone(g Generation) tone {
	if g.State == "current" {
		return green
	}
	return plain
}

func targetText(target Target) string {
	s := clip(visible(target.Name), nameLimit) + ": "
	if target.Generation >= 0 {
		s += fmt.Sprintf("generation %d, ", target.Generation)
	}
	if target.State == "unchanged" && target.Generation < 0 {
		return s + "not looked at"
	}
	s += clip(visible(target.State), nameLimit)
	if target.Detail != "" {
		s += ": " + clip(visible(target.Detail), textLimit)
	}
	return s
}

func targetTone(target Target) tone {
	switch target.State {
	case "failed":
		return red
	case "drifted":
		return yellow
	}
	return plain
}

// days draws the spend of each day as a sparkline, or the requests where amounts are not shown.
func (t *text) days(k Key) {
	if len(k.Days) == 0 {
		return
	}
	values := make([]decimal.Decimal, 0, len(k.Days))
	most := k.Days[0]
	for _, d := range k.Days {
		values = append(values, dayValue(d))
		if dayValue(d).GreaterThan(dayValue(most)) {
			most = d
		}
	}
	lead := "    " + pad("by day", 12, false)
	if room := t.width() - width(lead); len(values) > room {
		values = values[len(values)-room:]
	}
	unit := "requests"
	if most.Spend.Valid {
		unit = "USD"
	}
	t.line(lead, t.paint(t.sparkline(values), blue))
	last := k.Days[len(k.Days)-1].Date
	s := fmt.Sprintf("%s to %s, most on %s: %s %s", t.day(k.Days[0].Date), t.day(last), t.day(most.Date), dayText(most), unit)
	if len(k.Days) == 1 {
		s = fmt.Sprintf("%s: %s %s", t.day(last), dayText(most), unit)
	}
	t.para(strings.Repeat(" ", 16), s, faint)
}

// day is a date as people say it, or what came in its place.
func (t *text) day(s string) string { return cmp.Or(shortDay(s), t.name(s)) }

func dayValue(d Day) decimal.Decimal {
	if d.Spend.Valid {
		return d.Spend.Decimal
	}
	return decimal.NewFromInt(d.Requests)
}

func dayText(d Day) string {
	if d.Spend.Valid {
		return money(d.Spend)
	}
	return fmt.Sprint(d.Requests)
}

func (t *text) models(k Key) {
	if len(k.Models) == 0 {
		return
	}
	const most = 5
	var parts []string
	for i, m := range k.Models {
		if i == most {
			parts = append(parts, fmt.Sprintf("and %d more", len(k.Models)-most))
			break
		}
		parts = append(parts, modelText(m))
	}
	t.para("    "+pad("models", 12, false), strings.Join(parts, ", "), plain)
}

func modelText(m Model) string {
	s := clip(visible(m.Name), nameLimit) + ": "
	if m.Spend.Valid {
		s += money(m.Spend) + " USD in "
	}
	return s + finding.Plural(int(m.Requests), "request")
}
