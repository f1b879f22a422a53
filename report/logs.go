package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/finding"
)

// Logs is what an export of spend logs says as a whole. What it says of each key is in Report.Keys.
type Logs struct {
	Source  string     `json:"source"`                   // the file's name; "-" for standard input
	Bytes   int64      `json:"bytes"`                    // uncompressed
	Rows    int64      `json:"rows"`                     // that count
	Outside int64      `json:"rows_outside"`             // rows outside of the period
	Lost    int64      `json:"rows_lost"`                // damaged places, each of them a row or more
	More    bool       `json:"rows_lost_more,omitempty"` // some of those places may have held more than one row
	Damage  string     `json:"damage,omitempty"`         // why the export does not end as one: its figures are incomplete or wrong
	First   time.Time  `json:"first,omitzero"`           // start of the first row
	Last    time.Time  `json:"last,omitzero"`            // start of the last one
	Faults  []LogFault `json:"faults,omitempty"`         // the first of what is damaged

	Total     LogSums      `json:"total"`
	Keys      []LogSums    `json:"keys,omitempty"`   // dearest first
	Models    []LogSums    `json:"models,omitempty"` // dearest first
	Days      []LogSums    `json:"days,omitempty"`   // in date order
	Providers []LogSums    `json:"providers,omitempty"`
	Tags      []LogSums    `json:"tags,omitempty"`      // dearest first; a request with several tags counts in each
	EndUsers  []LogSums    `json:"end_users,omitempty"` // dearest first; of the requests that name one
	Dearest   []LogRequest `json:"dearest,omitempty"`   // the most expensive requests

	Saved       decimal.NullDecimal `json:"saved"`                 // by LiteLLM's cache, estimated
	Repeats     int64               `json:"repeats"`               // rows whose request id an earlier row has; they count
	RepeatsOf   int64               `json:"repeats_of"`            // 1: Repeats is exact; else it is estimated from one row in so many
	FallbackFor int64               `json:"fallback_for"`          // rows that tell whether a fallback served
	Unread      int64               `json:"rows_unread,omitempty"` // rows whose metadata cannot be read; they count
}

// LogFault is a damaged place, in bytes of the uncompressed export.
type LogFault struct {
	Offset int64  `json:"offset"` // where the row begins
	At     int64  `json:"at"`     // where it is damaged
	What   string `json:"what"`
}

// LogSums are the sums of some rows: of a model, day or provider by its name, or of all.
type LogSums struct {
	Name         string              `json:"name,omitempty"`
	Spend        decimal.NullDecimal `json:"spend"`
	Requests     int64               `json:"requests"`
	Failed       int64               `json:"failed"`
	Fallbacks    int64               `json:"fallbacks"`
	Tokens       int64               `json:"tokens"`
	CacheHits    int64               `json:"cache_hits"`    // of LiteLLM's own cache
	CachedPrompt int64               `json:"cached_prompt"` // prompt tokens that providers had cached
}

// LogRequest is one request.
type LogRequest struct {
	ID      string              `json:"id"`
	Key     string              `json:"key"`
	Model   string              `json:"model"`
	Start   time.Time           `json:"start"`
	Spend   decimal.NullDecimal `json:"spend"`
	Tokens  int64               `json:"tokens"`
	EndUser string              `json:"end_user,omitempty"`
}

// RuleLost is the rule that rows of an export could not be read.
const RuleLost = "rows-lost"

// Findings returns what is wrong with the export itself.
func (l *Logs) Findings() []finding.Finding {
	if l == nil || l.Lost == 0 {
		return nil
	}
	f := finding.Finding{
		Rule: RuleLost, Severity: finding.Warning, Subject: finding.Subject{Kind: "tool", Name: "spend-logs"},
		Summary: l.lost() + " of the export could not be read, so its figures are too low", Source: l.name(),
		Observed: &finding.Quantity{Value: decimal.NewFromInt(l.Lost), Unit: "rows"},
		Advice:   "Export the spend logs again; --strict ends with an error at the first such row.",
	}
	if len(l.Faults) > 0 {
		f.Cause = l.Faults[0].text()
	}
	return []finding.Finding{f}
}

// lost counts the rows that could not be read, in words.
func (l *Logs) lost() string {
	rows := finding.Plural(int(l.Lost), "row")
	if l.More {
		rows = "at least " + rows
	}
	return rows
}

// text says where the export is damaged, and how.
func (f LogFault) text() string {
	return fmt.Sprintf("the row at byte %d: %s (byte %d)", f.Offset, f.What, f.At)
}

// logLines is the most rows of a table for people.
const logLines = 31

