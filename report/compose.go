package report

import (
	"fmt"
	"strings"

	"github.com/org/openclaw-litellm-action/finding"
)

// section is a part of a text with a size limit: rows, worst first, under a head.
type section struct {
	title string
	head  []string // lines before the first row: a table's head
	rows  []string // one entry each; an entry may have several lines
	noun  string   // what a row is, for the note on what was cut
	share int      // percentage of what room is left that it may take
	fold  bool     // it is closed until a reader opens it
}

// cutRoom is kept free in each section for the note on what was cut.
const cutRoom = 160

// compose joins lead and sections within limit bytes (0: no limit). What does not fit is cut from the end of its section,
// where the least important rows are, and a line says how many went.
func compose(lead string, sections []section, limit int) string {
	var b strings.Builder
	b.WriteString(lead)
	for _, s := range sections {
		if len(s.rows) == 0 {
			continue
		}
		room := -1
		if limit > 0 {
			room = (limit - b.Len()) * s.share / 100
		}
		b.WriteString(s.render(room))
	}
	return b.String()
}

// render returns the section in at most room bytes (negative: no limit), and nothing if not even its cut would fit.
func (s section) render(room int) string {
	text, end := "\n### "+s.title+"\n\n", ""
	if s.fold {
		text, end = "\n<details>\n<summary>"+s.title+"</summary>\n\n", "\n</details>\n"
		if room >= 0 {
			room = max(room-len(end), 0)
		}
	}
	for _, h := range s.head {
		text += h + "\n"
	}
	if room >= 0 && len(text)+cutRoom > room {
		return ""
	}
	var b strings.Builder
	b.WriteString(text)
	for i, row := range s.rows {
		last := i == len(s.rows)-1
		if room >= 0 && b.Len()+len(row)+1 > room-cutRoom && !(last && b.Len()+len(row)+1 <= room) {
			b.WriteString(s.cut(len(s.rows) - i))
			break
		}
		b.WriteString(row + "\n")
	}
	return b.String() + end
}

func (s section) cut(n int) string {
	return fmt.Sprintf("\n_… and %s more, cut here to fit. The JSON report has them all._\n", finding.Plural(n, s.noun))
}
