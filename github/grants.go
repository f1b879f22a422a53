package github

import (
	"net/http"
	"slices"
	"strings"
)

// Grants returns what GitHub has said that the credential may, ordered: the permissions of an App's installation, such as
// "secrets=write", or the scopes of a classic token, such as "repo". ok is false where it has not said so: nothing was
// asked yet, or the token is a fine-grained one, whose permissions show only when they are used.
func (c *Client) Grants() (grants []string, ok bool) {
	if p := c.grants.Load(); p != nil {
		return *p, true
	}
	return nil, false
}

// noteScopes notes the scopes that GitHub tells with answers to a classic token. Of others it tells none, or an empty list.
func (c *Client) noteScopes(h http.Header) {
	var scopes []string
	for scope := range strings.SplitSeq(h.Get("X-OAuth-Scopes"), ",") {
		if scope = strings.TrimSpace(scope); scope != "" {
			scopes = append(scopes, scope)
		}
	}
	if len(scopes) == 0 || c.installed {
		return
	}
	slices.Sort(scopes)
	c.grants.Store(&scopes)
}

// notePermissions notes what an App's installation was given.
func (c *Client) notePermissions(permissions map[string]string) {
	grants := []string{}
	for name, level := range permissions {
		grants = append(grants, name+"="+level)
	}
	slices.Sort(grants)
	c.grants.Store(&grants)
}
