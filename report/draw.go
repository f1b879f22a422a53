package report

import (
	"strings"

	"github.com/mattn/go-runewidth"
	"github.com/shopspring/decimal"
)

// cells measures and cuts text in terminal cells, whatever the locale says.
func cells() *runewidth.Condition { return &runewidth.Condition{StrictEmojiNeutral: true} }

// width returns how many cells s takes.
func width(s string) int { return cells().StringWidth(s) }

// fit cuts s to n cells, with an ellipsis in place of what went.
func (o Options) fit(s string, n int) string {
	if width(s) <= n {
		return s
	}
	return cells().Truncate(s, n, o.gap())
}

func (o Options) gap() string {
	if o.ASCII {
		return "."
	}
	return "…"
}

// fitName cuts a name to n cells, in its middle as brief does.
func (o Options) fitName(s string, n int) string {
	if width(s) <= n {
		return s
	}
	head := cells().Truncate(s, n/2, "")
	rest := []rune(s[len(head):])
	rest = rest[max(len(rest)-n, 0):]
	for len(rest) > 0 && (width(string(rest)) > n-1-width(head) || clings(rest[0])) {
		rest = rest[1:]
	}
	return head + o.gap() + string(rest)
}

func pad(s string, n int, right bool) string {
	space := strings.Repeat(" ", max(n-width(s), 0))
	if right {
		return space + s
	}
	return s + space
}

// wrap breaks s into lines of at most n cells, between words where it can.
func wrap(s string, n int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(s) {
		switch {
		case line == "":
			line = word
		case width(line)+1+width(word) <= n:
			line += " " + word
		default:
			lines = append(lines, line)
			line = word
		}
		for width(line) > n {
			head := cells().Truncate(line, n, "")
			if head == "" {
				break
			}
			lines = append(lines, head)
			line = line[len(head):]
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// dash keeps the sign for "not known" within ASCII where that is asked for.
func (o Options) dash(s string) string {
	if o.ASCII {
		return strings.ReplaceAll(s, "–", "-")
	}
	return s
}

// drawn is a figure as a chart draws it: a spend below zero as nothing, and no more than a chart can tell. Texts and
// tables show it as it is.
func drawn(d decimal.Decimal) float64 {
	const least, most = 1e-9, 1e15
	v := d.InexactFloat64()
	if !(v >= least) {
		return 0
	}
	return min(v, most)
}

// bar draws a share of 100 % over n cells. Any spend shows, and only a spent budget is full; less than nothing shows as
// nothing.
func (o Options) bar(used decimal.NullDecimal, n int) string {
	full, empty := "█", "░"
	if o.ASCII {
		full, empty = "#", "-"
	}
	if !used.Valid {
		return strings.Repeat(" ", n)
	}
	hundred, done := decimal.NewFromInt(100), 0
	switch {
	case used.Decimal.GreaterThanOrEqual(hundred):
		done = n
	case used.Decimal.IsPositive():
		done = int(used.Decimal.Mul(decimal.NewFromInt(int64(n))).Div(hundred).IntPart())
		done = min(max(done, 1), n-1)
	}
	return strings.Repeat(full, done) + strings.Repeat(empty, n-done)
}

// sparkline draws values as one cell each, the greatest full; nothing is drawn as the lowest.
func (o Options) sparkline(values []decimal.Decimal) string {
	ramp := []rune("▁▂▃▄▅▆▇█")
	if o.ASCII {
		ramp = []rune("_.:-=+*#")
	}
	most := decimal.Zero
	for _, v := range values {
		most = decimal.Max(most, v)
	}
	var b strings.Builder
	for _, v := range values {
		step := 0
		if most.IsPositive() && v.IsPositive() {
			step = int(v.Mul(decimal.NewFromInt(int64(len(ramp) - 1))).Div(most).Round(0).IntPart())
			step = max(step, 1)
		}
		b.WriteRune(ramp[step])
	}
	return b.String()
}

// tone is how a text is coloured.
type tone string

// The tones, as SGR parameters.
const (
	plain  tone = ""
	bold   tone = "1"
	faint  tone = "2"
	red    tone = "31"
	green  tone = "32"
	yellow tone = "33"
	blue   tone = "34"
	alarm  tone = "1;31"
)

func (o Options) paint(s string, t tone) string {
	if !o.Color || t == plain || s == "" {
		return s
	}
	return "\x1b[" + string(t) + "m" + s + "\x1b[0m"
}

// cell is one entry of a table.
type cell struct {
	text string
	tone tone
}

// column is one column of a table. When the terminal is too narrow, columns go by drop, highest first (0 never), and then
// the ones that may shrink are cut.
type column struct {
	head   string
	right  bool
	drop   int
	shrink bool
}

const columnGap = 2

// table lays rows out under heads, at most width cells wide, each line indented.
func (o Options) table(columns []column, rows [][]cell, indent int) []string {
	room := o.width() - indent
	keep := make([]bool, len(columns))
	widths := make([]int, len(columns))
	for i, c := range columns {
		keep[i] = true
		widths[i] = width(c.head)
		used := false
		for _, row := range rows {
			widths[i] = max(widths[i], width(row[i].text))
			used = used || row[i].text != "" && row[i].text != o.dash("–")
		}
		keep[i] = used
	}
	narrow(columns, keep, widths, room)
	lines := make([]string, 0, len(rows)+1)
	heads := make([]cell, len(columns))
	for i, c := range columns {
		heads[i] = cell{c.head, faint}
	}
	for _, row := range append([][]cell{heads}, rows...) {
		lines = append(lines, o.tableLine(columns, keep, widths, row, indent))
	}
	return lines
}

func (o Options) tableLine(columns []column, keep []bool, widths []int, row []cell, indent int) string {
	line, gap := strings.Repeat(" ", indent), ""
	for i, c := range row {
		if !keep[i] {
			continue
		}
		padded := pad(o.fitName(c.text, widths[i]), widths[i], columns[i].right)
		line += gap + o.paint(padded, c.tone)
		gap = strings.Repeat(" ", columnGap)
	}
	return strings.TrimRight(line, " ")
}

// narrow drops and shrinks columns until they fit into room.
func narrow(columns []column, keep []bool, widths []int, room int) {
	total := func() int {
		sum := -columnGap
		for i := range columns {
			if keep[i] {
				sum += widths[i] + columnGap
			}
		}
		return sum
	}
	// First cut the widest shrinking column to a third of the room, then drop, then cut as far as needed.
	for i, c := range columns {
		if c.shrink && total() > room {
			widths[i] = max(min(widths[i], room/3), widths[i]-(total()-room))
		}
	}
	for total() > room {
		worst := -1
		for i, c := range columns {
			if keep[i] && c.drop > 0 && (worst < 0 || c.drop > columns[worst].drop) {
				worst = i
			}
		}
		if worst < 0 {
			break
		}
		keep[worst] = false
	}
	for i, c := range columns {
		if c.shrink && total() > room {
			widths[i] = max(widths[i]-(total()-room), 6)
		}
	}
}
