package report

import "github.com/org/openclaw-litellm-action/finding"

// periodPart is what a period cost, or what an export of spend logs holds, as sentences and tables.
type periodPart struct {
	ID, Title string
	Lines     []string
	Tables    []periodTable
}

// periodTable is one of its tables. Cells after the first column are figures, or words.
type periodTable struct {
	Title string
	Heads []periodCell
	Rows  []periodRow
	More  string // how many rows are left out; "": none
}

type periodRow struct {
	Name  string
	Cells []periodCell
}

type periodCell struct {
	Text   string
	Figure bool
}

// periodsOf returns what the report says of its period and of an export.
func periodsOf(r Report) []periodPart {
	var parts []periodPart
	if r.Overview != nil {
		parts = append(parts, periodOf("period", "The period", r.Overview.lines(), r.Overview.tables()))
	}
	if r.Logs != nil {
		parts = append(parts, periodOf("logs", "Spend logs", r.Logs.lines(), r.Logs.tables()))
	}
	return parts
}

func periodOf(id, title string, lines []string, tables []logTable) periodPart {
	p := periodPart{ID: id, Title: title}
	for _, l := range lines {
		p.Lines = append(p.Lines, shown(l, textLimit))
	}
	for _, t := range tables {
		if len(t.rows) == 0 {
			continue
		}
		out := periodTable{Title: t.title}
		keep := told(t.rows, len(t.heads))
		for i, h := range t.heads {
			if keep[i] {
				out.Heads = append(out.Heads, periodCell{h, figure(h)})
			}
		}
		for _, row := range t.rows {
			line := periodRow{Name: shown(row[0], nameLimit)}
			for i, text := range row {
				if i > 0 && keep[i] {
					line.Cells = append(line.Cells, periodCell{shown(text, nameLimit), figure(t.heads[i])})
				}
			}
			out.Rows = append(out.Rows, line)
		}
		if t.more > 0 {
			out.More = "and " + finding.Plural(t.more, "more "+t.noun)
		}
		p.Tables = append(p.Tables, out)
	}
	return p
}

// figure reports whether a column holds figures.
func figure(head string) bool {
	switch head {
	case "day", "key", "model", "provider", "tag", "end user", "request", "at":
		return false
	}
	return true
}
