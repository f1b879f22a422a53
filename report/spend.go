package report

import (
	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/budget"
	"github.com/org/openclaw-litellm-action/rotate"
)

// SpendFacts makes budget's facts of what a rotation read of a key's holder, so that judging costs no request of its own;
// false if it read none.
func SpendFacts(o rotate.Outcome) (budget.Facts, bool) {
	if len(o.Generations) == 0 && !o.MaxBudget.Valid && o.Spend.Equal(decimal.Zero) {
		return budget.Facts{}, false
	}
	f := budget.Facts{Key: o.Name, Limit: o.MaxBudget, Spend: o.Spend, ResetAt: o.ResetAt, Source: "GET /user/info"}
	if start, ok := budget.WindowStart(o.BudgetDuration, o.ResetAt); ok {
		f.WindowStart = start
	}
	return f, true
}
