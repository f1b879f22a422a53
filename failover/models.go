package failover

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/finding"
	"github.com/org/openclaw-litellm-action/internal/figure"
)

// unhealthy makes one finding a model group.
func unhealthy(f Facts) []finding.Finding {
	groups := map[string][]Unhealthy{}
	for _, u := range f.Unhealthy {
		groups[u.Model] = append(groups[u.Model], u)
	}
	var found []finding.Finding
	for _, model := range sortedKeys(groups) {
		found = append(found, unhealthyGroup(model, groups[model], f.Checked[model]))
	}
	return found
}

func unhealthyGroup(model string, failing []Unhealthy, checked int) finding.Finding {
	first := slices.MinFunc(failing, func(a, b Unhealthy) int { return a.CheckedAt.Compare(b.CheckedAt) })
	out := finding.Finding{
		Rule: RuleUnhealthy, Severity: finding.Warning, Subject: finding.Subject{Kind: "model", Name: model},
		Observed: count(int64(len(failing)), "deployments"),
		Since:    first.CheckedAt,
		Said:     first.Error,
		Evidence: finding.Recorded,
		Source:   "GET /health/latest",
	}
	switch {
	case checked == 0:
		out.Summary = fmt.Sprintf("%s of %s failed the latest health check", finding.Plural(len(failing), "deployment"), model)
	case len(failing) < checked:
		out.Summary = fmt.Sprintf("%d of %d deployments of %s failed the latest health check", len(failing), checked, model)
	default:
		out.Severity = finding.Critical
		out.Summary = fmt.Sprintf("every deployment of %s failed the latest health check", model)
	}
	if checked > 0 {
		out.Limit = count(int64(checked), "deployments")
	}
	out.Advice = "Look at the provider's status, its key and its quota; requests go to the other deployments or to the fallbacks, if there are any."
	return out
}

// served makes one finding a primary whose share of requests served by others, or by nobody, reaches the policy's rate.
func served(f Facts, p Policy, now time.Time) []finding.Finding {
	groups, lost := map[string][]Served{}, map[string]Unserved{}
	for _, s := range f.Served {
		if s.Requests > 0 {
			groups[s.Primary] = append(groups[s.Primary], s)
		}
	}
	for _, u := range f.Unserved {
		if u.Requests > 0 {
			lost[u.Primary] = u
			if _, ok := groups[u.Primary]; !ok {
				groups[u.Primary] = nil
			}
		}
	}
	var found []finding.Finding
	for _, primary := range sortedKeys(groups) {
		if one, ok := servedGroup(primary, groups[primary], lost[primary], f, p, now); ok {
			found = append(found, one)
		}
	}
	return found
}

// servedGroup is a warning while fallbacks serve, and critical where they fail too: nothing is left that answers.
func servedGroup(primary string, rows []Served, lost Unserved, f Facts, p Policy, now time.Time) (finding.Finding, bool) {
	all := sum(primary, rows)
	of := max(all.Of, lost.Of)
	if of == 0 {
		of = f.Requests
	}
	reaches := func(n int64) bool { return n > 0 && (of == 0 || float64(n) >= p.FallbackRate*float64(of)) }
	if !reaches(figure.Add(all.Requests, lost.Requests)) {
		return finding.Finding{}, false
	}
	out := finding.Finding{
		Rule: RuleServed, Severity: finding.Warning, Subject: finding.Subject{Kind: "model", Name: primary},
		Observed: count(all.Requests+lost.Requests, "requests"),
		Since:    earliest(all.First, lost.First),
		Evidence: cmp.Or(all.Evidence, finding.Recorded),
		Source:   f.Source,
		Advice: "Find out why " + primary + " fails (its provider's status, key and quota; the proxy's log): the fallback may cost " +
			"more and answer differently.",
	}
	if of > 0 {
		out.Limit = count(of, "requests")
	}
	causes := causes(all, f.Window, now)
	sick := f.sick(rows)
	switch {
	case reaches(lost.Requests):
		out.Severity = finding.Critical
		out.Summary = unservedSummary(primary, lost, of)
		out.Said = lost.Error
	case sick != "":
		out.Severity = finding.Critical
		out.Summary = summary(primary, all, of) + ", which fails too"
		causes = append([]string{sick}, causes...)
	default:
		out.Summary = summary(primary, all, of)
	}
	if out.Severity == finding.Critical {
		out.Advice = "Nothing is left that answers for " + primary + ": mend it or its fallback first (provider's status, key and quota), or " +
			"give the agents another model."
	}
	out.Cause = strings.Join(slices.DeleteFunc(causes, func(s string) bool { return s == "" }), "; ")
	return out, true
}

