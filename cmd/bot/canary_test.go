package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/finding"
	"github.com/org/openclaw-litellm-action/github/githubtest"
	"github.com/org/openclaw-litellm-action/litellm/litellmtest"
	"github.com/org/openclaw-litellm-action/report"
	"github.com/org/openclaw-litellm-action/settings"
)

// canary is a person's name wherever LiteLLM can hold one. What is looked for is the last part, in any case.
const (
	canary   = "Mallory Canarymiller (mallory@canarymiller.example, 10.99.99.99)"
	surname  = "canarymiller"
	nickname = "mallory-canarymiller"
)

// cage runs the program in a job of a public repository, against a proxy that names the canary wherever it can, and keeps
// what everybody can read apart from what insiders read.
type cage struct {
	*inside
	sign    report.Signer
	private bool   // the repository is private
	broken  string // a route that fails, "GET /user/info"; "": none
	body    string // of the failure
	status  int

	insiders strings.Builder // Slack, and the log of a private repository
}

func newCage(t *testing.T) *cage {
	c := &cage{inside: newInside(t)}
	c.sign = (&bot{set: signed(c.secrets["LITELLM_MASTER_KEY"].Reveal(), home, "")}).signer()
	front := httptest.NewServer(c.front())
	t.Cleanup(front.Close)
	c.github.AddToken(c.secrets["SECRETS_TOKEN"], githubtest.Token{Permissions: []string{"secrets=write", "contents=write"}})
	dir := t.TempDir()
	c.env = map[string]string{
		"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "schedule", "GITHUB_EVENT_PATH": "event.json", "GITHUB_WORKSPACE": dir,
		"GITHUB_STEP_SUMMARY": filepath.Join(dir, "summary"), "GITHUB_OUTPUT": filepath.Join(dir, "output"),
		"LITELLM_BASE_URL": front.URL, "OPENCLAW_LITELLM_HEARTBEAT_URL": c.urls["github"] + "/beat", "INPUT_ALLOWED-OWNERS": "acme",
		"OPENCLAW_LITELLM_LOG_LEVEL": "debug", "LITELLM_MASTER_KEY": c.secrets["LITELLM_MASTER_KEY"].Reveal(),
	}
	c.config = `
failover: {fallback_rate: 1%}
keys:
  - name: openclaw
    max_budget: 50
    budget_duration: monthly
    key_options: {aliases: {ours: backup}}
    alerts: {request_cost: 1, failure_rate: 5%, daily_spend: 5}
    targets: [{repository: acme/agents, secret: LITELLM_API_KEY}]
    repository_dispatch: acme/agents
`
	return c
}

// front is the proxy as it is, but that every answer names the canary.
func (c *cage) front() http.Handler {
	back := c.urls["litellm"]
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if method, path, _ := strings.Cut(c.broken, " "); c.broken != "" && r.Method == method && strings.HasPrefix(r.URL.Path, path) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(c.status)
			io.WriteString(w, c.body)
			return
		}
		out, _ := http.NewRequestWithContext(r.Context(), r.Method, back+r.URL.RequestURI(), r.Body)
		out.Header = r.Header
		answer, err := http.DefaultTransport.RoundTrip(out)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		defer answer.Body.Close()
		body, _ := io.ReadAll(answer.Body)
		d := json.NewDecoder(bytes.NewReader(body))
		d.UseNumber()
		var v any
		if d.Decode(&v) == nil {
			body, _ = json.Marshal(painted(v))
		}
		maps.Copy(w.Header(), answer.Header)
		w.Header().Del("Content-Length")
		w.WriteHeader(answer.StatusCode)
		w.Write(body)
	})
}

