package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/org/openclaw-litellm-action/finding"
)

// Markdown returns r in GitHub's Markdown, for a step summary or a file, at most o.Limit bytes long.
func Markdown(r Report, o Options) string { return markdown(o.view(r), o, false) }

// markdown renders what is already allowed to be shown. The state of things, as against what this pass did, is what a
// living issue shows.
func markdown(r Report, o Options, state bool) string {
	title := "## LiteLLM keys: " + mdText(headline(r))
	if r.DryRun {
		title += " (plan: nothing was written)"
	}
	lead := title + "\n\n" + mdContext(r, state) + "\n"
	sections := []section{mdFindings(r), mdFailures(r), mdKeys(r)}
	if !state {
		sections = append(sections, mdDone(r), mdChart(r))
	}
	sections = append(append(append(sections, mdOverview(r)...), mdLogs(r)...), mdPast(r), mdDetails(r))
	if !state {
		sections = append(sections, mdDays(r))
	}
	sections = append(sections, mdNotes(r))
	return compose(lead, sections, o.Limit)
}

func mdContext(r Report, state bool) string {
	parts := []string{"As of " + stamp(r.GeneratedAt)}
	if p := r.Period; p != nil {
		parts = append(parts, mdText(p.Name)+" from "+date(p.From)+" to "+date(p.To))
	}
	if p := r.Proxy; p != nil {
		s := "LiteLLM"
		if p.Release != "" {
			s += " " + mdText(clip(p.Release, nameLimit))
		}
		if p.URL != "" {
			s += " at " + mdCode(clip(p.URL, nameLimit))
		}
		if !p.Ready {
			s += " is **not ready**"
		}
		parts = append(parts, s)
	}
	if r.Totals.Spend.Valid {
		parts = append(parts, mdText(totalText(r)))
	}
	if s := requestsText(r); s != "" && !state {
		parts = append(parts, mdText(s))
	}
	return strings.Join(parts, " · ") + "\n"
}

func sign(s finding.Severity) string {
	switch s {
	case finding.Critical:
		return "🔴"
	case finding.Warning:
		return "🟡"
	}
	return "🔵"
}

func mdFindings(r Report) section {
	s := section{title: "Findings", noun: "finding", share: 55}
	for i, f := range r.Findings {
		f.Advice = adviceAt(r.Findings, i)
		s.rows = append(s.rows, mdFinding(f, r))
	}
	return s
}

// adviceAt is the advice of a finding in a list, which says the same once if it is that of the one before: for a fleet it
// often is, and takes the room of what matters.
func adviceAt(found []finding.Finding, i int) string {
	if i > 0 && found[i].Advice != "" && found[i].Advice == found[i-1].Advice {
		return "as above"
	}
	return found[i].Advice
}

func mdFinding(f finding.Finding, r Report) string {
	row := fmt.Sprintf("- %s **%s**: %s", sign(f.Severity), f.Severity, mdText(clip(f.Summary, textLimit)))
	if d := details(f, r); d != "" {
		row += " (" + mdText(d) + ")"
	}
	if why := f.Why(); why != "" {
		row += "<br>Cause: " + mdText(clip(why, textLimit))
	}
	if f.Advice != "" {
		row += "<br>→ " + mdText(clip(f.Advice, textLimit))
	}
	return row
}

func mdFailures(r Report) section {
	s := section{title: "Failures", noun: "failure", share: 40}
	for _, f := range r.Failures {
		s.rows = append(s.rows, "- ❌ "+mdText(failureLead(f))+": "+mdCode(clip(f.Message, textLimit)))
	}
	return s
}

func mdKeys(r Report) section {
	heads, rules := []string{"key", "generation", "budget", "used", "spent", "resets", "next rotation"}, []string{"---", "--:", "---", "--:", "--:", "---", "---"}
	rows := make([][]string, 0, len(r.Keys))
	for _, k := range r.Keys {
		generation, bar := "–", ""
		if k.Generation >= 0 {
			generation = fmt.Sprint(k.Generation)
		}
		if k.UsedPercent.Valid {
			bar = "`" + Options{}.bar(k.UsedPercent, 10) + "`"
		} else if k.unlimited {
			bar = "no limit"
		}
		rows = append(rows, []string{mdKeySign(k) + mdCell(clip(k.Name, nameLimit)),
			generation, bar, percent(k.UsedPercent), cmp.Or(spentOf(k), "–"), date(k.ResetAt), date(k.NextRotation)})
	}
	s := section{title: "Keys", noun: "key", share: 60}
	keep := told(rows, len(heads))
	s.head = []string{mdRow(heads, keep), strings.ReplaceAll(mdRow(rules, keep), " ", "")}
	for _, row := range rows {
		s.rows = append(s.rows, mdRow(row, keep))
	}
	return s
}

