package litellm

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/org/openclaw-litellm-action/secret"
)

const (
	keyPrefix    = "sk-" // LiteLLM refuses chosen values without it
	keyMinLength = 16    // and from 1.106 on shorter ones
	listSize     = 100   // the largest page of /key/list and /user/list on every release
	maxPages     = 1000  // of any list, a hundred thousand rows: a proxy that never ends is stopped
)

// GenerateKey makes a virtual key of a chosen value (POST /key/generate). It may be repeated with the same Value: the
// first row made with it stays, and later calls are answered as if they had made it. So nil does not prove that the row
// is as k says, nor who made it: read back with FindKey. An alias that another row has is AliasTaken.
func (c *Client) GenerateKey(ctx context.Context, k NewKey) error {
	op := "making a key"
	if alias, ok := k.Fields["key_alias"].(string); ok && alias != "" {
		op = fmt.Sprintf("making key %q", alias)
	}
	value := k.Value.Reveal()
	if !strings.HasPrefix(value, keyPrefix) || len(value) < keyMinLength {
		return ours(&Error{Op: op, Kind: BadRequest,
			Message: fmt.Sprintf("its value must start with %q and have at least %d bytes", keyPrefix, keyMinLength)})
	}
	body := with(k.Fields, "key", value)
	err := c.post(ctx, call{op: op, path: "/key/generate", body: body, secret: k.Value})
	if IsKind(err, AliasTaken) { // perhaps by the row itself: the proxy looks for the alias first
		if row, findErr := c.FindKey(ctx, k.Value.SHA256()); findErr == nil && row.Alias == k.Fields["key_alias"] {
			return nil
		}
	}
	return err
}

// UpdateKey sets fields of the key row with the token (POST /key/update). metadata is replaced whole, everything that is
// not named stays; 1.81 ignores a nil budget_duration. A row that is gone is NotFound.
func (c *Client) UpdateKey(ctx context.Context, token string, f Fields) error {
	return c.onKey(ctx, "updating", "/key/update", token, with(f, "key", token))
}

// BlockKey makes the key refuse calls until UnblockKey: at once on the worker that answers, within their key cache (about
// a minute) on others. Blocking twice is the same as once. A row that is gone is NotFound.
func (c *Client) BlockKey(ctx context.Context, token string) error {
	return c.onKey(ctx, "blocking", "/key/block", token, Fields{"key": token})
}

// UnblockKey undoes BlockKey.
func (c *Client) UnblockKey(ctx context.Context, token string) error {
	return c.onKey(ctx, "unblocking", "/key/unblock", token, Fields{"key": token})
}

// DeleteKey deletes the key row for good. A row that is gone already is no error. Spend in flight is lost with it: block
// first, and delete much later.
func (c *Client) DeleteKey(ctx context.Context, token string) error {
	err := c.onKey(ctx, "deleting", "/key/delete", token, Fields{"keys": []string{token}})
	if IsKind(err, NotFound) {
		return nil
	}
	return err
}

// FindKey reads one key row (GET /key/info). A row that does not exist, or that the proxy keeps only as an archive of a
// deleted one (1.106), is NotFound.
func (c *Client) FindKey(ctx context.Context, token string) (*Key, error) {
	op := "reading key " + short(token)
	if err := checkToken(op, token); err != nil {
		return nil, err
	}
	q := call{op: op, path: "/key/info", query: url.Values{"key": {token}}, row: token}
	o, a, err := c.get(ctx, q, "info")
	if err != nil {
		return nil, err
	}
	r := reader{object: o}
	info := reader{object: r.inner("info")}
	if info.text("status") == "deleted" || info.has("deleted_at") {
		return nil, ours(&Error{
			Op: op, Route: "GET /key/info", Kind: NotFound, Status: http.StatusOK, Message: "the key was deleted",
		})
	}
	k, err := readKey(info.object)
	if err != nil {
		return nil, unreadable(op, err)
	}
	k.Token, k.AsOf = token, a.date // the row comes without its token
	return &k, nil
}

