package github

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	gh "github.com/google/go-github/v62/github"
)

// Repository is what matters here of a repository.
type Repository struct {
	ID            int64
	FullName      string // "owner/name" as GitHub spells it now, also after a renaming
	Visibility    string // "public", "private" or "internal"
	Private       bool   // not public: internal ones are private, too
	Archived      bool
	Fork          bool
	Template      bool
	Topics        []string
	DefaultBranch string
}

// Repository reads one repository. A renamed one is found under its old name.
func (c *Client) Repository(ctx context.Context, owner, name string) (Repository, error) {
	op := fmt.Sprintf("reading repository %s/%s", owner, name)
	path, err := repositoryPath(op, owner+"/"+name)
	if err != nil {
		return Repository{}, err
	}
	var answer gh.Repository
	if _, err := c.do(ctx, call{op: op, method: http.MethodGet, path: path, out: &answer, repeat: true}); err != nil {
		return Repository{}, err
	}
	return repositoryOf(&answer), nil
}

// OrganizationRepositories lists the repositories of an organization that the token may see, by name, archived ones
// included.
func (c *Client) OrganizationRepositories(ctx context.Context, organization string) ([]Repository, error) {
	op := fmt.Sprintf("listing the repositories of %s", organization)
	if !isName(organization) {
		return nil, invalid(op, "organization %q is not a name on GitHub", organization)
	}
	var found []Repository
	path := fmt.Sprintf("orgs/%s/repos?type=all&sort=full_name&per_page=100", organization)
	err := list(ctx, c, op, path, func(page []*gh.Repository) {
		for _, r := range page {
			found = append(found, repositoryOf(r))
		}
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// Repositories lists the repositories of an owner that the credential may see, archived ones included. Those of a person
// are the private ones only where the credential is that person's, or an App's that is installed for the person.
func (c *Client) Repositories(ctx context.Context, owner string, organization bool) ([]Repository, error) {
	op := fmt.Sprintf("listing the repositories of %s", owner)
	var found []Repository
	take := func(page []*gh.Repository) {
		for _, r := range page {
			if name, _, _ := strings.Cut(r.GetFullName(), "/"); strings.EqualFold(name, owner) {
				found = append(found, repositoryOf(r))
			}
		}
	}
	var err error
	switch {
	case c.installed:
		err = list(ctx, c, op, "installation/repositories?per_page=100", func(page gh.ListRepositories) { take(page.Repositories) })
	case organization:
		return c.OrganizationRepositories(ctx, owner)
	default:
		err = list(ctx, c, op, "user/repos?sort=full_name&per_page=100", take)
	}
	if err != nil {
		return nil, err
	}
	return found, nil
}

// Dispatch sends a repository_dispatch event. payload marshals to an object of at most ten fields; nil sends none. It
// is not repeated when the answer is lost; the error then has Lost set.
func (c *Client) Dispatch(ctx context.Context, repository, eventType string, payload any) error {
	op := fmt.Sprintf("dispatching %q to %s", eventType, repository)
	path, err := repositoryPath(op, repository)
	if err != nil {
		return err
	}
	body := struct {
		EventType string `json:"event_type"`
		Payload   any    `json:"client_payload,omitempty"`
	}{eventType, payload}
	_, err = c.do(ctx, call{op: op, method: http.MethodPost, path: path + "/dispatches", body: body})
	return err
}

func repositoryOf(r *gh.Repository) Repository {
	found := Repository{
		ID: r.GetID(), FullName: r.GetFullName(), Visibility: r.GetVisibility(), Private: r.GetPrivate(),
		Archived: r.GetArchived(), Fork: r.GetFork(), Template: r.GetIsTemplate(), Topics: r.Topics, DefaultBranch: r.GetDefaultBranch(),
	}
	if found.Visibility == "" { // older servers only have the flag
		found.Visibility = "public"
		if found.Private {
			found.Visibility = "private"
		}
	}
	return found
}
