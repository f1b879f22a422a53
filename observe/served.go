package observe

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/budget"
	"github.com/org/openclaw-litellm-action/failover"
	"github.com/org/openclaw-litellm-action/finding"
	"github.com/org/openclaw-litellm-action/internal/figure"
	"github.com/org/openclaw-litellm-action/litellm"
)

// served reads the newest rows of the window, counts what fallbacks served, and returns each key's own rows; nil if they
// could not be read.
func (o Observer) served(ctx context.Context, f *failover.Facts, now time.Time) map[string]*budget.Recent {
	all, err := o.rows(ctx, max(f.Window, budget.BurnReach), now)
	if err != nil {
		o.missing(f, "what fallbacks served is not known", err, failover.RuleServed, failover.RuleCooled)
		return nil
	}
	f.Source = rowSource
	rows := all[:newer(all, now.Add(-f.Window))]
	if limit := o.limit(ctx); limit > 0 && len(rows) >= limit {
		f.Window = now.Sub(rows[len(rows)-1].StartTime)
		known(f, fmt.Sprintf("only the newest %d requests were looked at", len(rows)))
	}
	t := tally{counts: map[[2]string]*failover.Served{}, asked: map[string]*own{}, lost: map[string]*failover.Unserved{}}
	var unrecorded []litellm.SpendLog
	groups := o.groupsFor(ctx, f, rows)
	for _, row := range rows {
		if primary := unserved(row, groups); primary != "" {
			f.Requests++
			t.ask(primary, row)
			t.lose(primary, row, o.nameOf(row), groups)
			continue
		}
		if !answered(row) {
			continue
		}
		f.Requests++
		if row.AttemptedFallbacks < 0 {
			unrecorded = append(unrecorded, row)
			continue
		}
		asked := cmp.Or(row.OriginalModelGroup, row.ModelGroup)
		t.ask(asked, row)
		if row.AttemptedFallbacks > 0 && asked != row.ModelGroup {
			t.add(asked, row, o.nameOf(row), finding.Recorded)
		}
	}
	if len(unrecorded) > 0 {
		o.infer(f, &t, unrecorded)
	}
	f.Served, f.Unserved, f.Cooled = t.served(), t.unserved(), cooledOf(rows)
	return o.recent(rows, all[len(rows):], now.Add(-f.Window), now)
}

// newer counts the rows, newest first, that began at or after a moment.
func newer(rows []litellm.SpendLog, from time.Time) int {
	if i := slices.IndexFunc(rows, func(r litellm.SpendLog) bool { return r.StartTime.Before(from.Truncate(time.Second)) }); i >= 0 {
		return i
	}
	return len(rows)
}

// rowSource is where rows come from.
const rowSource = "GET /spend/logs/v2"

// healthCheck is the key that releases before 1.96 log their own health checks under, at full cost.
const healthCheck = "litellm-internal-health-check"

// answered reports whether a model group answered the row's request, and an agent asked. A request that a fallback saved
// has one row, and that says success; what failed altogether was served by nobody.
func answered(row litellm.SpendLog) bool {
	return row.Status == "success" && row.ModelGroup != "" && row.Token != healthCheck && row.KeyAlias != healthCheck
}

