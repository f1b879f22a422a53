package main

import (
	"fmt"
	"strings"

	"github.com/org/openclaw-litellm-action/finding"
	"github.com/org/openclaw-litellm-action/report"
)

// The names of the senders to Slack. The memory of what was told is kept by them.
const (
	slackSender    = "slack"
	criticalSender = "slack-critical"
	webhookSender  = "slack-webhook"
)

// reportedWhere says how many updates were reported, and where: "reported 2 updates in issue 7 of acme/ops and Slack; 1
// in the critical Slack channel". It names those places alone that accepted them; "" if none did.
func (b *bot) reportedWhere(res report.Result) string {
	type group struct {
		n      int
		places []string
	}
	var groups []group
	for _, place := range []struct{ sender, name string }{
		{report.IssueSender, fmt.Sprintf("issue %d of %s", res.Issue, b.set.Report.IssueRepository)},
		{slackSender, "Slack"}, {webhookSender, "Slack"}, {criticalSender, "the critical Slack channel"},
	} {
		n := res.Accepted[place.sender]
		last := len(groups) - 1
		switch {
		case n == 0:
		case last >= 0 && groups[last].n == n:
			groups[last].places = append(groups[last].places, place.name)
		default:
			groups = append(groups, group{n, []string{place.name}})
		}
	}
	var parts []string
	for i, g := range groups {
		count := finding.Plural(g.n, "update")
		if i > 0 {
			count = fmt.Sprint(g.n)
		}
		parts = append(parts, count+" in "+listed(g.places))
	}
	if len(parts) == 0 {
		return ""
	}
	return "reported " + strings.Join(parts, "; ")
}

// listed is "a", "a and b" or "a, b and c".
func listed(names []string) string {
	last := len(names) - 1
	if last < 1 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:last], ", ") + " and " + names[last]
}
