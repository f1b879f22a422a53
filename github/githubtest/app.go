package githubtest

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/org/openclaw-litellm-action/secret"
)

// What GitHub gives and takes for an App's credentials.
const (
	maxAppCredential  = 10 * time.Minute // a signed one lasts no longer
	clockTolerance    = 30 * time.Second
	installationLasts = time.Hour // a token of an installation
)

// App is a GitHub App.
type App struct {
	ID  int64
	Key *rsa.PublicKey
}

// installed is an App where one owner installed it.
type installed struct {
	id, app int64
	owner   string
	token   Token
	issued  int
}

// AddApp makes the server know an App.
func (s *Server) AddApp(a App) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.apps = append(s.apps, a)
}

// Install installs an App for an owner and returns the installation's id. may says what its tokens may do; they see only
// what is the owner's, and public repositories.
func (s *Server) Install(app int64, owner string, may Token) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	may.App, may.owner = true, owner
	i := &installed{id: s.id(), app: app, owner: owner, token: may}
	s.installations = append(s.installations, i)
	return i.id
}

// Tokens returns how many tokens an installation has been given.
func (s *Server) Tokens(installation int64) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, i := range s.installations {
		if i.id == installation {
			return i.issued
		}
	}
	return 0
}

// appOf returns the App that signed a credential, or GitHub's words for what is wrong with it. The lock is held.
func (s *Server) appOf(credential string) (app int64, refusal string) {
	parts := strings.Split(credential, ".")
	var header struct {
		Algorithm string `json:"alg"`
	}
	var claims struct {
		Issuer   any      `json:"iss"`
		IssuedAt *float64 `json:"iat"`
		Expires  *float64 `json:"exp"`
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || !decodePart(parts[0], &header) || !decodePart(parts[1], &claims) || header.Algorithm != "RS256" {
		return 0, "A JSON web token could not be decoded"
	}
	known := slices.IndexFunc(s.apps, func(a App) bool { return fmt.Sprint(a.ID) == fmt.Sprint(claims.Issuer) })
	if known < 0 {
		return 0, "'Issuer' claim ('iss') must be an Integer"
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if rsa.VerifyPKCS1v15(s.apps[known].Key, crypto.SHA256, sum[:], signature) != nil {
		return 0, "A JSON web token could not be decoded"
	}
	now := float64(s.now().Unix())
	switch {
	case claims.Expires == nil || *claims.Expires != float64(int64(*claims.Expires)) || *claims.Expires <= now:
		return 0, "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires"
	case *claims.Expires > now+(maxAppCredential+clockTolerance).Seconds():
		return 0, "'Expiration time' claim ('exp') is too far in the future"
	case claims.IssuedAt == nil || *claims.IssuedAt > now:
		return 0, "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued"
	}
	return s.apps[known].ID, ""
}

func decodePart(part string, into any) bool {
	raw, err := base64.RawURLEncoding.DecodeString(part)
	return err == nil && json.Unmarshal(raw, into) == nil
}

// appRoutes are what an App asks as itself, which no other token may.
func (s *Server) appRoutes() []route {
	return []route{
		{http.MethodGet, "orgs/{org}/installation", appPermission, s.getInstallation(func(r *request) string { return r.vars["org"] }, true)},
		{http.MethodGet, "users/{user}/installation", appPermission, s.getInstallation(func(r *request) string { return r.vars["user"] }, false)},
		{http.MethodGet, "repos/{owner}/{repo}/installation", appPermission, s.getInstallation(func(r *request) string { return r.vars["owner"] }, true)},
		{http.MethodPost, "app/installations/{installation}/access_tokens", appPermission, s.createToken},
	}
}

// appPermission marks the routes of an App as itself.
const appPermission = "app"

// getInstallation answers with the App's installation for an owner. An organization has none as a user.
func (s *Server) getInstallation(owner func(*request) string, organization bool) func(*request) reply {
	return func(r *request) reply {
		for _, i := range s.installations {
			person := s.people[strings.ToLower(i.owner)]
			if i.app == r.token.signedBy && strings.EqualFold(i.owner, owner(r)) && (person != organization || r.repository != nil) {
				return reply{status: http.StatusOK, body: map[string]any{"id": i.id, "app_id": i.app, "account": map[string]any{"login": i.owner}}}
			}
		}
		return notFound()
	}
}

func (s *Server) createToken(r *request) reply {
	for _, i := range s.installations {
		if fmt.Sprint(i.id) != r.vars["installation"] || i.app != r.token.signedBy {
			continue
		}
		i.issued++
		text := secret.New(fmt.Sprintf("installation-%d-token-%d", i.id, i.issued))
		may := i.token
		may.Expires = s.second().Add(installationLasts)
		s.tokens[text.SHA256()] = may
		return reply{status: http.StatusCreated, body: map[string]any{
			"token": fmt.Sprintf("installation-%d-token-%d", i.id, i.issued), "expires_at": stamp(may.Expires),
			"permissions": may.granted(), "repository_selection": "all",
		}}
	}
	return notFound()
}

// AddPerson makes an owner a person rather than an organization.
func (s *Server) AddPerson(login string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.people[strings.ToLower(login)] = true
	delete(s.organizations, strings.ToLower(login))
}

// listInstalled lists the repositories of a token's installation, in an envelope.
func (s *Server) listInstalled(r *request) reply {
	if r.token.owner == "" {
		return refuse(http.StatusForbidden, "You must authenticate with an installation access token in order to list repositories for an installation.")
	}
	all := s.visible(r, r.token.owner)
	page, header := paginate(r, all)
	return reply{status: http.StatusOK, header: header, body: map[string]any{"total_count": len(all), "repositories": page}}
}

// listOwn lists the repositories of a person's token.
func (s *Server) listOwn(r *request) reply {
	if r.token.App {
		return r.token.forbidden("")
	}
	page, header := paginate(r, s.visible(r, ""))
	return reply{status: http.StatusOK, header: header, body: page}
}

// visible returns the repositories of owner, "" for any, that the request's token sees. The lock is held.
func (s *Server) visible(r *request, owner string) []map[string]any {
	all := []map[string]any{}
	for _, found := range s.repositories {
		name, _, _ := strings.Cut(found.Name, "/")
		if (owner == "" || strings.EqualFold(name, owner)) && r.token.sees(found) {
			all = append(all, found.json())
		}
	}
	return all
}