// KeysByAlias returns every live key with exactly that alias: more than one if two were made at the same moment.
func (c *Client) KeysByAlias(ctx context.Context, alias string) ([]Key, error) {
	keys, err := c.listKeys(ctx, fmt.Sprintf("listing keys with alias %q", alias), url.Values{"key_alias": {alias}})
	return filter(keys, func(k Key) bool { return k.Alias == alias }), err
}

// Keys returns every live key row of the user, blocked ones included; userID "" means every key of the proxy.
func (c *Client) Keys(ctx context.Context, userID string) ([]Key, error) {
	if userID == "" {
		return c.listKeys(ctx, "listing keys", url.Values{})
	}
	keys, err := c.listKeys(ctx, fmt.Sprintf("listing keys of user %q", userID), url.Values{"user_id": {userID}})
	return filter(keys, func(k Key) bool { return k.UserID == userID }), err
}

// listKeys reads all pages of /key/list, oldest first so that a key made meanwhile shifts nothing.
func (c *Client) listKeys(ctx context.Context, op string, query url.Values) ([]Key, error) {
	query.Set("return_full_object", "true")
	query.Set("size", strconv.Itoa(listSize))
	query.Set("sort_by", "created_at")
	query.Set("sort_order", "asc")
	var keys []Key
	err := c.pages(ctx, call{op: op, path: "/key/list", query: query}, "keys", collect(&keys))
	if err != nil {
		return nil, err
	}
	return keys, nil
}

// onKey posts one write about a key row.
func (c *Client) onKey(ctx context.Context, doing, path, token string, body Fields) error {
	op := doing + " key " + short(token)
	if err := checkToken(op, token); err != nil {
		return err
	}
	return c.post(ctx, call{op: op, path: path, body: body, row: token})
}

// checkToken refuses what is no SHA-256, a plaintext above all, which must not reach a URL or an error.
func checkToken(op, token string) error {
	if len(token) == 64 && strings.Trim(token, "0123456789abcdef") == "" {
		return nil
	}
	doing, _, _ := strings.Cut(op, " ")
	return ours(&Error{
		Op: doing + " a key", Kind: BadRequest, Message: "a key is named by the lower-case hex SHA-256 of its plaintext",
	})
}

// readKey reads a key row of /key/list, /key/info or /user/info.
func readKey(o object) (Key, error) {
	r := reader{object: o}
	k := Key{
		Token: r.text("token"), Alias: r.text("key_alias"), UserID: r.text("user_id"), TeamID: r.text("team_id"),
		Models: r.texts("models", "id"), Spend: r.counted("spend"), MaxBudget: r.amount("max_budget"),
		BudgetDuration: r.text("budget_duration"), BudgetResetAt: r.time("budget_reset_at"), Expires: r.time("expires"),
		Blocked: r.flag("blocked"), Metadata: r.inner("metadata"), CreatedAt: r.time("created_at"),
		UpdatedAt: r.time("updated_at"), CreatedBy: r.text("created_by"), Raw: o,
	}
	return k, r.err
}

// with returns a copy of f with one more field.
func with(f Fields, name string, value any) Fields {
	out := Fields{}
	maps.Copy(out, f)
	out[name] = value
	return out
}

// filter returns the elements of list that keep accepts.
func filter[T any](list []T, keep func(T) bool) []T {
	var out []T
	for _, e := range list {
		if keep(e) {
			out = append(out, e)
		}
	}
	return out
}

// VerifyKey asks the proxy whether it knows key, by GET /v1/models with that key, which costs nothing. nil means yes, also
// when its budget is spent: an unknown key is never told that. Otherwise the error's kind says why not.
func (c *Client) VerifyKey(ctx context.Context, key secret.Value) error {
	if key.IsZero() {
		return ours(&Error{Op: "verifying a key", Kind: BadRequest, Message: "the key is empty"})
	}
	_, _, err := c.get(ctx, call{op: "verifying a key", path: "/v1/models", key: key}, "data")
	if IsKind(err, BudgetExceeded) {
		return nil
	}
	return err
}
