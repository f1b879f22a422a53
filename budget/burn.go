package budget

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/finding"
)

// pair is a long window and the short one that must burn as well, so that a finding goes when the burning stops.
type pair struct {
	long, short time.Duration
	share       decimal.Decimal // of the budget, spent in the long window, that is worth a finding
	least       decimal.Decimal // burn rate, whatever share that is of a short budget window
	steady      bool            // the short window must hold a rate as well, or sparse requests would make it come and go
	slow        bool            // the forecast, where there is one, knows better
}

// BurnReach is how far back requests are of use to the burn rate.
const BurnReach = 6 * time.Hour

// leastBurning are the requests within a window that make a rate: fewer are dear requests, which are a rule of their own.
const leastBurning = 3

// burnPairs are those of the SRE workbook, the fastest first: 2 % of a 30 days' budget in an hour burns 14.4 times too fast,
// 5 % in six hours 6 times, 10 % in three days once. The factors fall with the budget's window (3.36 for a week and an hour),
// but not below what people do who work by day: eight hours a day burn three times too fast while they last, and five days
// a week 1.4 times.
func burnPairs() []pair {
	return []pair{
		{long: time.Hour, short: 5 * time.Minute, share: decimal.New(2, -2), least: decimal.NewFromInt(3)},
		{long: BurnReach, short: 30 * time.Minute, share: decimal.New(5, -2), least: decimal.NewFromInt(3), steady: true},
		{long: 3 * 24 * time.Hour, short: BurnReach, share: decimal.New(10, -2), least: decimal.New(15, -1), steady: true, slow: true},
	}
}

// factor is the burn rate from which the pair fires for a budget of that period.
func (b pair) factor(period time.Duration) decimal.Decimal {
	return decimal.Max(b.share.Mul(ratio(period, b.long)), b.least)
}

// burn judges how fast the budget burns, and tells of the fastest pair of windows that does: burn = (spend/budget)·
// (period/window) over both windows of the pair. It is worth a finding only if, at the pace of either, the rest of the
// budget is gone before the reset: what was spent two days ago is over if today's pace lasts. What is not known can only
// make the true pace faster, so that what is found is so even if not all of a window was read. Of the slow pair nothing
// is told that the forecast tells.
func burn(f Facts, p Policy, now time.Time) []finding.Finding {
	period := f.period()
	if !p.BurnRate || !f.lasting() || !f.ResetAt.After(now) {
		return nil
	}
	for _, b := range burnPairs() {
		if period < 4*b.long || b.slow && len(forecast(f, p, now)) > 0 {
			continue
		}
		if found, fires := f.burns(b, period, now); fires {
			return []finding.Finding{found}
		}
	}
	return nil
}

// burns judges one pair.
func (f Facts) burns(b pair, period time.Duration, now time.Time) (finding.Finding, bool) {
	long, brief := f.spentWithin(b.long, now), f.spentWithin(b.short, now)
	rate, recent, factor := f.burned(long.spend, period, b.long), f.burned(brief.spend, period, b.short), b.factor(period)
	if long.requests < leastBurning || b.steady && brief.requests < leastBurning || rate.LessThan(factor) || recent.LessThan(factor) {
		return finding.Finding{}, false
	}
	lasts := f.lasts(long.spend, b.long)
	if !now.Add(lasts).Before(f.ResetAt) || !now.Add(f.lasts(brief.spend, b.short)).Before(f.ResetAt) {
		return finding.Finding{}, false
	}
	out := about(f, RuleBurn, finding.Warning)
	if lasts <= 12*time.Hour {
		out.Severity = finding.Critical
	}
	out.Source = strings.Join(slices.Compact([]string{long.source, brief.source}), ", ")
	out.Summary = fmt.Sprintf("%s burns its budget %s times too fast: at this pace it is gone in %s", f.Key, rate.Round(1), short(lasts))
	out.Observed, out.Limit = &finding.Quantity{Value: rate.Round(1), Unit: "×"}, &finding.Quantity{Value: factor.Round(2), Unit: "×"}
	out.Since = now.Add(-b.long)
	out.Cause = join(fmt.Sprintf("%s in the last %s and %s in the last %s", show(long.spend), span(b.long), show(brief.spend), span(b.short)),
		top(long.models))
	out.Who = who(f)
	out.Advice = "Stop what runs away, or raise max_budget, before " + day(now.Add(lasts)) + "; the reset is on " + day(f.ResetAt) + "."
	return out, true
}

