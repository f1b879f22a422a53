package github

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

// Store is one of the places GitHub keeps secrets in. Each has its own public key.
type Store string

// The stores.
const (
	Actions    Store = "actions" // what "" means, too
	Dependabot Store = "dependabot"
	Codespaces Store = "codespaces"
)

// Scope is whose secrets: a repository's, one of its environments', or an organization's.
type Scope struct {
	Repository   string // "owner/name"; "" if Organization is given
	Environment  string // of Repository, in Actions only; "" for the repository itself
	Organization string
	Store        Store // "": Actions
}

var (
	ownerName  = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,100}$`)
	secretName = regexp.MustCompile(`^[A-Z_][A-Z0-9_]*$`)
)

// splitRepository returns the two parts of "owner/name".
func splitRepository(repository string) (owner, name string, err error) {
	owner, name, _ = strings.Cut(repository, "/")
	if !isName(owner) || !isName(name) {
		return "", "", fmt.Errorf("repository %q is not owner/name", repository)
	}
	return owner, name, nil
}

// isName reports whether s can be an owner or a repository; it then needs no escaping in a path.
func isName(s string) bool { return ownerName.MatchString(s) && s != "." && s != ".." }

// ValidateSecretName returns nil if GitHub takes name for a secret, and otherwise an error that says what it would
// take. GitHub keeps names in upper case, so case does not matter.
func ValidateSecretName(name string) error {
	upper := strings.ToUpper(name)
	switch {
	case name == "":
		return errors.New("a secret needs a name")
	case len(name) > 255:
		return fmt.Errorf("secret name %.20q… is longer than 255 characters", name)
	case !secretName.MatchString(upper):
		return fmt.Errorf("secret name %q may only have letters, digits and _, and may not begin with a digit", name)
	case strings.HasPrefix(upper, "GITHUB_"):
		return fmt.Errorf("secret name %q may not begin with GITHUB_", name)
	}
	return nil
}

// Validate returns nil if s names exactly one place, and otherwise an error that says what is wrong.
func (s Scope) Validate() error {
	switch s.Store {
	case "", Actions, Dependabot, Codespaces:
	default:
		return fmt.Errorf("unknown secret store %q: use actions, dependabot or codespaces", string(s.Store))
	}
	switch {
	case s.Organization != "" && (s.Repository != "" || s.Environment != ""):
		return errors.New("a secret belongs to an organization or to a repository, not to both")
	case s.Organization != "" && !isName(s.Organization):
		return fmt.Errorf("organization %q is not a name on GitHub", s.Organization)
	case s.Organization != "":
		return nil
	case s.Environment == "." || s.Environment == "..":
		return fmt.Errorf("environment %q is not a name", s.Environment)
	case s.Environment != "" && s.store() != Actions:
		return fmt.Errorf("environment %q: only the actions store has environments", s.Environment)
	}
	_, _, err := splitRepository(s.Repository)
	return err
}

func (s Scope) store() Store { return cmp.Or(s.Store, Actions) }

// path is where the scope's secrets are, names escaped. s is valid.
func (s Scope) path() string {
	switch {
	case s.Organization != "":
		return fmt.Sprintf("orgs/%s/%s/secrets", s.Organization, s.store())
	case s.Environment != "":
		return fmt.Sprintf("repos/%s/environments/%s/secrets", s.Repository, url.PathEscape(s.Environment))
	}
	return fmt.Sprintf("repos/%s/%s/secrets", s.Repository, s.store())
}

// String names the scope for people: "acme/agents, environment production".
func (s Scope) String() string {
	text := cmp.Or(s.Organization, s.Repository)
	if s.Organization != "" {
		text = "organization " + text
	}
	if s.Environment != "" {
		text += ", environment " + s.Environment
	}
	switch s.store() {
	case Dependabot:
		text += ", Dependabot"
	case Codespaces:
		text += ", Codespaces"
	}
	return text
}