// clone returns a copy that shares nothing that is changed below.
func (l *Logs) clone() *Logs {
	c := *l
	c.Keys, c.Models, c.Days = slices.Clone(l.Keys), slices.Clone(l.Models), slices.Clone(l.Days)
	c.Providers, c.Dearest = slices.Clone(l.Providers), slices.Clone(l.Dearest)
	c.Tags, c.EndUsers = slices.Clone(l.Tags), slices.Clone(l.EndUsers)
	return &c
}

// public leaves out end users, and what callers write and may name anybody with: tags and request ids.
func (l *Logs) public() *Logs {
	if l == nil {
		return nil
	}
	c := l.clone()
	c.Tags, c.EndUsers = nil, nil
	for i := range c.Dearest {
		c.Dearest[i].ID, c.Dearest[i].EndUser = "", ""
	}
	c.Models = knownLogs(c.Models)
	return c
}

// knownLogs returns the sums of models with those that answered nothing under one name.
func knownLogs(models []LogSums) []LogSums {
	var out []LogSums
	rest := LogSums{Name: unanswered}
	for _, m := range models {
		if m.Requests > m.Failed || m.Spend.Decimal.IsPositive() {
			out = append(out, m)
			continue
		}
		rest.Spend = plus(rest.Spend, m.Spend)
		rest.Requests += m.Requests
		rest.Failed += m.Failed
		rest.Fallbacks += m.Fallbacks
		rest.Tokens += m.Tokens
		rest.CacheHits += m.CacheHits
		rest.CachedPrompt += m.CachedPrompt
	}
	if rest.Requests > 0 {
		out = append(out, rest)
	}
	return out
}

// withoutAmounts leaves out money.
func (l *Logs) withoutAmounts() *Logs {
	if l == nil {
		return nil
	}
	c, none := l.clone(), decimal.NullDecimal{}
	c.Saved, c.Total.Spend = none, none
	for _, list := range [][]LogSums{c.Keys, c.Models, c.Days, c.Providers, c.Tags, c.EndUsers} {
		for i := range list {
			list[i].Spend = none
		}
	}
	for i := range c.Dearest {
		c.Dearest[i].Spend = none
	}
	return c
}

// lines says in a few sentences what the export holds.
func (l *Logs) lines() []string {
	s := l.Total
	out := []string{fmt.Sprintf("%s in %s, %s", finding.Plural(int(l.Rows), "row"), l.name(), size(l.Bytes))}
	if l.Rows > 0 {
		out[0] += ", " + stamp(l.First) + " to " + stamp(l.Last)
	}
	total := fmt.Sprintf("%s, %d tokens, %d failed", usd(s.Spend.Valid, money(s.Spend)), s.Tokens, s.Failed)
	switch {
	case l.FallbackFor == 0 && l.Rows > 0:
		total += "; the rows do not tell of fallbacks (releases before September 2026)"
	case l.FallbackFor < l.Rows:
		total += fmt.Sprintf(", %d served by a fallback (of %d rows that tell)", s.Fallbacks, l.FallbackFor)
	default:
		total += fmt.Sprintf(", %d served by a fallback", s.Fallbacks)
	}
	out = append(out, total)
	if s.CacheHits > 0 {
		hits := finding.Plural(int(s.CacheHits), "request") + " answered from LiteLLM's cache"
		if l.Saved.Valid {
			hits += ", which saved about " + money(l.Saved) + " USD (their tokens at the average price of their models here)"
		}
		out = append(out, hits)
	}
	if s.CachedPrompt > 0 {
		out = append(out, fmt.Sprintf("%d prompt tokens came from providers' caches", s.CachedPrompt))
	}
	return append(out, l.doubts()...)
}

// doubts says what the figures do not hold.
func (l *Logs) doubts() (out []string) {
	if l.Damage != "" {
		out = append(out, l.Damage)
	}
	if l.Outside > 0 {
		out = append(out, finding.Plural(int(l.Outside), "row")+" outside of the period left out")
	}
	if l.Repeats > 0 {
		about := ""
		if l.RepeatsOf > 1 {
			about = "about "
		}
		out = append(out, about+finding.Plural(int(l.Repeats), "row")+" with the request id of an earlier row, all counted: do exports overlap?")
	}
	if l.Unread > 0 {
		out = append(out, finding.Plural(int(l.Unread), "row")+" with metadata that cannot be read, all counted: neither the key's alias nor fallbacks are known of them")
	}
	if l.Lost > 0 {
		out = append(out, l.lost()+" could not be read; the sums are without them:")
		for _, f := range l.Faults {
			out = append(out, f.text())
		}
		if n := l.Lost - int64(len(l.Faults)); n > 0 {
			out = append(out, fmt.Sprintf("and %d more", n))
		}
	}
	return out
}

