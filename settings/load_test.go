package settings

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPrecedence(t *testing.T) {
	const path = "openclaw-litellm.yml"
	all := job().with("INPUT_MAX-BUDGET", "3", "OPENCLAW_LITELLM_MAX_BUDGET", "2")
	file := map[string]string{path: "defaults:\n  max_budget: 1\n"}
	for _, tt := range []struct {
		name, args string
		env        env
		files      map[string]string
		want, from string
	}{
		{"flag", "run --max-budget 4", all, file, "4", "flag --max-budget"},
		{"input", "run", all, file, "3", "input max-budget"},
		{"an empty flag is none", "run --max-budget=", all, file, "3", "input max-budget"},
		{"environment", "run", all.with("INPUT_MAX-BUDGET", ""), file, "2", "environment OPENCLAW_LITELLM_MAX_BUDGET"},
		{"a blank input is none", "run", all.with("INPUT_MAX-BUDGET", " \n"), file, "2", "environment OPENCLAW_LITELLM_MAX_BUDGET"},
		{"inputs count in Actions only", "run", all.with("GITHUB_ACTIONS", ""), file, "2", "environment OPENCLAW_LITELLM_MAX_BUDGET"},
		{"file", "run", job(), file, "1", path + ":2:15"},
		{"nothing", "run", job(), nil, "", "max-budget"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := mustLoad(t, tt.args, tt.env, tt.files)
			got := ""
			if budget := s.Keys[0].MaxBudget; budget.Valid {
				got = budget.Decimal.String()
			}
			if got != tt.want || s.From("max-budget").String() != tt.from {
				t.Errorf("max budget %q from %q, want %q from %q", got, s.From("max-budget"), tt.want, tt.from)
			}
		})
	}
}

func TestWellKnownVariables(t *testing.T) {
	e := shell().with("LITELLM_BASE_URL", "", "LITELLM_MASTER_KEY", "", "LITELLM_PROXY_URL", "https://other.example.com/v1/",
		"LITELLM_PROXY_API_KEY", "other-key")
	s := mustLoad(t, "check", e, nil)
	if s.LiteLLM.BaseURL != "https://other.example.com" || s.LiteLLM.Key.Reveal() != "other-key" {
		t.Errorf("LiteLLM = %+v", s.LiteLLM)
	}
	if s.LiteLLM.BaseURLFrom != (Source{Layer: Environment, Name: "LITELLM_PROXY_URL"}) {
		t.Errorf("from %v", s.LiteLLM.BaseURLFrom)
	}
}

// TestNeverRead proves that variables of LiteLLM and its users are not even looked at.
func TestNeverRead(t *testing.T) {
	asked := map[string]bool{}
	none := func(string) ([]byte, error) { return nil, fs.ErrNotExist }
	_, err := Load([]string{"check"}, func(name string) string { asked[name] = true; return "" }, none, nil)
	wantFaults(t, err,
		"litellm-base-url: missing; give input litellm-base-url, flag --litellm-base-url or environment LITELLM_BASE_URL",
		"litellm-master-key: missing; give input litellm-master-key or environment LITELLM_MASTER_KEY")
	for _, name := range []string{"LITELLM_API_KEY", "DATABASE_URL"} {
		if asked[name] {
			t.Errorf("%s was read", name)
		}
	}
}

func TestMissing(t *testing.T) {
	_, err := load("run", env{}, nil)
	wantFaults(t, err,
		"litellm-base-url: missing; give input litellm-base-url, flag --litellm-base-url or environment LITELLM_BASE_URL",
		"litellm-master-key: missing; give input litellm-master-key or environment LITELLM_MASTER_KEY",
		"secret-repository: missing, and this repository is not known; give input secret-repository, flag --secret-repository or environment OPENCLAW_LITELLM_SECRET_REPOSITORY",
		"owner: missing, and this repository is not known; give input owner, flag --owner or environment OPENCLAW_LITELLM_OWNER")
	_, err = load("plan", shell().with("SECRETS_TOKEN", ""), nil)
	wantFaults(t, err, "secrets-token: missing, and GITHUB_TOKEN can never write secrets; give input secrets-token or environment SECRETS_TOKEN")
	for _, args := range []string{"check", "report", "keys", "run --only check,report"} {
		mustLoad(t, args, shell().with("SECRETS_TOKEN", "", "GITHUB_REPOSITORY", ""), nil)
	}
	mustLoad(t, "run --key-file key --owner me", shell().with("SECRETS_TOKEN", "", "GITHUB_REPOSITORY", ""), nil)
	mustLoad(t, "version", env{}, nil)
}

