package report

import (
	"fmt"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/finding"
)

// The most that texts show of what was.
const (
	textPastKeys     = 12
	textPastDays     = 60
	textPastEpisodes = 10
)

// past shows what past passes saw: a line a key, and the troubles, the latest first.
func (t *text) past() {
	h := t.r.History
	if h == nil {
		return
	}
	t.head("Over time")
	t.para("  ", h.line(), faint)
	keys, more := t.r.pastOf(textPastKeys)
	longest := 0
	for _, k := range keys {
		longest = max(longest, width(t.fitName(visible(k.Name), t.width()/3)))
	}
	for _, k := range keys {
		lead := "  " + pad(t.fitName(visible(k.Name), longest), longest, false) + "  "
		days := k.days(t.r.GeneratedAt, min(textPastDays, max(t.width()-width(lead)-18, 7)))
		line := t.shares(days)
		t.line(lead, t.paint(line, usedTone(decimal.NewNullDecimal(days[len(days)-1].Used))), "  ",
			t.paint("most "+mostOf(days)+" in "+shortDays(len(days)), faint))
	}
	if more > 0 {
		t.line("  ", t.paint(fmt.Sprintf("and %s more", finding.Plural(more, "key")), faint))
	}
	episodes, more := h.latest(textPastEpisodes)
	for _, e := range episodes {
		t.para("  "+t.mark("· ", "- "), e.words()+", "+e.lasted(), plain)
	}
	if more > 0 {
		t.line("  ", t.paint(fmt.Sprintf("and %d earlier ones", more), faint))
	}
}

func shortDays(n int) string { return fmt.Sprintf("%dd", n) }

func mostOf(days []pastDay) string {
	most := decimal.Zero
	for _, d := range days {
		most = decimal.Max(most, d.Used)
	}
	return most.RoundFloor(0).String() + "%"
}

// shares draws each day's use of a budget as one cell: the scale is the budget, not the most that was used.
func (t *text) shares(days []pastDay) string {
	values := make([]decimal.Decimal, 0, len(days)+1)
	for _, d := range days {
		values = append(values, decimal.Min(d.Used, decimal.NewFromInt(100)))
	}
	full := []rune(t.sparkline(append(values, decimal.NewFromInt(100))))
	return string(full[:len(full)-1])
}

// latest returns the n latest episodes, the latest first, and how many more there are.
func (h *History) latest(n int) (list []Episode, more int) {
	for i := len(h.Episodes) - 1; i >= 0 && len(list) < n; i-- {
		list = append(list, h.Episodes[i])
	}
	return list, len(h.Episodes) - len(list)
}

// mdPast shows what past passes saw.
func mdPast(r Report) section {
	s := section{title: "Over time", noun: "line", share: 60, fold: true}
	h := r.History
	if h == nil {
		return s
	}
	s.rows = append(s.rows, "- "+h.line())
	keys, more := r.pastOf(textPastKeys)
	for _, k := range keys {
		days := k.days(r.GeneratedAt, textPastDays)
		s.rows = append(s.rows, fmt.Sprintf("- %s `%s` most %s of the budget in %d days", mdCode(clip(k.Name, nameLimit)),
			(&text{}).shares(days), mostOf(days), len(days)))
	}
	if more > 0 {
		s.rows = append(s.rows, fmt.Sprintf("- and %s more", finding.Plural(more, "key")))
	}
	episodes, more := h.latest(textPastEpisodes)
	for _, e := range episodes {
		s.rows = append(s.rows, "- "+mdText(e.words()+", "+e.lasted()))
	}
	if more > 0 {
		s.rows = append(s.rows, fmt.Sprintf("- and %d earlier ones", more))
	}
	return s
}
