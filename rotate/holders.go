package rotate

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/org/openclaw-litellm-action/finding"
	"github.com/org/openclaw-litellm-action/litellm"
)

// Holders is one reading of every holder on the proxy, without their keys. Those of an owner that came from a template, a
// configured key that stands for one of each repository, tell which repository has which key.
type Holders struct {
	users    []litellm.User
	journals map[string]journal // by the logical key's name; without those that can't be read
}

// ReadHolders reads the pages of /user/list.
func ReadHolders(ctx context.Context, c *litellm.Client) (*Holders, error) {
	users, err := c.Users(ctx, holdersPrefix)
	if err != nil {
		return nil, fmt.Errorf("reading the holders: %w", err)
	}
	h := &Holders{users: users, journals: map[string]journal{}}
	for _, u := range users {
		name := strings.TrimPrefix(u.ID, holdersPrefix)
		if j, err := readJournal(u.Metadata); err == nil && j != nil && j.Kind == kindHolder && j.Name == name {
			h.journals[name] = *j
		}
	}
	return h, nil
}

// KeyOf returns the name of the key that a template's repository has already, "" if it has none: a renamed repository
// keeps its key's name.
func (h *Holders) KeyOf(owner, template string, repository int64) string {
	for _, name := range h.of(owner, template) {
		if h.journals[name].Repository == repository {
			return name
		}
	}
	return ""
}

// RepositoryOf returns which repository has the key of that name, 0 if none is known.
func (h *Holders) RepositoryOf(name string) int64 { return h.journals[name].Repository }

// Of returns the names of the keys that came from a template, in order.
func (h *Holders) Of(owner, template string) []string { return h.of(owner, template) }

func (h *Holders) of(owner, template string) []string {
	var names []string
	for name, j := range h.journals {
		if strings.EqualFold(j.Owner, owner) && j.Template == template && j.Repository != 0 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Left returns a finding for each key of a template that no repository calls for any more. Nothing is ever revoked for
// that: the repository may be back tomorrow, and so may the topic.
func (h *Holders) Left(owner, template string, wanted []string) []finding.Finding {
	var out []finding.Finding
	for _, name := range h.of(owner, template) {
		if slices.Contains(wanted, name) {
			continue
		}
		out = append(out, finding.Finding{
			Rule: "repository-gone", Severity: finding.Warning, Subject: finding.Subject{Kind: "key", Name: name},
			Summary: fmt.Sprintf("key %q goes on working, but its repository (GitHub's number %d) vanished, was archived or no longer matches for_each",
				name, h.journals[name].Repository),
			Advice: fmt.Sprintf("If nobody needs it, delete the LiteLLM user %s and its keys; otherwise give the repository back what for_each looks for.", HolderID(name)),
			Source: "GET /user/list",
		})
	}
	return out
}

// Unconfigured returns a finding for each key of owner that is none of names: its entry is gone from the configuration.
// Nothing is ever revoked for that.
func (h *Holders) Unconfigured(owner string, names []string) []finding.Finding {
	var out []finding.Finding
	for _, name := range slices.Sorted(maps.Keys(h.journals)) {
		if !strings.EqualFold(h.journals[name].Owner, owner) || slices.Contains(names, name) {
			continue
		}
		out = append(out, finding.Finding{
			Rule: "key-not-configured", Severity: finding.Warning, Subject: finding.Subject{Kind: "key", Name: name},
			Summary: fmt.Sprintf("key %q goes on working, but the configuration does not name it any more: nothing rotates it", name),
			Advice: fmt.Sprintf("If nobody needs it, delete the LiteLLM user %s and its keys; otherwise put it back, or give the "+
				"configuration that names it an owner of its own.", HolderID(name)),
			Source: "GET /user/list",
		})
	}
	return out
}
