package observe

import (
	"cmp"
	"context"
	"slices"

	"github.com/org/openclaw-litellm-action/failover"
	"github.com/org/openclaw-litellm-action/litellm"
)

// unserved returns the group that the row's request was for if its fallbacks failed as well; "" for any other row. Only
// an error's text tells, which anybody may have written: no group is taken from it but those that the proxy serves.
func unserved(row litellm.SpendLog, groups []failover.Group) string {
	if !fellShort(row) || !serves(groups, row.OriginalModelGroup) {
		return ""
	}
	return row.OriginalModelGroup
}

// fellShort reports whether an agent's request failed with its fallbacks.
func fellShort(row litellm.SpendLog) bool {
	return len(row.FailedFallbacks) > 0 && row.Token != healthCheck && row.KeyAlias != healthCheck
}

func serves(groups []failover.Group, name string) bool {
	return slices.ContainsFunc(groups, func(g failover.Group) bool { return g.Name == name })
}

// groupsFor returns the model groups that the proxy serves, to hold the texts of rows against: those that are known, or
// else, if a row needs them, what the proxy says now. nil: it does not say.
func (o Observer) groupsFor(ctx context.Context, f *failover.Facts, rows []litellm.SpendLog) []failover.Group {
	if f.Groups != nil || !slices.ContainsFunc(rows, fellShort) {
		return f.Groups
	}
	models, err := o.Client.Models(ctx)
	if err != nil {
		f.Gaps = append(f.Gaps, gap("requests that nobody served are not counted", err))
		return nil
	}
	var groups []failover.Group
	for _, m := range models {
		groups = append(groups, failover.Group{Name: m.Name, Fallbacks: m.Fallbacks})
	}
	return groups
}

// lose counts a request that nobody served.
func (t *tally) lose(primary string, row litellm.SpendLog, key string, groups []failover.Group) {
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
	for _, name := range row.FailedFallbacks {
		if serves(groups, name) {
			u.By = union(u.By, name)
		}
	}
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
