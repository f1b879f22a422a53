package budget

import (
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/finding"
)

// disagree holds the spend of the window against the sum of its days. They may differ by one percent, and by what was
// spent within the last two minutes, which may be in one and not yet in the other. Of a window that begins within a UTC day,
// anything between nothing and all of that day may belong to it: what is told is the least by which they differ. They cannot
// be compared where the window begins before the days asked for, in the first minutes of a window or of a key, when all of it
// is too new, nor in the window in which a key was adopted with its spend.
func disagree(f Facts, _ Policy, now time.Time) []finding.Finding {
	if f.Days == nil || f.WindowStart.IsZero() || f.DaysFrom == "" || f.DaysFrom > f.WindowStart.UTC().Format(dayFormat) || f.DaysTo < now.UTC().Format(dayFormat) {
		return nil
	}
	if now.Sub(f.WindowStart) < batch || now.Sub(f.HolderSince) < batch {
		return nil
	}
	if f.Adopted && (f.HolderSince.IsZero() || !f.HolderSince.Before(f.WindowStart)) {
		return nil
	}
	sum, atLeast := f.nearestSum()
	difference := f.Spend.Sub(sum)
	allowed := decimal.Max(f.Spend, sum).Mul(decimal.NewFromInt(tolerance)).Div(decimal.NewFromInt(hundred))
	if f.Recent != nil {
		allowed = allowed.Add(f.Recent.since(now.Add(-batch)))
	}
	if difference.Abs().LessThanOrEqual(decimal.Max(allowed, decimal.New(1, -2))) {
		return nil
	}
	out := about(f, RuleDisagree, finding.Info)
	out.Source = f.Source + ", " + f.DaysSource
	out.Observed, out.Limit, out.Since = dollars(sum), dollars(f.Spend), f.WindowStart
	out.Summary = fmt.Sprintf("LiteLLM's daily sums of %s and the spend it holds against the budget differ by %s%s", f.Key, atLeast, exact(difference))
	if difference.IsPositive() {
		out.Cause = "the days miss what was spent before the key was adopted, what older releases drop when more than 100 keys are written at once, " +
			"and what was reset by hand"
	} else {
		out.Cause = "the budget misses requests around an outage of the database, a late reset, and spend that was reset by hand"
	}
	out.Advice = "Trust the spend held against the budget for refusals and the daily sums for costs; the difference is no spend of its own."
	return []finding.Finding{out}
}

// nearestSum is the sum of the window's days that is nearest to its spend: with as much of a day on which the window begins
// as that takes. atLeast is "at least " if some of that day's spend may belong to either side.
func (f Facts) nearestSum() (sum decimal.Decimal, atLeast string) {
	first, partial := f.WindowStart.UTC().Format(dayFormat), decimal.Zero
	for _, d := range f.inWindow() {
		if d.Date == first && !midnight(f.WindowStart) {
			partial = partial.Add(d.Spend)
			continue
		}
		sum = sum.Add(d.Spend)
	}
	if !partial.IsPositive() {
		return sum, ""
	}
	return decimal.Min(decimal.Max(f.Spend, sum), sum.Add(partial)), "at least "
}

// exact prints a difference as it is: the finding is about nothing else.
func exact(d decimal.Decimal) string { return d.Abs().Truncate(12).String() + " " + usd }
