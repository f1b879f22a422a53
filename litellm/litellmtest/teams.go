package litellmtest

import (
	"net/http"
	"time"

	"github.com/shopspring/decimal"
)

// teamRow is a row of the team table, with its members.
type teamRow struct {
	id, alias string
	spend     decimal.Decimal
	maxBudget decimal.NullDecimal
	window    window
	members   map[string]*memberRow // :: user id → membership
	order     []string              // user ids in order of joining
	createdAt time.Time
}

// memberRow is one user's membership of a team.
type memberRow struct {
	user, role string // role is "" for who has a membership row and is no member
	spend      decimal.Decimal
	maxBudget  decimal.NullDecimal
	window     window
	budgetID   string
}

// json is the team as most routes show it.
func (t *teamRow) json() object {
	members := []object{}
	for _, id := range t.order {
		if t.members[id].role == "" {
			continue
		}
		members = append(members, object{"user_id": id, "user_email": nil, "role": t.members[id].role})
	}
	return object{
		"team_id": t.id, "team_alias": orNull(t.alias), "organization_id": nil, "admins": []string{}, "members": []string{},
		"members_with_roles": members, "metadata": object{}, "max_budget": optional(t.maxBudget), "spend": number(t.spend),
		"budget_duration": orNull(t.window.duration), "budget_reset_at": zulu(t.window.resetAt), "models": []string{},
		"blocked": false, "tpm_limit": nil, "rpm_limit": nil, "created_at": zulu(t.createdAt), "updated_at": zulu(t.createdAt),
	}
}

// memberships are the members with a budget of their own; new releases list the others too.
func (t *teamRow) memberships(f family) []object {
	found := []object{}
	for _, id := range t.order {
		if member := t.members[id]; member.budgetID != "" || f == family106 {
			found = append(found, member.json(t.id, f))
		}
	}
	return found
}

// json is one membership.
func (m *memberRow) json(team string, f family) object {
	var budget any
	if m.budgetID != "" {
		budget = object{
			"budget_id": m.budgetID, "max_budget": optional(m.maxBudget), "soft_budget": nil,
			"budget_duration":       orNull(m.window.duration),
			"max_parallel_requests": nil, "tpm_limit": nil, "rpm_limit": nil, "model_max_budget": nil,
		}
	}
	if b, ok := budget.(object); ok && f != family81 {
		b["budget_reset_at"] = zulu(m.window.resetAt)
	}
	o := object{
		"user_id": m.user, "team_id": team, "budget_id": orNull(m.budgetID), "spend": number(m.spend),
		"litellm_budget_table": budget,
	}
	if f == family106 {
		o["budget_source"] = "none"
		if m.budgetID != "" {
			o["budget_source"] = "custom"
		}
	}
	return o
}

// teamNew is POST /team/new.
func teamNew(c *call) (any, error) {
	id, refused := c.text("team_id")
	if refused != nil {
		return nil, refused
	}
	alias, refused := c.text("team_alias")
	if refused != nil {
		return nil, refused
	}
	budget, refused := c.money("max_budget")
	if refused != nil {
		return nil, refused
	}
	duration, refused := c.text("budget_duration")
	if refused != nil {
		return nil, refused
	}
	if id == "" {
		id = c.store.uuid()
	}
	if c.store.teams[id] != nil {
		return nil, c.wrapped(http.StatusBadRequest, "Team id = %s already exists. Please use a different team id.", id)
	}
	if refused := c.checkBudgetDuration(duration); refused != nil {
		return nil, refused
	}
	team := &teamRow{
		id: id, alias: alias, maxBudget: budget, window: c.newWindow(duration),
		members: map[string]*memberRow{}, createdAt: millis(c.now),
	}
	if c.who.userID != "" {
		team.join(&memberRow{user: c.who.userID, role: "admin"})
	}
	c.store.teams[id] = team
	return team.json(), nil
}

// join adds a member, or replaces the membership.
func (t *teamRow) join(m *memberRow) {
	if t.members[m.user] == nil {
		t.order = append(t.order, m.user)
	}
	t.members[m.user] = m
}

// askedTeam finds the team that a body or a query names.
func (c *call) askedTeam() (*teamRow, error) {
	id := c.query.Get("team_id")
	if c.body.has("team_id") {
		text, refused := c.text("team_id")
		if refused != nil {
			return nil, refused
		}
		id = text
	}
	team := c.store.teams[id]
	if team == nil {
		return nil, c.noSuchTeam(id)
	}
	return team, nil
}

