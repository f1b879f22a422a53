package litellmtest

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/org/openclaw-litellm-action/secret"
	"github.com/shopspring/decimal"
)

// generated is the answer of /key/generate: what was sent, not what is stored. It has no budget_reset_at.
func (c *call) generated(row *keyRow, q keyRequest, expires time.Time) object {
	o := row.common(c.family(), zulu)
	for _, name := range []string{"budget_reset_at", "soft_budget_cooldown", "model_spend", "object_permission_id",
		"rotation_count", "auto_rotate", "rotation_interval", "last_rotation_at", "key_rotation_at",
		"total_spend", "settings_updated_at", "last_active"} {
		delete(o, name)
	}
	return o.with(object{
		"key": q.value, "token": row.token, "token_id": row.token, "expires": zulu(expires),
		"duration": nil, "budget_id": nil, "tags": nil, "guardrails": nil, "policies": nil, "prompts": nil,
		"enforced_params": nil, "model_rpm_limit": nil, "model_tpm_limit": nil, "organization_id": nil,
	})
}

// tokenOf is a key's token, whether the plaintext or the token was sent.
func tokenOf(key string) string {
	if strings.HasPrefix(key, "sk-") {
		return secret.New(key).SHA256()
	}
	return key
}

// keyUpdate is POST /key/update.
func keyUpdate(c *call) (any, error) {
	q, refused := c.readKey()
	if refused != nil {
		return nil, refused
	}
	token := tokenOf(q.value)
	if q.value == "" {
		if refused := c.needsKey(q); refused != nil {
			return nil, refused
		}
		token = c.tokenByAlias(q.alias)
	}
	row := c.store.keys[token]
	if row == nil {
		return nil, c.noSuchKey(q)
	}
	if refused := c.mayUpdate(row); refused != nil {
		return nil, refused
	}
	if refused := c.checkKey(q); refused != nil {
		return nil, asAuthError(refused)
	}
	if refused := c.checkAlias(q.alias, token); refused != nil {
		return nil, refused
	}
	changed := row.clone()
	if refused := c.apply(changed, q); refused != nil {
		return nil, refused
	}
	changed.updatedAt, changed.settingsAt = millis(c.now), millis(c.now)
	if c.family() != family81 {
		changed.updatedBy = c.who.userID
	}
	*row = *changed
	c.store.touch(row)
	delete(c.proxy.cached, token)
	if q.value == "" {
		q.value = token
	}
	return row.updatedRow(c.family(), c.now, q.value), nil
}

// needsKey refuses an update that names no key. Only the newest releases take an alias instead.
func (c *call) needsKey(q keyRequest) *refusal {
	switch {
	case c.family() != family106:
		return c.invalid("missing", "Field required", c.body, nil, "body", "key")
	case q.alias == "":
		return c.invalid("value_error", "Value error, either key or key_alias must be provided", c.body, nil, "body")
	default:
		return nil
	}
}

// asAuthError is a refusal as /key/update rewraps it.
func asAuthError(r *refusal) *refusal {
	switch {
	case r.kind != typeInternal:
		return r
	case r.status == http.StatusInternalServerError:
		text := strings.TrimPrefix(r.text, "Internal Server Error, ")
		return envelope(http.StatusBadRequest, typeAuth, "None", "Authentication Error, %s", text)
	default:
		return envelope(r.status, typeAuth, "None", "%s", r.text)
	}
}

// apply changes a row by the fields that were sent; null clears one, where the release honours it.
func (c *call) apply(row *keyRow, q keyRequest) *refusal {
	if c.body.has("key_alias") {
		row.alias = q.alias
	}
	if c.body.has("user_id") {
		row.userID = q.userID
	}
	if c.body.has("team_id") {
		row.teamID = q.teamID
	}
	if c.body.has("models") {
		row.models = q.models
	}
	if c.body.has("allowed_routes") {
		row.allowedRoutes = q.routes
	}
	if c.body.has("max_budget") {
		row.maxBudget = q.maxBudget
	}
	if c.body.set("spend") {
		row.spend = q.spend.Decimal
		c.proxy.live[keySubject(row.token)] = live{}
	}
	if c.body.set("blocked") {
		row.blocked = q.blocked
	}
	if c.body.has("metadata") {
		row.metadata = c.body["metadata"]
	}
	row.metadata = c.movedIntoMetadata(row.metadata)
	row.limits = c.changedLimits(row)
	if c.body.set("budget_duration") || c.body.null("budget_duration") && c.family() != family81 {
		row.window = c.newWindow(q.budgetDuration)
	}
	if q.duration == "-1" || c.body.null("duration") && c.family() != family81 {
		row.expires = time.Time{}
	} else if q.duration != "" {
		end, err := expiry(c.family(), q.duration, c.now)
		if err != nil {
			return envelope(http.StatusBadRequest, typeAuth, "None", "Authentication Error, %s", err)
		}
		row.expires = millis(end)
	}
	return nil
}

// changedLimits are the row's limits with those that were sent; null clears one.
func (c *call) changedLimits(row *keyRow) map[string]json.RawMessage {
	changed := map[string]json.RawMessage{}
	for _, name := range limitFields() {
		switch {
		case c.body.set(name):
			changed[name] = c.body[name]
		case !c.body.has(name) && row.limits[name] != nil:
			changed[name] = row.limits[name]
		}
	}
	return changed
}

