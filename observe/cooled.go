package observe

import (
	"cmp"
	"slices"
	"strings"

	"github.com/org/openclaw-litellm-action/failover"
	"github.com/org/openclaw-litellm-action/litellm"
)

// untaken reports whether the router found no deployment for the row's request, and whether that is because none was left
// alone after failures either.
func untaken(row litellm.SpendLog) (yes, idle bool) {
	yes = row.Status == "failure" && (row.ErrorClass == "RouterRateLimitError" || strings.HasPrefix(row.ErrorMessage, "No deployments available for selected model"))
	return yes, yes && strings.Contains(row.ErrorMessage, "cooldown_list=[]")
}

// cooledOf counts, by model group, the requests that no deployment took.
func cooledOf(rows []litellm.SpendLog) []failover.Cooled {
	by := map[string]*failover.Cooled{}
	for _, row := range rows { // the newest first
		yes, idle := untaken(row)
		model := cmp.Or(row.ModelGroup, row.Model)
		if !yes || model == "" {
			continue
		}
		c := by[model]
		if c == nil {
			c = &failover.Cooled{Model: model, Last: row.StartTime, Idle: true}
			by[model] = c
		}
		c.Requests, c.First, c.Idle = c.Requests+1, row.StartTime, c.Idle && idle
	}
	var out []failover.Cooled
	for _, c := range by {
		if i := slices.IndexFunc(rows, func(r litellm.SpendLog) bool { return answered(r) && r.ModelGroup == c.Model }); i >= 0 {
			c.Answered = rows[i].StartTime
		}
		out = append(out, *c)
	}
	slices.SortFunc(out, func(a, b failover.Cooled) int { return cmp.Compare(a.Model, b.Model) })
	return out
}
