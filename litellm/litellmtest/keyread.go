package litellmtest

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"
)

// keyInfo is GET /key/info; without key it tells of the caller's own.
func keyInfo(c *call) (any, error) {
	asked := c.query.Get("key")
	if asked == "" && c.who.key != nil {
		asked = c.who.key.token
	}
	row := c.store.keys[tokenOf(asked)]
	if row == nil && c.family() == family106 {
		row = c.store.lastDeleted(tokenOf(asked))
	}
	if row == nil || asked == "" {
		return nil, envelope(http.StatusNotFound, typeNotFound, "key", "Key not found in database")
	}
	if !c.maySee(row) {
		return nil, envelope(http.StatusForbidden, typeInternal, c.none(),
			"You are not allowed to access this key's info. Your role=%s", orNone(c.who.role))
	}
	return object{"key": asked, "info": row.info(c.family(), c.now)}, nil
}

// maySee reports whether the caller may read a row: admins, the key's own user, and, as the real proxy compares the
// missing ids of both, every key without a user the keys without one.
func (c *call) maySee(row *keyRow) bool {
	return c.who.admin() || c.who.role == roleAdminViewer || c.who.userID == row.userID
}

// lastDeleted finds a deleted key; nil if there is none.
func (s *store) lastDeleted(token string) *keyRow {
	for i := len(s.deleted) - 1; i >= 0; i-- {
		if s.deleted[i].token == token {
			return s.deleted[i]
		}
	}
	return nil
}

// keyList is GET /key/list.
func keyList(c *call) (any, error) {
	page, refused := c.integer("page", 1, 1, 0)
	if refused != nil {
		return nil, refused
	}
	size, refused := c.integer("size", 10, 1, 100)
	if refused != nil {
		return nil, refused
	}
	rows, err := c.listedKeys()
	if err != nil {
		return nil, err
	}
	if err := c.sortKeys(rows); err != nil {
		return nil, err
	}
	keys := []any{}
	for _, row := range slice(rows, page, size) {
		if c.flag("return_full_object") {
			keys = append(keys, row.listed(c.family()))
		} else {
			keys = append(keys, row.token)
		}
	}
	return object{
		"keys": keys, "total_count": len(rows), "current_page": page, "total_pages": pages(len(rows), size),
	}, nil
}

// listedKeys are the rows that match the query and that the caller may see.
func (c *call) listedKeys() ([]*keyRow, error) {
	user := c.query.Get("user_id")
	if !c.who.admin() && c.who.role != roleAdminViewer {
		if c.who.userID == "" {
			return nil, envelope(http.StatusForbidden, typeBad, "user_id",
				"You are not authorized to access this endpoint. No 'user_id' is associated with your API key.")
		}
		if user != "" && user != c.who.userID {
			return nil, envelope(http.StatusForbidden, typeBad, "user_id",
				"You are not authorized to check another user's keys")
		}
		user = c.who.userID
	}
	status := c.query.Get("status")
	if err := c.checkStatus(status); err != nil {
		return nil, err
	}
	var all []*keyRow
	if status == "deleted" {
		all = c.store.deleted
	} else {
		for _, token := range c.store.order {
			all = append(all, c.store.keys[token])
		}
	}
	var found []*keyRow
	for _, row := range all {
		if c.listsKey(row, user, status) {
			found = append(found, row)
		}
	}
	return found, nil
}

// listsKey reports whether a row matches the query.
func (c *call) listsKey(row *keyRow, user, status string) bool {
	expired := !row.expires.IsZero() && row.expires.Before(c.now)
	blocked := row.blocked != nil && *row.blocked
	switch {
	case user != "" && row.userID != user,
		status == "expired" && !expired,
		status == "revoked" && !blocked,
		status == "active" && (expired || blocked):
		return false
	}
	alias := c.query.Get("key_alias")
	if alias != "" && c.flag("substring_matching") {
		if c.family() == family81 || !strings.Contains(row.alias, alias) {
			return false
		}
	} else if alias != "" && row.alias != alias {
		return false
	}
	hash, team := c.query.Get("key_hash"), c.query.Get("team_id")
	return (hash == "" || row.token == hash) && (team == "" || row.teamID == team)
}

// checkStatus refuses a status that the release does not know.
func (c *call) checkStatus(status string) error {
	known := []string{"deleted"}
	text := "Invalid status value. Currently only 'deleted' is supported."
	if c.family() == family106 {
		known = append(known, "active", "expired", "revoked")
		text = "Invalid status value. Supported: 'active', 'expired', 'revoked', 'deleted'."
	}
	if status == "" || slices.Contains(known, status) {
		return nil
	}
	return c.listFault(text)
}

// listFault refuses a query of /key/list, with the param "None" on every release.
func (c *call) listFault(text string) *refusal {
	return envelope(http.StatusBadRequest, typeInternal, "None", "%s", pythonError(text))
}

// sortKeys orders rows as asked; newest first unless asked otherwise.
func (c *call) sortKeys(rows []*keyRow) error {
	by, order := c.query.Get("sort_by"), strings.ToLower(cmp.Or(c.query.Get("sort_order"), "desc"))
	if order != "asc" && order != "desc" {
		return c.listFault("Invalid sort order. Must be 'asc' or 'desc'")
	}
	compare, ok := keyOrders()[cmp.Or(by, "created_at")]
	if !ok {
		return c.listFault(
			"Invalid sort column. Must be one of: spend, max_budget, created_at, updated_at, token, key_alias")
	}
	if by == "" {
		order = "desc"
	}
	if order == "asc" {
		slices.SortStableFunc(rows, compare)
		return nil
	}
	slices.Reverse(rows)
	slices.SortStableFunc(rows, func(a, b *keyRow) int { return compare(b, a) })
	return nil
}

// keyOrders are the columns that a list of keys can be sorted by.
func keyOrders() map[string]func(a, b *keyRow) int {
	at := func(of func(*keyRow) time.Time) func(a, b *keyRow) int {
		return func(a, b *keyRow) int { return of(a).Compare(of(b)) }
	}
	return map[string]func(a, b *keyRow) int{
		"spend":      func(a, b *keyRow) int { return a.spend.Cmp(b.spend) },
		"max_budget": func(a, b *keyRow) int { return a.maxBudget.Decimal.Cmp(b.maxBudget.Decimal) },
		"created_at": at(func(k *keyRow) time.Time { return k.createdAt }),
		"updated_at": at(func(k *keyRow) time.Time { return k.updatedAt }),
		"token":      func(a, b *keyRow) int { return cmp.Compare(a.token, b.token) },
		"key_alias":  func(a, b *keyRow) int { return cmp.Compare(a.alias, b.alias) },
	}
}

// slice is one page of a list, empty past its end.
func slice[T any](all []T, page, size int) []T {
	from := min((page-1)*size, len(all))
	return all[from:min(from+size, len(all))]
}

// pages is how many pages a list has.
func pages(count, size int) int { return (count + size - 1) / size }
