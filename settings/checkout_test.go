package settings

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// TestEveryFieldDecidesAboutCheckouts wants a rule for each setting that a file can hold, and no other: a new setting has
// to decide. Then it gives each in a file of a job, and holds what comes of it to the list of what is limited.
func TestEveryFieldDecidesAboutCheckouts(t *testing.T) {
	limited := map[string]string{ // what the fault has to say, in place of the first sentence of README "In Actions"
		"litellm-base-url": "litellm-base-url", "owner": "input owner", "slack-channel": "input slack-channel",
		"slack-critical-channel": "input slack-critical-channel", "issue-repository": "input issue-repository",
		"amounts-in-public": "input amounts-in-public", "heartbeat-url": "input heartbeat-url",
	}
	for _, r := range table() {
		if (r.file == "") != (r.checkout == nil) {
			t.Errorf("%s: in the file as %q, but a rule for files of a checkout is there: %t", r.name, r.file, r.checkout != nil)
		}
		if r.file == "" {
			continue
		}
		s, e := samples()[r.name], job()
		if r.name == "litellm-base-url" {
			e = e.with("LITELLM_BASE_URL", "")
		}
		content := nest(strings.Split(r.file, "."), s.text)
		if r.name == "budget-duration" {
			content = "defaults: {max_budget: 7, budget_duration: daily}\n"
		}
		command := s.command
		if command == CommandServe {
			command = CommandRun
		}
		files := map[string]string{"openclaw-litellm.yml": content}
		_, err := load(command, e, files)
		remedy := limited[r.name]
		switch {
		case remedy == "" && err != nil:
			t.Errorf("%s in a file of the checkout: %v", r.name, err)
		case remedy != "" && (err == nil || !strings.Contains(err.Error(), remedy) || !strings.Contains(err.Error(), "openclaw-litellm.yml:1:")):
			t.Errorf("%s in a file of the checkout gives %v, which does not say %q", r.name, err, remedy)
		case remedy != "":
			mustLoad(t, command, e.with("INPUT_"+strings.ToUpper(r.name), s.text), files) // the input wins
			mustLoad(t, command+" --sandbox", e, nil)
		}
		delete(limited, r.name)
	}
	if len(limited) > 0 {
		t.Errorf("not in the table: %v", limited)
	}
}

// inCheckout are the fields of keys that are not in the table, each with a key that has it and the fault for it in a job
// of acme/agents; "" for those that are allowed.
func inCheckout() map[string][2]string {
	const owners = `; give input allowed-owners with "evil"`
	const cannot = "in Actions a file in the checkout cannot send "
	each := func(forEach, more string) string {
		return `{name: "a-{name}", targets: [{repository: "{owner}/{name}", secret: A}], for_each: {` + forEach + "}" + more + "}"
	}
	to := func(target string) string { return "{name: a, targets: [{" + target + "}]}" }
	return map[string][2]string{
		"name":                      {to("file: k"), ""},
		"key_options":               {"{name: a, key_options: {rpm_limit: 1}, targets: [{file: k}]}", ""},
		"targets":                   {to("repository: acme/other, secret: A"), ""},
		"repository":                {to("repository: evil/agents, secret: A"), cannot + "keys to another owner's repositories" + owners},
		"organization":              {to("organization: evil, secret: A"), cannot + "keys to another organization" + owners},
		"environment":               {to("repository: acme/other, environment: e, secret: A"), ""},
		"store":                     {to("repository: acme/other, store: codespaces, secret: A"), ""},
		"secret":                    {to("repository: acme/other, secret: A"), ""},
		"visibility":                {to("organization: Acme, visibility: private, secret: A"), ""},
		"file":                      {to("file: /etc/k"), "in Actions a key file outside the workspace is not written; write a path inside the workspace, such as .openclaw/litellm.key"},
		"reload":                    {to("file: k, reload: [/bin/true]"), "a command from a file is not run in Actions; leave reload out, and reload in a step of the workflow"},
		"for_each":                  {each("organization: acme, topic: x", ""), ""},
		"for_each organization":     {each("organization: evil, topic: x", ""), cannot + "keys to another organization's repositories" + owners},
		"for_each owner":            {each("owner: evil, topic: x", ""), cannot + "keys to another owner's repositories" + owners},
		"for_each topic":            {each("owner: acme, topic: x", ""), ""},
		"for_each pattern":          {each("owner: acme, pattern: x", ""), ""},
		"for_each max_repositories": {each("owner: acme, topic: x, max_repositories: 2", ""), ""},
		"repository_dispatch": {"{name: a, targets: [{file: k}], repository_dispatch: acme/agents}",
			cannot + `events to repositories; give input allowed-owners with "acme"`},
	}
}

