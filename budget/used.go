package budget

import (
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/finding"
)

// The least percentages that are a warning and critical, whatever the configured thresholds are.
const (
	warningPercent  = 80
	criticalPercent = 95
	spentPercent    = 100
)

// What OpenClaw makes of a spent budget, and how to have the truth told: measured, in docs/facts.md.
const (
	inOpenClaw = "OpenClaw does not call a spent budget that: it says \"provider rejected the request schema or tool payload\" where the " +
		"proxy answers 400 or 422, and \"API rate limit reached\" after minutes of silent retries where it answers 429."
	sayIt = "Set litellm_settings.budget_exceeded_status_code to 402 (LiteLLM 1.105 or later) and it says that the key has run out " +
		"of credits, without a retry; and give agents a last fallback with another key."
)

// used makes at most one finding of the percentage thresholds: that of the highest one reached. Below 80 % it
// is information, from 80 % a warning, from 95 % critical; a spent budget is critical whether or not 100 % is among the
// thresholds, because the proxy then refuses every request. A key without a limit has none.
func used(f Facts, p Policy, now time.Time) []finding.Finding {
	if !f.Limit.Valid {
		return nil
	}
	level, reached := highest(f, p.Thresholds)
	if !reached {
		return nil
	}
	found := finding.Finding{
		Rule:     RuleUsed,
		Severity: severity(level),
		Subject:  finding.Subject{Kind: "key", Name: f.Key},
		Level:    level.String() + "%",
		Window:   window(f),
		Observed: &finding.Quantity{Value: f.Spend, Unit: "USD"},
		Limit:    &finding.Quantity{Value: f.Limit.Decimal, Unit: "USD"},
		Since:    f.WindowStart,
		Cause:    cause(f),
		Who:      who(f),
		Source:   f.Source,
	}
	if spent(f) {
		found.Summary = fmt.Sprintf("the budget of %s is spent and the proxy refuses its requests", f.Key)
		found.Advice = "Raise max_budget" + orWait(f, now) + ". " + inOpenClaw + " " + sayIt
		return []finding.Finding{found}
	}
	found.Summary = fmt.Sprintf("%s has used %s%% of its budget", f.Key, Percent(f).RoundFloor(1))
	found.Advice = "See that it lasts" + until(f, now) +
		", or raise max_budget: once it is spent, agents fail with \"rejected the request schema\" or \"rate limit\", " +
		"unless the proxy has budget_exceeded_status_code: 402."
	return []finding.Finding{found}
}

// Percent returns the spend as a percentage of the limit, 0 for a key without one and 100 for a limit of zero.
func Percent(f Facts) decimal.Decimal {
	switch {
	case !f.Limit.Valid:
		return decimal.Zero
	case !f.Limit.Decimal.IsPositive():
		return decimal.NewFromInt(spentPercent)
	}
	return f.Spend.Mul(decimal.NewFromInt(100)).Div(f.Limit.Decimal)
}

// spent reports whether the proxy refuses requests: it does as soon as the spend is no longer below the limit.
func spent(f Facts) bool { return f.Spend.GreaterThanOrEqual(f.Limit.Decimal) }

// highest returns the highest threshold reached. It compares products, not a rounded quotient.
func highest(f Facts, thresholds []decimal.Decimal) (level decimal.Decimal, reached bool) {
	if spent(f) {
		level, reached = decimal.NewFromInt(spentPercent), true
	}
	scaled := f.Spend.Mul(decimal.NewFromInt(100))
	for _, t := range thresholds {
		if scaled.GreaterThanOrEqual(f.Limit.Decimal.Mul(t)) && f.Limit.Decimal.IsPositive() && (!reached || t.GreaterThan(level)) {
			level, reached = t, true
		}
	}
	return level, reached
}

func severity(percent decimal.Decimal) finding.Severity {
	switch {
	case percent.GreaterThanOrEqual(decimal.NewFromInt(criticalPercent)):
		return finding.Critical
	case percent.GreaterThanOrEqual(decimal.NewFromInt(warningPercent)):
		return finding.Warning
	}
	return finding.Info
}

func orWait(f Facts, now time.Time) string {
	if !f.ResetAt.After(now) {
		return ""
	}
	return " or wait for the reset on " + day(f.ResetAt)
}

func until(f Facts, now time.Time) string {
	if !f.ResetAt.After(now) {
		return ""
	}
	return " until the reset on " + day(f.ResetAt)
}
