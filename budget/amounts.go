package budget

import (
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/finding"
)

// twice is from how many times an amount on a warning is critical.
const twice = 2

// grade is a warning at the limit and critical at twice the limit.
func grade(observed, limit decimal.Decimal) (finding.Severity, bool) {
	switch {
	case observed.LessThan(limit):
		return finding.Info, false
	case observed.GreaterThanOrEqual(limit.Mul(decimal.NewFromInt(twice))):
		return finding.Critical, true
	}
	return finding.Warning, true
}

// amount judges the absolute amount of the window.
func amount(f Facts, p Policy, now time.Time) []finding.Finding {
	if !p.Spend.Valid {
		return nil
	}
	severity, reached := grade(f.Spend, p.Spend.Decimal)
	if !reached {
		return nil
	}
	out := about(f, RuleSpend, severity)
	out.Summary = f.Key + " has spent the amount set for its window"
	out.Observed, out.Limit, out.Since = dollars(f.Spend), dollars(p.Spend.Decimal), f.WindowStart
	out.Cause, out.Who = cause(f), who(f)
	out.Advice = "See what the spend went to" + until(f, now) + ", and raise alerts.spend if that is as it should be."
	return []finding.Finding{out}
}

// night is how long a day that is over is judged still: what was spent after the last pass of a day would be told never.
const night = 6 * time.Hour

// daily judges the UTC day that now is in, and in the first hours of it the day before.
func daily(f Facts, p Policy, now time.Time) []finding.Finding {
	var found []finding.Finding
	for _, d := range f.Days {
		if d.Date == now.UTC().Format(dayFormat) || d.Date == now.UTC().Add(-night).Format(dayFormat) {
			found = append(found, OneDay(f, d, p.DailySpend)...)
		}
	}
	return found
}

// OneDay judges the spend of a UTC day, if there is a limit.
func OneDay(f Facts, d Day, limit decimal.NullDecimal) []finding.Finding {
	severity, reached := grade(d.Spend, limit.Decimal)
	if !limit.Valid || !reached {
		return nil
	}
	out := about(f, RuleDaily, severity)
	out.Window, out.Source = d.Date, f.DaysSource
	out.Summary = f.Key + " has spent more than is set for a day"
	if d.Spend.Equal(limit.Decimal) {
		out.Summary = f.Key + " has spent what is set for a day"
	}
	out.Observed, out.Limit = dollars(d.Spend), dollars(limit.Decimal)
	out.Since, _ = time.Parse(dayFormat, d.Date)
	out.Cause, out.Who = top(d.Models), who(f)
	out.Advice = "See what ran that day, stop what should not run, and raise alerts.daily_spend if the day was as it should be."
	return []finding.Finding{out}
}

// perModel judges each model that has an amount of its own.
func perModel(f Facts, p Policy, _ time.Time) []finding.Finding {
	if len(p.ModelSpend) == 0 {
		return nil
	}
	var found []finding.Finding
	for _, m := range f.byModel() {
		limit, set := p.ModelSpend[m.Model]
		severity, reached := grade(m.Spend, limit)
		if !set || !reached {
			continue
		}
		out := about(f, RuleModel, severity)
		out.Subject.Name = f.Key + "/" + m.Model
		out.Source = f.DaysSource
		out.Summary = fmt.Sprintf("%s has spent what is set for %s", f.Key, m.Model)
		out.Observed, out.Limit, out.Since = dollars(m.Spend), dollars(limit), f.WindowStart
		out.Cause, out.Who = join(fmt.Sprintf("%d requests, %d tokens", m.Requests, m.Tokens), wholeDays(f)), who(f)
		out.Advice = "See which agent needs this model, give the others a cheaper one, or raise alerts.model_spend."
		found = append(found, out)
	}
	return found
}

// wholeDays says that sums by day cannot begin with a window that begins within one.
func wholeDays(f Facts) string {
	if f.WindowStart.IsZero() || midnight(f.WindowStart) || !f.daysTell() {
		return ""
	}
	return "all of " + f.WindowStart.UTC().Format("2 Jan") + " is counted, because the proxy sums by UTC day"
}

// midnight reports whether t is a midnight in UTC.
func midnight(t time.Time) bool { return t.UTC().Truncate(24 * time.Hour).Equal(t) }