// tokenByAlias finds a key by its alias; "" if there is none.
func (c *call) tokenByAlias(alias string) string {
	for token, row := range c.store.keys {
		if row.alias == alias {
			return token
		}
	}
	return ""
}

// noSuchKey is what changing an unknown or deleted key is answered.
func (c *call) noSuchKey(q keyRequest) *refusal {
	switch {
	case c.family() == family81:
		return envelope(http.StatusUnauthorized, typeAuth, "None",
			"Authentication Error: invalid user key - user key does not exist in db. User Key=%s", q.value)
	case q.value == "":
		return envelope(http.StatusNotFound, typeNotFound, "key_alias", "Key not found. No key with key_alias='%s'.", q.alias)
	}
	return envelope(http.StatusNotFound, typeNotFound, "key", "Key not found.")
}

// keyBlock is POST /key/block, and keyUnblock POST /key/unblock.
func keyBlock(c *call) (any, error)   { return c.setBlocked(true) }
func keyUnblock(c *call) (any, error) { return c.setBlocked(false) }

func (c *call) setBlocked(blocked bool) (any, error) {
	asked, refused := c.text("key")
	if refused != nil {
		return nil, refused
	}
	if asked == "" {
		return nil, c.invalid("missing", "Field required", c.body, nil, "body", "key")
	}
	token := tokenOf(asked)
	if len(token) != 64 {
		return nil, envelope(http.StatusBadRequest, typeBad, "key", "Invalid key format.")
	}
	row := c.store.keys[token]
	if row == nil {
		if c.family() == family81 {
			return nil, envelope(http.StatusUnauthorized, typeUnknown, "key", "Authentication Error, Invalid proxy server "+
				"token passed. key=%s, not found in db. Create key via `/key/generate` call.", token)
		}
		return nil, envelope(http.StatusNotFound, typeNotFound, "key", "Key not found.")
	}
	if refused := c.mayBlock(row); refused != nil {
		return nil, refused
	}
	row.blocked, row.updatedAt, row.settingsAt = &blocked, millis(c.now), millis(c.now)
	c.store.touch(row)
	delete(c.proxy.cached, token)
	if blocked {
		return row.blockedRow(c.family()), nil
	}
	o := row.owned(c.family())
	delete(o, "team_alias")
	return o, nil
}

// keyDelete is POST /key/delete. It names what was asked for as deleted, existing or not.
func keyDelete(c *call) (any, error) {
	keys, refused := c.texts("keys")
	if refused != nil {
		return nil, refused
	}
	aliases, refused := c.texts("key_aliases")
	if refused != nil {
		return nil, refused
	}
	if len(keys)+len(aliases) == 0 {
		return nil, c.invalid("value_error", "Value error, At least one of 'keys' or 'key_aliases' must be provided.",
			c.body, object{"error": object{}}, "body")
	}
	var tokens []string
	for _, key := range keys {
		tokens = append(tokens, tokenOf(key))
	}
	for _, alias := range aliases {
		tokens = append(tokens, c.tokenByAlias(alias))
	}
	found := 0
	for _, token := range tokens {
		if row := c.store.keys[token]; row != nil && (c.who.admin() || row.userID == c.who.userID) {
			c.store.archive(row, c.who, c.now)
			delete(c.proxy.cached, token)
			found++
		}
	}
	if found == 0 {
		return nil, c.wrapped(http.StatusNotFound, "No keys found")
	}
	return object{"deleted_keys": append(list(keys), aliases...)}, nil
}

// archive deletes a key and keeps its row as it was.
func (s *store) archive(row *keyRow, by *identity, now time.Time) {
	row.deletion = &deletion{id: s.uuid(), by: by.userID, byKey: by.token, at: millis(now)}
	delete(s.keys, row.token)
	s.unlist(row.token)
	s.deleted = append(s.deleted, row)
}

// keyRegenerate is POST /key/regenerate, which needs a licence.
func keyRegenerate(c *call) (any, error) {
	return nil, c.internal("Regenerating Virtual Keys is an Enterprise feature, %s", notPremium)
}

// keyResetSpend is POST /key/{key}/reset_spend.
func keyResetSpend(c *call) (any, error) {
	path := strings.TrimSuffix(strings.TrimPrefix(c.r.URL.Path, "/key/"), "/reset_spend")
	row := c.store.keys[tokenOf(path)]
	if row == nil {
		return nil, detail(http.StatusNotFound, object{"error": "Key " + path + " not found."})
	}
	to, refused := c.money("reset_to")
	if refused != nil {
		return nil, refused
	}
	if to.Decimal.IsNegative() || to.Decimal.GreaterThan(row.spend) {
		return nil, detail(http.StatusBadRequest, object{"error": "reset_to must be >= 0 and <= current spend"})
	}
	previous := row.spend
	row.spend = to.Decimal
	c.proxy.live[keySubject(row.token)] = live{spent: decimal.Zero}
	return object{
		"key_hash": row.token, "spend": number(row.spend), "previous_spend": number(previous),
		"max_budget": optional(row.maxBudget), "budget_reset_at": zulu(row.window.resetAt),
	}, nil
}
