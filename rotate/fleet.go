package rotate

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/org/openclaw-litellm-action/internal/panics"
	"github.com/org/openclaw-litellm-action/litellm"
)

// Fleet is one reading of the holders of many keys. It only saves requests: whatever is due is planned again from a
// reading of its own before anything is written.
type Fleet struct {
	asOf    time.Time                // the proxy's clock, UTC
	holders map[string]*litellm.User // by id
	known   *Holders
}

// Holders are the holders that were read for it; nil for no fleet.
func (f *Fleet) Holders() *Holders {
	if f == nil {
		return nil
	}
	return f.known
}

// holdersPrefix begins the id of every holder.
const holdersPrefix = "openclaw-litellm/"

// ReadFleet reads the holders of n keys and their generations from pages of /user/list and /key/list. It returns nil if
// that would take more requests than reading the keys one by one: on a proxy with many keys of others, or with few of
// ours. known are the holders if they were just read; nil: they are read here.
func ReadFleet(ctx context.Context, c *litellm.Client, n int, known *Holders) (*Fleet, error) {
	const few = 10
	if n < few {
		return nil, nil
	}
	var wg sync.WaitGroup
	var holdersErr error
	users := func() {
		if known != nil {
			return
		}
		holdersErr = panics.Catch("reading the holders", func() (err error) {
			known, err = ReadHolders(ctx, c)
			return err
		})
	}
	const many = 100 // from here on two readings side by side are worth one that may be for nothing
	if n >= many {
		wg.Go(users)
	}
	keys, asOf, ok, err := c.AllKeys(ctx, n/2)
	wg.Wait()
	if err != nil || !ok {
		return nil, err
	}
	if n < many {
		users()
	}
	if holdersErr != nil {
		return nil, holdersErr
	}
	f := &Fleet{asOf: asOf, known: known, holders: make(map[string]*litellm.User, len(known.users))}
	for i := range known.users {
		f.holders[known.users[i].ID] = &known.users[i]
	}
	for _, k := range keys {
		if h := f.holders[k.UserID]; h != nil {
			h.Keys = append(h.Keys, k)
		}
	}
	return f, nil
}

// holder returns the holder with that id as the fleet's reading showed it; nil if there was none.
func (f *Fleet) holder(id string) *litellm.User {
	h := f.holders[id]
	if h == nil {
		return nil
	}
	user := *h
	user.Keys, user.AsOf = slices.Clone(h.Keys), f.asOf
	return &user
}
