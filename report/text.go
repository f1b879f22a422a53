package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/org/openclaw-litellm-action/finding"
)

// Text writes r for a terminal of o.Width columns and returns the writer's error. Nothing in it acts on the terminal but
// the colours that o allows.
func Text(w io.Writer, r Report, o Options) error {
	t := &text{Options: o, r: o.view(r)}
	t.title()
	t.proxy()
	t.done()
	t.keys()
	t.past()
	t.overview()
	t.logs()
	t.findings()
	t.failures()
	t.notes()
	t.footer()
	_, err := io.WriteString(w, t.b.String())
	return err
}

// text is a rendering in progress.
type text struct {
	Options
	r Report
	b strings.Builder
}

// line writes one line.
func (t *text) line(parts ...string) { t.b.WriteString(strings.Join(parts, "") + "\n") }

// head begins a section.
func (t *text) head(title string) { t.line("\n", t.paint(title, bold)) }

// para writes s wrapped, the first line after lead, the others under its end.
func (t *text) para(lead, s string, tn tone) {
	t.paraAfter(lead, width(lead), s, tn)
}

// paraAfter is para for a lead that holds colours and takes n cells.
func (t *text) paraAfter(lead string, n int, s string, tn tone) {
	for i, l := range wrap(s, max(t.width()-n, 20)) {
		if i > 0 {
			lead = strings.Repeat(" ", n)
		}
		t.line(lead, t.paint(l, tn))
	}
}

func (t *text) mark(unicode, ascii string) string {
	if t.ASCII {
		return ascii
	}
	return unicode
}

// name shows a name from outside, cut to a length at which layouts hold.
func (t *text) name(s string) string { return t.fitName(visible(s), t.width()/2) }

func (t *text) title() {
	command := cmp.Or(t.r.Command, "report")
	if t.r.DryRun {
		command += " (nothing was written)"
	}
	command = clip(visible(command), nameLimit/4)
	t.paraAfter(t.paint(command, bold)+"  ", width(command)+2, headline(t.r), t.headlineTone())
	if p := t.r.Period; p != nil {
		t.line(t.paint(fmt.Sprintf("%s: %s to %s", t.name(p.Name), date(p.From), date(p.To)), faint))
	}
}

func (t *text) headlineTone() tone {
	switch {
	case t.r.Totals.Failures > 0 || t.r.Totals.Criticals > 0:
		return alarm
	case !t.r.well():
		return yellow
	case t.r.judgedNothing():
		return plain
	}
	return green
}

func (t *text) proxy() {
	p := t.r.Proxy
	if p == nil {
		return
	}
	parts := []string{cmp.Or(t.name(p.URL), "LiteLLM")}
	if p.Release != "" {
		parts = append(parts, "release "+t.name(p.Release))
	}
	state, tn := "ready", green
	if !p.Ready {
		state, tn = "not ready: "+clip(visible(cmp.Or(p.Trouble, p.Cause, "reason not known")), textLimit), red
	} else if p.LatencyMS > 0 {
		state += fmt.Sprintf(" in %d ms", p.LatencyMS)
	}
	lead := "proxy  " + strings.Join(parts, "  ") + "  "
	if width(lead)+width(state) <= t.width() {
		t.line(lead, t.paint(state, tn))
		return
	}
	t.para("proxy  ", strings.Join(parts, "  "), plain)
	t.para("       ", state, tn)
}

// done tells of every key what was done, or would be.
func (t *text) done() {
	title := "Done"
	if t.r.DryRun {
		title = "Due"
	}
	begun := false
	for _, k := range byName(t.r.Keys) {
		if len(k.Actions) == 0 && k.Waiting == "" {
			continue
		}
		if !begun {
			t.head(title)
			begun = true
		}
		t.keyDone(k)
	}
	looked := func(k Key) bool { return k.Owner != "" || k.Failed } // after what is due: not by run --only check
	if !begun && slices.ContainsFunc(t.r.Keys, looked) && slices.Contains([]string{"run", "rotate", "plan"}, t.r.Command) {
		said := "Nothing was due."
		if slices.ContainsFunc(t.r.Keys, func(k Key) bool { return k.Failed }) {
			said = "Nothing was done." // what was due is not known, or could not be done
		}
		t.line("\n", t.paint(said, faint))
	}
}

func (t *text) keyDone(k Key) {
	t.paraAfter("  "+t.paint(t.name(k.Name), bold)+"  ", width(t.name(k.Name))+4, clip(visible(keySummary(k)), textLimit), plain)
	for _, a := range k.Actions {
		lead, tn, n := t.actionMark(a)
		s := visible(actionText(a))
		if why := a.why(); why != "" {
			s += " (" + visible(why) + ")"
		}
		t.paraAfter("    "+t.paint(lead, tn)+" ", 5+n, clip(s, textLimit), plain)
		if a.Error != "" {
			t.para("      ", clip(visible(a.Error), textLimit), red)
		}
	}
}

