package litellm

import (
	"context"
	"errors"
	"strings"
)

// masterUserID is what CreatedBy says of rows made with the master key (seen on 1.81 to 1.108).
const masterUserID = "default_user_id"

// Identity tells who the management key is, learned once and with one request: GET /key/info without a key, which the
// master key has no row for.
func (c *Client) Identity(ctx context.Context) (Identity, error) {
	return c.identity.get(ctx, func() (Identity, error) { return c.whoAmI(ctx) })
}

func (c *Client) whoAmI(ctx context.Context) (Identity, error) {
	const op = "asking who the management key is"
	o, _, err := c.get(ctx, call{op: op, path: "/key/info"}, "info")
	var e *Error
	if errors.As(err, &e) && e.Kind == NotFound && strings.Contains(e.Message, "Key not found in database") {
		return Identity{UserID: masterUserID, Master: true}, nil
	}
	if err != nil {
		return Identity{}, err
	}
	r := reader{object: o}
	info := reader{object: r.inner("info")}
	id := Identity{UserID: info.text("user_id"), Routes: info.texts("allowed_routes", "route")}
	if err := errors.Join(r.err, info.err); err != nil {
		return Identity{}, unreadable(op, err)
	}
	return id, nil
}
