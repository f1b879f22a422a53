package main

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/org/openclaw-litellm-action/github/githubtest"
	"github.com/org/openclaw-litellm-action/secret"
)

// manner is how the program is used: what may carry a secret out differs.
type manner struct {
	actions bool   // as an Action: mask lines, annotations, step summary, outputs
	webhook bool   // Slack by webhook, the memory in the journal; else by bot token, the memory in the issue
	log     string // format and level
	format  string // of the result, which goes to a file
	app     bool   // a GitHub App writes secrets; else a token
}

// manners are all of them; scenarios take turns.
func manners() []manner {
	var all []manner
	for _, actions := range []bool{true, false} {
		for _, webhook := range []bool{false, true} {
			for _, log := range []string{"text/debug", "json/debug", "text/info", "json/error", "text/warn"} {
				for _, format := range []string{"text", "json", "markdown"} {
					all = append(all, manner{actions, webhook, log, format, len(all)%3 == 1})
				}
			}
		}
	}
	return all
}

func (m manner) String() string {
	return fmt.Sprintf("actions=%v webhook=%v log=%s format=%s app=%v", m.actions, m.webhook, m.log, m.format, m.app)
}

// breakage is what goes wrong, for all requests that match.
type breakage struct {
	system, method, path, do string
	body                     string
}

// breakages are each way to fail on each route that a pass takes.
func breakages() []breakage {
	routes := map[string][]string{
		"litellm": {"* /*", "GET /key/info", "GET /user/info", "GET /key/list", "POST /user/new", "POST /key/generate", "POST /key/update",
			"POST /key/delete", "POST /key/block", "POST /user/update", "GET /v1/models", "GET /health/*", "GET /spend/*"},
		"github": {"* /*", "GET /repos/acme/agents/actions/*", "PUT /repos/acme/agents/actions/*",
			"GET /repos/acme/agents/issues", "POST /repos/acme/agents/issues*", "PATCH /repos/acme/agents/issues/*", "* /graphql", "* /app/*"},
		"slack": {"* /*", "* /api/chat.update", "POST /services/*", "* /beat/*"},
	}
	const echo = `{"error":{"message":$SHOWN,"type":"auth_error","param":$SENT,"code":"400"},"detail":$SENT,"message":$SHOWN,"ok":false}`
	ways := []breakage{{do: "lost"}, {do: "unanswered"}, {do: "half"}, {do: "html"}, {do: "echo"}, {do: "redirect", body: "http://127.0.0.1:1/?again"}}
	for _, status := range []string{"200", "401", "403", "404", "422", "429", "502"} {
		ways = append(ways, breakage{do: status, body: echo})
	}
	var all []breakage
	for _, system := range []string{"litellm", "github", "slack"} {
		for _, route := range routes[system] {
			method, path, _ := strings.Cut(route, " ")
			for _, way := range ways {
				way.system, way.method, way.path = system, method, path
				all = append(all, way)
			}
		}
	}
	return all
}

// mute reports whether the answer repeats nothing that it was sent.
func (b breakage) mute() bool { return b.body == "" && b.do != "html" && b.do != "echo" }

// TestNothingSecretComesOut breaks every route in every way, while a key is made, and again while it is replaced, and
// looks for every secret in everything that the program, the proxy, GitHub and Slack show.
func TestNothingSecretComesOut(t *testing.T) {
	t.Parallel()
	all := manners()
	for i, b := range breakages() {
		m := all[(i*7)%len(all)]
		m.app = m.app || strings.HasPrefix(b.path, "/app")
		t.Run(fmt.Sprintf("%s %s %s %s", b.system, b.method, strings.ReplaceAll(b.path, "/", "_"), b.do), func(t *testing.T) {
			t.Parallel()
			s := newSecretive(t, m)
			s.inject(b)
			s.run("run")
			if b.mute() {
				return // the same silence gives the same words later
			}
			s.mend()
			s.later(time.Hour)
			s.run("run")
			s.later(31 * 24 * time.Hour)
			s.inject(b)
			s.run("run")
		})
	}
}