// noSuchTeam refuses a team that does not exist.
func (c *call) noSuchTeam(id string) *refusal {
	if c.r.URL.Path == "/team/member_update" {
		return detail(http.StatusBadRequest, object{"error": "Team id=" + id + " does not exist in db"})
	}
	return detail(http.StatusNotFound, object{"error": "Team doesn't exist in db. Team=" + id + ". Create team via `/team/new` call."})
}

// teamInfo is GET /team/info.
func teamInfo(c *call) (any, error) {
	id := c.query.Get("team_id")
	if id == "" {
		return nil, envelope(http.StatusUnprocessableEntity, typeAuth, "None",
			"{'message': 'Malformed request. No team id passed in.'}")
	}
	team := c.store.teams[id]
	if team == nil {
		return nil, envelope(http.StatusNotFound, typeAuth, "None",
			"{'message': 'Team not found, passed team id: %s.'}", id)
	}
	keys := []any{}
	for _, token := range c.store.order {
		if row := c.store.keys[token]; row.teamID == id {
			keys = append(keys, row.owned(c.family()))
		}
	}
	return object{"team_id": id, "team_info": team.json(), "keys": keys, "team_memberships": team.memberships(c.family())}, nil
}

// teamMemberAdd is POST /team/member_add, for one member or a list of them.
func teamMemberAdd(c *call) (any, error) {
	team, err := c.askedTeam()
	if err != nil {
		return nil, err
	}
	budget, refused := c.money("max_budget_in_team")
	if refused != nil {
		return nil, refused
	}
	duration, refused := c.memberDuration()
	if refused != nil {
		return nil, refused
	}
	members, refused := c.askedMembers()
	if refused != nil {
		return nil, refused
	}
	users, memberships := []object{}, []object{}
	for _, m := range members {
		if there := team.members[m.UserID]; there != nil && there.role != "" {
			return nil, envelope(http.StatusBadRequest, "team_member_already_in_team", "member",
				"User already in team. Member: user_id=%s, user_email=None. Existing members=%s", m.UserID, team.membersText())
		}
		if c.store.users[m.UserID] == nil {
			c.insertUser(userRequest{id: m.UserID, role: roleUserViewer})
		}
		member := &memberRow{user: m.UserID, role: m.Role}
		if budget.Valid {
			member.maxBudget, member.budgetID = budget, c.store.uuid()
			if duration != "" {
				member.window = c.newWindow(duration)
			}
		}
		team.join(member)
		user := c.store.users[m.UserID]
		user.teams = append(user.teams, team.id)
		users = append(users, user.info(c.family()))
		memberships = append(memberships, member.json(team.id, c.family()))
	}
	return team.json().with(object{"updated_users": users, "updated_team_memberships": memberships}), nil
}

// teamMemberUpdate is POST /team/member_update.
func teamMemberUpdate(c *call) (any, error) {
	team, err := c.askedTeam()
	if err != nil {
		return nil, err
	}
	id, refused := c.text("user_id")
	if refused != nil {
		return nil, refused
	}
	budget, refused := c.money("max_budget_in_team")
	if refused != nil {
		return nil, refused
	}
	duration, refused := c.memberDuration()
	if refused != nil {
		return nil, refused
	}
	member := team.members[id]
	if member == nil { // anyone gets a membership row; that makes no member
		member = &memberRow{user: id}
		team.join(member)
	}
	if budget.Valid {
		member.maxBudget = budget
		if member.budgetID == "" {
			member.budgetID = c.store.uuid()
		}
		if duration != "" {
			member.window = c.newWindow(duration)
		}
	}
	return object{
		"team_id": team.id, "user_id": id, "user_email": nil, "max_budget_in_team": optional(budget),
		"tpm_limit": nil, "rpm_limit": nil,
	}, nil
}

// teamDelete is POST /team/delete; the team's keys go with it.
func teamDelete(c *call) (any, error) {
	ids, refused := c.texts("team_ids")
	if refused != nil {
		return nil, refused
	}
	deleted := []object{}
	for _, id := range ids {
		team := c.store.teams[id]
		if team == nil {
			return nil, c.wrapped(http.StatusNotFound, "Team not found, passed team_id=%s", id)
		}
		c.store.dropTeam(team, c)
		deleted = append(deleted, team.json())
	}
	return deleted, nil
}
