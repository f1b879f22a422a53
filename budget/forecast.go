package budget

import (
	"fmt"
	"math"
	"time"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/finding"
)

const (
	leastDays   = 3    // full days that a forecast needs
	weekdayDays = 14   // full days from which each weekday has a mean of its own
	eighty      = 1.28 // standard deviations to either side that hold four of five

	longestWindow = 400 * 24 * time.Hour // no budget has a longer one, whatever a proxy says of its reset
)

// Outlook is a forecast of a window's spend, in USD.
type Outlook struct {
	Expected  decimal.Decimal // at the reset
	Low, High decimal.Decimal // four of five windows end between these
	Days      int             // full days it was made from
	Weekdays  bool            // each weekday has a mean of its own
	SpentOn   time.Time       // when the limit is reached; zero: not before the reset
}

// Forecast makes the outlook of f: what is spent, and for the rest of today and every day to the reset the mean of the
// full days known, from the first with any activity on. With two weeks of them each weekday has its own mean. ok is
// false with fewer than three full days, without a window, for windows shorter than three days, in which days tell
// nothing, and of figures beyond all measure.
func Forecast(f Facts, now time.Time) (o Outlook, ok bool) {
	if !f.ResetAt.After(now) || f.ResetAt.Sub(now) > longestWindow || f.period() < leastDays*24*time.Hour {
		return Outlook{}, false
	}
	h := newHistory(f, now)
	if o.Days = len(h.days); o.Days < leastDays {
		return Outlook{}, false
	}
	o.Weekdays = h.byWeekday()
	spend := f.Spend.InexactFloat64()
	limit := f.Limit.Decimal.InexactFloat64()
	sum, weight := spend, 0.0
	for at := now.UTC(); at.Before(f.ResetAt); {
		next := earlier(at.Truncate(24*time.Hour).Add(24*time.Hour), f.ResetAt)
		part := next.Sub(at).Hours() / 24
		step := part * h.mean(at.Weekday())
		if f.Limit.Valid && o.SpentOn.IsZero() && step > 0 && sum+step >= limit {
			o.SpentOn = at.Add(time.Duration(max(limit-sum, 0) / step * float64(next.Sub(at))))
		}
		sum += step
		weight += part * part
		at = next
	}
	swing := eighty * h.deviation() * math.Sqrt(weight)
	if !finite(sum + swing) {
		return Outlook{}, false
	}
	o.Expected, o.Low, o.High = cents(sum), cents(max(sum-swing, spend)), cents(sum+swing)
	return o, true
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// finite reports whether v is a number: figures that nobody ever spent make none.
func finite(v float64) bool { return !math.IsInf(v, 0) && !math.IsNaN(v) }

// cents rounds to the cent: more digits would pretend.
func cents(v float64) decimal.Decimal { return decimal.NewFromFloat(v).Round(2) }

// history is the spend of full days.
type history struct {
	days     []float64
	weekdays []time.Weekday // of days
}

// newHistory takes the days before today, from the first with activity on; a day in between without any spent nothing.
func newHistory(f Facts, now time.Time) history {
	var h history
	spent := map[string]decimal.Decimal{}
	for _, d := range f.Days {
		spent[d.Date] = spent[d.Date].Add(d.Spend)
	}
	if len(f.Days) == 0 {
		return h
	}
	first, err := time.Parse(dayFormat, f.Days[0].Date)
	today := now.UTC().Truncate(24 * time.Hour)
	if err != nil || today.Sub(first) > longestWindow {
		return h
	}
	for at := first; at.Before(today); at = at.AddDate(0, 0, 1) {
		h.days = append(h.days, spent[at.Format(dayFormat)].InexactFloat64())
		h.weekdays = append(h.weekdays, at.Weekday())
	}
	return h
}

func (h history) byWeekday() bool { return len(h.days) >= weekdayDays }

// mean is what a day of that weekday spends.
func (h history) mean(on time.Weekday) float64 {
	sum, n := 0.0, 0
	for i, v := range h.days {
		if !h.byWeekday() || h.weekdays[i] == on {
			sum += v
			n++
		}
	}
	if n == 0 {
		return 0
	}
	return sum / float64(n)
}

// deviation is the standard deviation of the days from their means.
func (h history) deviation() float64 {
	free := len(h.days) - 1
	if h.byWeekday() {
		free = len(h.days) - 7
	}
	squares := 0.0
	for i, v := range h.days {
		d := v - h.mean(h.weekdays[i])
		squares += d * d
	}
	return math.Sqrt(squares / float64(free))
}

// forecast judges where the window is going to end.
func forecast(f Facts, p Policy, now time.Time) []finding.Finding {
	if !p.Forecast.Valid || !f.lasting() {
		return nil
	}
	o, ok := Forecast(f, now)
	limit := f.Limit.Decimal.Mul(p.Forecast.Decimal).Div(decimal.NewFromInt(hundred))
	if !ok || o.Expected.LessThan(limit) || o.Expected.LessThanOrEqual(f.Spend) {
		return nil
	}
	out := about(f, RuleForecast, finding.Warning)
	if o.Low.GreaterThanOrEqual(f.Limit.Decimal) && !o.SpentOn.IsZero() && o.SpentOn.Sub(now) <= 24*time.Hour {
		out.Severity = finding.Critical
	}
	percent := o.Expected.Mul(decimal.NewFromInt(hundred)).Div(f.Limit.Decimal).Round(0)
	out.Source = f.DaysSource
	out.Summary = fmt.Sprintf("%s is on its way to %s%% of its budget by the reset", f.Key, percent)
	out.Observed, out.Limit, out.Since = dollars(o.Expected), dollars(limit), f.WindowStart
	out.Cause = join(o.basis(), top(SumDays(f.inWindow())))
	out.Advice = "Spend less, or raise max_budget" + until(f, now) + "."
	if !o.SpentOn.IsZero() {
		out.Advice = "Spend less, or raise max_budget, before it is gone on about " + o.SpentOn.UTC().Format("2 Jan 2006") + "; the reset is on " + day(f.ResetAt) + "."
	}
	return []finding.Finding{out}
}

// basis says what the outlook is made from and how sure it is.
func (o Outlook) basis() string {
	from := fmt.Sprintf("from the mean of %d full days", o.Days)
	if o.Weekdays {
		from = fmt.Sprintf("from %d full days, each weekday by its own mean", o.Days)
	}
	return fmt.Sprintf("%s; four times in five it ends between %s and %s", from, show(o.Low), show(o.High))
}
