package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/org/openclaw-litellm-action/finding"
)

// pastFigure is the chart of how budgets were used over time, in three sizes, and the same as a table.
type pastFigure struct {
	Summary, More string
	Series        []series
	Charts        []chart
	Rows          []tableRow
}

// polyline is one key in a chart. Each has a dash of its own, to be told from the others without colour.
type polyline struct {
	Index         int
	Title, Points string
}

const pastLines = 5 // keys that are drawn, the worst

// pastOfBudgets draws the use of the worst keys' budgets at the end of each day; nil if fewer than two days are known.
func pastOfBudgets(r Report) *pastFigure {
	keys, more := r.pastOf(pastLines)
	var lines [][]pastDay
	first := ""
	for _, k := range keys {
		days := k.days(r.GeneratedAt, chartDays)
		lines = append(lines, days)
		if first == "" || days[0].Date < first {
			first = days[0].Date
		}
	}
	from, err := time.Parse(time.DateOnly, first)
	if err != nil {
		return nil
	}
	n := int(r.GeneratedAt.UTC().Sub(from).Hours()/24) + 1
	if n < 2 {
		return nil
	}
	f := &pastFigure{Summary: r.History.line() + ". Shown is how much of each budget was used at the end of each day (UTC)."}
	if more > 0 {
		f.More = fmt.Sprintf("%s more are not drawn; the JSON report has them all.", finding.Plural(more, "key"))
	}
	top := 100.0
	cells := map[string]map[int]string{} // by day and key
	for i, days := range lines {
		for _, d := range days {
			top = max(top, drawn(d.Used))
			if cells[d.Date] == nil {
				cells[d.Date] = map[int]string{}
			}
			cells[d.Date][i] = d.Used.String() + "%"
		}
		f.Series = append(f.Series, series{Index: i, Name: brief(shown(keys[i].Name, nameLimit), nameLimit/2), Total: days[len(days)-1].Used.RoundFloor(0).String() + "% now"})
	}
	for d := n - 1; d >= 0; d-- {
		date := from.AddDate(0, 0, d).Format(time.DateOnly)
		row := tableRow{Name: dayName(date)}
		for i := range lines {
			row.Cells = append(row.Cells, orDash(cells[date][i]))
		}
		f.Rows = append(f.Rows, row)
	}
	for _, c := range []chart{{Class: "full", Width: 1100, Height: 240}, {Class: "medium", Width: 680, Height: 220}, {Class: "narrow", Width: 340, Height: 200}} {
		c.Label = "Budget used over time, a line a key. The table below says the same."
		f.Charts = append(f.Charts, drawPast(c, lines, keys, from, n, top))
	}
	return f
}

func orDash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

// drawPast lays the lines out in c. The line at 100 % is where a budget is spent.
func drawPast(c chart, lines [][]pastDay, keys []KeyPast, from time.Time, n int, most float64) chart {
	const left, right, top, bottom = 52.0, 14.0, 12.0, 24.0
	width, height := float64(c.Width)-left-right, float64(c.Height)-top-bottom
	step := niceStep(most, 4)
	full := step * float64(int((most+step-0.001)/step))
	y := func(v float64) float64 { return round(top + height*(1-v/full)) }
	x := func(day int) float64 { return round(left + width*float64(day)/float64(max(n-1, 1))) }
	for v := 0.0; v <= full+step/2; v += step {
		c.Ticks = append(c.Ticks, mark{X: left, Right: round(left + width), Y: y(v), Text: tickText(v) + "%"})
	}
	c.Marks = append(c.Marks, mark{X: left, Right: round(left + width), Y: y(100)})
	for i, days := range lines {
		var points []string
		for _, d := range days {
			at, err := time.Parse(time.DateOnly, d.Date)
			if err != nil {
				continue
			}
			points = append(points, fmt.Sprintf("%g,%g", x(int(at.Sub(from).Hours()/24)), y(drawn(d.Used))))
		}
		if len(points) == 1 { // a dot is no line
			points = append(points, points[0])
		}
		c.Lines = append(c.Lines, polyline{Index: i, Title: brief(shown(keys[i].Name, nameLimit), nameLimit/2), Points: strings.Join(points, " ")})
	}
	slices.Reverse(c.Lines) // the worst is drawn last, on top
	every := max(int(62*float64(n)/width)+1, 1)
	for d := 0; d < n && (d == 0 || anchor(x(d), c.Width) != "end"); d += every {
		c.Labels = append(c.Labels, mark{X: x(d), Y: float64(c.Height) - 6, Anchor: anchor(x(d), c.Width), Text: from.AddDate(0, 0, d).Format("2 Jan")})
	}
	return c
}
