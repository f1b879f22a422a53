package github

import (
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/org/openclaw-litellm-action/internal/netx"
	"github.com/org/openclaw-litellm-action/secret"
)

// What an App's credentials last. GitHub takes a signed one of up to ten minutes, by its own clock; a minute on either
// side is left for clocks that differ.
const (
	jwtBefore    = time.Minute
	jwtLasts     = 8 * time.Minute
	refreshAhead = 5 * time.Minute // a token is replaced when it has no longer to live
	tokenLasts   = time.Hour       // what GitHub gives an installation's token
)

// App is a GitHub App, which has one installation an owner, each with a token of its own that lasts an hour. It makes
// clients that get and renew those tokens as they need them. It is made by NewApp and is safe for concurrent use.
type App struct {
	id           string
	installation int64 // 0: looked up by owner
	key          *rsa.PrivateKey
	make         func(owner string) *Client
	known        func(secret.Value, time.Time)
	api          *Client // as the App itself

	mu      sync.Mutex
	signed  credential
	clients map[string]*Client // by lower-case owner; by "" for a given installation
}

// credential is a secret with an end.
type credential struct {
	value   secret.Value
	expires time.Time
}

// fresh reports whether the credential will do for a request that starts now.
func (c credential) fresh(now time.Time, ahead time.Duration) bool {
	return !c.value.IsZero() && now.Add(ahead).Before(c.expires)
}

// AppOptions is what an App is made of.
type AppOptions struct {
	ID           string       // the App's id, or its client id
	Key          secret.Value // its private key, PEM
	Installation int64        // the only installation to use; 0: the one of each owner, which GitHub tells
	// Client makes a client without a credential for what an owner has; "" is the App itself, or a given Installation.
	Client func(owner string) *Client
	// Known is called with each credential before it is used, and when it expires; nil: no need.
	Known func(credential secret.Value, expires time.Time)
}

// NewApp reads the App's key. It contacts nobody. The error never holds any part of the key.
func NewApp(o AppOptions) (*App, error) {
	key, err := jwt.ParseRSAPrivateKeyFromPEM([]byte(o.Key.Reveal()))
	if err != nil {
		return nil, errors.New("reading the App's private key: it is no RSA key in PEM, as GitHub gives it out for download")
	}
	a := &App{id: o.ID, installation: o.Installation, key: key, make: o.Client, known: o.Known, clients: map[string]*Client{}}
	a.api = o.Client("")
	a.api.Credential = a.sign
	return a, nil
}

// Client returns the client for what owner has: the same one each time, since its installation's limits are its own.
func (a *App) Client(owner string) *Client {
	a.mu.Lock()
	defer a.mu.Unlock()
	name := strings.ToLower(owner)
	if a.installation != 0 {
		name = ""
	}
	if a.clients[name] == nil {
		i := &installation{app: a, owner: owner, id: a.installation}
		c := a.make(name)
		c.Credential, c.installed, i.client = i.token, true, c
		a.clients[name] = c
	}
	return a.clients[name]
}

// Requests returns how many requests all clients have sent so far.
func (a *App) Requests() int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := a.api.Requests()
	for _, c := range a.clients {
		n += c.Requests()
	}
	return n
}

// sign returns what the App proves itself with, signed anew when the last is about to end.
func (a *App) sign(context.Context) (secret.Value, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.api.now()
	if a.signed.fresh(now, refreshAhead) {
		return a.signed.value, nil
	}
	expires := now.Add(jwtLasts)
	text, err := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.RegisteredClaims{
		Issuer: a.id, IssuedAt: jwt.NewNumericDate(now.Add(-jwtBefore)), ExpiresAt: jwt.NewNumericDate(expires),
	}).SignedString(a.key)
	if err != nil {
		return secret.Value{}, fmt.Errorf("signing as the App: %w", err)
	}
	a.signed = credential{secret.New(text), expires}
	a.note(a.signed)
	return a.signed.value, nil
}

func (a *App) note(c credential) {
	if a.known != nil {
		a.known(c.value, c.expires)
	}
}

// installation is the App where one owner installed it.
type installation struct {
	app    *App
	owner  string
	client *Client // that asks with its tokens

	mu      sync.Mutex
	id      int64 // 0: not known yet
	current credential
}

// token returns the installation's token, a new one when the last is about to end. Concurrent callers wait for the one
// that asks.
func (i *installation) token(ctx context.Context) (secret.Value, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	api := i.app.api
	if i.current.fresh(api.now(), refreshAhead) {
		return i.current.value, nil
	}
	if i.id == 0 {
		id, err := i.find(ctx)
		if err != nil {
			return secret.Value{}, err
		}
		i.id = id
	}
	var answer struct {
		Token     string    `json:"token"`
		ExpiresAt time.Time `json:"expires_at"`

		Permissions map[string]string `json:"permissions"`
	}
	op := fmt.Sprintf("getting a token of the App's installation %d", i.id)
	header, err := api.do(ctx, call{
		op: op, method: http.MethodPost, path: fmt.Sprintf("app/installations/%d/access_tokens", i.id), out: &answer,
		query: true, repeat: true, // a second token changes nothing
	})
	if err != nil {
		return secret.Value{}, err
	}
	if answer.Token == "" || answer.ExpiresAt.IsZero() {
		return secret.Value{}, &Error{Op: op, Kind: Malformed, Err: errors.New("the answer has no token with an end")}
	}
	expires := api.now().Add(lasts(answer.ExpiresAt, header, api.now()))
	i.client.notePermissions(answer.Permissions)
	i.current = credential{secret.New(answer.Token), expires}
	i.app.note(i.current)
	return i.current.value, nil
}

// lasts is how long a token lasts that ends at a time by GitHub's clock, which the answer tells: an hour at most, whatever
// either clock says.
func lasts(end time.Time, h http.Header, now time.Time) time.Duration {
	left := netx.Until(end, h, now)
	if left == 0 { // an absurd Date header
		left = netx.Until(end, nil, now)
	}
	return min(left, tokenLasts)
}

// find asks GitHub for the owner's installation. An owner is an organization or a person; GitHub keeps them apart here.
func (i *installation) find(ctx context.Context) (int64, error) {
	op := fmt.Sprintf("finding the App's installation for %s", i.owner)
	if !isName(i.owner) {
		return 0, invalid(op, "owner %q is not a name on GitHub", i.owner)
	}
	var answer struct {
		ID int64 `json:"id"`
	}
	for _, kind := range []string{"orgs", "users"} {
		_, err := i.app.api.do(ctx, call{op: op, method: http.MethodGet, path: kind + "/" + i.owner + "/installation", out: &answer, repeat: true})
		switch {
		case err == nil && answer.ID != 0:
			return answer.ID, nil
		case err == nil:
			return 0, &Error{Op: op, Kind: Malformed, Err: errors.New("the answer has no id")}
		case KindOf(err) != NotFound:
			return 0, err
		}
	}
	return 0, &Error{Op: op, Kind: NotFound, Status: http.StatusNotFound, Err: fmt.Errorf("the App is not installed for %s", i.owner)}
}
