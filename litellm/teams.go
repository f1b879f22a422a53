package litellm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/shopspring/decimal"
)

// TeamMember reads a user's membership of a team (GET /team/info, whose answer grows with the team). NotFound: there is
// no such team, or the user is no member of it. Who has a membership row counts as a member, listed in the team or not:
// the row's budget is what binds, and of several users added at once LiteLLM may lose some from the list.
func (c *Client) TeamMember(ctx context.Context, teamID, userID string) (*TeamMember, error) {
	op := fmt.Sprintf("reading member %q of team %q", userID, teamID)
	o, a, err := c.get(ctx, call{op: op, path: "/team/info", query: url.Values{"team_id": {teamID}}}, "team_info")
	if IsKind(err, NotFound) {
		if ready, probeErr := c.probe(ctx, op); probeErr != nil {
			return nil, probeErr
		} else if !ready.Ready {
			return nil, &Error{Op: op, Route: "GET /team/info", Kind: DatabaseDown, Message: "the proxy's database is " + cmp.Or(ready.Database, "not connected")}
		}
	}
	if err != nil {
		return nil, err
	}
	r := reader{object: o}
	info := reader{object: r.inner("team_info")}
	member := false
	for _, raw := range info.list("members_with_roles") {
		m := reader{}
		m.object, m.err = parseObject(raw)
		member = member || m.text("user_id") == userID
		info.err = errors.Join(info.err, m.err)
	}
	if err := errors.Join(r.err, info.err); err != nil {
		return nil, unreadable(op, err)
	}
	m := &TeamMember{TeamID: teamID, UserID: userID}
	for _, raw := range r.list("team_memberships") {
		row := reader{}
		row.object, row.err = parseObject(raw)
		if row.text("user_id") == userID {
			budget := reader{object: row.inner("litellm_budget_table")}
			m.Spend, m.MaxBudget = row.counted("spend"), budget.amount("max_budget")
			m.BudgetDuration, m.BudgetResetAt = budget.text("budget_duration"), budget.time("budget_reset_at")
			row.err = errors.Join(row.err, budget.err)
			member = true
		}
		r.err = errors.Join(r.err, row.err)
	}
	if r.err != nil {
		return nil, unreadable(op, r.err)
	}
	if !member {
		return nil, ours(&Error{
			Op: op, Route: "GET /team/info", Kind: NotFound, Status: a.status, Message: "the user is no member",
		})
	}
	return m, nil
}

// AddTeamMember makes a user a member of a team with a budget over all its keys there; an invalid max means none. duration
// is the budget's window, "" for none: releases before 1.93 have no window for members and ignore it. A user who is a
// member already is AlreadyExists, and keeps the old budget.
func (c *Client) AddTeamMember(ctx context.Context, teamID, userID string, max decimal.NullDecimal, duration string) error {
	body := memberBudget(Fields{"team_id": teamID, "member": Fields{"user_id": userID, "role": "user"}}, max, duration)
	op := fmt.Sprintf("adding member %q to team %q", userID, teamID)
	err := c.post(ctx, call{op: op, path: "/team/member_add", body: body})
	if IsKind(err, AlreadyExists) && repeated(err) {
		return c.UpdateTeamMember(ctx, teamID, userID, max, duration) // our own first try, perhaps half done
	}
	return err
}

// UpdateTeamMember sets the budget of a member, keeping its spend. A duration begins a new window of that length; ""
// leaves the window alone. LiteLLM takes it for anybody: whether the user is a member is for the caller to know.
func (c *Client) UpdateTeamMember(ctx context.Context, teamID, userID string, max decimal.NullDecimal, duration string) error {
	body := memberBudget(Fields{"team_id": teamID, "user_id": userID}, max, duration)
	return c.post(ctx, call{op: fmt.Sprintf("updating member %q of team %q", userID, teamID), path: "/team/member_update", body: body})
}

// memberBudget adds a member's budget to a body.
func memberBudget(body Fields, max decimal.NullDecimal, duration string) Fields {
	body["max_budget_in_team"] = max
	if duration != "" {
		body["budget_duration"] = duration
	}
	return body
}
