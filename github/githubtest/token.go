package githubtest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/org/openclaw-litellm-action/secret"
)

// Token is what one token may do.
type Token struct {
	// Login is who it writes as; "" is "github-actions[bot]" for an app's token and "octocat" otherwise.
	Login string
	// App marks an app's token, GITHUB_TOKEN included: it has no user and gets other words when refused.
	App bool
	// Permissions are GitHub's names with a level: "secrets=write", "issues=read". Write includes read, and
	// "metadata=read" is always there. Nil permits everything.
	Permissions []string
	// Repositories are the "owner/name" it may see besides public ones; nil: all.
	Repositories []string
	// Expires is when the token ends, which answers tell of a person's token; zero: never.
	Expires time.Time
	// Scopes are those of a classic token, which answers tell; nil: it is none. What it may do is for Permissions to say.
	Scopes []string

	owner    string // of an installation's token: sees nobody else's private repositories
	signedBy int64  // the App that asks as itself
}

// AddToken makes the server accept token. Until the first is added, every token is accepted and may do everything.
func (s *Server) AddToken(token secret.Value, t Token) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens[token.SHA256()] = t
	delete(s.revoked, token.SHA256())
}

// RevokeToken makes the server refuse token with 401, whether it knew it or not, until it is added again.
func (s *Server) RevokeToken(token secret.Value) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.revoked[token.SHA256()] = true
}

// authenticate returns the request's token and the digest it is known by, or what is wrong with it. The lock is held.
func (s *Server) authenticate(r *http.Request) (token Token, presented, refusal string) {
	const bad = "Bad credentials"
	text, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok || text == "" {
		return Token{}, "", bad
	}
	if strings.Count(text, ".") == 2 && len(s.apps) > 0 {
		app, refusal := s.appOf(text)
		return Token{App: true, Permissions: []string{appPermission}, signedBy: app}, fmt.Sprint("app ", app), refusal
	}
	presented = secret.New(text).SHA256()
	token, known := s.tokens[presented]
	switch {
	case s.revoked[presented], !known && len(s.tokens) > 0, !token.Expires.IsZero() && !s.now().Before(token.Expires):
		return Token{}, "", bad
	}
	return token, presented, ""
}

// login is who the token writes as.
func (t Token) login() string {
	switch {
	case t.Login != "":
		return t.Login
	case t.App:
		return "github-actions[bot]"
	}
	return "octocat"
}

// sees reports whether the token may know of r.
func (t Token) sees(r *repository) bool {
	if owner, _, _ := strings.Cut(r.Name, "/"); t.owner != "" && !strings.EqualFold(owner, t.owner) {
		return r.Visibility == "public"
	}
	if r.Visibility == "public" || t.Repositories == nil {
		return true
	}
	return slices.ContainsFunc(t.Repositories, func(name string) bool { return strings.EqualFold(name, r.Name) })
}

// allows reports whether the token has permission, "name=level".
func (t Token) allows(permission string) bool {
	if permission == appPermission || t.signedBy != 0 {
		return permission == appPermission && t.signedBy != 0
	}
	if permission == "" || permission == "metadata=read" || t.Permissions == nil {
		return true
	}
	name, level, _ := strings.Cut(permission, "=")
	return slices.Contains(t.Permissions, name+"=write") || level == "read" && slices.Contains(t.Permissions, name+"=read")
}

// tell adds what answers say of the token itself.
func (t Token) tell(answer reply) reply {
	header := answer.header.Clone()
	if header == nil {
		header = http.Header{}
	}
	if !t.App && !t.Expires.IsZero() {
		header.Set("GitHub-Authentication-Token-Expiration", t.Expires.UTC().Format("2006-01-02 15:04:05 MST"))
	}
	if t.Scopes != nil {
		header.Set("X-OAuth-Scopes", strings.Join(t.Scopes, ", "))
	}
	answer.header = header
	return answer
}

// granted are the permissions as an installation's token is told them.
func (t Token) granted() map[string]string {
	out := map[string]string{}
	for _, p := range t.Permissions {
		name, level, _ := strings.Cut(p, "=")
		out[name] = level
	}
	return out
}

// forbidden is what GitHub says to a token without permission.
func (t Token) forbidden(permission string) reply {
	whose := "personal access token"
	if t.App {
		whose = "integration"
	}
	answer := refuse(http.StatusForbidden, "Resource not accessible by "+whose)
	answer.header = http.Header{"X-Accepted-Github-Permissions": {permission}}
	return answer
}
