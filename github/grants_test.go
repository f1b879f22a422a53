package github_test

import (
	"slices"
	"testing"

	"github.com/org/openclaw-litellm-action/github"
	"github.com/org/openclaw-litellm-action/github/githubtest"
	"github.com/org/openclaw-litellm-action/secret"
)

func TestGrants(t *testing.T) {
	t.Parallel()
	s := githubtest.New(githubtest.Options{})
	defer s.Close()
	s.AddRepository(githubtest.Repository{Name: "acme/agents"})
	for name, c := range map[string]struct {
		token githubtest.Token
		want  []string
		told  bool
	}{
		"fine-grained": {githubtest.Token{Permissions: []string{"metadata=read"}}, nil, false},
		"classic":      {githubtest.Token{Scopes: []string{"repo", "admin:org"}}, []string{"admin:org", "repo"}, true},
		"empty":        {githubtest.Token{Scopes: []string{}}, nil, false},
	} {
		value := secret.New("made-up-" + name)
		s.AddToken(value, c.token)
		client := &github.Client{APIURL: s.URL(), Token: value}
		if _, told := client.Grants(); told {
			t.Errorf("%s: told before anything was asked", name)
		}
		if _, err := client.Repository(t.Context(), "acme", "agents"); err != nil {
			t.Fatal(err)
		}
		if got, told := client.Grants(); told != c.told || !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, %v", name, got, told)
		}
	}
}
