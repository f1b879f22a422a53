package settings

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
)

// compareKeys are options for cmp: decimals by value, places not at all.
func compareKeys() cmp.Options {
	return cmp.Options{
		cmp.Comparer(decimal.Decimal.Equal),
		cmp.Comparer(func(a, b Source) bool { return true }),
		cmp.Comparer(func(a, b Alerts) bool { return true }), // TestAlerts
	}
}

func TestSingleKey(t *testing.T) {
	week := 7 * 24 * time.Hour
	base := Key{Name: "openclaw", RotationInterval: 720 * time.Hour, GracePeriod: week, MaxGracePeriod: 5 * week,
		Thresholds: []decimal.Decimal{decimal.NewFromInt(50), decimal.NewFromInt(80), decimal.NewFromInt(95)},
		Targets:    []Target{{Repository: "acme/agents", Store: StoreActions, Secret: "LITELLM_API_KEY"}}}
	file := Target{File: "keys/litellm.key"}
	for _, tt := range []struct {
		args   string
		change func(*Key)
	}{
		{"run", func(*Key) {}},
		{"run --key-name ci --max-budget 12.50 --budget-duration monthly --models a,b --adopt", func(k *Key) {
			k.Name, k.BudgetDuration, k.Models, k.Adopt = "ci", "1mo", []string{"a", "b"}, true
			k.MaxBudget = decimal.NewNullDecimal(decimal.RequireFromString("12.5"))
		}},
		{"run --thresholds 90%,100 --thresholds 20", func(k *Key) {
			k.Thresholds = []decimal.Decimal{decimal.NewFromInt(20), decimal.NewFromInt(90), decimal.NewFromInt(100)}
		}},
		{"run --secret-repository acme/other --secret-environment prod/eu --secret-name my_key", func(k *Key) {
			k.Targets[0] = Target{Repository: "acme/other", Environment: "prod/eu", Store: StoreActions, Secret: "MY_KEY"}
		}},
		{"run --key-file keys/litellm.key", func(k *Key) { k.Targets = []Target{file} }},
		{"run --key-file keys/litellm.key --secret-name LITELLM_API_KEY", func(k *Key) { k.Targets = append(k.Targets, file) }},
	} {
		want := base
		want.Targets = append([]Target(nil), base.Targets...)
		tt.change(&want)
		s := mustLoad(t, tt.args, shell(), nil)
		if diff := cmp.Diff([]Key{want}, s.Keys, compareKeys()); diff != "" {
			t.Errorf("%s: %s", tt.args, diff)
		}
	}
}

func TestFleet(t *testing.T) {
	s, err := loadFile(`
owner: platform
defaults:
  max_budget: 50.10
  budget_duration: monthly
  rotation_interval: 30d
  thresholds: [50%, 80%]
  key_options: {rpm_limit: 60, tags: [agents]}
keys:
  - name: openclaw
    models: [claude-opus-4-6, gpt-4o]
    key_options: {team_id: agents, rpm_limit: 90, tpm_limit: 1.5e3, permissions: {a: [true, null, x]}}
    targets:
      - {repository: acme/agents, secret: litellm_api_key}
      - {repository: acme/agents, environment: production, secret: LITELLM_API_KEY}
      - {repository: acme/agents, store: dependabot, secret: LITELLM_API_KEY}
      - {organization: acme, store: codespaces, secret: LITELLM_API_KEY}
      - {file: /run/openclaw/litellm.key, reload: [/usr/bin/openclaw, secrets, reload, --json]}
  - name: ci
    max_budget: 5
    budget_duration: 1w
    grace_period: 1d
    max_grace_period: 2d
    block_in_use: true
    thresholds: 90%
    targets: [{organization: acme, secret: CI_KEY}]
`)
	if err != nil {
		t.Fatal(err)
	}
	want := []Key{
		{Name: "openclaw", MaxBudget: decimal.NewNullDecimal(decimal.RequireFromString("50.10")), BudgetDuration: "1mo",
			Models: []string{"claude-opus-4-6", "gpt-4o"}, TeamID: "agents",
			Options: map[string]any{"team_id": "agents", "rpm_limit": int64(90), "tpm_limit": json.Number("1.5e3"),
				"permissions": map[string]any{"a": []any{true, nil, "x"}}, "tags": []any{"agents"}},
			RotationInterval: 720 * time.Hour, GracePeriod: 168 * time.Hour, MaxGracePeriod: 840 * time.Hour,
			Thresholds: []decimal.Decimal{decimal.NewFromInt(50), decimal.NewFromInt(80)},
			Targets: []Target{
				{Repository: "acme/agents", Store: StoreActions, Secret: "LITELLM_API_KEY"},
				{Repository: "acme/agents", Environment: "production", Store: StoreActions, Secret: "LITELLM_API_KEY"},
				{Repository: "acme/agents", Store: StoreDependabot, Secret: "LITELLM_API_KEY"},
				{Organization: "acme", Store: StoreCodespaces, Secret: "LITELLM_API_KEY"},
				{File: "/run/openclaw/litellm.key", Reload: []string{"/usr/bin/openclaw", "secrets", "reload", "--json"}},
			}},
		{Name: "ci", MaxBudget: decimal.NewNullDecimal(decimal.NewFromInt(5)), BudgetDuration: "7d",
			Options:          map[string]any{"rpm_limit": int64(60), "tags": []any{"agents"}},
			RotationInterval: 720 * time.Hour, GracePeriod: 24 * time.Hour, MaxGracePeriod: 48 * time.Hour, BlockInUse: true,
			Thresholds: []decimal.Decimal{decimal.NewFromInt(90)},
			Targets:    []Target{{Organization: "acme", Store: StoreActions, Secret: "CI_KEY"}}},
	}
	if diff := cmp.Diff(want, s.Keys, compareKeys()); diff != "" {
		t.Error(diff)
	}
	if s.Owner != "platform" || s.Keys[1].From.String() != "openclaw-litellm.yml:19:5" || s.Keys[0].Targets[1].From.Line != 15 {
		t.Errorf("owner %q, places %v and %v", s.Owner, s.Keys[1].From, s.Keys[0].Targets[1].From)
	}
}

