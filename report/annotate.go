package report

import (
	"cmp"
	"fmt"

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

// Annotations returns the failures and the findings from warning on, worst first, at most ten a level, none twice. Where
// there are more of a level, the tenth says how many.
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
	seen, byLevel := map[Annotation]bool{}, map[string][]Annotation{}
	for _, a := range all {
		a.Title, a.Message = clip(visible(a.Title), nameLimit), clip(visible(cmp.Or(a.Message, a.Title)), textLimit)
		if !seen[a] {
			seen[a] = true
			byLevel[a.Level] = append(byLevel[a.Level], a)
		}
	}
	return append(fewest(byLevel["error"]), fewest(byLevel["warning"])...)
}

// fewest cuts a level to what GitHub shows of it, visibly.
func fewest(list []Annotation) []Annotation {
	if len(list) <= annotationLimit {
		return list
	}
	more := fmt.Sprintf("and %s more", finding.Plural(len(list)-annotationLimit+1, list[0].Level))
	return append(list[:annotationLimit-1:annotationLimit-1], Annotation{list[0].Level, more, "The step summary has them all."})
}

// bracketed is details in brackets, or nothing.
func bracketed(f finding.Finding, r Report) string {
	if d := details(f, r); d != "" {
		return " (" + d + ")"
	}
	return ""
}