// painted is an answer of LiteLLM with the canary wherever a row can name a person, and as it was elsewhere.
func painted(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = painted(v[i])
		}
	case map[string]any:
		for name := range v {
			v[name] = painted(v[name])
		}
		_, row := v["request_id"]
		_, key := v["key_alias"]
		_, user := v["user_role"]
		var names []string
		switch {
		case row:
			names = []string{"end_user", "requester_ip_address", "request_id", "session_id", "api_base", "team_alias", "organization_id", "agent_id", "messages", "response"}
			v["request_tags"] = []any{canary}
		case key:
			names = []string{"user_email", "team_alias", "organization_id", "updated_by", "budget_id", "created_by_user", "org_id"}
			v["aliases"] = map[string]any{nickname: "backup"}
		case user:
			names = []string{"user_email", "user_alias", "sso_user_id", "organization_id"}
		}
		for _, name := range names {
			v[name] = canary
		}
		if m, ok := v["metadata"].(map[string]any); ok && (row || key || user) {
			for _, name := range []string{"note", "user_api_key_user_email", "user_api_key_team_alias", "user_api_key_org_id", "user_api_key_end_user_id", "requester_ip_address"} {
				m[name] = canary
			}
		}
		for _, name := range []string{"error_message", "traceback", "checked_by"} {
			if _, there := v[name]; there {
				v[name] = canary + ": " + fmt.Sprint(v[name])
			}
		}
	}
	return v
}

// do runs a command, whatever it exits with, and looks for the canary in everything that everybody can read.
func (c *cage) do(args ...string) string {
	c.Helper()
	env := c.environment()
	delete(env, "OPENCLAW_LITELLM_MAX_BUDGET")
	delete(env, "OPENCLAW_LITELLM_BUDGET_DURATION")
	maps.Copy(env, c.env)
	for _, name := range []string{"GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"} {
		os.Remove(env[name])
	}
	c.forget()
	c.mend()
	c.inject(fault{system: "github", method: "*", path: "/beat*", do: "200", body: "{}"})
	var out, log bytes.Buffer
	code := run(process{
		args: args, getenv: func(name string) string { return env[name] }, dir: c.TempDir(), now: c.clock.now, sleep: c.clock.sleep,
		readFile: func(name string) ([]byte, error) {
			switch name {
			case "openclaw-litellm.yml":
				return []byte(c.config), nil
			case "event.json":
				return fmt.Appendf(nil, `{"repository": {"private": %t}}`, c.private), nil
			}
			return nil, fmt.Errorf("%s: %w", name, fs.ErrNotExist)
		},
		stop: context.Background().Done(), stdout: &out, stderr: &log,
	})
	open := map[string]string{"standard output": out.String(), "standard error": log.String()}
	for _, name := range []string{"GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"} {
		text, _ := os.ReadFile(env[name])
		open[name] = string(text)
	}
	for n, one := range c.github.Issues(home) {
		open["the issue"] += one.Title + one.Body
		mem, err := report.ExtractMemory(one.Body, c.sign)
		if err != nil {
			c.Errorf("%v: the issue's memory: %v", args, err)
		}
		open["the issue's memory"] += fmt.Sprintf("%+v", mem)
		for _, comment := range c.github.Comments(home, n+1) {
			open["the issue"] += comment.Body
		}
	}
	for _, r := range c.sent() {
		if r.system == "github" {
			open["requests to GitHub and the heartbeat"] += r.path + " " + r.body + "\n"
		}
	}
	if c.private {
		c.insiders.WriteString(out.String() + log.String())
		open = map[string]string{"the heartbeat": open["requests to GitHub and the heartbeat"]}
		for _, line := range strings.Split(open["the heartbeat"], "\n") {
			if !strings.HasPrefix(line, "/beat") {
				open["the heartbeat"] = strings.Replace(open["the heartbeat"], line, "", 1)
			}
		}
	}
	for surface, text := range open {
		if at := strings.Index(strings.ToLower(text), surname); at >= 0 {
			c.Errorf("%v (broken: %q, exit code %d): %s names the canary: …%q…", args, c.broken, code, surface, text[max(0, at-200):min(len(text), at+80)])
		}
	}
	for _, m := range c.slack.Messages() {
		c.insiders.WriteString(m.Last().Text + string(m.Last().Blocks))
	}
	return out.String()
}

// later moves time on.
func (c *cage) later(d time.Duration) { _ = c.clock.sleep(c.Context(), d) }

