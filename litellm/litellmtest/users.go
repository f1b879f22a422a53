package litellmtest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// userRow is a row of the user table.
type userRow struct {
	id, alias, email, role string
	spend                  decimal.Decimal
	maxBudget              decimal.NullDecimal
	window                 window
	metadata               json.RawMessage
	models                 []string
	teams                  []string
	limits                 map[string]json.RawMessage
	createdAt, updatedAt   time.Time
}

// common is what every rendering of a user has.
func (u *userRow) common() object {
	o := object{
		"user_id": u.id, "user_alias": orNull(u.alias), "user_email": orNull(u.email), "user_role": orNull(u.role),
		"sso_user_id": nil, "teams": list(u.teams), "models": list(u.models), "max_budget": optional(u.maxBudget),
		"spend": number(u.spend), "budget_duration": orNull(u.window.duration), "budget_reset_at": zulu(u.window.resetAt),
		"metadata": orEmpty(u.metadata), "model_spend": object{}, "model_max_budget": object{},
		"created_at": zulu(u.createdAt), "updated_at": zulu(u.updatedAt), "object_permission": nil,
	}
	for _, name := range limitFields() {
		o[name] = rawOrNull(u.limits[name])
	}
	return o
}

// info is the row as /user/info and /user/update show it.
func (u *userRow) info(f family) object {
	o := u.common().with(object{
		"team_id": nil, "organization_id": nil, "object_permission_id": nil, "allowed_cache_controls": []string{},
		"policies": []string{}, "litellm_organization_table": nil, "organization_memberships": []string{},
		"invitations_created": nil, "invitations_updated": nil, "invitations_user": nil,
	})
	if f == family106 {
		return o.with(object{"verified_subjects": nil, "password_reset_required": nil, "last_breach_check_at": nil})
	}
	return o.with(object{"password": nil})
}

// userRequest is what /user/new and /user/update read from a body.
type userRequest struct {
	id, alias, email, role, duration string
	maxBudget, spend                 decimal.NullDecimal
	metadata                         json.RawMessage
	models                           []string
}

// readUser parses a body's fields.
func (c *call) readUser() (q userRequest, refused *refusal) {
	for name, to := range map[string]*string{
		"user_id": &q.id, "user_alias": &q.alias, "user_email": &q.email, "user_role": &q.role, "budget_duration": &q.duration,
	} {
		if *to, refused = c.text(name); refused != nil {
			return q, refused
		}
	}
	if q.role != "" && !slices.Contains([]string{roleAdmin, roleAdminViewer, roleUser, roleUserViewer}, q.role) {
		return q, c.invalid("literal_error", "Input should be <LitellmUserRoles.PROXY_ADMIN: 'proxy_admin'>, "+
			"<LitellmUserRoles.PROXY_ADMIN_VIEW_ONLY: 'proxy_admin_viewer'>, <LitellmUserRoles.INTERNAL_USER: 'internal_user'> "+
			"or <LitellmUserRoles.INTERNAL_USER_VIEW_ONLY: 'internal_user_viewer'>", q.role,
			object{"expected": "<LitellmUserRoles.PROXY_ADMIN: 'proxy_admin'>, …"}, "body", "user_role")
	}
	if q.maxBudget, refused = c.money("max_budget"); refused != nil {
		return q, refused
	}
	if q.spend, refused = c.money("spend"); refused != nil {
		return q, refused
	}
	if q.metadata, refused = c.mapping("metadata"); refused != nil {
		return q, refused
	}
	q.models, refused = c.texts("models")
	return q, refused
}