func TestAllFaultsAtOnce(t *testing.T) {
	e := shell().with("OPENCLAW_LITELLM_MAX_BUDGET", "lots", "LITELLM_BASE_URL", "http://litellm.example.com")
	_, err := load("run --format xml --rotation-interval monthly", e, map[string]string{
		"openclaw-litellm.yml": "failover: {window: long, probes: true}\nschedule: {run: hourly}\n"})
	wantFaults(t, err,
		`environment LITELLM_BASE_URL: plain http to "litellm.example.com" would show credentials to the network; use https://`,
		`flag --format: "xml" is not known; write one of text, markdown, html, json, csv`,
		`flag --rotation-interval: "monthly" is no fixed length of time; write days, such as 30d`,
		`environment OPENCLAW_LITELLM_MAX_BUDGET: "lots" is not an amount; write US dollars such as 50 or 0.25`,
		`openclaw-litellm.yml:1:20: "long" is not a duration; write a duration such as 30d, 2w or 12h`,
		`openclaw-litellm.yml:1:26: unknown field "probes" in failover; use fallback_rate, probe, window`,
		`openclaw-litellm.yml:2:17: "hourly" is not a schedule; write five fields such as "*/15 * * * *" (minute, hour, day, month, weekday 0-6), or @daily`)
}

func TestCommands(t *testing.T) {
	for _, tt := range []struct {
		args  string
		parts []Part
		dry   bool
	}{
		{"run", []Part{PartRotate, PartCheck, PartReport}, false},
		{"run --only report,check", []Part{PartCheck, PartReport}, false},
		{"run --only report --only check --dry-run", []Part{PartCheck, PartReport}, true},
		{"plan --detailed-exitcode", []Part{PartRotate}, true},
		{"rotate --now openclaw", []Part{PartRotate}, false},
		{"rotate --dry-run", []Part{PartRotate}, true},
		{"check --fail-on critical", []Part{PartCheck}, false},
		{"report --period 24h", []Part{PartReport}, false},
		{"keys", nil, false},
		{"serve", []Part{PartRotate, PartCheck, PartReport}, false},
	} {
		s := mustLoad(t, tt.args, shell(), nil)
		if diff := cmp.Diff(tt.parts, s.Parts); diff != "" || s.DryRun != tt.dry || s.Command != strings.Fields(tt.args)[0] {
			t.Errorf("%s: dry run %v, parts differ: %s", tt.args, s.DryRun, diff)
		}
		if s.Does(PartRotate) != (tt.parts != nil && tt.parts[0] == PartRotate) {
			t.Errorf("%s: Does(rotate) = %v", tt.args, s.Does(PartRotate))
		}
	}
}

func TestUsageFaults(t *testing.T) {
	for args, want := range map[string]string{
		"":                              `command line: expected one of "run", "plan", "rotate", "check", "report", ...; see bot --help`,
		"walk":                          "command line: unexpected argument walk; see bot --help",
		"run --bogus":                   "command line: unknown flag --bogus; see bot --help",
		"check --now":                   "command line: unknown flag --now; see bot --help",
		"run --litellm-master-key sk-x": "command line: unknown flag --litellm-master-key; see bot --help",
		"run sk-secret":                 "command line: an argument is not understood, and holds what may be a credential; see bot --help",
		"version --detailed-exitcode":   "command line: unknown flag --detailed-exitcode; see bot --help",
		"rotate other":                  `arguments: there is no key "other"; name a key of the configuration`,
		"run --only rotate,walk":        `flag --only: "walk" is not known; write one of rotate, check, report`,
		"run --config other.yml":        `flag --config: there is no file "other.yml"; name a file that exists`,
	} {
		_, err := load(args, shell(), nil)
		wantFaults(t, err, want)
	}
}

