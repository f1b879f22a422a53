package settings

import (
	"strings"
	"testing"
)

const templates = `keys:
  - name: "openclaw-{name}"
    for_each: {organization: acme, topic: openclaw}
    repository_dispatch: "{owner}/{name}"
    targets:
      - {repository: "{owner}/{name}", secret: LITELLM_API_KEY}
      - {organization: acme, secret: "KEY_{name}", visibility: private}
`

func TestForEach(t *testing.T) {
	k := mustLoad(t, "run", shell(), map[string]string{"openclaw-litellm.yml": templates}).Keys[0]
	if k.ForEach == nil || k.ForEach.Owner != "acme" || !k.ForEach.Organization || k.ForEach.Max != 50 || k.Name != "openclaw-{name}" {
		t.Fatalf("got %+v", k)
	}
	one, err := k.For(Repository{"acme", "site", 7})
	if err != nil || one.Name != "openclaw-site" || one.Template != "acme/openclaw-{name}" || one.ForEach != nil || one.Dispatch != "acme/site" {
		t.Errorf("%+v, %v", one, err)
	}
	if one.Targets[0].Repository != "acme/site" || one.Targets[0].RepositoryID != 7 || one.Targets[1].RepositoryID != 0 || one.Targets[1].Secret != "KEY_SITE" || one.Targets[1].Visibility != "private" {
		t.Errorf("%+v", one.Targets)
	}
	if k.Targets[0].Repository != "{owner}/{name}" {
		t.Error("the template itself was changed")
	}
	_, err = k.For(Repository{"acme", "my-site", 7})
	if err == nil || !strings.Contains(err.Error(), `"KEY_my-site" cannot name a secret`) {
		t.Errorf("got %v", err)
	}
	for _, name := range []string{"..", ".", "a/b", ""} {
		if _, err := k.For(Repository{"acme", name, 7}); err == nil {
			t.Errorf("%q is taken", name)
		}
	}
}

func TestForEachTakes(t *testing.T) {
	for _, c := range []struct {
		f      ForEach
		name   string
		topics []string
		want   bool
	}{
		{ForEach{Topic: "openclaw"}, "site", []string{"go", "openclaw"}, true},
		{ForEach{Topic: "openclaw"}, "site", []string{"go"}, false},
		{ForEach{Pattern: "agent-*"}, "Agent-x", nil, true},
		{ForEach{Pattern: "agent-*"}, "my-agent-x", nil, false},
		{ForEach{Pattern: "*", Topic: "a"}, "x", []string{"b"}, false},
	} {
		if got := c.f.Takes(c.name, c.topics); got != c.want {
			t.Errorf("%+v takes %s %v: %v", c.f, c.name, c.topics, got)
		}
	}
}

func TestForEachFaults(t *testing.T) {
	_, err := load("run", shell(), map[string]string{"openclaw-litellm.yml": `keys:
  - name: openclaw
    for_each: {organization: acme, owner: maria, max_repositories: 0, label: x}
    targets:
      - {repository: acme/agents, secret: "KEY_{repo}"}
  - name: plain
    targets:
      - {repository: acme/agents, secret: A, visibility: all}
      - {organization: acme, secret: A, visibility: some}
`})
	wantFaults(t, err,
		`openclaw-litellm.yml:2:11: every repository would get the key "openclaw"; write a name such as openclaw-{name}`,
		`openclaw-litellm.yml:3:5: for_each names no owner, or two; give organization, or owner for a person's repositories`,
		`openclaw-litellm.yml:3:5: for_each does not say which repositories; give topic or pattern; pattern: "*" takes all`,
		`openclaw-litellm.yml:3:68: "0" is no number of repositories; write a number from 1 to 10000`,
		`openclaw-litellm.yml:3:71: unknown field "label" in for_each; use max_repositories, organization, owner, pattern, topic`,
		`openclaw-litellm.yml:5:9: every repository's key would go to the same place; write a place such as repository: "{owner}/{name}"`,
		`openclaw-litellm.yml:5:43: unknown placeholder "{repo}"; use {owner} and {name}`,
		`openclaw-litellm.yml:5:43: "KEY_{repo}" cannot name a secret; use letters, digits and '_', no digit first`,
		`openclaw-litellm.yml:8:58: only an organization's secret has a visibility; leave it out`,
		`openclaw-litellm.yml:9:53: "some" is not known; write one of all, private, selected`,
	)
}