// key is a file with one key that has these further fields.
func key(fields string) string {
	return "keys:\n- name: a\n  targets: [{file: k}]\n" + fields
}

// target is a file with one key that has this one target.
func target(fields string) string {
	return "keys:\n- name: a\n  targets:\n  - {" + fields + "}\n"
}

func TestKeyRules(t *testing.T) {
	const f = "openclaw-litellm.yml:"
	for _, tt := range []struct{ name, content, want string }{
		{"no name", "keys:\n- targets: [{file: k}]\n", f + "2:3: the key has no name; give name"},
		{"twice", "keys:\n- name: a\n  targets: [{file: k}]\n- name: a\n  targets: [{file: l}]\n",
			f + `4:3: key "a" is also at ` + f + "2:3; name each key once"},
		{"no targets", "keys:\n- name: a\n", f + "2:3: the key has nowhere to go; give it targets"},
		{"same target", "keys:\n- name: a\n  targets: [{repository: a/B, secret: k}]\n- name: b\n  targets: [{repository: A/b, secret: K}]\n",
			f + "5:13: the same target is also at " + f + "3:13; write each place once"},
		{"same file", "keys:\n- name: a\n  targets: [{file: k}, {file: ./k}]\n",
			f + "3:24: the same target is also at " + f + "3:13; write each place once"},
		{"empty keys", "keys: []\n", f + "1:1: keys is empty or no list; list keys below it, or leave it out for a single key"},
		{"null keys", "keys:\n", f + "1:1: keys is empty or no list; list keys below it, or leave it out for a single key"},
		{"empty models", key("  models: []\n"), f + "4:11: models is empty; fill it in or leave it out"},
		{"a threshold twice", key("  thresholds: [50%, 50]\n"), f + "4:15: a threshold is there twice; write each once"},
		{"a duration without budget", key("  budget_duration: daily\n"),
			f + "4:20: a budget duration without a budget limits nothing; give max budget as well"},
		{"no interval", key("  rotation_interval: 0s\n"), f + "4:22: the rotation interval is nothing; write a duration such as 30d"},
		{"grace beyond interval", key("  grace_period: 30d\n"), f +
			"4:17: the grace period 30d is not shorter than the rotation interval 30d; shorten the grace period or lengthen the rotation interval"},
		{"interval below grace", key("  rotation_interval: 1d\n"), f +
			"4:22: the grace period 7d is not shorter than the rotation interval 1d; shorten the grace period or lengthen the rotation interval"},
		{"longest grace", key("  max_grace_period: 6d\n"),
			f + "4:21: the longest grace period 6d is shorter than the grace period 7d; make the longest at least as long"},
		{"owned option", key("  key_options: {max_budget: 5}\n"),
			f + "4:17: max_budget in key_options is set by the tool itself; give max_budget outside of key_options"},
		{"owned option with no other way", key("  key_options: {user_id: me}\n"),
			f + "4:17: user_id in key_options is set by the tool itself; leave it out"},
		{"team", key("  key_options: {team_id: 7}\n"), f + "4:17: team_id is no text; write the team's id in quotes"},
		{"no number", key("  key_options: {rpm_limit: .inf}\n"), f + `4:28: ".inf" is no number of JSON; write it with digits, such as 0.5`},
		{"days by accident", "defaults: {max_budget: 5}\n" + key("  budget_duration: 30days\n"), f +
			`5:20: "30days" would be reset daily, or refused, by some releases of LiteLLM; write hourly, daily, weekly, monthly, or one number and unit such as 12h or 30d`},
		{"no field of alerts", key("  alerts: {hourly: 1}\n"), f + `4:12: unknown field "hourly" in alerts; use burn_rate, daily_spend, failure_rate, forecast, model_spend, request_cost, spend`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := loadFile(tt.content)
			wantFaults(t, err, tt.want)
		})
	}
}

