package github

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	gh "github.com/google/go-github/v62/github"

	"github.com/org/openclaw-litellm-action/secret"
)

// rereads is how often a write is read back while GitHub still shows what was there before.
const rereads = 3

// longestStampWait bounds the wait for the second to change; only a stamp from the future needs more.
const longestStampWait = 5 * time.Second

// SecretTarget is one GitHub secret to write a key to. Its methods take the shape of a rotation target.
type SecretTarget struct {
	Client *Client
	Scope  Scope
	Name   string

	// RepositoryID is GitHub's number of Scope.Repository, where it is known: with it the target is the same one after the
	// repository was renamed. 0: not known.
	RepositoryID int64

	// Visibility is who may use an organization's secret: "all", "private" or "selected". "" keeps what is there, and
	// makes a new secret "private".
	Visibility string
	// Repositories are the ids that "selected" means; nil keeps those that are there.
	Repositories []int64
}

// String names the target for people: "secret LITELLM_API_KEY in acme/agents, environment production".
func (t *SecretTarget) String() string { return fmt.Sprintf("secret %s in %s", t.name(), t.Scope) }

// name is the secret's name as GitHub keeps it.
func (t *SecretTarget) name() string { return strings.ToUpper(t.Name) }

// Fingerprint is the target's name in a journal: 32 hex digits of a hash over where it is, the same however the
// configuration spells it. Audience and API address are no part of it.
func (t *SecretTarget) Fingerprint() string {
	repository := strings.ToLower(t.Scope.Repository)
	if t.RepositoryID != 0 {
		repository = strconv.FormatInt(t.RepositoryID, 10) // no name: that has a slash
	}
	canonical, err := json.Marshal([]string{
		"github-secret", repository, strings.ToLower(t.Scope.Environment),
		strings.ToLower(t.Scope.Organization), string(t.Scope.store()), t.name(),
	})
	if err != nil { // strings always marshal
		return ""
	}
	sum := sha256.Sum256(canonical)
	return hex.EncodeToString(sum[:16])
}

// Validate returns nil if the target can be addressed, and otherwise an error that says what is wrong. It asks nobody.
func (t *SecretTarget) Validate() error {
	if err := t.Scope.Validate(); err != nil {
		return err
	}
	if err := ValidateSecretName(t.Name); err != nil {
		return err
	}
	switch t.Visibility {
	case "", "all", "private", "selected":
	default:
		return fmt.Errorf("unknown visibility %q: use all, private or selected", t.Visibility)
	}
	switch {
	case t.Scope.Organization == "" && (t.Visibility != "" || t.Repositories != nil):
		return fmt.Errorf("only an organization's secret has a visibility")
	case t.Repositories != nil && t.Visibility != "selected":
		return fmt.Errorf("repositories are for the visibility selected only")
	}
	return nil
}

// Preflight reports why a write would fail, without writing: the scope's public key must be readable and the
// repository not archived. GitHub tells of a missing right to write only when it is used.
func (t *SecretTarget) Preflight(ctx context.Context) error {
	if err := t.check(); err != nil {
		return err
	}
	if _, err := t.Client.publicKey(ctx, t.Scope); err != nil || t.Scope.Repository == "" {
		return err
	}
	owner, name, _ := strings.Cut(t.Scope.Repository, "/")
	r, err := t.Client.Repository(ctx, owner, name)
	if err == nil && r.Archived {
		err = &Error{Op: "preparing to put " + t.String(), Kind: Archived}
	}
	return err
}

// Stamp reads the secret's updated_at in RFC 3339, "" if there is no such secret.
func (t *SecretTarget) Stamp(ctx context.Context) (string, error) {
	if err := t.check(); err != nil {
		return "", err
	}
	found, err := t.Client.getSecret(ctx, t.Scope, t.name())
	return stampOf(found), err
}

