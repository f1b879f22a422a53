package budget_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/budget"
)

// spentDaily gives f full days before now, the newest first.
func spentDaily(f budget.Facts, costs ...string) budget.Facts {
	f.DaysFrom, f.DaysTo = "2026-10-20", "2026-11-23"
	for i := len(costs) - 1; i >= 0; i-- {
		if costs[i] != "" {
			f.Days = append(f.Days, budget.Day{Date: now.AddDate(0, 0, -i-1).Format(time.DateOnly), Spend: dec(costs[i])})
		}
	}
	return f
}

// TestForecast: half of Monday 23 November and seven more days are to come, so a mean of 4 USD adds 30.
func TestForecast(t *testing.T) {
	t.Parallel()
	on := budget.Policy{Forecast: null("100")}
	for _, tc := range []struct {
		name, spend string
		days        []string
		severity    string
	}{
		{"reaches the limit", "70", []string{"4", "4", "4"}, "warning"},
		{"just not", "69.99", []string{"4", "4", "4"}, ""},
		{"two days are too few", "99", []string{"40", "40"}, ""},
		{"a day without spend counts", "70", []string{"4", "", "4"}, ""},
		{"days before the first do not", "70", []string{"4", "4", "4", "", "", ""}, "warning"},
		{"gone within a day", "99", []string{"4", "4", "4"}, "critical"},
		{"gone within a day, but not surely", "99", []string{"0", "0", "0", "0", "0", "8"}, "warning"},
		{"spent already", "100", []string{"4", "4", "4"}, ""},
		{"nothing comes", "90", []string{"0", "0", "0"}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			f := spentDaily(november(tc.spend), tc.days...)
			got := want(t, budget.RuleForecast, f, on, tc.severity)
			if tc.severity != "" && !strings.Contains(got.Cause, "between") {
				t.Errorf("%q states no range", got.Cause)
			}
			want(t, budget.RuleForecast, f, budget.Policy{}, "")
			f.Limit = decimal.NullDecimal{}
			want(t, budget.RuleForecast, f, on, "")
		})
	}
	want(t, budget.RuleForecast, spentDaily(november("50"), "4", "4", "4"), budget.Policy{Forecast: null("80")}, "warning")
	want(t, budget.RuleForecast, spentDaily(november("49.9"), "4", "4", "4"), budget.Policy{Forecast: null("80")}, "")
}

func TestOutlook(t *testing.T) {
	t.Parallel()
	even, _ := budget.Forecast(spentDaily(november("70"), "4", "4", "4"), now)
	if !even.Low.Equal(dec("100")) || !even.High.Equal(dec("100")) || even.Days != 3 || even.Weekdays {
		t.Errorf("days all alike leave no doubt: %+v", even)
	}
	uneven, _ := budget.Forecast(spentDaily(november("70"), "2", "4", "6"), now)
	// deviation 2; weights 0.25 and seven times 1: 1.28·2·√7.25 = 6.89
	if !uneven.Low.Equal(dec("93.11")) || !uneven.High.Equal(dec("106.89")) {
		t.Errorf("%+v", uneven)
	}
	wild, _ := budget.Forecast(spentDaily(november("70"), "0", "0", "90"), now)
	if wild.Low.LessThan(dec("70")) {
		t.Errorf("less than is spent already: %+v", wild)
	}
	short := november("1")
	short.WindowStart, short.ResetAt = now.Add(-24*time.Hour), now.Add(24*time.Hour)
	if _, ok := budget.Forecast(spentDaily(short, "1", "1", "1"), now); ok {
		t.Error("days forecast a window of two days")
	}
	never := november("1")
	never.ResetAt = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
	if _, ok := budget.Forecast(spentDaily(never, "1", "1", "1"), now); ok {
		t.Error("a reset in eight thousand years is worked towards, day by day")
	}
	past := november("1")
	past.ResetAt = now
	if _, ok := budget.Forecast(spentDaily(past, "1", "1", "1"), now); ok {
		t.Error("a window that is over is forecast")
	}
}

// TestWeekdays: two weeks of working days only. To come: half a Monday, four working days, a weekend, and Monday the 30th.
func TestWeekdays(t *testing.T) {
	t.Parallel()
	var costs []string
	for i := range 14 {
		cost := "8"
		if on := now.AddDate(0, 0, -i-1).Weekday(); on == time.Saturday || on == time.Sunday {
			cost = "0"
		}
		costs = append(costs, cost)
	}
	costs[13] = "8" // Monday the 9th: the first day known
	o, ok := budget.Forecast(spentDaily(november("40"), costs...), now)
	if !ok || !o.Weekdays || !o.Expected.Equal(dec("84")) || !o.Low.Equal(o.High) {
		t.Errorf("%+v", o)
	}
	o, _ = budget.Forecast(spentDaily(november("40"), costs[:13]...), now)
	if o.Weekdays || !o.Expected.GreaterThan(dec("80")) || o.Expected.Equal(dec("84")) {
		t.Errorf("13 days are not enough for weekdays: %+v", o)
	}
	if f := spentDaily(november("60"), costs...); !strings.Contains(fmt.Sprint(budget.Check(f, budget.Policy{Forecast: null("100")}, now)), "each weekday by its own mean") {
		t.Error("the finding does not say that weekdays are known")
	}
}
