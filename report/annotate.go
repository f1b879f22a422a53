package report

import (
	"cmp"

	"github.com/org/openclaw-litellm-action/finding"
)

// Annotation is one line that GitHub shows on a run. Level is "warning" or "error". Title and Message hold no control
// characters; whoever prints them still escapes them as workflow commands ask.
type Annotation struct {
	Level   string
	Title   string
	Message string
}

// annotationLimit is how many annotations a level GitHub shows for a step.
const annotationLimit = 10

// Annotations returns the failures and the findings from warning on, worst first, at most ten a level, none twice.
func Annotations(r Report, o Options) []Annotation {
	r = o.view(r)
	var all []Annotation
	for _, f := range r.Failures {
		all = append(all, Annotation{"error", "failed: " + failureLead(f), f.Message})
	}
	for _, f := range r.Findings {
		message := f.Summary + bracketed(f, r)
		if f.Advice != "" {
			message += ". " + f.Advice
		}
		switch f.Severity {
		case finding.Critical:
			all = append(all, Annotation{"error", f.Rule + ": " + f.Subject.Name, message})
		case finding.Warning:
			all = append(all, Annotation{"warning", f.Rule + ": " + f.Subject.Name, message})
		}
	}
	seen, count := map[Annotation]bool{}, map[string]int{}
	var out []Annotation
	for _, a := range all {
		a.Title, a.Message = clip(visible(a.Title), nameLimit), clip(visible(cmp.Or(a.Message, a.Title)), textLimit)
		if !seen[a] && count[a.Level] < annotationLimit {
			seen[a] = true
			count[a.Level]++
			out = append(out, a)
		}
	}
	return out
}

// bracketed is details in brackets, or nothing.
func bracketed(f finding.Finding, r Report) string {
	if d := details(f, r); d != "" {
		return " (" + d + ")"
	}
	return ""
}
