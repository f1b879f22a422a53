package litellm

import (
	"context"
	"encoding/json"
	"net/url"
	"strconv"
	"time"
)

// AllKeys returns every key row of the proxy if that takes at most maxPages requests (GET /key/list, a hundred rows each,
// oldest first). Where it would take more, ok is false and one request was made. asOf is the Date of the first answer, UTC.
func (c *Client) AllKeys(ctx context.Context, maxPages int) (keys []Key, asOf time.Time, ok bool, err error) {
	const op = "listing all keys"
	query := url.Values{
		"return_full_object": {"true"}, "size": {strconv.Itoa(listSize)}, "sort_by": {"created_at"}, "sort_order": {"asc"},
	}
	first, ok, err := c.pagesUpTo(ctx, call{op: op, path: "/key/list", query: query}, "keys", maxPages, collect(&keys))
	if err != nil || !ok {
		return nil, time.Time{}, false, err
	}
	return keys, first.date, true, nil
}

// collect returns a function that reads key rows into keys, each once: a row can move to another page while they are read.
func collect(keys *[]Key) func(json.RawMessage) error {
	seen := map[string]bool{}
	return func(raw json.RawMessage) error {
		o, err := parseObject(raw)
		if err != nil {
			return err
		}
		k, err := readKey(o)
		if err == nil && !seen[k.Token] {
			seen[k.Token] = true
			*keys = append(*keys, k)
		}
		return err
	}
}