// live lays out what a key's life can show: expensive requests, failures, fallbacks that fail too.
func (c *cage) live() {
	key, _ := c.github.Secret(githubtest.Scope{Repository: home}, "LITELLM_API_KEY")
	use := litellmtest.Usage{
		Token: key.SHA256(), Model: "primary", Spend: decimal.NewFromInt(6), PromptTokens: 1000, CompletionTokens: 100, EndUser: canary, Tags: []string{canary},
	}
	failed, lost, cooled := use, use, use
	failed.Spend, failed.Failed, failed.Model = decimal.Zero, true, "model-of-"+nickname
	lost.Spend, lost.Failed, lost.Model, lost.Served = decimal.Zero, true, "primary", "backup"
	cooled.Spend, cooled.Cooled = decimal.Zero, true
	for range 7 {
		c.proxy.Record(use)
	}
	for range 12 {
		c.proxy.Record(failed, lost)
	}
	c.proxy.Record(cooled)
	c.proxy.SetHealth("backup", false, "AuthenticationError: "+canary)
}

// TestNobodyIsNamedInPublic goes through the life of a key on a proxy that names the canary wherever it can.
func TestNobodyIsNamedInPublic(t *testing.T) {
	t.Parallel()
	for _, private := range []bool{false, true} {
		t.Run(fmt.Sprintf("private=%t", private), func(t *testing.T) {
			t.Parallel()
			c := newCage(t)
			c.private = private
			named := func(what, found string) {
				t.Helper()
				if private && !strings.Contains(strings.Join(strings.Fields(c.insiders.String()), " "), found) {
					t.Errorf("insiders are not told of %s", what)
				}
			}
			// Somebody has the alias before the key is made, and puts a row of theirs on the holder.
			c.post("/user/new", fmt.Sprintf(`{"user_id":%q,"user_role":"internal_user","auto_create_key":false}`, nickname))
			c.post("/key/generate", fmt.Sprintf(`{"key_alias":"openclaw","user_id":%q}`, nickname))
			c.do("doctor")
			c.do("plan")
			c.do("run")
			named("who has the alias", nickname)
			c.post("/key/generate", fmt.Sprintf(`{"key_alias":%q,"user_id":"openclaw-litellm/openclaw"}`, "laptop of "+nickname))
			c.later(time.Hour)
			c.live()
			for _, command := range []string{"run", "check --probe", "report --period day", "report --period day --format json", "keys", "plan", "doctor", "check --format csv"} {
				c.do(strings.Fields(command)...)
				c.later(time.Minute)
			}
			named("the foreign row's alias", "laptop of "+nickname)
			named("the end user", "Mallory Canarymiller")
			// An old generation is used after its grace, and a team takes the key.
			old, _ := c.github.Secret(githubtest.Scope{Repository: home}, "LITELLM_API_KEY")
			c.do("rotate", "--now")
			c.later(9 * 24 * time.Hour)
			c.proxy.Record(litellmtest.Usage{Token: old.SHA256(), Model: "backup", EndUser: canary, Spend: decimal.New(1, -2)})
			c.do("run")
			current, _ := c.github.Secret(githubtest.Scope{Repository: home}, "LITELLM_API_KEY")
			c.post("/team/new", fmt.Sprintf(`{"team_id":%q,"team_alias":%q}`, "team-of-"+nickname, canary))
			c.post("/key/update", fmt.Sprintf(`{"key":%q,"team_id":%q}`, current.SHA256(), "team-of-"+nickname))
			c.do("plan")
			named("the option that somebody set", "aliases is {\""+nickname)
			c.do("run")
			named("the team", "team-of-"+nickname)
			// A leak, and a stop order.
			c.do("rotate", "--compromised", "openclaw")
			current, _ = c.github.Secret(githubtest.Scope{Repository: home}, "LITELLM_API_KEY")
			c.post("/key/block", fmt.Sprintf(`{"key":%q}`, current.SHA256()))
			c.do("run")
		})
	}
}

