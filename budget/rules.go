package budget

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/finding"
	"github.com/org/openclaw-litellm-action/internal/figure"
)

// The rules. Each is judged by itself; that one of them is silent says nothing about another.
const (
	RuleUsed      = "budget-used"      // a share of the budget is spent
	RuleSpend     = "spend"            // an amount is spent in the window
	RuleDaily     = "daily-spend"      // an amount is spent today
	RuleModel     = "model-spend"      // an amount is spent on one model in the window
	RuleRequest   = "request-cost"     // a single request was dear
	RuleBurn      = "burn-rate"        // the budget burns so fast that it will not last
	RuleForecast  = "forecast"         // the window is going to end over the budget
	RuleFailures  = "failure-rate"     // many requests fail
	RuleUnusable  = "key-unusable"     // the current generation is blocked or expired
	RuleUnrotated = "key-unrotated"    // the current generation is much older than the interval
	RuleUnpriced  = "model-unpriced"   // a model's requests cost nothing: spend is undercounted
	RuleDisagree  = "sources-disagree" // two sources of the same figure differ

	RuleReservation = "budget-below-reservation" // the budget is smaller than what the proxy holds back for a few calls
)

const (
	tolerance  = 1                  // percent by which sources may differ
	usd        = "USD"              // the unit
	dayFormat  = "2006-01-02"       // of LiteLLM's days
	subjectKey = "key"              // the kind of every subject here
	batch      = 2 * time.Minute    // how far the proxy's sources may lag each other
	hundred    = 100                // percent
	slack      = 5 * 24 * time.Hour // how late a rotation may be before it is worth a finding, at most
)

// Rules returns the rules that Check judges.
func Rules() []string {
	return []string{
		RuleUsed, RuleSpend, RuleDaily, RuleModel, RuleRequest, RuleBurn, RuleForecast, RuleFailures, RuleUnusable,
		RuleUnrotated, RuleUnpriced, RuleDisagree, RuleReservation,
	}
}

// RecentRules returns the rules that need Facts.Recent.
func RecentRules() []string { return []string{RuleRequest, RuleBurn, RuleFailures, RuleUnpriced} }

// DayRules returns the rules that need Facts.Days.
func DayRules() []string { return []string{RuleDaily, RuleModel, RuleForecast, RuleDisagree} }

// Judged returns the rules that f allows to judge: all but those whose facts were wanted and could not be had.
func Judged(f Facts) []string {
	return slices.DeleteFunc(Rules(), func(rule string) bool { return slices.Contains(f.Unjudged, rule) })
}

// Check judges f by every rule. now is when f was gathered.
func Check(f Facts, p Policy, now time.Time) []finding.Finding {
	var found []finding.Finding
	for _, judge := range []func(Facts, Policy, time.Time) []finding.Finding{
		used, amount, daily, perModel, requestCost, burn, forecast, failures, unusable, unrotated, unpriced, disagree,
		reservation,
	} {
		found = append(found, judge(f, p, now)...)
	}
	return found
}

// about begins a finding about the key in its window.
func about(f Facts, rule string, s finding.Severity) finding.Finding {
	return finding.Finding{Rule: rule, Severity: s, Subject: finding.Subject{Kind: subjectKey, Name: f.Key}, Window: window(f), Source: f.Source}
}

// window identifies the budget window: by its start, or by its end where the start cannot be derived.
func window(f Facts) string {
	switch {
	case !f.WindowStart.IsZero():
		return f.WindowStart.UTC().Format(time.RFC3339)
	case !f.ResetAt.IsZero():
		return "until " + f.ResetAt.UTC().Format(time.RFC3339)
	}
	return ""
}

// period is the length of the window, 0 if it is not known.
func (f Facts) period() time.Duration {
	if f.WindowStart.IsZero() || f.ResetAt.IsZero() {
		return 0
	}
	return max(f.ResetAt.Sub(f.WindowStart), 0)
}

// left is what is left of the limit; less than nothing after an overrun.
func (f Facts) left() decimal.Decimal { return f.Limit.Decimal.Sub(f.Spend) }

// lasting reports whether there is a budget of which something is left. A spend below zero leaves something of a limit
// of zero, of which there are no shares.
func (f Facts) lasting() bool {
	return f.Limit.Valid && f.Limit.Decimal.IsPositive() && f.left().IsPositive()
}

