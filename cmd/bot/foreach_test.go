package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/org/openclaw-litellm-action/github/githubtest"
)

const eachRepository = `
keys:
  - name: "openclaw-{name}"
    max_budget: 5
    for_each: {organization: acme, topic: openclaw, max_repositories: 3}
    repository_dispatch: "{owner}/{name}"
    targets: [{repository: "{owner}/{name}", secret: LITELLM_API_KEY}]
  - name: plain
    max_budget: 5
    targets: [{repository: acme/agents, secret: LITELLM_API_KEY}]
`

// withTopic adds repositories that for_each finds, and some that it must not.
func withTopic(t *testing.T, names ...string) *inside {
	i := newInside(t)
	i.config = eachRepository
	i.github.AddToken(i.secrets["SECRETS_TOKEN"], githubtest.Token{Permissions: []string{"secrets=write", "contents=write"}})
	for _, r := range []githubtest.Repository{
		{Name: "acme/old", Archived: true}, {Name: "acme/copy", Fork: true}, {Name: "acme/pattern", Template: true}, {Name: "globex/agents"},
	} {
		r.Topics = []string{"openclaw"}
		i.github.AddRepository(r)
	}
	for _, name := range names {
		i.github.AddRepository(githubtest.Repository{Name: name, Topics: []string{"openclaw"}})
	}
	return i
}

func TestForEachRepository(t *testing.T) {
	i := withTopic(t, "acme/site", "acme/shop")
	i.run(exitOK, "run")
	for _, name := range []string{"site", "shop"} {
		if alias := i.holds("acme/" + name); alias != "openclaw-"+name {
			t.Errorf("acme/%s holds %s", name, alias)
		}
		if d := i.github.Dispatches("acme/" + name); len(d) != 1 || d[0].EventType != "litellm-key-rotated" ||
			fmt.Sprint(d[0].Payload) != "map[generation:1 key:openclaw-"+name+"]" {
			t.Errorf("events: %+v", d)
		}
	}
	if n := len(i.proxy.Keys()); n != 3 || i.holds("acme/agents") != "plain" {
		t.Errorf("%d keys", n)
	}
	i.run(exitOK, "rotate")
	if n := i.wrote("litellm") + i.wrote("github"); n != 0 {
		t.Errorf("nothing was due, and %d requests wrote", n)
	}
	i.run(exitOK, "rotate", "--now", "openclaw-site")
	i.run(exitUsage, "rotate", "openclaw-nothing")
}

// TestRenamedRepositoryKeepsItsKey also has another repository take the old name: it gets no key of the other's.
func TestRenamedRepositoryKeepsItsKey(t *testing.T) {
	i := withTopic(t, "acme/site")
	i.run(exitOK, "run")
	before := i.proxy.Keys()
	i.github.RenameRepository("acme/site", "acme/web")
	i.run(exitOK, "rotate")
	if n := i.wrote("litellm") + i.wrote("github"); n != 0 || len(i.proxy.Keys()) != len(before) {
		t.Errorf("%d requests wrote after a renaming", n)
	}
	i.run(exitOK, "rotate", "--now")
	if i.holds("acme/web") != "openclaw-site" {
		t.Error("the renamed repository holds another key")
	}
	i.github.AddRepository(githubtest.Repository{Name: "acme/site", Topics: []string{"openclaw"}})
	out, _ := i.run(exitFailed, "rotate")
	if !strings.Contains(flat(out), "the key openclaw-site is that of another repository") {
		t.Error(out)
	}
}

func TestVanishedRepositoryIsAFinding(t *testing.T) {
	i := withTopic(t, "acme/site", "acme/shop")
	i.run(exitOK, "run")
	i.github.RemoveRepository("acme/site")
	out, _ := i.run(exitOK, "rotate")
	if !strings.Contains(flat(out), `key "openclaw-site" goes on working, but its repository`) {
		t.Error(out)
	}
	if n := i.wrote("litellm"); n != 0 {
		t.Errorf("%d requests wrote", n)
	}
	for _, k := range i.proxy.Keys() {
		if k.Blocked {
			t.Errorf("%s is blocked", k.Alias)
		}
	}
}