// Write seals value, puts it there and reads the stamp back. own is true only if the stamp is provably this write's:
// later than the one before, and not later than GitHub's answer to the write. GitHub's stamps have whole seconds, so a
// secret written within this very second is waited for. Writing twice is harmless.
func (t *SecretTarget) Write(ctx context.Context, value secret.Value) (stamp string, own bool, err error) {
	if err := t.checkValue(value); err != nil {
		return "", false, err
	}
	before, err := t.Client.getSecret(ctx, t.Scope, t.name())
	if err != nil {
		return "", false, err
	}
	audience, err := t.audience(ctx, before)
	if err != nil {
		return "", false, err
	}
	if err := t.awaitNextSecond(ctx, before); err != nil {
		return "", false, err
	}
	answered, err := t.Client.putSecret(ctx, t.Scope, t.name(), value, audience)
	if err != nil {
		return "", false, err
	}
	after, err := t.readBack(ctx, before)
	if err != nil {
		return "", false, err
	}
	return stampOf(after), isOwn(before, after, answered), nil
}

// isOwn reports whether after can only be the write that was answered at that time; of a write answered at no known
// time (zero) nothing can be proved.
func isOwn(before, after *storedSecret, answered time.Time) bool {
	if after == nil || after.UpdatedAt.Truncate(time.Second).After(answered) {
		return false
	}
	return before == nil || after.UpdatedAt.After(before.UpdatedAt)
}

// readBack reads the secret after a write, and again while GitHub shows nothing newer than before: its answers can
// come from a copy that lags behind.
func (t *SecretTarget) readBack(ctx context.Context, before *storedSecret) (*storedSecret, error) {
	for attempt := 1; ; attempt++ {
		after, err := t.Client.getSecret(ctx, t.Scope, t.name())
		if err != nil {
			return nil, err
		}
		fresh := after != nil && (before == nil || after.UpdatedAt.After(before.UpdatedAt))
		if fresh || attempt == rereads {
			return after, nil
		}
		if err := t.Client.sleep(ctx, time.Second); err != nil {
			return nil, fmt.Errorf("reading back %s: %w", t, err)
		}
	}
}

// awaitNextSecond waits until a write can get a later stamp than before's, by GitHub's clock.
func (t *SecretTarget) awaitNextSecond(ctx context.Context, before *storedSecret) error {
	if before == nil {
		return nil
	}
	wait := before.UpdatedAt.Truncate(time.Second).Add(time.Second).Sub(before.read)
	if wait <= 0 {
		return nil
	}
	if err := t.Client.sleep(ctx, min(wait, longestStampWait)); err != nil {
		return fmt.Errorf("waiting to write %s: %w", t, err)
	}
	return nil
}

// audience is who may use an organization's secret after the write: as configured, else as it is.
func (t *SecretTarget) audience(ctx context.Context, before *storedSecret) (gh.EncryptedSecret, error) {
	if t.Scope.Organization == "" {
		return gh.EncryptedSecret{}, nil
	}
	a := gh.EncryptedSecret{Visibility: t.Visibility, SelectedRepositoryIDs: slices.Clone(t.Repositories)}
	if a.Visibility == "" && before != nil {
		a.Visibility = before.Visibility
	}
	a.Visibility = cmp.Or(a.Visibility, "private")
	keep := a.Visibility == "selected" && t.Repositories == nil && before != nil && before.Visibility == "selected"
	if !keep {
		return a, nil
	}
	ids, err := t.Client.selectedRepositories(ctx, t.Scope, t.name())
	a.SelectedRepositoryIDs = ids
	return a, err
}

// check returns why the target cannot be addressed, as an *Error.
func (t *SecretTarget) check() error {
	if err := t.Validate(); err != nil {
		return invalid("addressing "+t.String(), "%w", err)
	}
	return nil
}

// checkValue adds what a value must be.
func (t *SecretTarget) checkValue(value secret.Value) error {
	if err := t.check(); err != nil {
		return err
	}
	switch size := len(value.Reveal()); {
	case size == 0:
		return invalid("putting "+t.String(), "the value is empty")
	case size > MaxSecretSize:
		return invalid("putting "+t.String(), "the value has %d bytes and GitHub takes %d", size, MaxSecretSize)
	}
	return nil
}
