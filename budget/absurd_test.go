package budget_test

import (
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/org/openclaw-litellm-action/budget"
)

// amounts draws what a proxy may hold as an amount of money: also nothing, less than nothing, and what nobody ever
// spent.
func amounts() *rapid.Generator[decimal.Decimal] {
	return rapid.Map(rapid.SampledFrom([]string{
		"0", "-0.01", "-5", "-1e12", "1e-9", "-1e-20", "0.01", "5", "5", "49.99", "50", "1e6", "1e15", "1e300", "-1e300",
		"1e400",
	}), decimal.RequireFromString)
}

// absurd draws facts of which each figure may be what no proxy should say.
func absurd(now time.Time) *rapid.Generator[budget.Facts] {
	return rapid.Custom(func(t *rapid.T) budget.Facts {
		amount := func(label string) decimal.Decimal { return amounts().Draw(t, label) }
		count := func(label string) int64 { return rapid.SampledFrom([]int64{0, 1, -1, 20, 1 << 40}).Draw(t, label) }
		models := func() []budget.ModelSpend {
			var out []budget.ModelSpend
			for range rapid.IntRange(0, 2).Draw(t, "models") {
				out = append(out, budget.ModelSpend{
					Model: "m", Spend: amount("model"), Requests: count("requests"), Tokens: count("tokens"),
				})
			}
			return out
		}
		f := budget.Facts{
			Key: "k", Spend: amount("spend"),
			Limit:       decimal.NullDecimal{Decimal: amount("limit"), Valid: rapid.Bool().Draw(t, "limited")},
			WindowStart: now.AddDate(0, 0, -rapid.IntRange(0, 30).Draw(t, "begun")),
			ResetAt:     now.AddDate(0, 0, rapid.IntRange(-1, 30).Draw(t, "reset")),
			DaysFrom:    now.AddDate(0, 0, -40).Format(time.DateOnly), DaysTo: now.Format(time.DateOnly), Models: models(),
			Prices: []budget.Price{{Model: "m", Output: amount("price"), MaxOutput: count("output")}},
		}
		for n := rapid.IntRange(0, 20).Draw(t, "days"); n >= 0; n-- {
			f.Days = append(f.Days, budget.Day{
				Date: now.AddDate(0, 0, -n).Format(time.DateOnly), Spend: amount("day"), Requests: count("requests"),
				Models: models(),
			})
		}
		if rapid.Bool().Draw(t, "recent") {
			f.Recent = &budget.Recent{From: now.Add(-time.Hour), To: now}
			for range 12 {
				f.Recent.Requests = append(f.Recent.Requests, budget.Request{
					At: now.Add(-time.Minute), Model: "m", Spend: amount("request"), Failed: rapid.Bool().Draw(t, "failed"),
				})
			}
		}
		return f
	})
}

// TestAbsurdFiguresAreJudged: whatever a proxy says was spent, judging ends, and says nothing that is no number.
func TestAbsurdFiguresAreJudged(t *testing.T) {
	now := time.Date(2026, 11, 23, 18, 10, 0, 0, time.UTC)
	amount := decimal.NewNullDecimal(decimal.NewFromInt(1))
	policy := budget.Policy{
		Thresholds: []decimal.Decimal{decimal.NewFromInt(50), decimal.NewFromInt(80)},
		BurnRate:   true, RotationInterval: time.Hour,
		Spend: amount, DailySpend: amount, RequestCost: amount, FailureRate: amount,
		Forecast:   decimal.NewNullDecimal(decimal.NewFromInt(100)),
		ModelSpend: map[string]decimal.Decimal{"m": decimal.NewFromInt(1)},
	}
	rapid.Check(t, func(t *rapid.T) {
		for _, f := range budget.Check(absurd(now).Draw(t, "facts"), policy, now) {
			for _, wrong := range []string{"NaN", "Inf", "%!"} {
				if strings.Contains(f.Summary+f.Cause+f.Advice, wrong) {
					t.Fatalf("%+v", f)
				}
			}
		}
	})
}

// TestASpendBelowZeroIsJudged: credits and a limit of zero are no reason to stop.
func TestASpendBelowZeroIsJudged(t *testing.T) {
	f := november("1")
	f.Spend, f.Limit = decimal.NewFromInt(-5), decimal.NewNullDecimal(decimal.Zero)
	f = spentDaily(f, "3", "-3", "1", "1", "1")
	f.Days[4].Models = []budget.ModelSpend{
		{Model: "a", Spend: decimal.NewFromInt(4)}, {Model: "b", Spend: decimal.NewFromInt(-4)},
	}
	policy := budget.Policy{
		Forecast: decimal.NewNullDecimal(decimal.NewFromInt(100)), BurnRate: true,
		DailySpend: decimal.NewNullDecimal(decimal.New(5, -1)),
	}
	found := budget.Check(f, policy, time.Date(2026, 11, 23, 18, 10, 0, 0, time.UTC))
	for _, one := range found {
		if strings.Contains(one.Cause, "a took") && !strings.Contains(one.Cause, "a took 100%") {
			t.Errorf("a credit makes a share of more than everything: %s", one.Cause)
		}
	}
}