func TestTargetRules(t *testing.T) {
	const f = "openclaw-litellm.yml:4:"
	for _, tt := range []struct{ content, want string }{
		{"secret: A", f + "5: the target names 0 places; give one of repository, organization and file"},
		{"file: k, repository: a/b, secret: A", f + "5: the target names 2 places; give one of repository, organization and file"},
		{"repository: a/b", f + "5: the target names no secret; give secret, such as LITELLM_API_KEY"},
		{"repository: a, secret: A", f + `18: "a" is not a repository; write owner/name`},
		{"organization: acme, environment: prod, secret: A", f + "39: only a repository's Actions secrets have environments; give a repository and no other store"},
		{"repository: a/b, store: dependabot, environment: prod, secret: A", f + "55: only a repository's Actions secrets have environments; give a repository and no other store"},
		{"repository: a/b, store: vault, secret: A", f + `30: "vault" is not known; write one of actions, dependabot, codespaces`},
		{"repository: a/b, secret: A, reload: [/bin/true]", f + "43: reload is for files, not for secrets; leave it out"},
		{"file: k, secret: A", f + "23: secret is for secrets, not for files; leave it out"},
		{"file: k, reload: [openclaw]", f + `24: reload names its program "openclaw" without a path; write its absolute path`},
		{"file: k, reload: /bin/true", f + "15: reload is no list; write a list such as [/usr/bin/openclaw, secrets, reload]"},
		{`file: k, reload: [/bin/true, ""]`, f + "35: a part of reload is empty or holds a control character; write one word"},
		{"file: k, mode: 0644", f + `15: unknown field "mode" in a target; use environment, file, organization, reload, repository, secret, store, visibility`},
	} {
		t.Run(tt.content, func(t *testing.T) {
			_, err := loadFile(target(tt.content))
			wantFaults(t, err, tt.want)
		})
	}
}

func TestSingleKeySettingsWithKeys(t *testing.T) {
	_, err := load("run --key-name x", shell().with("OPENCLAW_LITELLM_MAX_BUDGET", "5"),
		map[string]string{"openclaw-litellm.yml": key("")})
	const rest = ": it describes a single key, but openclaw-litellm.yml:1:1 describes keys; move it into the file, or leave keys out of it"
	wantFaults(t, err, "flag --key-name"+rest, "environment OPENCLAW_LITELLM_MAX_BUDGET"+rest)
}

func TestDefaultsWithoutKeys(t *testing.T) {
	s, err := loadFile("defaults: {max_budget: 5, key_options: {team_id: agents}}\n")
	if err != nil {
		t.Fatal(err)
	}
	if k := s.Keys[0]; k.Name != "openclaw" || k.MaxBudget.Decimal.String() != "5" || k.TeamID != "agents" {
		t.Errorf("key %+v", k)
	}
	s, err = loadFile("defaults: {budget_duration: daily}\nkeys:\n- {name: a, targets: [{file: a}]}\n- {name: b, max_budget: 1, targets: [{file: b}]}\n")
	if err != nil {
		t.Fatal(err)
	}
	if a, b := s.Keys[0].BudgetDuration, s.Keys[1].BudgetDuration; a != "" || b != "1d" {
		t.Errorf("budget durations %q and %q", a, b)
	}
}

func TestSlackRules(t *testing.T) {
	bot, hook := "test-bot", "https://hooks.slack.com/x"
	for _, tt := range []struct {
		env           env
		fault, warned string
	}{
		{shell().with("SLACK_BOT_TOKEN", bot, "SLACK_CHANNEL", "C0123456789"), "", ""},
		{shell().with("SLACK_WEBHOOK_URL", hook), "", ""},
		{shell().with("SLACK_BOT_TOKEN", bot), "slack-channel: missing, and slack-bot-token does nothing without it; give input slack-channel, flag --slack-channel or environment SLACK_CHANNEL", ""},
		{shell().with("SLACK_BOT_TOKEN", bot, "SLACK_WEBHOOK_URL", hook, "SLACK_CHANNEL", "C0123456789"),
			"environment SLACK_WEBHOOK_URL: slack-bot-token is given too, and both would tell everything twice; give one of them", ""},
		{shell().with("SLACK_CHANNEL", "C0123456789"), "", "environment SLACK_CHANNEL: nobody is told in Slack: there is no slack-bot-token"},
	} {
		s, err := load("run", tt.env, nil)
		if tt.fault != "" {
			wantFaults(t, err, tt.fault)
			continue
		}
		wantFaults(t, err)
		if got := append(s.Warnings, ""); got[0] != tt.warned {
			t.Errorf("warnings %q, want %q", got, tt.warned)
		}
	}
	_, err := load("run --issue-repository acme/ops", shell(), nil)
	wantFaults(t, err, "github-token: missing, and without it issue-repository does nothing; give input github-token or environment GITHUB_TOKEN")
	s := mustLoad(t, "run", shell().with("GITHUB_TOKEN", "test-secrets-token"), nil)
	if diff := cmp.Diff([]string{"environment SECRETS_TOKEN: it is the same as github-token; the workflow's own token can never write secrets"}, s.Warnings); diff != "" {
		t.Error(diff)
	}
}