// rows returns the newest requests of the window, newest first, those that failed included.
func (o Observer) rows(ctx context.Context, window time.Duration, now time.Time) ([]litellm.SpendLog, error) {
	var rows []litellm.SpendLog
	q := litellm.LogQuery{From: now.Add(-window), To: now.Add(time.Second), Descending: true, Limit: o.limit(ctx)}
	for row, err := range o.Client.SpendLogs(ctx, q) {
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// recent sorts rows, and those before them, by key. Requests that asked for no model, such as for a key's own state, are
// left out.
func (o Observer) recent(rows, earlier []litellm.SpendLog, from, to time.Time) map[string]*budget.Recent {
	recent := map[string]*budget.Recent{}
	for _, a := range o.Keys {
		recent[a.Name] = &budget.Recent{From: from, To: to, Source: rowSource}
	}
	for i, row := range slices.Concat(rows, earlier) {
		a, ok := o.asker(row)
		if !ok || row.Model == "" && row.ModelGroup == "" {
			continue
		}
		if r := recent[a.Name]; i < len(rows) {
			r.Requests = append(r.Requests, requestOf(row))
		} else {
			r.Earlier = append(r.Earlier, requestOf(row))
		}
	}
	return recent
}

func requestOf(row litellm.SpendLog) budget.Request {
	return budget.Request{
		ID: row.RequestID, At: row.StartTime, Model: cmp.Or(row.ModelGroup, row.Model), Spend: row.Spend,
		Tokens: row.Tokens(), Failed: row.Status == "failure", Error: row.ErrorClass,
		CacheHit: row.CacheHit, User: row.EndUser, Tags: slices.DeleteFunc(slices.Clone(row.Tags), ownTag),
	}
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
func (o Observer) infer(f *failover.Facts, t *tally, rows []litellm.SpendLog) {
	if slices.Contains(f.Unjudged, failover.RuleMissing) { // which fallbacks are configured is not known
		f.Unjudged = append(f.Unjudged, failover.RuleServed)
		return
	}
	blind := false
	for _, row := range rows {
		a, ok := o.asker(row)
		switch {
		case !ok || len(a.Models) == 0:
			blind = true
		case allows(a.Models, row.ModelGroup):
			t.ask(row.ModelGroup, row)
		default:
			if primary := primaryOf(a.Models, row.ModelGroup, f.Groups); primary != "" {
				t.ask(primary, row)
				t.add(primary, row, a.Name, finding.Inferred)
			}
		}
	}
	if blind {
		release := cmp.Or(f.Proxy.Release, "of this release")
		known(f, "LiteLLM "+release+" does not record fallbacks: they are seen only for keys with a model list")
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
func primaryOf(list []string, by string, models []failover.Group) string {
	var primaries []string
	for _, m := range models {
		if slices.Contains(list, m.Name) && slices.Contains(m.Fallbacks, by) {
			primaries = append(primaries, m.Name)
		}
	}
	slices.Sort(primaries)
	return strings.Join(primaries, " or ")
}

func (o Observer) nameOf(row litellm.SpendLog) string {
	a, _ := o.asker(row)
	return a.Name
}

// tally counts requests by the group asked for, and those of them that others served, or nobody.
type tally struct {
	counts map[[2]string]*failover.Served
	asked  map[string]*own
	lost   map[string]*failover.Unserved
}

// own counts the requests for a group, and what those cost that it served itself.
type own struct {
	requests, tokens int64
	spend            decimal.Decimal
}

func (t *tally) ask(primary string, row litellm.SpendLog) {
	o := t.asked[primary]
	if o == nil {
		o = &own{}
		t.asked[primary] = o
	}
	o.requests++
	if row.ModelGroup == primary && !row.CacheHit {
		o.tokens = figure.Add(o.tokens, row.Tokens())
		o.spend = o.spend.Add(row.Spend)
	}
}

func (t *tally) add(primary string, row litellm.SpendLog, key string, evidence finding.Evidence) {
	at := [2]string{primary, row.ModelGroup}
	s := t.counts[at]
	if s == nil {
		s = &failover.Served{Primary: primary, By: row.ModelGroup, Evidence: evidence, First: row.StartTime, Last: row.StartTime}
		t.counts[at] = s
	}
	s.Requests++
	s.Spend = s.Spend.Add(row.Spend)
	s.Tokens = figure.Add(s.Tokens, row.Tokens())
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
		if o := t.asked[s.Primary]; o != nil {
			s.Of, s.OwnSpend, s.OwnTokens = o.requests, o.spend, o.tokens
		}
		out = append(out, *s)
	}
	slices.SortFunc(out, func(a, b failover.Served) int {
		return cmp.Or(cmp.Compare(b.Requests, a.Requests), cmp.Compare(a.Primary, b.Primary), cmp.Compare(a.By, b.By))
	})
	return out
}
