package report

import (
	"fmt"
	"strings"
)

// mdChart draws the days of all keys together, with their figures by model in a table, since not every reader of Markdown
// draws charts. Only dates and numbers are in the drawing; names stand in the table, where they can be escaped.
func mdChart(r Report) section {
	s := section{title: "Spend by day", noun: "day", share: 50}
	t, ok := dayTableOf(r)
	if !ok {
		return s
	}
	unit := "requests"
	if t.usd {
		unit = "USD"
	} else {
		s.title = "Requests by day"
	}
	t.days = t.days[max(0, len(t.days)-31):]
	var labels, values []string
	for _, d := range t.days {
		labels = append(labels, `"`+shortDay(d)+`"`)
		values = append(values, t.day(d).Round(4).String())
	}
	s.head = []string{
		"```mermaid", "xychart-beta", fmt.Sprintf("    title %q", s.title),
		"    x-axis [" + strings.Join(labels, ", ") + "]", fmt.Sprintf("    y-axis %q", unit),
		"    bar [" + strings.Join(values, ", ") + "]", "```", "",
	}
	head, rule := "day", "---"
	for _, m := range t.models {
		head, rule = head+" | "+mdCell(m), rule+"|--:"
	}
	s.head = append(s.head, head+" | all", rule+"|--:")
	for i := len(t.days) - 1; i >= 0; i-- { // the latest first: what is cut is the oldest
		row := shortDay(t.days[i])
		for _, m := range t.models {
			row += " | " + t.text(t.of(t.days[i], m))
		}
		s.rows = append(s.rows, row+" | "+t.text(t.day(t.days[i])))
	}
	return s
}
