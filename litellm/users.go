package litellm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// User reads one internal user with all key rows (GET /user/info): one request, however many keys others have. A user
// that does not exist is NotFound.
func (c *Client) User(ctx context.Context, id string) (*User, error) {
	op := fmt.Sprintf("reading user %q", id)
	if id == "" {
		return nil, ours(&Error{Op: op, Kind: BadRequest, Message: "the id is empty"})
	}
	o, a, err := c.get(ctx, call{op: op, path: "/user/info", query: url.Values{"user_id": {id}}}, "user_info")
	if err != nil {
		return nil, err
	}
	r := reader{object: o}
	info := r.inner("user_info")
	if len(info) == 0 {
		return nil, ours(&Error{
			Op: op, Route: "GET /user/info", Kind: NotFound, Status: a.status, Message: "there is no such user",
		})
	}
	u, err := readUser(info)
	if err == nil {
		u.AsOf = a.date
		u.Keys, err = readKeysOf(id, r.list("keys"))
		c.guessAge(u.Keys)
	}
	if err = errors.Join(err, r.err); err != nil {
		return nil, unreadable(op, err)
	}
	return &u, nil
}

// readKeysOf reads the key rows of one user, leaving out what is another's.
func readKeysOf(id string, rows []json.RawMessage) ([]Key, error) {
	keys := []Key{}
	for _, raw := range rows {
		o, err := parseObject(raw)
		if err != nil {
			return nil, err
		}
		k, err := readKey(o)
		if err != nil {
			return nil, err
		}
		if k.UserID == id {
			keys = append(keys, k)
		}
	}
	return keys, nil
}

// Users returns all users whose id starts with prefix, without their keys (GET /user/list, a hundred a request).
func (c *Client) Users(ctx context.Context, prefix string) ([]User, error) {
	query := url.Values{"page_size": {strconv.Itoa(listSize)}, "sort_by": {"user_id"}, "sort_order": {"asc"}}
	if prefix != "" && !strings.Contains(prefix, ",") {
		query.Set("user_ids", prefix) // a single one means "contains"; several would be exact
	}
	var users []User
	seen := map[string]bool{}
	q := call{op: fmt.Sprintf("listing users %q", prefix+"*"), path: "/user/list", query: query}
	err := c.pages(ctx, q, "users", func(raw json.RawMessage) error {
		o, err := parseObject(raw)
		if err != nil {
			return err
		}
		u, err := readUser(o)
		if err == nil && strings.HasPrefix(u.ID, prefix) && !seen[u.ID] {
			seen[u.ID] = true
			users = append(users, u)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return users, nil
}

// CreateUser makes an internal user without a key of its own (POST /user/new); f may name user_role, max_budget,
// budget_duration, spend, metadata, … A user that exists stays as it is: AlreadyExists, or nil where another made it at the
// same moment. So nil does not prove that the row is as f says: read back.
func (c *Client) CreateUser(ctx context.Context, id string, f Fields) error {
	body := with(f, "user_id", id)
	if _, given := body["auto_create_key"]; !given {
		body["auto_create_key"] = false
	}
	err := c.post(ctx, call{op: fmt.Sprintf("creating user %q", id), path: "/user/new", body: body})
	if IsKind(err, AlreadyExists) && repeated(err) {
		return nil // by our own first try, whose answer was lost, or by somebody else just now
	}
	return err
}

// UpdateUser sets fields of a user (POST /user/update); metadata is replaced whole, what is not named stays. Every known
// release creates a user that does not exist, so whoever updates reads first.
func (c *Client) UpdateUser(ctx context.Context, id string, f Fields) error {
	return c.post(ctx, call{op: fmt.Sprintf("updating user %q", id), path: "/user/update", body: with(f, "user_id", id)})
}

// DeleteUser deletes the user and all its keys (POST /user/delete). A user that is gone already is no error.
func (c *Client) DeleteUser(ctx context.Context, id string) error {
	err := c.post(ctx, call{op: fmt.Sprintf("deleting user %q", id), path: "/user/delete", body: Fields{"user_ids": []string{id}}})
	if IsKind(err, NotFound) {
		return nil
	}
	return err
}

// readUser reads a user row of /user/info or /user/list.
func readUser(o object) (User, error) {
	r := reader{object: o}
	u := User{
		ID: r.text("user_id"), Role: r.text("user_role"), Spend: r.counted("spend"), MaxBudget: r.amount("max_budget"),
		BudgetDuration: r.text("budget_duration"), BudgetResetAt: r.time("budget_reset_at"), Metadata: r.inner("metadata"),
		Teams: r.texts("teams", "team_id"), CreatedAt: r.time("created_at"),
	}
	return u, r.err
}

// repeated reports whether the failed request had been sent before, so that its refusal may be due to itself.
func repeated(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.attempts > 1
}
