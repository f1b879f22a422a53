package report

import (
	"fmt"
	"strings"

	"github.com/org/openclaw-litellm-action/finding"
)

// heartbeatLimit is the most bytes that Heartbeat returns: services keep ten thousand at least.
const heartbeatLimit = 4096

// Heartbeat returns r as the few lines of plain text that go with a ping to a dead man's switch: how things stand, what
// failed, and what is critical or a warning, worst first. It is for a service outside, and so names no user, no address and
// no amount. What does not fit is counted.
func Heartbeat(r Report) string {
	r = Options{Public: true, HideAmounts: true}.view(r)
	lines := []string{fmt.Sprintf("%s: %s", clip(visible(r.Command), nameLimit), headline(r))}
	for _, f := range r.Failures {
		lines = append(lines, "failed: "+clip(visible(failureLead(f)), nameLimit)+": "+clip(visible(f.Message), textLimit/2))
	}
	for _, f := range r.Findings {
		if f.Severity > 0 {
			lines = append(lines, f.Severity.String()+": "+clip(visible(f.Summary), textLimit/2))
		}
	}
	var b strings.Builder
	for i, line := range lines {
		if b.Len()+len(line)+cutRoom > heartbeatLimit {
			fmt.Fprintf(&b, "… and %s more\n", finding.Plural(len(lines)-i, "line"))
			break
		}
		b.WriteString(line + "\n")
	}
	return b.String()
}