// inWindow returns the days that lie in the window, its first day included; all days where there is no window.
func (f Facts) inWindow() []Day {
	if f.WindowStart.IsZero() {
		return f.Days
	}
	first := f.WindowStart.UTC().Format(dayFormat)
	return slices.DeleteFunc(slices.Clone(f.Days), func(d Day) bool { return d.Date < first })
}

// SumDays sums days by model, by name.
func SumDays(days []Day) []ModelSpend {
	byName := map[string]ModelSpend{}
	for _, d := range days {
		for _, m := range d.Models {
			sum := byName[m.Model]
			sum.Model = m.Model
			sum.Spend = sum.Spend.Add(m.Spend)
			sum.Requests = figure.Add(sum.Requests, m.Requests)
			sum.Failed = figure.Add(sum.Failed, m.Failed)
			sum.Hits = figure.Add(sum.Hits, m.Hits)
			sum.Tokens = figure.Add(sum.Tokens, m.Tokens)
			byName[m.Model] = sum
		}
	}
	out := make([]ModelSpend, 0, len(byName))
	for _, m := range byName {
		out = append(out, m)
	}
	slices.SortFunc(out, func(a, b ModelSpend) int { return strings.Compare(a.Model, b.Model) })
	return out
}

// top says which model took most, without amounts: they may not be shown everywhere. "" if none took anything.
func top(models []ModelSpend) string {
	var most ModelSpend
	total := decimal.Zero
	for _, m := range models {
		total = total.Add(decimal.Max(m.Spend, decimal.Zero)) // a credit is nobody's share
		if m.Spend.GreaterThan(most.Spend) {
			most = m
		}
	}
	if !most.Spend.IsPositive() {
		return ""
	}
	share := most.Spend.Mul(decimal.NewFromInt(hundred)).Div(total).Round(0)
	return fmt.Sprintf("model %s took %s%% of the spend", most.Model, share)
}

// cause names what stands behind the spend of the window: the model that took most. who names the people.
func cause(f Facts) string { return top(f.byModel()) }

// byModel is what the window's spend went to: by its days, which may be among others, or as a whole where days do not tell.
func (f Facts) byModel() []ModelSpend {
	if f.daysTell() {
		return SumDays(f.inWindow())
	}
	return f.Models
}

// daysTell reports whether days tell which models they went to.
func (f Facts) daysTell() bool {
	return slices.ContainsFunc(f.Days, func(d Day) bool { return d.Models != nil })
}

// who names the user and the tag that took most of the recent requests' spend, for a finding's Who; "" if none is
// known.
func who(f Facts) string {
	r := f.Recent
	if r == nil {
		return ""
	}
	user := mostBy(r.Requests, func(q Request) []string { return []string{q.User} })
	tag := mostBy(r.Requests, func(q Request) []string { return q.Tags })
	var by []string
	if user != "" {
		by = append(by, "by user "+user)
	}
	if tag != "" {
		by = append(by, "with tag "+tag)
	}
	if by == nil {
		return ""
	}
	return "most in the last " + short(r.To.Sub(r.From)) + " " + strings.Join(by, " and ")
}

// mostBy returns the name that took most of the requests' spend, the first of several; "" if none took anything.
func mostBy(requests []Request, names func(Request) []string) string {
	spent := map[string]decimal.Decimal{}
	most := ""
	for _, q := range requests {
		for _, name := range names(q) {
			if name != "" {
				spent[name] = spent[name].Add(q.Spend)
			}
		}
	}
	for name, s := range spent {
		if s.IsPositive() && (most == "" || s.GreaterThan(spent[most]) || s.Equal(spent[most]) && name < most) {
			most = name
		}
	}
	return most
}

// join puts parts that are not empty into one line.
func join(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), "; ")
}

func dollars(d decimal.Decimal) *finding.Quantity { return &finding.Quantity{Value: d, Unit: usd} }

// show prints an amount to the cent, or exactly if that is less.
func show(d decimal.Decimal) string {
	if d.Abs().LessThan(decimal.New(1, -1)) {
		return d.Truncate(9).String() + " " + usd
	}
	return d.StringFixed(2) + " " + usd
}

func day(t time.Time) string { return t.UTC().Format("2 Jan 2006 15:04 UTC") }

// short prints d in its largest fitting unit.
func short(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	}
	return fmt.Sprintf("%dd", int(d.Hours()/24))
}
