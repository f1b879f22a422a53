package settings

import (
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTrustedEvents has every event of GitHub's documentation, and some that are none.
func TestTrustedEvents(t *testing.T) {
	trusted := []string{"schedule", "workflow_dispatch", "push", "repository_dispatch", "release"}
	others := strings.Fields(`branch_protection_rule check_run check_suite create delete deployment deployment_status discussion
		discussion_comment fork gollum image_version issue_comment issues label merge_group milestone page_build public
		pull_request pull_request_comment pull_request_review pull_request_review_comment pull_request_target
		registry_package status watch workflow_call workflow_run Push SCHEDULE dynamic made_up`)
	for _, event := range append(others, " push", "push ", "push,pull_request") {
		if TrustedEvent(event) {
			t.Errorf("%q is trusted", event)
		}
		_, err := load("run", job().with("GITHUB_EVENT_NAME", event), nil)
		if err == nil || !strings.Contains(err.Error(), "GITHUB_EVENT_NAME") {
			t.Errorf("run on %q: %v", event, err)
		}
	}
	mustLoad(t, "run", job().with("GITHUB_EVENT_NAME", ""), nil) // no runner: it always names one
	for _, event := range trusted {
		if !TrustedEvent(event) {
			t.Errorf("%q is not trusted", event)
		}
		mustLoad(t, "run", job().with("GITHUB_EVENT_NAME", event), nil)
	}
}

func TestUntrustedEventRefusesEveryCommand(t *testing.T) {
	for _, event := range []string{"merge_group", "made_up"} {
		testRefusedEvent(t, job().with("GITHUB_EVENT_NAME", event), "environment GITHUB_EVENT_NAME: commands that use credentials "+
			"do not run on event "+strconv.Quote(event)+": someone without write access may have caused it; "+
			"start the job on schedule, workflow_dispatch, push, repository_dispatch, release")
	}
}

func testRefusedEvent(t *testing.T, e env, fault string) {
	t.Helper()
	for _, c := range commands() {
		s, err := load(c.name, e, map[string]string{"openclaw-litellm.yml": "not: [even, read"})
		if c.name == CommandVersion {
			wantFaults(t, err)
			continue
		}
		if len(s.Secrets()) == 0 || s.ConfigFile != "" {
			t.Errorf("%s: %d secrets, read %q", c.name, len(s.Secrets()), s.ConfigFile)
		}
		if c.name == CommandServe {
			wantFaults(t, err, "command line: serve never ends, which a job in Actions has to; use run on a schedule", fault)
			continue
		}
		wantFaults(t, err, fault)
	}
	mustLoad(t, "run --sandbox", e, nil)
	mustLoad(t, "report --spend-logs rows.json", e, nil)
	mustLoad(t, "openclaw lint openclaw.json", e, nil)
	mustLoad(t, "run", e.with("GITHUB_ACTIONS", ""), nil) // the name alone, left in somebody's shell
}

func TestKeyDestination(t *testing.T) {
	const path = "openclaw-litellm.yml"
	file := map[string]string{path: "litellm: {base_url: https://elsewhere.example.com/v1/}\n"}
	here, noURL := shell().with("LITELLM_BASE_URL", ""), job().with("LITELLM_BASE_URL", "")
	const what = path + ":1:21: the management key is not sent to an address that a checkout can choose; "
	_, err := load("check", here, file)
	wantFaults(t, err, what+"give flag --litellm-base-url or environment LITELLM_BASE_URL, or name the file with --config")
	for _, args := range []string{"check", "check --config " + path} {
		_, err = load(args, noURL, file)
		wantFaults(t, err, what+"give input litellm-base-url or environment LITELLM_BASE_URL")
	}
	if s := mustLoad(t, "check --config "+path, here, file); s.LiteLLM.BaseURL != "https://elsewhere.example.com" {
		t.Errorf("base URL %q", s.LiteLLM.BaseURL)
	}
	for _, e := range []env{shell(), job(), noURL.with("INPUT_LITELLM-BASE-URL", "https://litellm.example.com")} {
		if s := mustLoad(t, "check", e, file); s.LiteLLM.BaseURL != "https://litellm.example.com" {
			t.Errorf("base URL %q", s.LiteLLM.BaseURL)
		}
	}
}

func TestFileInActions(t *testing.T) {
	const f = "openclaw-litellm.yml:"
	run := func(content string, e env) error {
		_, err := load("run", e, map[string]string{"openclaw-litellm.yml": content})
		return err
	}
	reload := target("file: k, reload: [/bin/true]")
	wantFaults(t, run(reload, shell()))
	wantFaults(t, run(reload, job()), f+"4:24: a command from a file is not run in Actions; leave reload out, and reload in a step of the workflow")

	mustLoad(t, "check", job(), map[string]string{"openclaw-litellm.yml": target("file: /etc/key, reload: [/bin/true]")})

	issue := "report: {issue: {repository: evil/ops}}\n" + target("file: k")
	wantFaults(t, run(issue, shell().with("GITHUB_TOKEN", "t")))
	wantFaults(t, run(issue, job()), f+"1:30: in Actions a file cannot send notices to another repository; give input issue-repository")
	wantFaults(t, run("report: {issue: {repository: Acme/Agents}}\n"+target("file: k"), job()))
	wantFaults(t, run(issue, job().with("INPUT_ISSUE-REPOSITORY", "acme/ops")))

	const outside = ": in Actions a key file outside the workspace is not written; write a path inside the workspace, such as .openclaw/litellm.key"
	wantFaults(t, run(target("file: /etc/key"), shell()))
	wantFaults(t, run(target("file: /etc/key"), job()), f+"4:12"+outside)
	wantFaults(t, run("owner:\n", job().with("INPUT_KEY-FILE", "../key")), "input key-file"+outside)
	wantFaults(t, run("owner:\n", job().with("INPUT_KEY-FILE", "/github/workspace/../key")), "input key-file"+outside)
	wantFaults(t, run("owner:\n", job().with("INPUT_KEY-FILE", "/github/workspace2/key")), "input key-file"+outside)
	wantFaults(t, run("owner:\n", job().with("INPUT_KEY-FILE", "/github/workspace/a/../key")))
	wantFaults(t, run("owner:\n", job().with("INPUT_KEY-FILE", ".openclaw/key")))
	wantFaults(t, run("owner:\n", job().with("INPUT_KEY-FILE", "/key", "GITHUB_WORKSPACE", "")), "input key-file"+outside)
}

func TestPlainHTTPWarns(t *testing.T) {
	s := mustLoad(t, "check", shell().with("LITELLM_BASE_URL", "http://litellm:4000/v1"), nil)
	want := []string{"environment LITELLM_BASE_URL: plain http to litellm: anyone on that network can read the credentials"}
	if diff := cmp.Diff(want, s.Warnings); diff != "" || s.LiteLLM.BaseURL != "http://litellm:4000" {
		t.Errorf("base URL %q, warnings differ: %s", s.LiteLLM.BaseURL, diff)
	}
	s = mustLoad(t, "check", job().with("LITELLM_BASE_URL", "http://litellm:4000/v1"), nil)
	want = []string{"environment LITELLM_BASE_URL: plain http: anyone on that network can read the credentials"}
	if diff := cmp.Diff(want, s.Warnings); diff != "" {
		t.Errorf("in a job, whose log may be public, warnings differ: %s", diff)
	}
	for name, to := range map[string]string{
		"SLACK_WEBHOOK_URL": "", "OPENCLAW_LITELLM_HEARTBEAT_URL": "", // secrets, of which nothing is named
		"SLACK_API_URL": ` to "example.com"`, "GITHUB_API_URL": ` to "example.com"`,
	} {
		_, err := load("check", shell().with(name, "http://example.com/secret-part"), nil)
		wantFaults(t, err, "environment "+name+`: plain http`+to+` would show credentials to the network; use https://`)
	}
	s = mustLoad(t, "check", shell().with("OPENCLAW_LITELLM_HEARTBEAT_URL", "http://ping.internal/secret-part"), nil)
	want = []string{"environment OPENCLAW_LITELLM_HEARTBEAT_URL: plain http: anyone on that network can read the credentials"}
	if diff := cmp.Diff(want, s.Warnings); diff != "" {
		t.Error(diff)
	}
}

// TestFaultsShowNoCredential puts credentials where they do not belong and wants no fault to repeat them.
func TestFaultsShowNoCredential(t *testing.T) {
	const planted = "sk-planted-credential"
	for _, content := range []string{
		"litellm: {master_key: " + planted + "}\n", planted + ": 1\n", planted + "\n", "keys: " + planted + "\n",
		"litellm: {base_url: https://me:" + planted + "@host}\n", "failover: {window: " + planted + "}\n",
		"a: " + planted + "\n b: [\n", "x: &" + planted + " 1\ny: &" + planted + " 2\n", "x: *" + planted + "\n",
		target("repository: " + planted + ", secret: " + planted), key("  key_options: {team_id: [" + planted + "]}\n"),
		key("  name: " + planted + "!\n"), "{" + planted + ": 1, " + planted + ": 2}\n",
	} {
		_, err := load("run", shell().with("LITELLM_BASE_URL", ""), map[string]string{"openclaw-litellm.yml": content})
		if err == nil {
			t.Errorf("%q is taken", content)
			continue
		}
		if got := err.Error(); len(got) == 0 || contains(got, planted) {
			t.Errorf("%q: the fault shows the credential: %s", content, got)
		}
	}
}