// TestNamesAfterFlags holds that a name may stand anywhere.
func TestNamesAfterFlags(t *testing.T) {
	for _, args := range []string{"openclaw lint openclaw.json --fail-on critical", "openclaw --fail-on critical lint openclaw.json",
		"--fail-on=critical openclaw lint openclaw.json", "openclaw lint --fail-on critical openclaw.json"} {
		s, err := load(args, shell(), nil)
		if err != nil || s.OpenClaw.Lint != "openclaw.json" || s.FailOn == nil {
			t.Errorf("%s: %+v, %v", args, s.OpenClaw, err)
		}
	}
}

func TestCommandInput(t *testing.T) {
	if s := mustLoad(t, "", job(), nil); s.Command != CommandRun || !s.InActions || s.Event != "schedule" || s.Workspace != "/github/workspace" {
		t.Errorf("without a command: %+v", s)
	}
	if s := mustLoad(t, "--log-level debug", job().with("INPUT_COMMAND", "check"), nil); s.Command != CommandCheck || s.Log.Level != "debug" {
		t.Errorf("input check: %+v", s)
	}
	if s := mustLoad(t, "report", job().with("INPUT_COMMAND", "check"), nil); s.Command != CommandReport {
		t.Errorf("an argument beats the input: %+v", s)
	}
	_, err := load("", job().with("INPUT_COMMAND", "serve"), nil)
	wantFaults(t, err, `input command: "serve" is not known; write one of run, plan, rotate, check, report, keys, openclaw, doctor, version`)
	_, err = load("serve", job(), nil)
	wantFaults(t, err, "command line: serve never ends, which a job in Actions has to; use run on a schedule")
	_, err = load("", job().with("INPUT_NOW", "true", "INPUT_NAMES", "openclaw"), nil)
	wantFaults(t, err, "input names: run does nothing with it; leave it out, or use rotate or keys or openclaw",
		"input now: run does nothing with it; leave it out, or use rotate")
	s := mustLoad(t, "", job().with("INPUT_COMMAND", "rotate", "INPUT_NOW", "True", "INPUT_NAMES", "openclaw"), nil)
	if !s.Now || len(s.Names) != 1 {
		t.Errorf("rotate: %+v", s)
	}
}

func TestHelp(t *testing.T) {
	for _, args := range []string{"--help", "-h", "run --help", "check -h", "--config x run --help"} {
		_, err := load(args, env{}, nil)
		var help *Help
		if !errors.As(err, &help) || !strings.HasPrefix(help.Text, "Usage: bot ") {
			t.Errorf("%s: %v", args, err)
		}
	}
	if text := Usage(CommandRotate); !strings.HasPrefix(text, "Usage: bot rotate [NAME...] [flags]\n") || strings.Contains(text, "--only") {
		t.Error(text)
	}
	for i, line := range strings.Split(Usage(""), "\n") {
		if len(line) > helpWidth+20 || strings.HasSuffix(line, " ") {
			t.Errorf("line %d of help: %q", i, line)
		}
	}
}

