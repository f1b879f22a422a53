package settings

import (
	"encoding/json"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestTableIsSound(t *testing.T) {
	seen := map[string]bool{}
	once := func(what string) {
		if seen[what] {
			t.Errorf("%s is there twice", what)
		}
		seen[what] = true
	}
	for _, r := range table() {
		once(r.name)
		for _, name := range r.variables() {
			once(name)
			if name == "LITELLM_API_KEY" || name == "DATABASE_URL" {
				t.Errorf("%s reads %s", r.name, name)
			}
		}
		if r.file != "" {
			once("file " + r.file)
		}
		if !regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`).MatchString(r.name) || r.help == "" || r.group == "" || r.on == 0 {
			t.Errorf("%s: name, help, group or surface is wrong", r.name)
		}
		if (r.kind == choice) != (r.choices != nil) {
			t.Errorf("%s: choices do not fit its kind", r.name)
		}
		if r.kind == secretText && (r.on&flagSurface != 0 || r.def != "") {
			t.Errorf("%s: a secret is a flag or has a default", r.name)
		}
		for _, c := range r.cmds {
			if !slices.ContainsFunc(commands(), func(known command) bool { return known.name == c }) {
				t.Errorf("%s: no command %s", r.name, c)
			}
		}
	}
}

// TestHelpAgrees wants every flag in the help of its commands and no other, and every row's words the same everywhere.
func TestHelpAgrees(t *testing.T) {
	flags := regexp.MustCompile(`(?m)^  --([a-z-]+)`)
	for _, c := range append(commands(), command{name: ""}) {
		var want, got []string
		for _, r := range table() {
			if r.on&flagSurface != 0 && (c.name == "" || r.flagOf("") || r.flagOf(c.name)) && c.name != CommandVersion {
				want = append(want, r.name)
			}
		}
		for _, m := range flags.FindAllStringSubmatch(Usage(c.name), -1) {
			got = append(got, m[1])
		}
		if !slices.Equal(got, want) {
			t.Errorf("help of %q has flags %v, want %v", c.name, got, want)
		}
	}
	help := strings.Join(strings.Fields(Usage("")), " ")
	for _, r := range table() {
		if r.on&flagSurface != 0 && !strings.Contains(help, r.describe()) {
			t.Errorf("help does not say %q", r.describe())
		}
	}
}

// sample is a way to give one setting so that it shows: the command, further arguments and a text.
type sample struct {
	command, text string
	env           env // nil: shell
}

func samples() map[string]sample {
	notoken := shell().with("SLACK_BOT_TOKEN", "")
	app := shell().with("SECRETS_TOKEN", "", "OPENCLAW_LITELLM_APP_ID", "1", "OPENCLAW_LITELLM_APP_PRIVATE_KEY", privateKey("one"))
	return map[string]sample{
		"names": {"rotate", "openclaw", nil}, "config": {"run", "x.yml", nil}, "only": {"run", "check", nil},
		"now": {"rotate", "true", nil}, "dry-run": {"run", "true", nil}, "detailed-exitcode": {"plan", "true", nil},
		"sandbox": {"run", "true", nil}, "litellm-base-url": {"run", "https://x.example.com", nil},
		"litellm-master-key": {"run", "other", nil}, "ca-file": {"run", "ca.pem", nil}, "owner": {"run", "me", nil},
		"litellm-timezone": {"run", "Europe/Berlin", nil},
		"key-name":         {"run", "other", nil}, "adopt": {"run", "true", nil}, "max-budget": {"run", "7", nil},
		"budget-duration": {"run", "daily", shell().with("OPENCLAW_LITELLM_MAX_BUDGET", "7")}, "models": {"run", "a,b", nil},
		"rotation-interval": {"run", "20d", nil}, "grace-period": {"run", "3d", nil}, "max-grace-period": {"run", "9d", nil},
		"block-in-use": {"run", "true", nil}, "thresholds": {"run", "10%", nil}, "secret-name": {"run", "OTHER", nil},
		"secret-repository": {"run", "acme/other", nil}, "secret-environment": {"run", "prod", nil}, "key-file": {"run", "key", nil},
		"alert-spend": {"run", "40", nil}, "alert-daily-spend": {"run", "5", nil}, "alert-model-spend": {"run", "a=30", nil},
		"alert-request-cost": {"run", "1", nil}, "alert-failure-rate": {"run", "5%", nil}, "alert-forecast": {"run", "off", nil},
		"alert-burn-rate": {"run", "false", nil}, "probe": {"check", "true", nil},
		"github-token": {"run", "other", nil}, "secrets-token": {"run", "other", nil},
		"app-id": {"run", "5", app}, "app-private-key": {"run", privateKey("other"), app}, "app-installation-id": {"run", "9", app},
		"allowed-owners": {"run", "acme,other", nil},
		"github-api-url": {"run", "https://ghe.example.com/api/v3", nil}, "github-repository": {"run", "acme/other", nil},
		"failover-window": {"run", "2h", nil}, "fallback-rate": {"run", "9%", nil},
		"slack-bot-token": {"run", "bot", shell().with("SLACK_CHANNEL", "C0123456789")}, "slack-channel": {"run", "C0123456789", notoken},
		"slack-webhook-url": {"run", "https://hooks.slack.com/x", nil}, "slack-api-url": {"run", "https://slack.example.com/api", nil},
		"issue-repository": {"run", "acme/ops", shell().with("GITHUB_TOKEN", "t")}, "issue-labels": {"run", "a,b", nil},
		"issue-secret":           {"run", "sixteen characters and more", nil},
		"slack-critical-channel": {"run", "C0123456789", notoken}, "amounts-in-public": {"run", "true", nil},
		"heartbeat-url": {"run", "https://ping.example.com", nil}, "schedule-run": {"serve", "@daily", nil},
		"schedule-report": {"serve", "@weekly", nil}, "timezone": {"serve", "Europe/Paris", nil},
		"compromised": {"rotate", "true", nil}, "health-listen": {"serve", ":1", nil}, "state-file": {"serve", "state.db", nil}, "period": {"report", "day", nil},
		"part": {"openclaw config", "provider", nil}, "openclaw-version": {"openclaw config", "2026.9.6", nil},
		"openclaw-config": {"doctor", "openclaw.json", nil}, "key-source": {"openclaw config", "env", nil},
		"spend-logs": {"report", "rows.json", nil}, "strict": {"report", "true", nil},
		"format": {"run", "json", nil}, "output": {"run", "out.md", nil}, "fail-on": {"run", "warning", nil},
		"log-format": {"run", "json", nil}, "log-level": {"run", "debug", nil},
	}
}

// TestEverySettingDoesSomething gives each row on each of its surfaces, and wants the settings to differ.
func TestEverySettingDoesSomething(t *testing.T) {
	files := map[string]string{"x.yml": "failover: {window: 5h}\n"}
	for _, r := range table() {
		if r.name == "command" {
			continue // TestCommandInput
		}
		s, ok := samples()[r.name]
		if !ok {
			t.Errorf("%s has no sample", r.name)
			continue
		}
		if s.env == nil {
			s.env = shell()
		}
		base := s.env.with("GITHUB_ACTIONS", "true", "GITHUB_EVENT_NAME", "push", "GITHUB_WORKSPACE", "/w")
		if s.command == CommandServe {
			base = s.env
		}
		before := mustLoad(t, s.command, base, nil)
		tries := map[string]func() *Settings{}
		if r.on&flagSurface != 0 {
			tries["flag"] = func() *Settings { return mustLoad(t, s.command+" --"+r.name+"="+s.text, base, files) }
		}
		if r.on&inputSurface != 0 {
			name := "INPUT_" + strings.ToUpper(r.name)
			tries["input"] = func() *Settings { return mustLoad(t, s.command, base.with(name, s.text), files) }
		}
		for _, name := range r.variables() {
			tries[name] = func() *Settings { return mustLoad(t, s.command, base.with(name, s.text), files) }
		}
		for how, try := range tries {
			if len(r.env) > 1 && how == r.env[1] {
				continue // TestWellKnownVariables: the first is set
			}
			if reflect.DeepEqual(shown(before), shown(try())) {
				t.Errorf("%s by %s changes nothing", r.name, how)
			}
		}
	}
}

// shown is the settings with secrets revealed, without their sources.
func shown(s *Settings) Settings {
	c := *s
	c.sources, c.secrets, c.LiteLLM.BaseURLFrom = nil, nil, Source{}
	c.Keys = slices.Clone(c.Keys)
	for i := range c.Keys {
		c.Keys[i].From = Source{}
		c.Keys[i].Targets = slices.Clone(c.Keys[i].Targets)
		for j := range c.Keys[i].Targets {
			c.Keys[i].Targets[j].From = Source{}
		}
	}
	return c
}

// TestEveryFileFieldDoesSomething gives each row in a file, and each policy in a key.
func TestEveryFileFieldDoesSomething(t *testing.T) {
	const keys = "keys:\n- name: a\n  max_budget: 3\n  targets: [{repository: acme/agents, secret: A}]\n"
	for _, r := range table() {
		if r.file == "" {
			continue
		}
		s := samples()[r.name]
		e := shell().with("GITHUB_TOKEN", "t")
		if r.name == "litellm-base-url" {
			e = e.with("LITELLM_BASE_URL", "")
		}
		path := strings.Split(r.file, ".")
		content := nest(path, s.text)
		if r.name == "budget-duration" {
			content = "defaults: {max_budget: 7, budget_duration: daily}\n"
		}
		got, err := load(s.command+" --config x.yml", e, map[string]string{"x.yml": content})
		if err != nil || got.From(r.name).Layer != File {
			t.Errorf("%s: error %v, from %v", r.file, err, got.From(r.name))
		}
		if f := r.field(); f != "" {
			text, _ := json.Marshal(s.text)
			line := "  " + f + ": " + string(text) + "\n"
			if group, inner, nested := strings.Cut(f, "."); nested {
				line = "  " + group + ": {" + inner + ": " + string(text) + "}\n"
			}
			before := mustLoad(t, "run", e, map[string]string{"openclaw-litellm.yml": keys})
			key := strings.Replace(keys, "  max_budget: 3\n", line, 1)
			if f != "max_budget" {
				key = strings.Replace(keys, "  targets:", line+"  targets:", 1)
			}
			if e["LITELLM_BASE_URL"] != "" && reflect.DeepEqual(shown(before), shown(mustLoad(t, "run", e, map[string]string{"openclaw-litellm.yml": key}))) {
				t.Errorf("%s in a key changes nothing", f)
			}
		}
	}
}

// nest writes a value below a path of fields.
func nest(path []string, text string) string {
	quoted, _ := json.Marshal(text)
	return strings.Join(path, ": {") + ": " + string(quoted) + strings.Repeat("}", len(path)-1) + "\n"
}