func TestFieldsOfKeysInACheckout(t *testing.T) {
	fields := append(keyFields(), append(targetFields(), "reload")...)
	for _, f := range forEachFields() {
		fields = append(fields, "for_each "+f)
	}
	all := inCheckout()
	for _, f := range fields {
		tt, ok := all[f]
		if !ok {
			t.Errorf("it is not decided whether a file in a checkout may have %s", f)
			continue
		}
		files := map[string]string{"openclaw-litellm.yml": "keys:\n- " + tt[0] + "\n"}
		_, err := load("run", job(), files)
		got := ""
		if err != nil {
			_, got, _ = strings.Cut(err.Error(), ": ")
		}
		if got != tt[1] {
			t.Errorf("%s: fault %q, want %q", f, got, tt[1])
		}
		mustLoad(t, "run", shell(), files) // a person's own file
		if strings.Contains(tt[1], "allowed-owners") {
			mustLoad(t, "run", job().with("INPUT_ALLOWED-OWNERS", "Evil, acme"), files)
		}
	}
}

// TestOwnersInACheckout looks for ways around the owner of this repository.
func TestOwnersInACheckout(t *testing.T) {
	forEach := func(owner, target, dispatch string) string {
		text, _ := json.Marshal(map[string]any{
			"name": "a-{name}", "for_each": map[string]any{"owner": owner, "pattern": "*"},
			"targets": []any{map[string]any{"repository": target, "secret": "A"}}, "repository_dispatch": dispatch,
		})
		return "keys:\n- " + string(text) + "\n"
	}
	for _, tt := range []struct {
		name, content, owners string
		faults                int
	}{
		{"another spelling", target("repository: ACME/x, secret: A"), "", 0},
		{"a longer name", target("repository: acme-evil/x, secret: A"), "", 1},
		{"a shorter name", target("repository: acm/x, secret: A"), "", 1},
		{"two of three", "keys:\n- name: a\n  targets: [{repository: evil/x, secret: A}, {repository: acme/x, secret: A}, {organization: evil, secret: A}]\n", "", 2},
		{"found and elsewhere", forEach("acme", "evil/{name}", ""), "", 1},
		{"an owner made of the name", forEach("acme", "{name}/x", ""), "", 1},
		{"an owner made of both", forEach("acme", "{owner}-{name}/x", ""), "", 1},
		{"an event to what is found", forEach("acme", "{owner}/{name}", "{owner}/{name}"), "", 1},
		{"allowed", forEach("acme", "{owner}/{name}", "{owner}/{name}"), "acme", 0},
		{"another one allowed", forEach("acme", "{owner}/{name}", "{owner}/{name}"), "other", 1},
		{"an event elsewhere", forEach("acme", "{owner}/{name}", "evil/{name}"), "acme", 1},
		{"this owner needs no word", forEach("acme", "{owner}/{name}", ""), "other", 0},
	} {
		_, err := load("run", job().with("INPUT_ALLOWED-OWNERS", tt.owners), map[string]string{"openclaw-litellm.yml": tt.content})
		n := 0
		if err != nil {
			n = len(strings.Split(err.Error(), "\n"))
		}
		if n != tt.faults || n > 0 && !strings.Contains(err.Error(), "in Actions a file in the checkout cannot send") {
			t.Errorf("%s: %d faults, want %d: %v", tt.name, n, tt.faults, err)
		}
	}
	_, err := load("run", job().with("GITHUB_REPOSITORY", ""), map[string]string{
		"openclaw-litellm.yml": target("repository: acme/x, secret: A"),
	})
	if err == nil || !strings.Contains(err.Error(), "allowed-owners") {
		t.Errorf("where this repository is not known: %v", err)
	}
}

// TestCheckoutRulesHoldForEveryCommand wants the rules of a file's settings whatever the command does with them.
func TestCheckoutRulesHoldForEveryCommand(t *testing.T) {
	files := map[string]string{"openclaw-litellm.yml": "owner: other\nreport: {amounts_in_public: true}\n" +
		target("repository: evil/x, secret: A")}
	for _, c := range jobCommands() {
		if slices.Contains([]string{CommandVersion, CommandOpenClaw}, c) {
			continue
		}
		_, err := load(c, job(), files)
		if faults, _ := err.(Faults); len(faults) != 3 {
			t.Errorf("%s: %v", c, err)
		}
	}
	mustLoad(t, "run", job(), map[string]string{"openclaw-litellm.yml": "owner: Acme/Agents\nreport: {amounts_in_public: false}\n"})
}
