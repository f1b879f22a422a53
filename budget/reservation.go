package budget

import (
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/finding"
)

// reservedCalls is how many calls at once a budget should have room for: an agent with a sub-agent or two.
const reservedCalls = 4

// ReservationMatters is the limit below which it is worth asking for prices: four calls of 64,000 output tokens at
// 75 USD a million, the dearest that is common, take 19.20 USD.
func ReservationMatters(limit decimal.NullDecimal) bool {
	return limit.Valid && limit.Decimal.LessThan(decimal.NewFromInt(20))
}

// Price is what one model group's output may cost.
type Price struct {
	Model     string
	Output    decimal.Decimal // USD a token; 0: not known
	MaxOutput int64           // tokens; 0: not known
}

// Reservation is the most that one call of p may cost by its output: what LiteLLM since 1.93 holds back from every budget
// that binds the call until it is over, if the call asks for as much. ok is false where the price or the most is unknown.
func (p Price) Reservation() (cost decimal.Decimal, ok bool) {
	if !p.Output.IsPositive() || p.MaxOutput <= 0 {
		return decimal.Zero, false
	}
	return p.Output.Mul(decimal.NewFromInt(p.MaxOutput)), true
}

// reservation judges whether a key's limit is smaller than a few calls' reservation by the dearest model that it may ask
// for: then calls at the same time, or the last ones of a window, are refused although they would fit. It is a warning
// where not even one call has room, else information.
func reservation(f Facts, _ Policy, _ time.Time) []finding.Finding {
	if !f.Limit.Valid {
		return nil
	}
	var dearest Price
	most := decimal.Zero
	for _, p := range f.Prices {
		if cost, ok := p.Reservation(); ok && cost.GreaterThan(most) {
			dearest, most = p, cost
		}
	}
	if most.IsZero() || f.Limit.Decimal.GreaterThanOrEqual(most.Mul(decimal.NewFromInt(reservedCalls))) {
		return nil
	}
	found := about(f, RuleReservation, finding.Info)
	found.Window = "" // it is so in every window
	found.Level = dearest.Model
	found.Observed, found.Limit = dollars(f.Limit.Decimal), dollars(most.Mul(decimal.NewFromInt(reservedCalls)))
	found.Summary = fmt.Sprintf("the budget of %s is smaller than what the proxy holds back for %d calls of %s at once", f.Key, reservedCalls, dearest.Model)
	if f.Limit.Decimal.LessThan(most) {
		found.Severity = finding.Warning
		found.Summary = fmt.Sprintf("the budget of %s is smaller than what the proxy holds back for a single long call of %s", f.Key, dearest.Model)
	}
	found.Advice = fmt.Sprintf("LiteLLM reserves a call's worst case before it runs (%d output tokens of %s): set a smaller max_tokens in the agents, or raise max_budget.",
		dearest.MaxOutput, dearest.Model)
	found.Source = "GET /model/info"
	return []finding.Finding{found}
}