// userNew is POST /user/new. Whoever comes second while the first is still being written is answered 200 and changes
// nothing; later ones are told of the conflict.
func userNew(c *call) (any, error) {
	q, refused := c.readUser()
	if refused != nil {
		return nil, refused
	}
	if refused := c.checkBudgetDuration(q.duration); refused != nil {
		return nil, refused
	}
	if q.id == "" {
		q.id = c.store.uuid()
	}
	if c.store.users[q.id] != nil {
		return nil, c.wrapped(http.StatusConflict, "User with id %s already exists", q.id)
	}
	c.gap("/user/new")
	c.insertUser(q)
	answer := c.newUserAnswer(q)
	create, refused := c.boolean("auto_create_key")
	if refused != nil {
		return nil, refused
	}
	if create == nil || *create {
		value := keyRequest{}
		if refused := c.checkValue(&value); refused != nil {
			return nil, refused
		}
		row := &keyRow{
			token: tokenOf(value.value), name: shortKey(value.value), userID: q.id, createdAt: millis(c.now),
			updatedAt: millis(c.now), createdBy: c.who.userID, updatedBy: c.who.userID,
		}
		c.insertKey(row)
		answer.with(object{"key": value.value, "key_name": row.name})
	}
	return answer, nil
}

// insertUser stores a user unless the id is taken.
func (c *call) insertUser(q userRequest) {
	if c.store.users[q.id] != nil {
		return
	}
	c.store.users[q.id] = &userRow{
		id: q.id, alias: q.alias, email: q.email, role: q.role, spend: q.spend.Decimal, maxBudget: q.maxBudget,
		window: c.newWindow(q.duration), metadata: q.metadata, models: q.models, limits: c.sentLimits(),
		createdAt: millis(c.now), updatedAt: millis(c.now),
	}
	c.store.people = append(c.store.people, q.id)
}

// newUserAnswer is the answer of /user/new: it echoes and is shaped like a key's.
func (c *call) newUserAnswer(q userRequest) object {
	row := &keyRow{
		userID: q.id, spend: q.spend.Decimal, maxBudget: q.maxBudget, metadata: q.metadata, models: q.models,
		window: window{duration: q.duration}, limits: c.sentLimits(),
	}
	o := c.generated(row, keyRequest{}, time.Time{}).with(object{
		"token": nil, "token_id": nil, "key_name": nil, "user_email": orNull(q.email), "user_role": orNull(q.role),
		"teams": nil, "user_alias": orNull(q.alias), "model_max_budget": nil, "router_settings": nil,
		"access_group_ids": nil, "created_by": nil, "updated_by": nil, "created_at": nil, "updated_at": nil,
	})
	if c.family() == family106 {
		o.with(object{"budget_fallbacks": nil, "key_type": nil})
	}
	return o
}

// userUpdate is POST /user/update. It makes a user that does not exist.
func userUpdate(c *call) (any, error) {
	q, refused := c.readUser()
	if refused != nil {
		return nil, refused
	}
	if q.id == "" && q.email == "" {
		return nil, c.invalid("value_error", "Value error, Either user id or user email must be provided",
			c.body, object{"error": object{}}, "body")
	}
	if refused := c.checkBudgetDuration(q.duration); refused != nil {
		return nil, asAuthError(refused)
	}
	if c.store.users[q.id] == nil {
		c.insertUser(userRequest{id: q.id})
	}
	user := c.store.users[q.id]
	if c.body.set("user_alias") {
		user.alias = q.alias
	}
	if c.body.set("user_role") {
		user.role = q.role
	}
	if c.body.has("max_budget") {
		user.maxBudget = q.maxBudget
	}
	if c.body.set("spend") {
		user.spend = q.spend.Decimal
		c.proxy.live[userSubject(q.id)] = live{}
	}
	if c.body.set("budget_duration") {
		user.window = c.newWindow(q.duration)
	}
	if c.body.set("metadata") {
		user.metadata = q.metadata
	}
	if c.body.set("models") {
		user.models = q.models
	}
	user.updatedAt = millis(c.now)
	return object{"user_id": q.id, "data": user.info(c.family()).with(object{"organization_memberships": nil})}, nil
}

