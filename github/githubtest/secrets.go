package githubtest

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/nacl/box"

	"github.com/org/openclaw-litellm-action/secret"
)

// What GitHub keeps at most.
const (
	maxSecretSize = 48 * 1024
	maxSecrets    = 100  // of a repository or an environment
	maxOrgSecrets = 1000 // of an organization
)

var validSecretName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// Scope is whose secrets: a repository's, an environment's or an organization's.
type Scope struct {
	Repository   string // "owner/name"
	Environment  string
	Organization string
	Store        string // "actions", "dependabot" or "codespaces"; "": "actions"
}

// vault is the secrets of one scope with the key pair that opens them.
type vault struct {
	keyID   string
	public  *[32]byte
	private *[32]byte
	secrets map[string]*stored // upper-case name → secret
	limit   int
}

type stored struct {
	value            secret.Value
	created, updated time.Time
	visibility       string
	selected         []int64
}

// vault returns the secrets of scope, nil if there is no such place. The lock is held.
func (s *Server) vault(scope Scope) *vault {
	if scope.Store == "" {
		scope.Store = "actions"
	}
	key, limit := "", maxSecrets
	if scope.Organization != "" {
		name := strings.ToLower(scope.Organization)
		if s.organizations[name] == nil {
			return nil
		}
		key, limit = "org/"+name+"/"+scope.Store, maxOrgSecrets
	} else {
		r, _ := s.find(scope.Repository)
		if r == nil || scope.Environment != "" && !slices.Contains(r.Environments, scope.Environment) {
			return nil
		}
		key = fmt.Sprintf("repository/%d/%s/%s", r.ID, scope.Store, scope.Environment)
	}
	if s.vaults[key] == nil {
		v := &vault{secrets: map[string]*stored{}, limit: limit}
		v.newKey(s.id())
		s.vaults[key] = v
	}
	return s.vaults[key]
}

// newKey gives v a key pair.
func (v *vault) newKey(id int64) {
	public, private, err := box.GenerateKey(rand.Reader)
	if err != nil { // crypto/rand does not fail
		panic(err)
	}
	v.public, v.private, v.keyID = public, private, fmt.Sprint(5683720000+id)
}

// Secret opens what is stored under name; ok is false if nothing is.
func (s *Server) Secret(scope Scope, name string) (value secret.Value, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if found := s.stored(scope, name); found != nil {
		return found.value, true
	}
	return secret.Value{}, false
}

// SecretUpdated returns when name was last written, the zero time if it is not there.
func (s *Server) SecretUpdated(scope Scope, name string) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if found := s.stored(scope, name); found != nil {
		return found.updated
	}
	return time.Time{}
}

// SecretAudience returns the visibility of an organization's secret and the ids of its selected repositories.
func (s *Server) SecretAudience(organization, store, name string) (visibility string, selected []int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if found := s.stored(Scope{Organization: organization, Store: store}, name); found != nil {
		return found.visibility, slices.Clone(found.selected)
	}
	return "", nil
}

// Touch overwrites a secret, or creates it, as somebody else would. It does nothing if scope does not exist.
func (s *Server) Touch(scope Scope, name string, value secret.Value) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.vault(scope)
	if v == nil {
		return
	}
	old := v.secrets[strings.ToUpper(name)]
	next := &stored{value: value, created: s.second(), updated: s.second()}
	if scope.Organization != "" {
		next.visibility = "private"
	}
	if old != nil {
		next.created, next.visibility, next.selected = old.created, old.visibility, old.selected
	}
	v.secrets[strings.ToUpper(name)] = next
}

// SetSecretAudience changes who may use an organization's secret that exists.
func (s *Server) SetSecretAudience(organization, store, name, visibility string, selected []int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if found := s.stored(Scope{Organization: organization, Store: store}, name); found != nil {
		found.visibility, found.selected = visibility, slices.Clone(selected)
	}
}

// RotatePublicKey gives scope a new key pair: what was sealed with the old public key is refused from then on.
func (s *Server) RotatePublicKey(scope Scope) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v := s.vault(scope); v != nil {
		v.newKey(s.id())
	}
}

// stored returns the secret under name, nil if there is none. The lock is held.
func (s *Server) stored(scope Scope, name string) *stored {
	if v := s.vault(scope); v != nil {
		return v.secrets[strings.ToUpper(name)]
	}
	return nil
}

// scope is what a request's path names.
func (r *request) scope(store string) Scope {
	if org := r.vars["org"]; org != "" {
		return Scope{Organization: org, Store: store}
	}
	return Scope{Repository: r.repository.Name, Environment: r.vars["env"], Store: store}
}

// secretBody is what a PUT of a secret brings.
type secretBody struct {
	EncryptedValue string  `json:"encrypted_value"`
	KeyID          string  `json:"key_id"`
	Visibility     string  `json:"visibility"`
	Selected       []int64 `json:"selected_repository_ids"`
}

