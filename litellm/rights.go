package litellm

import (
	"context"
	"errors"
	"net/http"
)

// MayPost tells whether the management key may use a route that writes, such as /key/update, without writing: LiteLLM
// judges the key before it reads the request, and this request is one that it cannot read. The error is nil, or says why
// not: of kind Forbidden where the key lacks the right.
func (c *Client) MayPost(ctx context.Context, path string) error {
	op := "trying the right to " + path
	_, err := c.do(ctx, call{op: op, method: http.MethodPost, path: path, once: true, body: Fields{
		"key": []string{"none"}, "keys": "none", "user_id": []string{"none"}, "team_id": []string{"none"}, "member": 0,
	}})
	var e *Error
	switch {
	case err == nil:
		return ours(&Error{
			Op: op, Kind: BadAnswer, Message: "the proxy took a request that it should not be able to read",
		})
	case IsKind(err, BadRequest) && errors.As(err, &e) && e.Status == http.StatusUnprocessableEntity:
		return nil
	}
	return err
}
