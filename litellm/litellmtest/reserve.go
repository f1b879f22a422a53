package litellmtest

import "github.com/shopspring/decimal"

// worstCase is what is reserved for a call that names no max_tokens, in tokens.
const worstCase = 16384

// inFlight gives way while the model is at work, if anyone asked for that (OnModelCall). Releases from 1.93 on hold the
// call's worst case against every budget that binds it, or what is left if that is less, until the call is over.
func (c *call) inFlight(q chatRequest, spec ModelSpec) {
	hook := c.proxy.onModel.Load()
	if hook == nil {
		return
	}
	release := c.reserve(c.worstCost(q, spec))
	defer release()
	c.store.mu.Unlock()
	defer c.store.mu.Lock()
	(*hook)(spec.Name)
}

// worstCost is the most a call may cost by its own max_tokens; zero on releases that do not reserve.
func (c *call) worstCost(q chatRequest, spec ModelSpec) decimal.Decimal {
	if c.family() == family81 {
		return decimal.Zero
	}
	most := max(q.MaxTokens, q.MaxCompletionTokens)
	if most == 0 {
		most = worstCase
	}
	prompt := int64(promptTokens(q.Messages))
	return spec.OutputCost.Mul(decimal.NewFromInt(most)).Add(spec.InputCost.Mul(decimal.NewFromInt(prompt)))
}

// reserve holds a cost against the caller's budgets until release is called.
func (c *call) reserve(cost decimal.Decimal) (release func()) {
	held := map[string]decimal.Decimal{}
	if c.who.key != nil && !cost.IsZero() {
		for _, l := range c.limits(route{llm: true}) {
			if l.max.Valid {
				held[l.subject] = decimal.Min(cost, l.max.Decimal.Sub(l.spend))
			}
		}
	}
	hold := func(sign int64) {
		for subject, cost := range held {
			l := c.proxy.live[subject]
			l.reserved = l.reserved.Add(cost.Mul(decimal.NewFromInt(sign)))
			c.proxy.live[subject] = l
		}
	}
	hold(1)
	return func() { hold(-1) }
}