// TestErrorsNameNobodyInPublic lets each route of LiteLLM refuse, in each of its envelopes, with the canary in the words.
func TestErrorsNameNobodyInPublic(t *testing.T) {
	t.Parallel()
	routes := []string{
		"GET /", "GET /key/info", "GET /user/info", "GET /user/list", "GET /key/list", "GET /health/latest", "GET /health/readiness", "GET /spend/logs", "GET /v1/models",
		"GET /model/info", "GET /user/daily/activity", "GET /tag/daily/activity", "POST /", "POST /user/new", "POST /user/update", "POST /key/generate",
		"POST /key/update", "POST /key/block", "POST /key/delete", "POST /v1/chat/completions",
	}
	text, _ := json.Marshal(canary)
	answers := []struct {
		status int
		body   string
	}{
		{400, fmt.Sprintf(`{"error":{"message":%s,"type":%s,"param":%s,"code":"400"}}`, text, text, text)},
		{401, fmt.Sprintf(`{"error":{"message":%s,"type":"auth_error"}}`, text)},
		{403, fmt.Sprintf(`{"detail":{"error":%s}}`, text)},
		{404, fmt.Sprintf(`{"detail":%s}`, text)},
		{422, fmt.Sprintf(`{"detail":[{"loc":["body",%s],"msg":%s}]}`, text, text)},
		{429, fmt.Sprintf(`{"error":{"message":%s,"type":"budget_exceeded"}}`, text)},
		{500, canary}, {500, "Internal Server Error " + canary},
		{503, fmt.Sprintf(`{"status":"healthy","db":%s}`, text)},
		{302, ""},
		{200, "<html>" + canary}, {200, fmt.Sprintf(`{"info":{"spend":%s},"keys":%s,"data":%s,"user_info":%s}`, text, text, text, text)},
	}
	for n, route := range routes {
		t.Run(strings.ReplaceAll(route, "/", "_"), func(t *testing.T) {
			t.Parallel()
			c := newCage(t)
			c.do("run")
			c.live()
			for i, a := range answers {
				if (i+n)%3 != 0 && n > 0 {
					continue // neighbours differ little; the first route, every read, goes through all
				}
				c.broken, c.status, c.body = route, a.status, a.body
				c.later(time.Hour)
				c.do("run")
				c.do([][]string{{"check", "--probe"}, {"rotate", "--now"}, {"report", "--period", "day"}, {"doctor"}, {"keys"}, {"plan"}}[i%6]...)
			}
			if !strings.Contains(strings.ToLower(c.insiders.String()), surname) {
				t.Error("Slack never says what the proxy said, so that this proves little")
			}
		})
	}
}

// TestExportsNameNobodyInPublic: an export has the aliases, users and tags of everybody who uses the proxy.
func TestExportsNameNobodyInPublic(t *testing.T) {
	t.Parallel()
	c := newCage(t)
	rows := filepath.Join(t.TempDir(), "rows.jsonl")
	row, _ := json.Marshal(map[string]any{
		"request_id": canary, "api_key": strings.Repeat("a", 64), "spend": 3, "startTime": "2025-11-01T10:00:00Z", "end_user": canary, "request_tags": []string{canary},
		"user": canary, "team_id": canary, "requester_ip_address": canary, "model": "gpt", "status": "failure",
		"metadata": map[string]any{"user_api_key_alias": nickname, "error_information": map[string]any{"error_message": canary, "error_class": "Timeout"}},
	})
	if err := os.WriteFile(rows, bytes.Repeat(append(row, '\n'), 12), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"text", "json", "csv", "markdown", "html"} {
		c.do("report", "--spend-logs", rows, "--format", format, "--alert-request-cost", "1", "--max-budget", "10")
	}
	c.private = true
	if out := c.do("report", "--spend-logs", rows); !strings.Contains(out, nickname) {
		t.Errorf("insiders do not read whose key it is:\n%s", out)
	}
}

// TestNamesInTheLog: where everybody can read the log, an error is logged in its public words and who is left out.
func TestNamesInTheLog(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("reading: %w", finding.Naming(errors.New("refused"), canary))
	for event, named := range map[string]bool{`{"repository":{"private":false}}`: false, `{"repository":{"private":true}}`: true, `{}`: false} {
		for _, format := range []string{"text", "json"} {
			var log bytes.Buffer
			b := newBot(process{
				stderr: &log, getenv: func(name string) string { return map[string]string{"GITHUB_EVENT_PATH": "event.json"}[name] },
				readFile: func(string) ([]byte, error) { return []byte(event), nil },
			}, &settings.Settings{InActions: true, Log: settings.Log{Format: format}})
			b.newLog().With("error", err).WithGroup("g").Warn("reading failed", "error", err, "who", canary, "key", "openclaw")
			if text := log.String(); strings.Contains(text, surname) != named || !strings.Contains(text, "reading: refused") || !strings.Contains(text, "openclaw") {
				t.Errorf("%s, %s: %s", event, format, text)
			}
		}
	}
}
