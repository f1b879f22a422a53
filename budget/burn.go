package budget

import (
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/finding"
)

// pair is a long window and the short one that must burn as well, so that a finding goes when the burning stops.
type pair struct {
	long, short time.Duration
	share       decimal.Decimal // of the budget, spent in the long window, that is worth a finding
	least       decimal.Decimal // burn rate, whatever share that is of a short budget window
}

// leastBurning are the requests within the hour that make a rate: fewer are dear requests, which are a rule of their own.
const leastBurning = 3

// burnPair is the SRE workbook's page: 2 % of a 30 days' budget in an hour burns 14.4 times too fast. Its factor falls
// with the budget's window (3.36 for a week), but not below 3: who works eight hours a day burns three times too fast in
// them and is fine.
func burnPair() pair {
	return pair{long: time.Hour, short: 5 * time.Minute, share: decimal.New(2, -2), least: decimal.NewFromInt(3)}
}

// factor is the burn rate from which the pair fires for a budget of that period.
func (b pair) factor(period time.Duration) decimal.Decimal {
	return decimal.Max(b.share.Mul(ratio(period, b.long)), b.least)
}

// burn judges how fast the budget burns: burn = (spend/budget)·(period/window) over both windows of the pair. It is worth a
// finding only if, at the pace of the long one, the rest of the budget is gone before the reset. Requests that were not
// read can only make the true pace faster, so that what is found is so even if not all of the hour was read.
func burn(f Facts, p Policy, now time.Time) []finding.Finding {
	period, b := f.period(), burnPair()
	if !p.BurnRate || f.Recent == nil || !f.Limit.Valid || !f.left().IsPositive() || period < 4*b.long || !f.ResetAt.After(now) {
		return nil
	}
	spent, lately := f.Recent.since(now.Add(-b.long)), f.Recent.since(now.Add(-b.short))
	rate, recent := f.burned(spent, period, b.long), f.burned(lately, period, b.short)
	factor := b.factor(period)
	if f.Recent.paid(now.Add(-b.long)) < leastBurning || rate.LessThan(factor) || recent.LessThan(factor) {
		return nil
	}
	lasts := time.Duration(f.left().Div(spent).Mul(decimal.NewFromInt(int64(b.long))).IntPart())
	if !now.Add(lasts).Before(f.ResetAt) {
		return nil
	}
	out := about(f, RuleBurn, finding.Warning)
	if lasts <= 12*time.Hour {
		out.Severity = finding.Critical
	}
	out.Source = f.Recent.Source
	out.Summary = fmt.Sprintf("%s burns its budget %s times too fast: at this pace it is gone in %s", f.Key, rate.Round(1), short(lasts))
	out.Observed, out.Limit = &finding.Quantity{Value: rate.Round(1), Unit: "×"}, &finding.Quantity{Value: factor.Round(2), Unit: "×"}
	out.Since = now.Add(-b.long)
	out.Cause = join(fmt.Sprintf("%s in the last hour and %s in the last 5 minutes", show(spent), show(lately)),
		top(f.Recent.models(now.Add(-b.long))), topUser(f.Recent))
	out.Advice = "Stop what runs away, or raise max_budget, before " + day(now.Add(lasts)) + "; the reset is on " + day(f.ResetAt) + "."
	return []finding.Finding{out}
}

// burned is the burn rate of an amount spent in a window. The limit is positive.
func (f Facts) burned(spent decimal.Decimal, period, window time.Duration) decimal.Decimal {
	return spent.Mul(ratio(period, window)).Div(f.Limit.Decimal)
}

func ratio(a, b time.Duration) decimal.Decimal {
	return decimal.NewFromInt(int64(a)).Div(decimal.NewFromInt(int64(b)))
}

// since sums what was spent from a moment on.
func (r *Recent) since(from time.Time) decimal.Decimal {
	sum := decimal.Zero
	for _, q := range r.Requests {
		if !q.At.Before(from) {
			sum = sum.Add(q.Spend)
		}
	}
	return sum
}

// paid counts the requests from a moment on that cost anything.
func (r *Recent) paid(from time.Time) int {
	n := 0
	for _, q := range r.Requests {
		if !q.At.Before(from) && q.Spend.IsPositive() {
			n++
		}
	}
	return n
}

// models sums what was spent from a moment on by model.
func (r *Recent) models(from time.Time) []ModelSpend {
	d := Day{}
	for _, q := range r.Requests {
		if !q.At.Before(from) {
			d.Models = append(d.Models, ModelSpend{Model: q.Model, Spend: q.Spend, Requests: 1, Tokens: q.Tokens})
		}
	}
	return SumDays([]Day{d})
}
