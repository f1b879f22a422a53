package litellmtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/org/openclaw-litellm-action/secret"
	"github.com/shopspring/decimal"
)

// notPremium is what every route says that needs a licence.
const notPremium = "You must be a LiteLLM Enterprise user to use this feature. If you have a license please set " +
	"`LITELLM_LICENSE` in your env. Get a 7 day trial key here: https://www.litellm.ai/enterprise#trial. " +
	"\nPricing: https://www.litellm.ai/#pricing"

// shortestKey is the least length of a chosen key on new releases.
const shortestKey = 16

// keyRequest is what /key/generate and /key/update read from a body.
type keyRequest struct {
	value, alias, userID, teamID, duration, budgetDuration string
	models, routes                                         []string
	metadata                                               json.RawMessage
	maxBudget, spend                                       decimal.NullDecimal
	blocked                                                *bool
}

// readKey parses a body's fields, the first wrong one refused.
func (c *call) readKey() (q keyRequest, refused *refusal) {
	for name, to := range map[string]*string{
		"key": &q.value, "key_alias": &q.alias, "user_id": &q.userID, "team_id": &q.teamID,
		"duration": &q.duration, "budget_duration": &q.budgetDuration,
	} {
		if *to, refused = c.text(name); refused != nil {
			return q, refused
		}
	}
	if q.models, refused = c.texts("models"); refused != nil {
		return q, refused
	}
	if q.routes, refused = c.texts("allowed_routes"); refused != nil {
		return q, refused
	}
	if q.metadata, refused = c.mapping("metadata"); refused != nil {
		return q, refused
	}
	if q.maxBudget, refused = c.money("max_budget"); refused != nil {
		return q, refused
	}
	if q.spend, refused = c.money("spend"); refused != nil {
		return q, refused
	}
	q.blocked, refused = c.boolean("blocked")
	return q, refused
}

// checkKey refuses values that both making and changing a key refuse.
func (c *call) checkKey(q keyRequest) *refusal {
	if q.maxBudget.Valid && q.maxBudget.Decimal.IsNegative() {
		if c.family() != family81 {
			return c.wrapped(http.StatusBadRequest, "max_budget must be a non-negative finite number. Received: %s",
				float(q.maxBudget.Decimal))
		}
		return c.wrapped(http.StatusBadRequest, "max_budget cannot be negative. Received: %s", float(q.maxBudget.Decimal))
	}
	if c.body.set("tags") {
		return c.wrapped(http.StatusForbidden, "This feature is only available for LiteLLM Enterprise users: tags. %s", notPremium)
	}
	return c.checkBudgetDuration(q.budgetDuration)
}

// checkBudgetDuration refuses what a release refuses, which is not all that is wrong.
func (c *call) checkBudgetDuration(duration string) *refusal {
	if duration == "" {
		return nil
	}
	_, err := nextReset(c.family(), duration, c.now)
	if c.family() != family106 {
		if err != nil {
			return c.internal("%s", err)
		}
		return nil
	}
	end, expiryErr := expiry(c.family(), duration, c.now)
	if err != nil || expiryErr != nil || !end.After(c.now) {
		return c.wrapped(http.StatusBadRequest,
			"Invalid budget_duration '%s'. Use a format like '1h', '24h', '7d', or '30d'.", duration)
	}
	return nil
}

// newWindow is a budget window that starts now.
func (c *call) newWindow(duration string) window {
	w := window{family: c.family(), duration: duration}
	if duration != "" {
		w.resetAt = millis(w.next(c.now))
	}
	c.store.windowsChanged()
	return w
}

// keyGenerate is POST /key/generate.
func keyGenerate(c *call) (any, error) {
	q, refused := c.readKey()
	if refused != nil {
		return nil, refused
	}
	if refused := c.mayMakeKeyFor(q.userID); refused != nil {
		return nil, refused
	}
	if refused := c.checkKey(q); refused != nil {
		return nil, refused
	}
	if q.userID == "" && !c.who.admin() && c.family() != family81 {
		q.userID = c.who.userID
	}
	row := &keyRow{
		alias: q.alias, userID: q.userID, teamID: q.teamID, models: q.models, spend: q.spend.Decimal,
		maxBudget: q.maxBudget, blocked: q.blocked, metadata: c.movedIntoMetadata(q.metadata), allowedRoutes: q.routes,
		limits: c.sentLimits(), createdBy: c.who.userID, updatedBy: c.who.userID,
		createdAt: millis(c.now), updatedAt: millis(c.now),
	}
	exact := row.expires
	if q.duration != "" {
		end, err := expiry(c.family(), q.duration, c.now)
		if err != nil {
			return nil, c.internal("%s", err)
		}
		exact, row.expires = end, millis(end)
	}
	if refused := c.checkValue(&q); refused != nil {
		return nil, refused
	}
	if refused := c.checkAlias(q.alias, ""); refused != nil {
		return nil, refused
	}
	c.gap("/key/generate")
	row.token = secret.New(q.value).SHA256()
	row.name = shortKey(q.value)
	row.window = c.newWindow(q.budgetDuration)
	c.insertKey(row)
	return c.generated(row, q, exact), nil
}

// insertKey stores a row unless the token is taken: then nothing changes, silently, as the real proxy's upsert does.
func (c *call) insertKey(row *keyRow) {
	if c.store.keys[row.token] != nil {
		return
	}
	c.store.keys[row.token] = row
	c.store.touch(row)
	c.store.order = append(c.store.order, row.token)
}

// checkValue refuses a malformed chosen key, and chooses one where none was sent.
func (c *call) checkValue(q *keyRequest) *refusal {
	switch {
	case q.value == "":
		c.store.serial++
		q.value = fmt.Sprintf("sk-sandbox-generated-%08d", c.store.serial)
	case !strings.HasPrefix(q.value, "sk-"):
		return c.wrapped(http.StatusBadRequest,
			"Invalid key format. LiteLLM Virtual Key must start with 'sk-'. Received: %s", masked(q.value))
	case len(q.value) < shortestKey && c.family() == family106:
		return c.wrapped(http.StatusBadRequest, "Invalid key format. LiteLLM Virtual Key must be at least 16 characters long.")
	}
	return nil
}

// checkAlias refuses an alias that another key has.
func (c *call) checkAlias(alias, but string) *refusal {
	if alias == "" {
		return nil
	}
	for token, row := range c.store.keys {
		if row.alias == alias && token != but {
			return envelope(http.StatusBadRequest, typeBad, "key_alias",
				"Key with alias '%s' already exists. Unique key aliases across all keys are required.", alias)
		}
	}
	return nil
}

// movedIntoMetadata is metadata with the fields that LiteLLM keeps there.
func (c *call) movedIntoMetadata(metadata json.RawMessage) json.RawMessage {
	moved := map[string]json.RawMessage{}
	for _, name := range []string{"model_rpm_limit", "model_tpm_limit"} {
		if c.body.set(name) {
			moved[name] = c.body[name]
		}
	}
	if len(moved) == 0 {
		return metadata
	}
	all := map[string]json.RawMessage{}
	if len(metadata) > 0 && string(metadata) != "null" {
		if err := json.Unmarshal(metadata, &all); err != nil {
			return metadata
		}
	}
	for name, value := range moved {
		all[name] = value
	}
	merged, err := json.Marshal(all)
	if err != nil {
		return metadata
	}
	return merged
}

// sentLimits are the limits that were sent.
func (c *call) sentLimits() map[string]json.RawMessage {
	sent := map[string]json.RawMessage{}
	for _, name := range limitFields() {
		if c.body.set(name) {
			sent[name] = c.body[name]
		}
	}
	return sent
}