// TestNothingSecretComesOutOfAnyCommand goes through the commands, in every manner, with nothing broken but a model whose
// health check repeats the management key.
func TestNothingSecretComesOutOfAnyCommand(t *testing.T) {
	t.Parallel()
	for i, m := range manners() {
		if i%4 != 0 {
			continue // neighbours differ little
		}
		t.Run(strings.ReplaceAll(m.String(), "/", "-"), func(t *testing.T) {
			t.Parallel()
			s := newSecretive(t, m)
			s.proxy.SetHealth("backup", false, "AuthenticationError: "+s.secrets["LITELLM_MASTER_KEY"].Reveal())
			s.run("plan")
			s.run("run")
			if _, placed := s.github.Secret(githubtest.Scope{Repository: home}, "LITELLM_API_KEY"); !placed {
				t.Error("no key was placed, so that this proves little")
			}
			s.later(time.Hour)
			for _, args := range []string{"rotate --now", "check --fail-on warning", "report --period month", "keys", "run --only check,report", "run --max-budget 0", "nonsense"} {
				s.run(strings.Fields(args)...)
			}
		})
	}
}

// secretive is a world and the program in this process, with everything that it prints.
type secretive struct {
	*world
	t      *testing.T
	manner manner
	env    map[string]string

	mu             sync.Mutex
	stdout, stderr bytes.Buffer // of the current run
}

func newSecretive(t *testing.T, m manner) *secretive {
	s := &secretive{world: newWorld(), t: t, manner: m}
	t.Cleanup(s.close)
	s.dir = t.TempDir()
	s.secrets["HEARTBEAT"] = secret.New(s.urls["slack"] + "/beat/nobody-is-to-see-this-path")
	s.env = s.environment()
	s.env["OPENCLAW_LITELLM_HEARTBEAT_URL"] = s.secrets["HEARTBEAT"].Reveal()
	s.env["OPENCLAW_LITELLM_LOG_FORMAT"], s.env["OPENCLAW_LITELLM_LOG_LEVEL"], _ = strings.Cut(m.log, "/")
	s.env["OPENCLAW_LITELLM_KEY_FILE"] = filepath.Join(s.dir, "litellm.key")
	s.env["OPENCLAW_LITELLM_SECRET_NAME"] = "LITELLM_API_KEY"
	s.env["OPENCLAW_LITELLM_OUTPUT"] = filepath.Join(s.dir, "result")
	s.env["OPENCLAW_LITELLM_FORMAT"] = m.format
	if m.webhook {
		delete(s.env, "SLACK_BOT_TOKEN")
		delete(s.env, "SLACK_CHANNEL")
		delete(s.env, "OPENCLAW_LITELLM_ISSUE_REPOSITORY")
		s.env["SLACK_WEBHOOK_URL"] = s.secrets["WEBHOOK"].Reveal()
	}
	if m.app {
		s.useApp()
	}
	if m.actions {
		maps.Copy(s.env, map[string]string{
			"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "schedule", "GITHUB_WORKSPACE": s.dir,
			"GITHUB_OUTPUT": filepath.Join(s.dir, "output"), "GITHUB_STEP_SUMMARY": filepath.Join(s.dir, "summary"),
		})
	}
	s.onMint = s.wantMasked
	return s
}

