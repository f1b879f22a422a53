package failover

import (
	"fmt"
	"time"

	"github.com/org/openclaw-litellm-action/finding"
)

// Cooled counts the requests that no deployment of a model group took: LiteLLM leaves a deployment alone for a while after
// it failed, and with all of them left alone it refuses. What a fallback saved is among Served instead.
type Cooled struct {
	Model       string
	Requests    int64 // refused
	First, Last time.Time
	Answered    time.Time // the last request that the group answered; zero: none was seen
	Idle        bool      // none was left alone either: the group has no deployment for such requests
}

// cooled makes one finding a model group: critical if it has answered nothing since.
func cooled(f Facts) []finding.Finding {
	var found []finding.Finding
	for _, c := range f.Cooled {
		out := finding.Finding{
			Rule: RuleCooled, Severity: finding.Warning, Subject: finding.Subject{Kind: "model", Name: c.Model},
			Summary: fmt.Sprintf("every deployment of %s was cooling down after failures: %s refused", c.Model, finding.Plural(int(c.Requests), "request")),
			Cause:   "its deployments failed so often that LiteLLM leaves them alone for its cooldown_time",
			Advice: "Look at the provider's status, its key and its quota, and give " + c.Model + " a fallback or one more deployment: until one is " +
				"back, agents that ask for it are told of a rate limit.",
			Observed: count(c.Requests, "requests"), Since: c.First, Evidence: finding.Recorded, Source: f.Source,
		}
		if c.Idle {
			out.Summary = fmt.Sprintf("no deployment of %s takes what is asked of it: %s refused", c.Model, finding.Plural(int(c.Requests), "request"))
			out.Cause = "none of them is cooling down: they are missing, or limits, tags or checks of the router leave none over"
			out.Advice = "Compare what is asked with the deployments of " + c.Model + " in LiteLLM's model_list: their limits, tags, regions and context windows."
		}
		if !c.Answered.After(c.Last) {
			out.Severity = finding.Critical
		} else {
			out.Cause += "; it has answered since"
		}
		found = append(found, out)
	}
	return found
}
