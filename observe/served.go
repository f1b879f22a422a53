package observe

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/org/openclaw-litellm-action/failover"
	"github.com/org/openclaw-litellm-action/finding"
	"github.com/org/openclaw-litellm-action/litellm"
)

// served reads the newest rows of the window and counts what fallbacks served.
func (o Observer) served(ctx context.Context, f *failover.Facts, now time.Time) {
	rows, err := o.rows(ctx, f.Window, now)
	if err != nil {
		missing(f, "what fallbacks served is not known", err, failover.RuleServed)
		return
	}
	f.Requests, f.Source = int64(len(rows)), "GET /spend/logs/v2"
	if limit := o.limit(ctx); limit > 0 && len(rows) >= limit {
		f.Window = now.Sub(rows[len(rows)-1].StartTime)
		f.Gaps = append(f.Gaps, fmt.Sprintf("only the newest %d requests were looked at", len(rows)))
	}
	t := tally{counts: map[[2]string]*failover.Served{}, asked: map[string]int64{}}
	var unrecorded []litellm.SpendLog
	for _, row := range rows {
		if row.AttemptedFallbacks < 0 {
			unrecorded = append(unrecorded, row)
			continue
		}
		asked := cmp.Or(row.OriginalModelGroup, row.ModelGroup)
		t.ask(asked)
		if row.AttemptedFallbacks > 0 && asked != row.ModelGroup {
			t.add(asked, row, o.nameOf(row.Token), finding.Recorded)
		}
	}
	if len(unrecorded) > 0 {
		o.infer(ctx, f, &t, unrecorded)
	}
	f.Served = t.served()
}

// rows returns the newest requests of the window that succeeded, newest first. A request that a fallback saved has one
// row, and that says success; what failed altogether was served by nobody.
func (o Observer) rows(ctx context.Context, window time.Duration, now time.Time) ([]litellm.SpendLog, error) {
	var rows []litellm.SpendLog
	q := litellm.LogQuery{
		From: now.Add(-window), To: now.Add(time.Second), Status: "success", Descending: true, Limit: o.limit(ctx),
	}
	for row, err := range o.Client.SpendLogs(ctx, q) {
		if err != nil {
			return nil, err
		}
		if row.ModelGroup != "" {
			rows = append(rows, row)
		}
	}
	return rows, nil
}

// limit is how many rows are read: one page.
func (o Observer) limit(ctx context.Context) int {
	if o.Rows > 0 {
		return o.Rows
	}
	if r, err := o.Client.Release(ctx); err == nil && r.AtLeast(1, 96) {
		return 1000
	}
	return 100
}

// infer finds fallbacks among rows that do not record them. It concludes only what cannot be otherwise: the asking key is
// ours and has a model list, the group that served is not on it, so that the key cannot have asked for it (the proxy would
// have refused), and it is a configured fallback of a group that is on it.
func (o Observer) infer(ctx context.Context, f *failover.Facts, t *tally, rows []litellm.SpendLog) {
	suspect := slices.ContainsFunc(rows, func(row litellm.SpendLog) bool {
		a, ok := o.asker(row.Token)
		return ok && len(a.Models) > 0 && !allows(a.Models, row.ModelGroup)
	})
	var models []litellm.Model
	if suspect {
		var err error
		if models, err = o.Client.Models(ctx); err != nil {
			missing(f, "the configured fallbacks are not known", err, failover.RuleServed)
			return
		}
	}
	blind := false
	for _, row := range rows {
		a, ok := o.asker(row.Token)
		switch {
		case !ok || len(a.Models) == 0:
			blind = true
		case allows(a.Models, row.ModelGroup):
			t.ask(row.ModelGroup)
		default:
			if primary := primaryOf(a.Models, row.ModelGroup, models); primary != "" {
				t.ask(primary)
				t.add(primary, row, a.Name, finding.Inferred)
			}
		}
	}
	if blind {
		f.Gaps = append(f.Gaps, "LiteLLM "+cmp.Or(f.Proxy.Release, "of this release")+" does not record fallbacks: they are seen only for keys with a model list")
	}
}

// allows reports whether a key with this model list may ask for group. Wildcards and LiteLLM's words for whole sets allow
// anything here, because nothing can be inferred from them.
func allows(models []string, group string) bool {
	return slices.ContainsFunc(models, func(m string) bool {
		return m == group || strings.ContainsAny(m, "*") || strings.HasPrefix(m, "all-") || m == "no-default-models"
	})
}

// primaryOf names the groups of the list that have by as a fallback, "a or b" where it may be one of several.
func primaryOf(list []string, by string, models []litellm.Model) string {
	var primaries []string
	for _, m := range models {
		if slices.Contains(list, m.Name) && slices.Contains(m.Fallbacks, by) {
			primaries = append(primaries, m.Name)
		}
	}
	slices.Sort(primaries)
	return strings.Join(primaries, " or ")
}

func (o Observer) nameOf(token string) string {
	a, _ := o.asker(token)
	return a.Name
}

// tally counts requests by the group asked for, and those of them that others served.
type tally struct {
	counts map[[2]string]*failover.Served
	asked  map[string]int64
}

func (t *tally) ask(primary string) { t.asked[primary]++ }

func (t *tally) add(primary string, row litellm.SpendLog, key string, evidence finding.Evidence) {
	at := [2]string{primary, row.ModelGroup}
	s := t.counts[at]
	if s == nil {
		s = &failover.Served{Primary: primary, By: row.ModelGroup, Evidence: evidence, First: row.StartTime, Last: row.StartTime}
		t.counts[at] = s
	}
	s.Requests++
	if row.StartTime.Before(s.First) {
		s.First = row.StartTime
	}
	if row.StartTime.After(s.Last) {
		s.Last = row.StartTime
	}
	if evidence == finding.Inferred {
		s.Evidence = evidence
	}
	if key != "" && !slices.Contains(s.Keys, key) {
		s.Keys = append(s.Keys, key)
		slices.Sort(s.Keys)
	}
}

func (t *tally) served() []failover.Served {
	var out []failover.Served
	for _, s := range t.counts {
		s.Of = t.asked[s.Primary]
		out = append(out, *s)
	}
	slices.SortFunc(out, func(a, b failover.Served) int {
		return cmp.Or(cmp.Compare(b.Requests, a.Requests), cmp.Compare(a.Primary, b.Primary), cmp.Compare(a.By, b.By))
	})
	return out
}