func TestSecrets(t *testing.T) {
	e := job().with("INPUT_SLACK-WEBHOOK-URL", "https://hooks.slack.com/one", "SLACK_WEBHOOK_URL", "https://hooks.slack.com/two")
	files := map[string]string{"openclaw-litellm.yml": "report: {heartbeat_url: https://ping.example.com/three}\n"}
	s, err := load("run", e, files)
	wantFaults(t, err, "openclaw-litellm.yml:1:25: in Actions a file in the checkout cannot choose where reports are sent; give input heartbeat-url")
	var got []string
	for _, v := range s.Secrets() {
		got = append(got, v.Reveal())
	}
	want := []string{"test-management-key", "test-github-token", "test-secrets-token", "https://hooks.slack.com/one",
		"https://hooks.slack.com/two", "https://ping.example.com/three"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, v := range s.Secrets() {
		text := v.Reveal()
		if input := text == "test-github-token" || strings.HasSuffix(text, "/one"); s.GivenAsInput(v) != input {
			t.Errorf("%q came as an input: %v", text, s.GivenAsInput(v))
		}
	}
	for _, text := range append(got, "litellm") {
		if printed := fmt.Sprintf("%+v %#v", s, *s); text != "litellm" && strings.Contains(printed, text) {
			t.Errorf("printing the settings shows %q", text)
		}
	}
	if s, _ := load("nonsense", e, nil); len(s.Secrets()) != 5 {
		t.Errorf("after a usage fault %d secrets are known, want 5", len(s.Secrets()))
	}
	if _, err := load("run", e.with("SECRETS_TOKEN", "two words"), nil); err == nil || strings.Contains(err.Error(), "two words") {
		t.Errorf("error %v", err)
	}
}

func TestConfigFile(t *testing.T) {
	one, two := "failover: {window: 2h}\n", "failover: {window: 3h}\n"
	for _, tt := range []struct {
		args  string
		files map[string]string
		want  string
	}{
		{"check", nil, ""},
		{"check", map[string]string{".github/openclaw-litellm.yml": two}, ".github/openclaw-litellm.yml"},
		{"check", map[string]string{".github/openclaw-litellm.yml": two, "openclaw-litellm.yml": one}, "openclaw-litellm.yml"},
		{"check --config other.yml", map[string]string{"other.yml": one, "openclaw-litellm.yml": one}, "other.yml"},
	} {
		if s := mustLoad(t, tt.args, shell(), tt.files); s.ConfigFile != tt.want {
			t.Errorf("%s read %q, want %q", tt.args, s.ConfigFile, tt.want)
		}
	}
	broken := func(string) ([]byte, error) { return nil, fs.ErrPermission }
	_, err := Load([]string{"check"}, func(name string) string { return shell()[name] }, broken, nil)
	wantFaults(t, err, `config: reading "openclaw-litellm.yml": permission denied; make it readable`)
}

func TestSandbox(t *testing.T) {
	fleet := []byte("owner: acme/agents\nkeys:\n  - {name: a, targets: [{repository: acme/agents, secret: A}, " +
		"{file: /tmp/key, reload: [/bin/true]}]}\nreport: {issue: {repository: acme/ops}}\n")
	e := job().with("GITHUB_EVENT_NAME", "pull_request", "OPENCLAW_LITELLM_MAX_BUDGET", "5")
	all := map[string]string{"openclaw-litellm.yml": "nonsense"}
	s, err := Load([]string{"run", "--sandbox"}, func(name string) string { return e[name] },
		func(name string) ([]byte, error) { return []byte(all[name]), nil }, fleet)
	if err != nil {
		t.Fatal(err)
	}
	if !s.Sandbox || len(s.Keys) != 1 || s.Keys[0].Name != "a" || s.Owner != "acme/agents" || s.ConfigFile != "" {
		t.Errorf("settings %+v", s)
	}
	if s.LiteLLM != (LiteLLM{}) || s.GitHub != (GitHub{}) || s.Slack != (Slack{}) {
		t.Errorf("the sandbox knows real addresses or credentials: %+v %+v %+v", s.LiteLLM, s.GitHub, s.Slack)
	}
	if s := mustLoad(t, "plan --sandbox", env{}, nil); s.Keys != nil {
		t.Errorf("keys %+v", s.Keys)
	}
	_, err = load("run --sandbox --config x.yml --max-budget 5", env{}, nil)
	wantFaults(t, err, "flag --config: the sandbox brings its own configuration; leave it out",
		"flag --max-budget: the sandbox brings its own configuration; leave it out")
}
