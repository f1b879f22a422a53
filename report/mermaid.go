package report

import (
	"fmt"
	"math"
	"strings"
	"unicode"

	"github.com/shopspring/decimal"
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
	t.days = t.days[max(0, len(t.days)-mermaidDays):]
	s.head = append(t.bars(title, unit), t.pie(unit)...)
	models := t.models
	if len(models) == 1 && models[0] == notByModel {
		models = nil
	}
	head, rule := "| day", "|---"
	for _, m := range models {
		head, rule = head+" | "+mdCell(brief(m, nameLimit/3)), rule+"|--:"
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

// mermaidDays is how many days are drawn: few enough that each has a number of its own in the month, which is all that there
// is room for.
const mermaidDays = 28

// mermaidColors are the page's. They hold on GitHub's light and dark ground alike.
const mermaidColors = `%%{init: {"themeVariables": {"xyChart": {"plotColorPalette": "#3d77c9"}, ` +
	`"pie1": "#3d77c9", "pie2": "#d07a00", "pie3": "#1f8f6b", "pie4": "#b0508f", "pie5": "#6f62c9", "pie6": "#7b8494", ` +
	`"pieSectionTextColor": "#fff", "pieOpacity": "1"}}}%%`

// bars draws the days.
func (t dayTable) bars(title, unit string) []string {
	var labels, values []string
	most := decimal.Zero
	for _, d := range t.days {
		labels = append(labels, `"`+strings.TrimLeft(d[len(d)-2:], "0")+`"`)
		values = append(values, decimal.NewFromFloat(drawn(t.day(d))).Round(4).String())
		most = decimal.Max(most, t.day(d))
	}
	step := niceStep(drawn(most), 4)
	top := decimal.NewFromFloat(step * math.Ceil(drawn(most)/step)).Round(6)
	if !top.IsPositive() {
		top = decimal.NewFromInt(1)
	}
	return []string{
		"```mermaid", mermaidColors, "xychart-beta",
		fmt.Sprintf("    title %q", fmt.Sprintf("%s, %s to %s", title, shortDay(t.days[0]), shortDay(t.days[len(t.days)-1]))),
		"    x-axis [" + strings.Join(labels, ", ") + "]", fmt.Sprintf("    y-axis %q 0 --> %s", unit, top),
		"    bar [" + strings.Join(values, ", ") + "]", "```", "",
	}
}

// pie draws what each model took of all days; nothing if there are not two.
func (t dayTable) pie(unit string) []string {
	lines := []string{"```mermaid", mermaidColors, "pie showData", "    title By model, " + unit}
	for i, m := range t.models {
		if v := t.model(m).Round(4); v.IsPositive() {
			lines = append(lines, fmt.Sprintf("    %q : %s", chartName(m, i), v))
		}
	}
	if len(lines) < 6 {
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
