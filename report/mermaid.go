package report

import (
	"fmt"
	"strings"
	"unicode"
)

// mdChart draws the days of all keys together, and what each model took, with their figures in a table, since not every
// reader of Markdown draws charts. Of names only plain characters are in a drawing; the table has them as they are.
func mdChart(r Report) section {
	s := section{title: "Spend by day and model", noun: "day", share: 50}
	t, ok := dayTableOf(r)
	if !ok {
		return s
	}
	unit, title := "requests", "Requests by day"
	if t.usd {
		unit, title = "USD", "Spend by day"
	} else {
		s.title = "Requests by day and model"
	}
	t.days = t.days[max(0, len(t.days)-31):]
	s.head = append(t.bars(title, unit), t.pie(unit)...)
	models := t.models
	if len(models) == 1 && models[0] == notByModel {
		models = nil
	}
	head, rule := "| day", "|---"
	for _, m := range models {
		head, rule = head+" | "+mdCell(m), rule+"|--:"
	}
	s.head = append(s.head, head+" | all |", rule+"|--:|")
	for i := len(t.days) - 1; i >= 0; i-- { // the latest first: what is cut is the oldest
		row := "| " + shortDay(t.days[i])
		for _, m := range models {
			row += " | " + t.text(t.of(t.days[i], m))
		}
		s.rows = append(s.rows, row+" | "+t.text(t.day(t.days[i]))+" |")
	}
	return s
}

// bars draws the days.
func (t dayTable) bars(title, unit string) []string {
	var labels, values []string
	for _, d := range t.days {
		labels = append(labels, `"`+shortDay(d)+`"`)
		values = append(values, t.day(d).Round(4).String())
	}
	return []string{
		"```mermaid", "xychart-beta", fmt.Sprintf("    title %q", title+", "+unit),
		"    x-axis [" + strings.Join(labels, ", ") + "]", fmt.Sprintf("    y-axis %q", unit),
		"    bar [" + strings.Join(values, ", ") + "]", "```", "",
	}
}

// pie draws what each model took of all days; nothing if there are not two.
func (t dayTable) pie(unit string) []string {
	lines := []string{"```mermaid", "pie showData", "    title By model, " + unit}
	for i, m := range t.models {
		if v := t.model(m).Round(4); v.IsPositive() {
			lines = append(lines, fmt.Sprintf("    %q : %s", chartName(m, i), v))
		}
	}
	if len(lines) < 5 {
		return nil
	}
	return append(lines, "```", "")
}

// chartName is a name of which a drawing takes nothing for its own language: other characters than letters, digits and a
// few signs become question marks. The number tells apart what then looks alike.
func chartName(name string, i int) string {
	plain := strings.Map(func(c rune) rune {
		if unicode.IsLetter(c) || unicode.IsDigit(c) || strings.ContainsRune(" ._-/", c) {
			return c
		}
		return '?'
	}, clip(visible(name), 40))
	if plain != name {
		plain = fmt.Sprintf("%d. %s", i+1, plain)
	}
	return plain
}