// appKey is a private key that is nobody's; making one takes a while.
var appKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// useApp lets a GitHub App write secrets. Each line of its key is a secret.
func (s *secretive) useApp() {
	key := appKey()
	text := string(pem.EncodeToMemory(&pem.Block{Type: "RSA " + "PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
	for i, line := range strings.Split(strings.TrimSpace(text), "\n") {
		if !strings.HasPrefix(line, "-") {
			s.secrets[fmt.Sprintf("line %d of the App's key", i+1)] = secret.New(line)
		}
	}
	s.github.AddApp(githubtest.App{ID: 7, Key: &key.PublicKey})
	s.github.Install(7, "acme", githubtest.Token{Permissions: []string{"secrets=write"}})
	s.env["SECRETS_TOKEN"], s.env["OPENCLAW_LITELLM_APP_ID"], s.env["OPENCLAW_LITELLM_APP_PRIVATE_KEY"] = "", "7", text
}

func (s *secretive) inject(b breakage) {
	s.world.inject(fault{system: b.system, method: b.method, path: b.path, do: b.do, body: b.body, header: http.Header{}})
}

func (s *secretive) later(d time.Duration) { _ = s.clock.sleep(s.t.Context(), d) }

// Write takes standard error, so that it can be looked at while the program runs.
func (s *secretive) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stderr.Write(p)
}

// wantMasked is called with each key before LiteLLM has it: by then the runner must have been told to hide it.
func (s *secretive) wantMasked(key secret.Value) {
	s.mu.Lock()
	defer s.mu.Unlock()
	mask := "::add-mask::" + key.Reveal() + "\n"
	before, _, found := strings.Cut(s.stderr.String(), mask)
	if s.manner.actions && (!found || strings.Contains(before, key.Reveal())) {
		s.t.Errorf("%s: a key is sent to LiteLLM and not masked first", s.manner)
	}
}

// run runs the program and looks for secrets everywhere.
func (s *secretive) run(args ...string) {
	s.t.Helper()
	s.forget()
	s.stdout.Reset()
	s.stderr.Reset()
	clock := &stillClock{at: s.clock.now()}
	code := run(process{
		args: args, getenv: func(name string) string { return s.env[name] }, dir: s.dir,
		now: clock.now, sleep: clock.sleep, stop: s.t.Context().Done(), stdout: &s.stdout, stderr: s,
	})
	stdout, stderr := s.stdout.String(), s.stderr.String()
	stray := strayCommands(stdout, stderr, s.manner.actions)
	for _, fault := range append(s.leaks(stdout, stderr, s.manner.actions), stray...) {
		s.t.Errorf("%s: bot %s (exit code %d): %s", s.manner, strings.Join(args, " "), code, fault)
	}
	s.wantMasks(args, code)
}

// wantMasks wants one mask line for each secret that the program was given, before all else on standard error; none of
// a command that was refused, and none outside Actions. Standard output is the result alone.
func (s *secretive) wantMasks(args []string, code int) {
	s.t.Helper()
	if strings.Contains(s.stdout.String(), "add-mask") {
		s.t.Errorf("%s: bot %s masks on standard output", s.manner, strings.Join(args, " "))
	}
	lines := strings.SplitAfter(s.stderr.String(), "\n")
	masks := map[string]int{}
	first := 0 // how many mask lines come before all else
	for i, line := range lines {
		if strings.HasPrefix(line, "::add-mask::") {
			masks[line]++
			if i == first {
				first++
			}
		}
	}
	given := s.given()
	switch {
	case !s.manner.actions:
		given = nil
	case code == exitUsage && len(masks) == 0:
		return
	}
	for line, n := range masks {
		if n > 1 || !s.manner.actions {
			s.t.Errorf("%s: bot %s prints a mask line %d times", s.manner, strings.Join(args, " "), n)
		}
		if strings.HasPrefix(line, "::add-mask::-----") {
			s.t.Errorf("%s: bot %s masks what is no secret", s.manner, strings.Join(args, " "))
		}
	}
	for _, v := range given {
		if !slices.Contains(lines[:first], "::add-mask::"+v.Reveal()+"\n") {
			s.t.Errorf("%s: bot %s does not begin with a mask of a secret that it was given", s.manner, strings.Join(args, " "))
		}
	}
}

// given returns the secrets that the environment holds, line by line.
func (s *secretive) given() []secret.Value {
	var given []secret.Value
	for _, v := range s.everySecret() {
		for name, text := range s.env {
			if name != "WEBHOOK" && slices.Contains(strings.Split(text, "\n"), v.Reveal()) { // WEBHOOK is for scripts to pass on
				given = append(given, v)
				break
			}
		}
	}
	return given
}
