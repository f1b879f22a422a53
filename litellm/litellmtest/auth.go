package litellmtest

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/org/openclaw-litellm-action/secret"
)

// Roles of LiteLLM's internal users.
const (
	roleAdmin       = "proxy_admin"
	roleAdminViewer = "proxy_admin_viewer"
	roleUser        = "internal_user"
	roleUserViewer  = "internal_user_viewer"
)

// masterID is who the master key is, and masterAlias what newer releases log its calls under.
const (
	masterID    = "default_user_id"
	masterAlias = "litellm_proxy_master_key"
)

// identity is who calls.
type identity struct {
	key    *keyRow // nil for the master key; may be an older copy, from the worker's cache
	userID string
	role   string // "" if the key has no user; a user without a role counts as an internal user
	master bool
	token  string
}

// admin reports whether the caller may do everything.
func (i *identity) admin() bool { return i.master || i.role == roleAdmin }

// snapshot is a key row as a worker read it.
type snapshot struct {
	row  keyRow
	read time.Time
}

// bearer is the key in the request's headers.
func bearer(r *http.Request) string {
	for _, name := range []string{"X-Litellm-Api-Key", "Authorization", "Api-Key", "X-Api-Key"} {
		if text := r.Header.Get(name); text != "" {
			if rest, ok := strings.CutPrefix(text, "Bearer "); ok {
				return rest
			}
			return text
		}
	}
	return ""
}

// authenticate finds out who calls and whether the key may call this route now.
func (c *call) authenticate(to route) error {
	text := bearer(c.r)
	switch {
	case text == "":
		return authRefused("No api key passed in.")
	case secret.New(text).Equal(c.proxy.master):
		c.who = &identity{userID: masterID, role: roleAdmin, master: true, token: masterAlias}
		if c.family() == family81 {
			c.who.token = c.proxy.master.SHA256()
		}
		return nil
	case !strings.HasPrefix(text, "sk-"):
		return c.notAKey(text)
	}
	token := secret.New(text).SHA256()
	row, known := c.cachedKey(token)
	if c.proxy.dbDown.Load() && !known {
		return c.unreachable()
	}
	if row == nil {
		return envelope(http.StatusUnauthorized, typeUnknown, "key", "Authentication Error, Invalid proxy server token "+
			"passed. Received API Key = %s, Key Hash (Token) =%s. Unable to find token in cache or `LiteLLM_VerificationTokenTable`",
			shortKey(text), token)
	}
	c.who = &identity{key: row, userID: row.userID, token: token}
	if user := c.store.users[row.userID]; user != nil {
		c.who.role = cmp.Or(user.role, roleUser)
	}
	return c.admit(to, text)
}

// notAKey refuses a text that does not look like a key.
func (c *call) notAKey(text string) *refusal {
	const format = "LiteLLM Virtual Key expected. Received=%s, expected to start with 'sk-'."
	if c.family() == family81 {
		return authRefused(format, masked(text))
	}
	return envelope(http.StatusUnauthorized, typeAuth, "None", format, masked(text))
}

// admit judges a known key: blocked, expired, the routes it may call, and the budgets that bind it.
func (c *call) admit(to route, text string) error {
	row := c.who.key
	switch {
	case row.blocked != nil && *row.blocked:
		who := "an admin"
		if c.family() == family81 {
			who = "admin"
		}
		return authRefused("Key is blocked. Update via `/key/unblock` if you're %s.", who)
	case !row.expires.IsZero() && row.expires.Before(c.now):
		return c.expired(row, text)
	}
	if err := c.allowedRoute(row); err != nil {
		return err
	}
	if err := c.overBudget(to); err != nil {
		return err
	}
	return c.allowedRole(to)
}

// cachedKey is the row a worker works with: its own older copy while that is fresh, else the database's. It is nil for
// an unknown token; known says whether the answer came from the cache.
func (c *call) cachedKey(token string) (row *keyRow, known bool) {
	p := c.proxy
	if copied, ok := p.cached[token]; ok && (c.now.Sub(copied.read) < p.lag || p.dbDown.Load()) {
		return &copied.row, true
	}
	if p.dbDown.Load() {
		return nil, false
	}
	found := c.store.keys[token]
	if found == nil {
		delete(p.cached, token)
		return nil, false
	}
	p.cached[token] = snapshot{*found, c.now}
	return found, false
}

// expired refuses an expired key.
func (c *call) expired(row *keyRow, text string) *refusal {
	status := http.StatusUnauthorized
	if c.family() == family81 {
		status = http.StatusBadRequest
	}
	const layout = "2006-01-02 15:04:05.000000+00:00"
	return envelope(status, typeExpired, shortKey(text),
		"Authentication Error - Expired Key. Key Expiry time %s and current time %s",
		row.expires.Format(layout), c.now.Format(layout))
}

// allowedRoute holds a key to its own list of routes, if it has one.
func (c *call) allowedRoute(row *keyRow) error {
	if len(row.allowedRoutes) == 0 || slices.ContainsFunc(row.allowedRoutes, func(allowed string) bool {
		return covers(c.family(), allowed, c.r.URL.Path)
	}) {
		return nil
	}
	return detail(http.StatusForbidden, "Virtual key is not allowed to call this route. Only allowed to call routes: "+
		pythonList(row.allowedRoutes)+". Tried to call route: "+c.r.URL.Path)
}

// masked is how LiteLLM quotes a text that is not a key.
func masked(text string) string {
	if len(text) < 8 {
		return "****"
	}
	return text[:4] + "****" + text[len(text)-4:]
}

// shortKey is how LiteLLM quotes a key.
func shortKey(text string) string {
	if len(text) < 4 {
		return "sk-..."
	}
	return "sk-..." + text[len(text)-4:]
}

// pythonList prints texts as Python does.
func pythonList(texts []string) string {
	quoted := make([]string, len(texts))
	for i, text := range texts {
		quoted[i] = "'" + text + "'"
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