func (s *Server) getPublicKey(store string) func(*request) reply {
	return func(r *request) reply {
		v := s.vault(r.scope(store))
		if v == nil {
			return notFound()
		}
		return reply{status: http.StatusOK, body: map[string]string{
			"key_id": v.keyID, "key": base64.StdEncoding.EncodeToString(v.public[:]),
		}}
	}
}

func (s *Server) getSecret(store string) func(*request) reply {
	return func(r *request) reply {
		found := s.stored(r.scope(store), r.vars["name"])
		if found == nil {
			return notFound()
		}
		body := map[string]any{
			"name": strings.ToUpper(r.vars["name"]), "created_at": stamp(found.created), "updated_at": stamp(found.updated),
		}
		if found.visibility != "" {
			body["visibility"] = found.visibility
		}
		return reply{status: http.StatusOK, body: body}
	}
}

func (s *Server) getSelected(store string) func(*request) reply {
	return func(r *request) reply {
		found := s.stored(r.scope(store), r.vars["name"])
		if found == nil {
			return notFound()
		}
		if found.visibility != "selected" {
			return refuse(http.StatusConflict, "Secret visibility is not set to selected")
		}
		page, header := paginate(r, found.selected)
		list := []map[string]any{}
		for _, id := range page {
			list = append(list, map[string]any{"id": id})
		}
		return reply{status: http.StatusOK, header: header,
			body: map[string]any{"total_count": len(found.selected), "repositories": list}}
	}
}

func (s *Server) putSecret(store string) func(*request) reply {
	return func(r *request) reply {
		v := s.vault(r.scope(store))
		if v == nil {
			return notFound()
		}
		var body secretBody
		if refused, ok := r.read(&body); !ok {
			return refused
		}
		name := strings.ToUpper(r.vars["name"])
		value, refused, ok := v.open(name, body)
		if !ok {
			return refused
		}
		next := &stored{value: value, created: s.second(), updated: s.second()}
		if r.vars["org"] != "" {
			if refused, ok := next.audience(body); !ok {
				return refused
			}
		}
		status := http.StatusCreated
		if old := v.secrets[name]; old != nil {
			status, next.created = http.StatusNoContent, old.created
		}
		v.secrets[name] = next
		if status == http.StatusCreated {
			return reply{status: status, body: map[string]any{}}
		}
		return reply{status: status}
	}
}

// open checks a write and returns the plaintext.
func (v *vault) open(name string, body secretBody) (secret.Value, reply, bool) {
	invalid := func(text string) (secret.Value, reply, bool) {
		return secret.Value{}, refuse(http.StatusUnprocessableEntity, text), false
	}
	sealed, err := base64.StdEncoding.DecodeString(body.EncryptedValue)
	switch {
	case !validSecretName.MatchString(name):
		return invalid("Secret names can only contain alphanumeric characters ([a-z], [A-Z], [0-9]) or underscores (_). " +
			"Spaces are not allowed. Must start with a letter ([a-z], [A-Z]) or underscores (_).")
	case strings.HasPrefix(name, "GITHUB_"):
		return invalid("Secret names must not start with GITHUB_.")
	case body.KeyID == "":
		return invalid("Invalid request.\n\n\"key_id\" wasn't supplied.")
	case body.KeyID != v.keyID:
		return invalid("Bad request - key_id does not match the current public key")
	case err != nil:
		return invalid("Bad request - encrypted_value is not base64")
	case len(sealed) > maxSecretSize+box.AnonymousOverhead:
		return invalid("Secret value is too large. Secrets are limited to 48 KB in size.")
	case v.secrets[name] == nil && len(v.secrets) >= v.limit:
		return invalid(fmt.Sprintf("Secret count exceeds the maximum of %d", v.limit))
	}
	plain, ok := box.OpenAnonymous(nil, sealed, v.public, v.private)
	if !ok {
		return invalid("Bad request - validation failed due to an improperly encrypted secret")
	}
	return secret.New(string(plain)), reply{}, true
}

// audience sets who may use an organization's secret. A write that names no repositories leaves those of a selected
// one out, which is why clients must send them again.
func (n *stored) audience(body secretBody) (reply, bool) {
	switch body.Visibility {
	case "all", "private":
		if body.Selected != nil {
			return refuse(http.StatusUnprocessableEntity, "selected_repository_ids needs visibility selected"), false
		}
	case "selected":
	default:
		return refuse(http.StatusUnprocessableEntity, "Invalid request.\n\nFor 'properties/visibility', nil is not a member"), false
	}
	n.visibility, n.selected = body.Visibility, slices.Clone(body.Selected)
	return reply{}, true
}

// stamp is a time in GitHub's form.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
