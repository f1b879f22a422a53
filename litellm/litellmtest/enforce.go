package litellmtest

import (
	"time"

	"github.com/shopspring/decimal"
)

// live is spend that one worker knows of and the rows do not.
type live struct {
	spent    decimal.Decimal // calls answered, not flushed
	reserved decimal.Decimal // calls being answered
}

// The subjects of budgets.
func keySubject(token string) string         { return "key:" + token }
func userSubject(id string) string           { return "user:" + id }
func teamSubject(id string) string           { return "team:" + id }
func memberSubject(team, user string) string { return "member:" + team + ":" + user }

// settleLive takes spend that reached the rows out of the worker's own count.
func (p *Proxy) settleLive(subject string, spend decimal.Decimal) {
	delete(p.memberships, subject)
	l := p.live[subject]
	l.spent = l.spent.Sub(spend)
	if l.spent.IsZero() && l.reserved.IsZero() {
		delete(p.live, subject)
		return
	}
	p.live[subject] = l
}

// current is a row's spend as this worker sees it.
func (p *Proxy) current(subject string, row decimal.Decimal) decimal.Decimal {
	l := p.live[subject]
	return row.Add(l.spent).Add(l.reserved)
}

// limit is one budget that binds a call.
type limit struct {
	subject string
	spend   decimal.Decimal
	max     decimal.NullDecimal
	message func(spend, max decimal.Decimal) string
	strict  bool // refuses only above the limit, not at it
}

// exceeded reports whether nothing more may be spent.
func (l limit) exceeded() bool {
	if !l.max.Valid {
		return false
	}
	if l.strict {
		return l.spend.GreaterThan(l.max.Decimal)
	}
	return l.spend.GreaterThanOrEqual(l.max.Decimal)
}

// limits lists the budgets of the caller that this route enforces, in the order in which the real proxy looks.
func (c *call) limits(to route) []limit {
	row := c.who.key
	discovery := c.r.URL.Path == "/v1/models" || c.r.URL.Path == "/models"
	var found []limit
	if to.llm || c.family() == family81 || c.family() == family93 && !discovery {
		found = append(found, c.sharedLimits(row)...)
	}
	if stored := c.store.keys[row.token]; stored != nil && (to.llm || discovery) {
		found = append(found, limit{
			subject: keySubject(row.token), max: row.maxBudget,
			spend: c.proxy.current(keySubject(row.token), stored.spend), message: c.keyMessage(row),
		})
	}
	return found
}

// sharedLimits are those of the team, of the member in it, or of the user of a key in no team.
func (c *call) sharedLimits(row *keyRow) []limit {
	team := c.store.teams[row.teamID]
	if team == nil {
		user := c.store.users[row.userID]
		if user == nil || row.teamID != "" {
			return nil
		}
		return []limit{{
			subject: userSubject(user.id), max: user.maxBudget, strict: c.family() == family81,
			spend: c.proxy.current(userSubject(user.id), user.spend),
			message: func(spend, max decimal.Decimal) string {
				return "ExceededBudget: User=" + user.id + " over budget. Spend=" + float(spend) + ", Budget=" + float(max)
			},
		}}
	}
	found := []limit{{
		subject: teamSubject(team.id), max: team.maxBudget,
		spend: c.proxy.current(teamSubject(team.id), team.spend),
		message: func(spend, max decimal.Decimal) string {
			return "Budget has been exceeded! Team=" + team.id + " Current cost: " + float(spend) + ", Max budget: " + float(max)
		},
	}}
	if member := team.members[row.userID]; member != nil {
		subject := memberSubject(team.id, row.userID)
		found = append(found, limit{
			subject: subject, max: c.memberMax(subject, member), spend: c.proxy.current(subject, member.spend),
			message: func(spend, max decimal.Decimal) string {
				name := "User=" + row.userID + " in Team=" + team.id + " "
				if c.family() == family106 {
					name = "TeamMember=" + row.userID + ":" + team.id + " "
				}
				return "Budget has been exceeded! " + name + "Current cost: " + float(spend) + ", Max budget: " + float(max)
			},
		})
	}
	return found
}

// membershipKept is how long a worker of 1.81 works with a membership as it read it, unless spend of that member reaches
// the rows meanwhile.
const membershipKept = 10 * time.Minute

// membership is the limit of a membership as a worker read it.
type membership struct {
	max  decimal.NullDecimal
	read time.Time
}

// memberMax is the member's limit as this worker sees it.
func (c *call) memberMax(subject string, member *memberRow) decimal.NullDecimal {
	if c.family() != family81 {
		return member.maxBudget
	}
	kept, ok := c.proxy.memberships[subject]
	if !ok || c.now.Sub(kept.read) >= membershipKept {
		kept = membership{member.maxBudget, c.now}
		c.proxy.memberships[subject] = kept
	}
	return kept.max
}

// keyMessage names the key on all but old releases.
func (c *call) keyMessage(row *keyRow) func(spend, max decimal.Decimal) string {
	name := ""
	if c.family() != family81 {
		label := row.alias
		if label == "" {
			label = "key"
		}
		name = "Key=" + label + " (" + row.name + ") "
	}
	return func(spend, max decimal.Decimal) string {
		return "Budget has been exceeded! " + name + "Current cost: " + float(spend) + ", Max budget: " + float(max)
	}
}

// overBudget refuses a call if one of the caller's budgets is spent. Calls of a model that costs nothing are let through;
// 1.81 counts a model without a price as one of those, whatever its fallbacks cost.
func (c *call) overBudget(to route) error {
	if c.who.key == nil || to.llm && c.family() == family81 && c.proxy.models.unpriced(c.askedModel()) {
		return nil
	}
	for _, l := range c.limits(to) {
		if l.exceeded() {
			return c.budgetExceeded(l)
		}
	}
	return nil
}

// budgetExceeded is the refusal of a spent budget.
func (c *call) budgetExceeded(l limit) *refusal {
	r := envelope(c.family().budgetExceededStatus(), typeBudget, nil, "%s", l.message(l.spend, l.max.Decimal))
	r.class = "BudgetExceededError"
	return r
}

// orNone is how Python prints a text that may be missing.
func orNone(text string) string {
	if text == "" {
		return "None"
	}
	return text
}

// float prints money as Python prints a float.
func float(d decimal.Decimal) string {
	text, err := number(d).MarshalJSON()
	if err != nil {
		return d.String()
	}
	return string(text)
}
