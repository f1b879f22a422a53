package github

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	gh "github.com/google/go-github/v62/github"
	"golang.org/x/crypto/nacl/box"

	"github.com/org/openclaw-litellm-action/internal/netx"
	"github.com/org/openclaw-litellm-action/secret"
)

// MaxSecretSize is the largest value GitHub takes, in bytes.
const MaxSecretSize = 48 * 1024

// publicKey seals values for one scope and store.
type publicKey struct {
	id  string
	key [32]byte
}

// storedSecret is what GitHub tells of a secret.
type storedSecret struct {
	UpdatedAt  time.Time `json:"updated_at"`
	Visibility string    `json:"visibility"` // organizations only

	read time.Time // GitHub's clock when it answered; our own if it sent none
}

// publicKey returns the scope's key, fetched once for the life of the client. s is valid.
func (c *Client) publicKey(ctx context.Context, s Scope) (publicKey, error) {
	c.mu.Lock()
	key, ok := c.keys[s.path()]
	c.mu.Unlock()
	if ok {
		return key, nil
	}
	return c.fetchPublicKey(ctx, s)
}

// fetchPublicKey asks GitHub for the scope's key and remembers it.
func (c *Client) fetchPublicKey(ctx context.Context, s Scope) (publicKey, error) {
	op := fmt.Sprintf("getting the public key of %s", s)
	var answer gh.PublicKey
	if _, err := c.do(ctx, call{op: op, method: http.MethodGet, path: s.path() + "/public-key", out: &answer, repeat: true}); err != nil {
		return publicKey{}, err
	}
	raw, err := base64.StdEncoding.DecodeString(answer.GetKey())
	if err != nil || len(raw) != 32 || answer.GetKeyID() == "" {
		return publicKey{}, &Error{Op: op, Kind: Malformed, Err: fmt.Errorf("the answer has no key of 32 bytes with an id")}
	}
	key := publicKey{id: answer.GetKeyID(), key: [32]byte(raw)}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.keys == nil {
		c.keys = map[string]publicKey{}
	}
	c.keys[s.path()] = key
	return key, nil
}

// getSecret reads what GitHub tells of a secret: nil if there is none. Where the whole scope cannot be seen it is an
// error instead, so that a vanished repository does not look like an empty one.
func (c *Client) getSecret(ctx context.Context, s Scope, name string) (*storedSecret, error) {
	var found storedSecret
	op := fmt.Sprintf("reading secret %s in %s", name, s)
	header, err := c.do(ctx, call{op: op, method: http.MethodGet, path: s.path() + "/" + name, out: &found, repeat: true})
	if KindOf(err) == NotFound {
		_, err = c.publicKey(ctx, s)
		return nil, err
	}
	if err != nil {
		return nil, err
	}
	if found.UpdatedAt.IsZero() {
		return nil, &Error{Op: op, Kind: Malformed, Err: fmt.Errorf("the answer has no updated_at")}
	}
	found.read = c.now()
	if date := answered(header); !date.IsZero() {
		found.read = date
	}
	return &found, nil
}

// putSecret seals value and writes it. A public key that changed in between is fetched anew, once. It returns when
// GitHub answered, the zero time if the answer does not say.
func (c *Client) putSecret(ctx context.Context, s Scope, name string, value secret.Value, audience gh.EncryptedSecret) (time.Time, error) {
	key, err := c.publicKey(ctx, s)
	if err != nil {
		return time.Time{}, err
	}
	header, err := c.putSealed(ctx, s, name, value, key, audience)
	if KindOf(err) == Validation {
		fresh, fetchErr := c.fetchPublicKey(ctx, s)
		if fetchErr != nil || fresh == key {
			return time.Time{}, err
		}
		header, err = c.putSealed(ctx, s, name, value, fresh, audience)
	}
	if err != nil {
		return time.Time{}, err
	}
	return answered(header), nil
}

func (c *Client) putSealed(ctx context.Context, s Scope, name string, value secret.Value, key publicKey, audience gh.EncryptedSecret) (http.Header, error) {
	sealed, err := seal(key, value)
	if err != nil {
		return nil, invalid(fmt.Sprintf("sealing secret %s for %s", name, s), "%w", err)
	}
	body := audience
	body.KeyID, body.EncryptedValue = key.id, sealed
	return c.do(ctx, call{
		op:     fmt.Sprintf("putting secret %s in %s", name, s),
		method: http.MethodPut,
		path:   s.path() + "/" + name,
		body:   &body,
		repeat: true,
	})
}

// seal encrypts value so that only the holder of key's other half can read it, in base64.
func seal(key publicKey, value secret.Value) (string, error) {
	sealed, err := box.SealAnonymous(nil, []byte(value.Reveal()), &key.key, rand.Reader)
	if err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(sealed), nil
}

// selectedRepositories lists who may use an organization's secret of visibility "selected".
func (c *Client) selectedRepositories(ctx context.Context, s Scope, name string) ([]int64, error) {
	var ids []int64
	op := fmt.Sprintf("listing the repositories of secret %s in %s", name, s)
	err := list(ctx, c, op, s.path()+"/"+name+"/repositories?per_page=100", func(page gh.SelectedReposList) {
		for _, r := range page.Repositories {
			ids = append(ids, r.GetID())
		}
	})
	slices.Sort(ids)
	return ids, err
}

// answered returns the time GitHub gave for its answer, zero if it gave none that makes sense.
func answered(h http.Header) time.Time {
	at, _ := netx.Date(h)
	return at
}

// stampOf is a secret's stamp: its updated_at, "" for none.
func stampOf(found *storedSecret) string {
	if found == nil {
		return ""
	}
	return found.UpdatedAt.UTC().Format(time.RFC3339)
}

// list calls each with every page of path, following GitHub's own links to the next.
func list[Page any](ctx context.Context, c *Client, op, path string, each func(Page)) error {
	seen := map[string]bool{}
	for range maxPages {
		var page Page
		seen[path] = true
		header, err := c.do(ctx, call{op: op, method: http.MethodGet, path: path, out: &page, repeat: true})
		if err != nil {
			return err
		}
		each(page)
		switch path = nextPage(header); {
		case path == "":
			return nil
		case seen[path]:
			return &Error{Op: op, Kind: Malformed, Err: errors.New("the links from page to page go in a circle")}
		}
	}
	return &Error{Op: op, Kind: Malformed, Err: fmt.Errorf("more than %d pages", maxPages)}
}

// maxPages bounds a listing: 100 pages of 100 entries.
const maxPages = 100

// nextPage returns the address of the next page in a Link header, "" on the last one.
func nextPage(h http.Header) string {
	for _, link := range strings.Split(h.Get("Link"), ",") {
		address, parameters, _ := strings.Cut(strings.TrimSpace(link), ">")
		if strings.Contains(parameters, `rel="next"`) {
			return strings.TrimPrefix(address, "<")
		}
	}
	return ""
}