// TestKeyOfANameGetsAForEach: a key that was configured by its name, and then is one of those that for_each finds, is known
// by the repository's number from then on.
func TestKeyOfANameGetsAForEach(t *testing.T) {
	i := withTopic(t, "acme/site")
	each := i.config
	i.config = `
keys:
  - name: openclaw-site
    max_budget: 5
    targets: [{repository: acme/site, secret: LITELLM_API_KEY}]
`
	i.run(exitOK, "run")
	i.config = each
	i.run(exitOK, "run")
	i.github.RenameRepository("acme/site", "acme/web")
	i.run(exitOK, "rotate")
	if n := i.wrote("litellm") + i.wrote("github"); n != 0 {
		t.Errorf("%d requests wrote after a renaming", n)
	}
	if i.holds("acme/web") != "openclaw-site" || len(i.proxy.KeysOf("openclaw-litellm/openclaw-web")) > 0 {
		t.Error("the renamed repository has another key")
	}
}

// TestKeyThatLeftTheConfiguration is a finding wherever the holders are read, and nothing is revoked.
func TestKeyThatLeftTheConfiguration(t *testing.T) {
	i := withTopic(t, "acme/site")
	i.run(exitOK, "run")
	const left = `key "plain" goes on working, but the configuration does not name it any more`
	plain, rest := strings.Index(i.config, "  - name: plain"), i.config
	i.config = rest[:plain]
	if out, _ := i.run(exitOK, "run"); !strings.Contains(flat(out), left) {
		t.Error(out)
	}
	i.config = "keys: [{name: openclaw-site, max_budget: 5, targets: [{repository: acme/site, secret: LITELLM_API_KEY}]}]\n"
	out, _ := i.run(exitOK, "keys")
	if !strings.Contains(flat(out), left) || strings.Contains(out, `key "openclaw-site" goes on`) {
		t.Error(out)
	}
	for _, k := range i.proxy.Keys() {
		if k.Blocked {
			t.Errorf("%s is blocked", k.Alias)
		}
	}
	i.config = rest
	if out, _ := i.run(exitOK, "run"); strings.Contains(flat(out), left) {
		t.Error(out)
	}
}

// TestTooManyRepositories wants nothing to be done for the template, and the other keys to be rotated.
func TestTooManyRepositories(t *testing.T) {
	i := withTopic(t, "acme/a", "acme/b", "acme/c", "acme/d")
	out, _ := i.run(exitFailed, "rotate")
	if !strings.Contains(flat(out), "for_each finds 4 repositories and may take 3, so none gets a key; raise max_repositories") {
		t.Error(out)
	}
	if n := len(i.proxy.Keys()); n != 1 || i.holds("acme/agents") != "plain" {
		t.Errorf("%d keys", n)
	}
}

func TestDispatchFails(t *testing.T) {
	i := withTopic(t, "acme/site")
	i.github.AddToken(i.secrets["SECRETS_TOKEN"], githubtest.Token{Permissions: []string{"secrets=write"}})
	out, _ := i.run(exitFailed, "rotate")
	if !strings.Contains(flat(out), "Contents: write") || i.holds("acme/site") != "openclaw-site" {
		t.Error(out)
	}
	i.run(exitOK, "rotate")
	if n := i.wrote("litellm"); n != 0 {
		t.Errorf("the rotation was not done: %d requests wrote", n)
	}
}

// TestVisibilityIsSet wants an organization's secret to be for those that the file says.
func TestVisibilityIsSet(t *testing.T) {
	i := newInside(t)
	i.github.AddToken(i.secrets["SECRETS_TOKEN"], githubtest.Token{Permissions: []string{"organization_secrets=write"}})
	i.config = "keys: [{name: openclaw, max_budget: 5, targets: [{organization: acme, secret: LITELLM_API_KEY, visibility: all}]}]\n"
	i.run(exitOK, "rotate")
	if v, _ := i.github.SecretAudience("acme", "actions", "LITELLM_API_KEY"); v != "all" {
		t.Errorf("visibility %s", v)
	}
}

func flat(text string) string { return strings.Join(strings.Fields(text), " ") }