// unservedSummary says how many requests nobody answered.
func unservedSummary(primary string, lost Unserved, of int64) string {
	by := "its fallback"
	if len(lost.By) > 0 {
		by += " " + strings.Join(lost.By, ", ")
	}
	if lost.Requests >= of {
		return fmt.Sprintf("all requests for %s fail, and %s fails too", primary, by)
	}
	share := decimal.NewFromInt(100*lost.Requests).DivRound(decimal.NewFromInt(of), 0)
	return fmt.Sprintf("%s%% of the requests for %s fail, for %s fails too", share, primary, by)
}

// sick says what the health checks say of the fallbacks that serve if every deployment of each of them fails; "" otherwise.
func (f Facts) sick(rows []Served) string {
	failing := map[string]int{}
	for _, u := range f.Unhealthy {
		failing[u.Model]++
	}
	var names []string
	for _, s := range rows {
		if n := failing[s.By]; n == 0 || f.Checked[s.By] == 0 || n < f.Checked[s.By] {
			return ""
		}
		names = append(names, s.By)
	}
	if len(names) == 0 {
		return ""
	}
	slices.Sort(names)
	return "every deployment of " + strings.Join(slices.Compact(names), " and of ") + " failed the latest health check"
}

func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func summary(primary string, all Served, of int64) string {
	if all.Requests >= of {
		return fmt.Sprintf("all requests for %s are served by its fallback %s", primary, all.By)
	}
	share := decimal.NewFromInt(100*all.Requests).DivRound(decimal.NewFromInt(of), 0)
	return fmt.Sprintf("%s%% of the requests for %s are served by its fallback %s", share, primary, all.By)
}

// causes tells what stands behind the count.
func causes(all Served, window time.Duration, now time.Time) []string {
	var out []string
	if window > 0 {
		out = append(out, "seen in the last "+finding.Short(window))
	}
	if !all.Last.IsZero() && now.After(all.Last) {
		out = append(out, "the last one "+finding.Short(now.Sub(all.Last))+" ago")
	}
	if cost := all.cost(); cost != "" {
		out = append(out, cost)
	}
	if len(all.Keys) > 0 {
		out = append(out, "among those who asked: "+strings.Join(all.Keys, ", "))
	}
	if all.Evidence == finding.Inferred {
		out = append(out, "this release does not record fallbacks, so that is inferred from who asks for what")
	}
	return out
}

// cost tells what the fallback took, and how much more that is than the primary's own price; "" if it took nothing.
func (s Served) cost() string {
	if !s.Spend.IsPositive() {
		return ""
	}
	text := "the fallback took " + dollars(s.Spend)
	switch extra, known := s.Extra(); {
	case !known:
	case extra.Round(6).IsZero():
		text += ", at the primary's own price"
	case extra.IsNegative():
		text += ", " + dollars(extra.Neg()) + " less than the primary's own price"
	default:
		text += ", " + dollars(extra) + " more than the primary's own price"
	}
	return text
}

// dollars prints an amount with at most six decimals.
func dollars(d decimal.Decimal) string { return d.Round(6).String() + " USD" }

// sum joins what several fallbacks served for one primary; its evidence is the weakest of theirs.
func sum(primary string, rows []Served) Served {
	if len(rows) == 0 {
		return Served{Primary: primary}
	}
	slices.SortStableFunc(rows, func(a, b Served) int {
		return cmp.Or(cmp.Compare(b.Requests, a.Requests), cmp.Compare(a.By, b.By))
	})
	all := rows[0]
	all.Keys = slices.Clone(all.Keys)
	by := []string{all.By}
	for _, s := range rows[1:] {
		by = append(by, s.By)
		all.Requests = figure.Add(all.Requests, s.Requests)
		all.Of = max(all.Of, s.Of)
		all.Spend = all.Spend.Add(s.Spend)
		all.Tokens = figure.Add(all.Tokens, s.Tokens)
		all.Keys = append(all.Keys, s.Keys...)
		if !s.First.IsZero() && (all.First.IsZero() || s.First.Before(all.First)) {
			all.First = s.First
		}
		if s.Last.After(all.Last) {
			all.Last = s.Last
		}
		if s.Evidence == finding.Inferred {
			all.Evidence = finding.Inferred
		}
	}
	all.By = strings.Join(by, ", ")
	slices.Sort(all.Keys)
	all.Keys = slices.Compact(all.Keys)
	return all
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func count(n int64, unit string) *finding.Quantity {
	return &finding.Quantity{Value: decimal.NewFromInt(n), Unit: unit}
}