// userInfo is GET /user/info: the row and all the user's keys.
func userInfo(c *call) (any, error) {
	id := c.query.Get("user_id")
	if id == "" {
		id = c.who.userID
	}
	user := c.store.users[id]
	if user == nil && c.who.master && c.query.Get("user_id") == "" {
		user = &userRow{id: masterID, role: roleAdmin}
	}
	if user == nil {
		param := c.none()
		return nil, envelope(http.StatusNotFound, typeInternal, param, "User %s not found", orNone(id))
	}
	info := user.info(c.family())
	if c.family() == family106 {
		info["model_max_budget_usage"] = object{}
	}
	return object{"user_id": id, "user_info": info, "keys": c.keysOf(id), "teams": c.teamsOf(user)}, nil
}

// keysOf renders every key of a user, in no order anyone should rely on: the row changed last comes last.
func (c *call) keysOf(user string) []any {
	var rows []*keyRow
	for _, token := range c.store.order {
		if row := c.store.keys[token]; row.userID == user {
			rows = append(rows, row)
		}
	}
	slices.SortStableFunc(rows, func(a, b *keyRow) int { return a.version - b.version })
	keys := []any{}
	for _, row := range rows {
		keys = append(keys, row.owned(c.family()))
	}
	return keys
}

// teamsOf renders a user's teams.
func (c *call) teamsOf(user *userRow) []object {
	teams := []object{}
	for _, id := range user.teams {
		if team := c.store.teams[id]; team != nil {
			teams = append(teams, team.json())
		}
	}
	return teams
}

// userList is GET /user/list.
func userList(c *call) (any, error) {
	if !c.who.admin() && c.who.role != roleAdminViewer {
		return nil, detail(http.StatusForbidden, object{"error": "Only proxy admins and organization admins can list users."})
	}
	page, refused := c.integer("page", 1, 1, 0)
	if refused != nil {
		return nil, refused
	}
	size, refused := c.integer("page_size", 25, 1, 100)
	if refused != nil {
		return nil, refused
	}
	var found []*userRow
	for _, id := range slices.Backward(c.store.people) {
		if c.listsUser(c.store.users[id]) {
			found = append(found, c.store.users[id])
		}
	}
	counts := map[string]int{}
	for _, row := range c.store.keys {
		counts[row.userID]++
	}
	users := []any{}
	for _, user := range slice(found, page, size) {
		o := user.common().with(object{"organization_memberships": nil, "key_count": counts[user.id]})
		if c.family() != family106 {
			delete(o, "max_parallel_requests")
		}
		users = append(users, o)
	}
	return object{
		"users": users, "total": len(found), "page": page, "page_size": size, "total_pages": pages(len(found), size),
	}, nil
}

// listsUser reports whether a user matches the query: one of several ids exactly, a single id as a part.
func (c *call) listsUser(user *userRow) bool {
	ids, role := c.query.Get("user_ids"), c.query.Get("role")
	if role != "" && user.role != role {
		return false
	}
	if ids == "" {
		return true
	}
	wanted := strings.Split(ids, ",")
	if len(wanted) == 1 {
		return strings.Contains(strings.ToLower(user.id), strings.ToLower(strings.TrimSpace(ids)))
	}
	return slices.ContainsFunc(wanted, func(id string) bool { return strings.TrimSpace(id) == user.id })
}

// userDelete is POST /user/delete; the users' keys go with them. It answers how many users went.
func userDelete(c *call) (any, error) {
	ids, refused := c.texts("user_ids")
	if refused != nil {
		return nil, refused
	}
	for _, id := range ids {
		if c.store.users[id] == nil {
			return nil, detail(http.StatusNotFound, object{"error": "User not found, passed user_id=" + id})
		}
	}
	for _, id := range ids {
		for _, token := range slices.Clone(c.store.order) {
			if row := c.store.keys[token]; row.userID == id {
				c.store.archive(row, c.who, c.now)
				delete(c.proxy.cached, token)
			}
		}
		delete(c.store.users, id)
		c.store.people = slices.DeleteFunc(c.store.people, func(other string) bool { return other == id })
	}
	return len(ids), nil
}
