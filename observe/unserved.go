package observe

import (
	"cmp"
	"slices"

	"github.com/org/openclaw-litellm-action/failover"
	"github.com/org/openclaw-litellm-action/litellm"
)

// unserved returns the group that the row's request was for if its fallbacks failed as well; "" for any other row. Only an
// error's text tells, so that a group is not taken from it that the proxy is known not to serve.
func unserved(row litellm.SpendLog, groups []failover.Group) string {
	if len(row.FailedFallbacks) == 0 || row.Token == healthCheck || row.KeyAlias == healthCheck {
		return ""
	}
	known := func(g failover.Group) bool { return g.Name == row.OriginalModelGroup }
	if groups != nil && !slices.ContainsFunc(groups, known) {
		return ""
	}
	return row.OriginalModelGroup
}

// lose counts a request that nobody served.
func (t *tally) lose(primary string, row litellm.SpendLog, key string) {
	u := t.lost[primary]
	if u == nil {
		u = &failover.Unserved{Primary: primary, First: row.StartTime, Last: row.StartTime, Error: row.ErrorMessage}
		t.lost[primary] = u
	}
	u.Requests++
	if row.StartTime.Before(u.First) {
		u.First = row.StartTime
	}
	if row.StartTime.After(u.Last) {
		u.Last, u.Error = row.StartTime, row.ErrorMessage
	}
	u.By = union(u.By, row.FailedFallbacks...)
	if key != "" {
		u.Keys = union(u.Keys, key)
	}
}

// union adds what list does not have yet, in order of names.
func union(list []string, more ...string) []string {
	list = append(list, more...)
	slices.Sort(list)
	return slices.Compact(list)
}

// unserved returns the requests that nobody served, by the group asked for.
func (t *tally) unserved() []failover.Unserved {
	var out []failover.Unserved
	for _, u := range t.lost {
		if o := t.asked[u.Primary]; o != nil {
			u.Of = o.requests
		}
		out = append(out, *u)
	}
	slices.SortFunc(out, func(a, b failover.Unserved) int {
		return cmp.Or(cmp.Compare(b.Requests, a.Requests), cmp.Compare(a.Primary, b.Primary))
	})
	return out
}