// keySummary says in a few words what became of a key.
func keySummary(k Key) string {
	failed := 0
	for _, a := range k.Actions {
		if a.Error != "" {
			failed++
		}
	}
	switch {
	case k.Rotated:
		return fmt.Sprintf("rotated, now generation %d", k.Generation)
	case k.Waiting != "":
		return k.Waiting
	case failed > 0:
		return fmt.Sprintf("not finished, %s failed", finding.Plural(failed, "step"))
	}
	return finding.Plural(len(k.Actions), "step")
}

func (t *text) actionMark(a Action) (mark string, tn tone, cells int) {
	switch {
	case a.Error != "":
		mark, tn = t.mark("✗", "x"), red
	case a.Done:
		mark, tn = t.mark("✓", "+"), green
	default:
		mark, tn = t.mark("→", ">"), blue
	}
	return mark, tn, width(mark)
}

func (t *text) findings() {
	if len(t.r.Findings) == 0 {
		return
	}
	t.head("Findings")
	const lead = 12
	for i, f := range t.r.Findings {
		f.Advice = adviceAt(t.r.Findings, i)
		tag := "  " + t.paint(pad(f.Severity.String(), lead-3, false), severityTone(f.Severity)) + " "
		t.paraAfter(tag, lead, clip(visible(f.Summary), textLimit), bold)
		indent := strings.Repeat(" ", lead)
		if s := details(f, t.r); s != "" {
			t.para(indent, s, plain)
		}
		if why := f.Why(); why != "" {
			t.para(indent, "cause: "+clip(visible(why), textLimit), plain)
		}
		if f.Advice != "" {
			t.para(indent+t.mark("→ ", "> "), clip(visible(f.Advice), textLimit), plain)
		}
	}
}

// details joins the figures of a finding: amounts, since when, how it was seen.
func details(f finding.Finding, r Report) string {
	var parts []string
	if q := quantities(f); q != "" {
		parts = append(parts, q)
	}
	if !f.Since.IsZero() {
		parts = append(parts, "since "+date(f.Since))
	}
	if f.Subject.Kind == "key" {
		if k, ok := keyNamed(r, f.Subject.Name); ok && !k.ResetAt.IsZero() && f.Window != "" {
			parts = append(parts, "resets "+date(k.ResetAt))
		}
	}
	if f.Evidence != "" {
		parts = append(parts, "evidence: "+string(f.Evidence))
	}
	return clip(visible(strings.Join(parts, ", ")), textLimit)
}

func keyNamed(r Report, name string) (Key, bool) {
	i := slices.IndexFunc(r.Keys, func(k Key) bool { return k.Name == name })
	if i < 0 {
		return Key{}, false
	}
	return r.Keys[i], true
}

func severityTone(s finding.Severity) tone {
	switch s {
	case finding.Critical:
		return alarm
	case finding.Warning:
		return yellow
	}
	return blue
}

func (t *text) failures() {
	if len(t.r.Failures) == 0 {
		return
	}
	t.head("Failures")
	for _, f := range t.r.Failures {
		t.para("  "+t.mark("✗ ", "x "), visible(failureLead(f)), red)
		t.para("    ", clip(visible(f.Message), textLimit), plain)
	}
}

func (t *text) notes() {
	notes := slices.Clone(t.r.Notes)
	if t.r.Proxy != nil {
		notes = append(notes, t.r.Proxy.Gaps...)
	}
	if len(notes) == 0 {
		return
	}
	t.head("Notes")
	for _, n := range notes {
		t.para("  "+t.mark("· ", "- "), clip(visible(n), textLimit), plain)
	}
}

func (t *text) footer() {
	parts := []string{stamp(t.r.GeneratedAt)}
	if t.r.ToolVersion != "" {
		parts = append(parts, "openclaw-litellm "+t.name(t.r.ToolVersion))
	}
	if s := requestsText(t.r); s != "" {
		parts = append(parts, s)
	}
	t.line()
	for _, l := range wrap(strings.Join(parts, t.mark(" · ", " | ")), t.width()) {
		t.line(t.paint(l, faint))
	}
}

// requestsText prints "requests: github 1, litellm 4".
func requestsText(r Report) string {
	var parts []string
	for system, n := range r.Requests {
		parts = append(parts, fmt.Sprintf("%s %d", clip(visible(system), nameLimit), n))
	}
	if len(parts) == 0 {
		return ""
	}
	slices.Sort(parts)
	return "requests: " + strings.Join(parts, ", ")
}

func byName(keys []Key) []Key {
	return slices.SortedFunc(slices.Values(keys), func(a, b Key) int { return cmp.Compare(a.Name, b.Name) })
}