// mdRow is a line of a table with the columns that are kept.
func mdRow(cells []string, keep []bool) string {
	row := "|"
	for i, c := range cells {
		if keep[i] {
			row += " " + c + " |"
		}
	}
	return row
}

// told returns which of n columns say anything in any row; the first one always does.
func told(rows [][]string, n int) []bool {
	keep := make([]bool, n)
	keep[0] = true
	for _, row := range rows {
		for i, c := range row {
			keep[i] = keep[i] || c != "" && c != "–"
		}
	}
	return keep
}

func mdKeySign(k Key) string {
	var severity finding.Severity
	switch {
	case k.Failed:
		return "❌ "
	case k.Worst == "" || severity.UnmarshalText([]byte(k.Worst)) != nil:
		return ""
	}
	return sign(severity) + " "
}

func mdDone(r Report) section {
	s := section{title: "Done", noun: "key", share: 50}
	if r.DryRun {
		s.title = "Due"
	}
	for _, k := range byName(r.Keys) {
		if len(k.Actions) == 0 && k.Waiting == "" {
			continue
		}
		row := "- " + mdCode(clip(k.Name, nameLimit)) + ": " + mdText(clip(keySummary(k), textLimit))
		for _, a := range k.Actions {
			row += "\n  - " + mdAction(a)
		}
		s.rows = append(s.rows, row)
	}
	return s
}

func mdAction(a Action) string {
	mark := "▫️"
	if a.Done {
		mark = "✅"
	}
	if a.Error != "" {
		mark = "❌"
	}
	row := mark + " " + mdText(clip(actionText(a), textLimit))
	if why := a.why(); why != "" {
		row += " (" + mdText(clip(why, textLimit)) + ")"
	}
	if a.Error != "" {
		row += ": " + mdCode(clip(a.Error, textLimit))
	}
	return row
}

// mdDetails lists the generations and targets of each key that has any.
func mdDetails(r Report) section {
	const most = 10
	s := section{title: "Generations and targets", noun: "key", share: 60, fold: true}
	for _, k := range r.Keys {
		if len(k.Generations)+len(k.Targets) == 0 || len(r.Keys) > fleet && !worthTelling(k) {
			continue
		}
		row := "- " + mdCode(clip(k.Name, nameLimit))
		for _, g := range k.Generations[max(0, len(k.Generations)-most):] {
			row += "\n  - generation " + mdText(generationText(g, r.GeneratedAt))
		}
		for _, t := range k.Targets[:min(most, len(k.Targets))] {
			row += "\n  - " + mdText(targetText(t))
		}
		if n := len(k.Targets) - most; n > 0 {
			row += fmt.Sprintf("\n  - and %d more targets", n)
		}
		s.rows = append(s.rows, row)
	}
	return s
}

// mdDays shows spend by day and model, where it was asked for.
func mdDays(r Report) section {
	s := section{title: "Each key by day and model", noun: "key", share: 80, fold: true}
	for _, k := range r.Keys {
		if len(k.Days)+len(k.Models) == 0 {
			continue
		}
		row := "- " + mdCode(clip(k.Name, nameLimit))
		for _, d := range k.Days[max(0, len(k.Days)-31):] {
			row += fmt.Sprintf("\n  - %s: %s, %s", mdText(d.Date), usd(d.Spend.Valid, money(d.Spend)), finding.Plural(int(d.Requests), "request"))
		}
		for _, m := range k.Models[:min(10, len(k.Models))] {
			row += "\n  - model " + mdText(modelText(m))
		}
		s.rows = append(s.rows, row)
	}
	return s
}

func usd(known bool, text string) string {
	if !known {
		return text
	}
	return text + " USD"
}

func mdNotes(r Report) section {
	s := section{title: "Notes", noun: "note", share: 90}
	notes := slices.Clone(r.Notes)
	if r.Proxy != nil {
		notes = append(notes, r.Proxy.Gaps...)
	}
	for _, n := range notes {
		s.rows = append(s.rows, "- "+mdText(clip(n, textLimit)))
	}
	return s
}