// lasts is how long the rest of the budget lasts at the pace of a window in which that much, more than nothing, was spent.
func (f Facts) lasts(spent decimal.Decimal, window time.Duration) time.Duration {
	return time.Duration(f.left().Div(spent).Mul(decimal.NewFromInt(int64(window))).IntPart())
}

// span prints a window of a pair: "hour", "6 hours", "5 minutes", "3 days".
func span(d time.Duration) string {
	switch {
	case d == time.Hour:
		return "hour"
	case d < time.Hour:
		return fmt.Sprintf("%d minutes", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d hours", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

// burned is the burn rate of an amount spent in a window. The limit is positive.
func (f Facts) burned(spent decimal.Decimal, period, window time.Duration) decimal.Decimal {
	return spent.Mul(ratio(period, window)).Div(f.Limit.Decimal)
}

func ratio(a, b time.Duration) decimal.Decimal {
	return decimal.NewFromInt(int64(a)).Div(decimal.NewFromInt(int64(b)))
}

// within is what is known to have been spent within some time.
type within struct {
	spend    decimal.Decimal
	requests int64 // that cost anything, or of days those that did not fail
	models   []ModelSpend
	source   string
}

// spentWithin is the most that is known of the time before now: by the requests that were read, or by the UTC days that lie
// in it as a whole, today included.
func (f Facts) spentWithin(d time.Duration, now time.Time) within {
	from := now.Add(-d)
	var days []Day
	byDay := within{source: f.DaysSource}
	for _, one := range f.Days {
		if at, err := time.Parse(dayFormat, one.Date); err == nil && !at.Before(from) && !at.After(now) {
			days = append(days, one)
			byDay.spend, byDay.requests = byDay.spend.Add(one.Spend), byDay.requests+one.Requests-one.Failed
		}
	}
	byDay.models = SumDays(days)
	if f.Recent == nil {
		return byDay
	}
	rows := within{spend: f.Recent.since(from), requests: f.Recent.paid(from), models: f.Recent.models(from), source: f.Recent.Source}
	if byDay.spend.GreaterThan(rows.spend) {
		return byDay
	}
	return rows
}

// all yields every request that was read, the newest first.
func (r *Recent) all(yield func(Request) bool) {
	for _, list := range [][]Request{r.Requests, r.Earlier} {
		for _, q := range list {
			if !yield(q) {
				return
			}
		}
	}
}

// since sums what was spent from a moment on.
func (r *Recent) since(from time.Time) decimal.Decimal {
	sum := decimal.Zero
	for q := range r.all {
		if !q.At.Before(from) {
			sum = sum.Add(q.Spend)
		}
	}
	return sum
}

// paid counts the requests from a moment on that cost anything.
func (r *Recent) paid(from time.Time) int64 {
	n := int64(0)
	for q := range r.all {
		if !q.At.Before(from) && q.Spend.IsPositive() {
			n++
		}
	}
	return n
}

// models sums what was spent from a moment on by model.
func (r *Recent) models(from time.Time) []ModelSpend {
	d := Day{}
	for q := range r.all {
		if !q.At.Before(from) {
			d.Models = append(d.Models, ModelSpend{Model: q.Model, Spend: q.Spend, Requests: 1, Tokens: q.Tokens})
		}
	}
	return SumDays([]Day{d})
}
