package github_test

import (
	"strings"
	"testing"

	"github.com/org/openclaw-litellm-action/github"
)

func TestValidateSecretName(t *testing.T) {
	for _, name := range []string{"A", "_", "LITELLM_API_KEY", "litellm_api_key", "K9", "MY_GITHUB_KEY", strings.Repeat("A", 255)} {
		if err := github.ValidateSecretName(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	for name, want := range map[string]string{
		"":                       "needs a name",
		"9A":                     "digit",
		"A-B":                    "letters, digits and _",
		"A B":                    "letters, digits and _",
		"A/../B":                 "letters, digits and _",
		"É":                      "letters, digits and _",
		"A\n":                    "letters, digits and _",
		"GITHUB_TOKEN":           "GITHUB_",
		"github_token":           "GITHUB_",
		strings.Repeat("A", 256): "255",
	} {
		if err := github.ValidateSecretName(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want an error with %q", name, err, want)
		}
	}
}

func TestTargetNamesAndFaults(t *testing.T) {
	for _, c := range []struct {
		scope github.Scope
		want  string // the name, or a part of the fault
	}{
		{github.Scope{Repository: "acme/agents"}, "secret K in acme/agents"},
		{github.Scope{Repository: "acme/agents", Environment: "production"}, "secret K in acme/agents, environment production"},
		{github.Scope{Repository: "acme/agents", Store: github.Dependabot}, "secret K in acme/agents, Dependabot"},
		{github.Scope{Organization: "acme", Store: github.Codespaces}, "secret K in organization acme, Codespaces"},
		{github.Scope{}, `repository "" is not owner/name`},
		{github.Scope{Repository: "agents"}, "is not owner/name"},
		{github.Scope{Repository: "acme/agents/x"}, "is not owner/name"},
		{github.Scope{Repository: "acme/.."}, "is not owner/name"},
		{github.Scope{Repository: "acme/a?b"}, "is not owner/name"},
		{github.Scope{Organization: "a/b"}, "is not a name"},
		{github.Scope{Organization: "acme", Repository: "acme/agents"}, "not to both"},
		{github.Scope{Repository: "acme/agents", Environment: ".."}, "is not a name"},
		{github.Scope{Repository: "acme/agents", Environment: "p", Store: github.Dependabot}, "only the actions store has environments"},
		{github.Scope{Repository: "acme/agents", Store: "vault"}, "use actions, dependabot or codespaces"},
	} {
		target := &github.SecretTarget{Scope: c.scope, Name: "k"}
		if err := target.Validate(); err != nil {
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("%+v: fault %q, want %q", c.scope, err, c.want)
			}
		} else if target.String() != c.want {
			t.Errorf("%+v: %q, want %q", c.scope, target, c.want)
		}
	}
}

func TestAudienceFaults(t *testing.T) {
	for _, target := range []github.SecretTarget{
		{Scope: github.Scope{Repository: "acme/agents"}, Visibility: "all"},
		{Scope: github.Scope{Repository: "acme/agents"}, Repositories: []int64{1}},
		{Scope: github.Scope{Organization: "acme"}, Visibility: "public"},
		{Scope: github.Scope{Organization: "acme"}, Visibility: "all", Repositories: []int64{1}},
		{Scope: github.Scope{Organization: "acme"}, Repositories: []int64{1}},
	} {
		target.Name = "K"
		if target.Validate() == nil {
			t.Errorf("%+v is accepted", target)
		}
	}
}

func TestFingerprint(t *testing.T) {
	of := func(name string, s github.Scope) string {
		return (&github.SecretTarget{Scope: s, Name: name}).Fingerprint()
	}
	same := of("K", github.Scope{Repository: "acme/agents"})
	if len(same) != 32 || strings.Trim(same, "0123456789abcdef") != "" {
		t.Errorf("fingerprint %q", same)
	}
	if same != of("k", github.Scope{Repository: "Acme/Agents", Store: github.Actions}) {
		t.Error("spelling changes the fingerprint")
	}
	seen := map[string]int{}
	for i, s := range []github.Scope{
		{Repository: "acme/agents"},
		{Repository: "acme/agents", Environment: "production"},
		{Repository: "acme/agents", Store: github.Dependabot},
		{Repository: "acme/agents", Store: github.Codespaces},
		{Organization: "acme"},
		{Organization: "acme", Store: github.Dependabot},
	} {
		if j, ok := seen[of("K", s)]; ok {
			t.Errorf("scopes %d and %d share a fingerprint", i, j)
		}
		seen[of("K", s)] = i
	}
	// It is part of every journal already written: changing it would make all targets look new.
	if want := "78bfd72f91f50e3ba1e3509e51af2e73"; same != want {
		t.Errorf("fingerprint %q, want %q", same, want)
	}
}