// size prints a number of bytes.
func size(n int64) string {
	if n < 1e6 {
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}

func (l *Logs) name() string {
	if l.Source == "-" {
		return "standard input"
	}
	return clip(visible(l.Source), nameLimit)
}

// logTable is a table of the export, for people.
type logTable struct {
	title, noun string
	heads       []string // the first is a name's, the others' are of figures
	rows        [][]string
	more        int // rows left out
}

// dearestTable shows the most expensive requests.
func dearestTable(list []LogRequest) logTable {
	top := logTable{title: "Most expensive requests", noun: "request", heads: []string{"request", "spend USD", "tokens", "at", "key", "model", "end user"}}
	for i, q := range list {
		id := cmp.Or(q.ID, fmt.Sprintf("no. %d", i+1)) // public views have no ids
		top.rows = append(top.rows, []string{
			id, money(q.Spend), fmt.Sprint(q.Tokens), stamp(q.Start), q.Key, q.Model, q.EndUser,
		})
	}
	return top
}

// tables returns what the export says by day, key, model, provider, tag and end user, and the dearest requests.
func (l *Logs) tables() []logTable {
	var out []logTable
	for _, g := range []struct {
		noun string
		list []LogSums
		last bool // the last ones are shown rather than the first
	}{{"day", l.Days, true}, {"key", l.Keys, false}, {"model", l.Models, false}, {"provider", l.Providers, false}, {"tag", l.Tags, false},
		{"end user", l.EndUsers, false}} {
		list, more := g.list, max(len(g.list)-logLines, 0)
		if g.last {
			list = list[more:]
		}
		t := logTable{title: "Spend by " + g.noun, noun: g.noun, heads: []string{g.noun, "spend USD", "requests", "tokens", "failed", "fallbacks", "cache hits"}, more: more}
		for _, v := range list[:min(len(list), logLines)] {
			t.rows = append(t.rows, []string{v.Name, money(v.Spend), fmt.Sprint(v.Requests), fmt.Sprint(v.Tokens), fmt.Sprint(v.Failed),
				fmt.Sprint(v.Fallbacks), fmt.Sprint(v.CacheHits)})
		}
		out = append(out, t)
	}
	return append(out, dearestTable(l.Dearest))
}

// logs shows the export.
func (t *text) logs() {
	l := t.r.Logs
	if l == nil {
		return
	}
	t.head("Spend logs")
	for _, s := range l.lines() {
		t.para("  ", clip(visible(s), textLimit), plain)
	}
	for _, table := range l.tables() {
		t.logTable(table)
	}
}

// logTable shows one table, if it has rows.
func (t *text) logTable(table logTable) {
	if len(table.rows) == 0 {
		return
	}
	t.head(table.title)
	var columns []column
	for i, h := range table.heads {
		columns = append(columns, column{head: h, right: i > 0 && h != "at" && h != "key" && h != "model" && h != "end user", shrink: i == 0, drop: max(i-1, 0)})
	}
	var rows [][]cell
	for _, r := range table.rows {
		var row []cell
		for _, s := range r {
			row = append(row, cell{t.fitName(visible(s), 40), plain})
		}
		rows = append(rows, row)
	}
	for _, line := range t.table(columns, rows, 2) {
		t.line(line)
	}
	if table.more > 0 {
		t.line("  ", t.paint("and "+finding.Plural(table.more, "more "+table.noun), faint))
	}
}

// mdLogs shows the export.
func mdLogs(r Report) []section {
	if r.Logs == nil {
		return nil
	}
	s := section{title: "Spend logs", noun: "line", share: 50}
	for _, line := range r.Logs.lines() {
		s.rows = append(s.rows, "- "+mdText(clip(line, textLimit)))
	}
	out := []section{s}
	return append(out, mdTables(r.Logs.tables())...)
}

// mdTables shows tables.
func mdTables(tables []logTable) []section {
	var out []section
	for _, table := range tables {
		keep := told(table.rows, len(table.heads))
		rules := make([]string, len(table.heads))
		for i, h := range table.heads {
			rules[i] = "---"
			if figure(h) {
				rules[i] = "--:"
			}
		}
		s := section{title: table.title, noun: table.noun, share: 50, head: []string{mdRow(table.heads, keep), strings.ReplaceAll(mdRow(rules, keep), " ", "")}}
		for _, row := range table.rows {
			row = slices.Clone(row)
			for i, value := range row {
				if i == 0 || i >= 4 && table.noun == "request" && value != "" {
					row[i] = mdCell(clip(value, nameLimit))
				}
			}
			s.rows = append(s.rows, mdRow(row, keep))
		}
		if table.more > 0 {
			s.rows = append(s.rows, "", "and "+finding.Plural(table.more, "more "+table.noun))
		}
		out = append(out, s)
	}
	return out
}
