package litellm

import (
	"context"
	"encoding/json"
	"net/url"
	"strconv"
)

// AllKeys returns every key row of the proxy if that takes at most maxPages requests (GET /key/list, a hundred rows each,
// oldest first). Where it would take more, ok is false and one request was made.
func (c *Client) AllKeys(ctx context.Context, maxPages int) (keys []Key, ok bool, err error) {
	const op = "listing all keys"
	query := url.Values{
		"return_full_object": {"true"}, "size": {strconv.Itoa(listSize)}, "sort_by": {"created_at"}, "sort_order": {"asc"},
	}
	seen := map[string]bool{}
	for page := 1; ; page++ {
		query.Set("page", strconv.Itoa(page))
		o, _, err := c.get(ctx, call{op: op, path: "/key/list", query: query}, "keys")
		if err != nil {
			return nil, false, err
		}
		r := reader{object: o}
		pages, rows := r.count("total_pages"), r.list("keys")
		if pages > int64(maxPages) {
			return nil, false, nil
		}
		if err := appendKeys(&keys, seen, rows); err != nil {
			return nil, false, unreadable(op, err)
		}
		if len(rows) < listSize || pages > 0 && int64(page) >= pages {
			return keys, true, nil
		}
		if page >= maxPages {
			return nil, false, nil
		}
	}
}

// appendKeys adds the rows that were not seen on an earlier page.
func appendKeys(keys *[]Key, seen map[string]bool, rows []json.RawMessage) error {
	for _, raw := range rows {
		o, err := parseObject(raw)
		if err != nil {
			return err
		}
		k, err := readKey(o)
		if err != nil {
			return err
		}
		if !seen[k.Token] {
			seen[k.Token] = true
			*keys = append(*keys, k)
		}
	}
	return nil
}
