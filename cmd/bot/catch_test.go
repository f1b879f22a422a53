package main

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/org/openclaw-litellm-action/github/githubtest"
	"github.com/org/openclaw-litellm-action/settings"
)

// fleetConfig is three keys and everybody who can be told.
const fleetConfig = `
defaults: {max_budget: 50, budget_duration: monthly, alerts: {daily_spend: 1}}
keys:
- {name: first, targets: [{repository: acme/agents, secret: FIRST}]}
- {name: second, targets: [{repository: acme/agents, secret: SECOND}]}
- name: "for-{name}"
  for_each: {organization: acme, pattern: one-*}
  targets: [{repository: "{owner}/{name}", secret: LITELLM_API_KEY}]
`

// clumsy is a program in which one part panics, in Actions, with every surface that there is.
type clumsy struct {
	*world
	*testing.T
	env   map[string]string
	parts []string // every part that was begun, in order
}

func newClumsy(t *testing.T) *clumsy {
	c := &clumsy{world: newWorld(), T: t}
	t.Cleanup(c.close)
	c.dir = t.TempDir()
	c.github.AddRepository(githubtest.Repository{Name: "acme/one-a"})
	c.inject(fault{system: "slack", method: "*", path: "/beat/*", do: "200"})
	const private, row = `{"repository": {"private": true}}`, `{"request_id":"r","api_key":"k","model":"m","spend":1,` +
		`"startTime":"2026-03-01T10:00:00Z","endTime":"2026-03-01T10:00:01Z"}`
	for name, text := range map[string]string{"config.yml": fleetConfig, "event.json": private, "rows.jsonl": row} {
		if err := os.WriteFile(c.file(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c.env = c.environment()
	delete(c.env, "OPENCLAW_LITELLM_MAX_BUDGET")
	delete(c.env, "OPENCLAW_LITELLM_BUDGET_DURATION")
	maps.Copy(c.env, map[string]string{
		"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "schedule", "GITHUB_EVENT_PATH": c.file("event.json"),
		"GITHUB_OUTPUT": c.file("output"), "GITHUB_STEP_SUMMARY": c.file("summary"),
		"OPENCLAW_LITELLM_HEARTBEAT_URL": c.urls["slack"] + "/beat/x", "OPENCLAW_LITELLM_STATE_FILE": c.file("state.db"),
		"OPENCLAW_LITELLM_CONFIG": c.file("config.yml"), "INPUT_CONFIG": c.file("config.yml"),
	})
	return c
}

func (c *clumsy) file(name string) string { return filepath.Join(c.dir, name) }

// run runs a command in which the part named so panics; "": none.
func (c *clumsy) run(panics string, args ...string) (code int, printed, logged string) {
	c.Helper()
	var out, log bytes.Buffer
	c.parts = nil
	code = run(process{
		args: args, getenv: func(name string) string { return c.env[name] }, dir: c.dir, readFile: os.ReadFile,
		now: c.clock.now, sleep: c.clock.sleep, stop: context.Background().Done(), stdout: &out, stderr: &log,
		failpoint: func(doing string) {
			c.mu.Lock()
			c.parts = append(c.parts, doing)
			key := c.secrets["LITELLM_MASTER_KEY"]
			c.mu.Unlock()
			if doing == panics {
				panic("a mistake of ours with " + key.Reveal())
			}
		},
	})
	stray := strayCommands(out.String(), log.String(), true)
	for _, fault := range append(c.leaks(out.String(), log.String(), true), stray...) {
		c.Error(fault)
	}
	return code, out.String(), log.String()
}

// surfaces returns which surfaces the last run reached.
func (c *clumsy) surfaces(printed string) map[string]bool {
	has := func(name string) bool {
		text, err := os.ReadFile(c.file(name))
		return err == nil && len(text) > 0
	}
	pinged := slices.ContainsFunc(c.sent(), func(r request) bool { return strings.HasPrefix(r.path, "/beat/x") })
	return map[string]bool{
		"standard output": printed != "", "summary": has("summary"), "outputs": has("output"), "heartbeat": pinged,
		"Slack": len(c.slack.Messages()) > 0, "issue": len(c.github.Issues(home)) > 0,
	}
}

// alone are the parts that make a surface, so that it is missing if they panic.
func alone() map[string][]string {
	return map[string][]string{
		"rendering the report as text": {"standard output"}, "writing the report": {"standard output"},
		"writing the step summary": {"summary"}, "writing the outputs": {"outputs"},
		"sending to slack": {"Slack"}, "rendering the issue": {"issue"}, "calling a surface": {"Slack", "issue"},
		"reporting to people": {"Slack", "issue"}, "pinging the heartbeat": {"heartbeat"},
		"running the command": {"standard output", "summary", "outputs", "Slack", "issue", "heartbeat"},
	}
}

// TestAPanicStopsNothingElse makes every part of a run panic in turn. The exit code is 1 and the failure is named,
// without a secret; every surface is written but those that the part makes, and every key gets its rotation but the
// part's own.
func TestAPanicStopsNothingElse(t *testing.T) {
	t.Parallel()
	well := newClumsy(t)
	code, printed, logged := well.run("", "run")
	if code != exitOK {
		t.Fatalf("exit %d:\n%s%s", code, printed, logged)
	}
	for surface, there := range well.surfaces(printed) {
		if !there {
			t.Errorf("without a panic %s is missing", surface)
		}
	}
	parts := slices.Compact(slices.Sorted(slices.Values(well.parts)))
	if len(parts) < 30 {
		t.Errorf("%d parts: %q", len(parts), parts)
	}
	for _, part := range parts {
		t.Run(part, func(t *testing.T) {
			t.Parallel()
			c := newClumsy(t)
			code, printed, logged := c.run(part, "run")
			if code != exitFailed {
				t.Errorf("exit %d", code)
			}
			for _, want := range []string{
				"bot: .*internal error: a mistake of ours with \\[redacted\\]", "catch_test.go", // the latter is of the stack
				`msg="internal error" doing="?` + regexp.QuoteMeta(part),
			} {
				if !regexp.MustCompile(want).MatchString(logged) {
					t.Errorf("the log has no %s:\n%.2000s", want, logged)
				}
			}
			for surface, there := range c.surfaces(printed) {
				if there == slices.Contains(alone()[part], surface) {
					t.Errorf("%s is there: %v\n%s%.2000s", surface, there, printed, logged)
				}
			}
			c.othersRotated(part)
		})
	}
}

// othersRotated wants a key in every target that the part is not about.
func (c *clumsy) othersRotated(part string) {
	c.Helper()
	for key, place := range map[string]struct{ repository, secret string }{
		"first": {home, "FIRST"}, "second": {home, "SECOND"}, "for-one-a": {"acme/one-a", "LITELLM_API_KEY"},
	} {
		v, there := c.github.Secret(githubtest.Scope{Repository: place.repository}, place.secret)
		own := strings.HasSuffix(part, " "+key) || strings.Contains(part, " "+place.secret+" in "+place.repository)
		everybody := slices.Contains([]string{"rotating", "running the command", "creating the holder"}, part) ||
			(strings.Contains(part, "generation 1") && !strings.HasPrefix(part, "placing"))
		if key == "for-one-a" && strings.Contains(part, "for_each") {
			own = true
		}
		if !own && !everybody && !there {
			c.Errorf("key %s was not placed", key)
		}
		if there {
			if status, _ := c.proxy.Works(v, "backup"); status != 200 {
				c.Errorf("the target of %s holds a key that gets %d", key, status)
			}
		}
	}
}

// TestAfterAPanicTheNextRunPutsAllRight: whatever part of a run panicked, an hour later every target holds a working
// key, no claim is left, and all is well.
func TestAfterAPanicTheNextRunPutsAllRight(t *testing.T) {
	t.Parallel()
	well := newClumsy(t)
	well.run("", "run")
	for _, part := range slices.Compact(slices.Sorted(slices.Values(well.parts))) {
		t.Run(part, func(t *testing.T) {
			t.Parallel()
			c := newClumsy(t)
			c.run(part, "run")
			_ = c.clock.sleep(t.Context(), time.Hour)
			code, printed, logged := c.run("", "run")
			if code != exitOK {
				t.Errorf("exit %d:\n%s%s", code, printed, logged)
			}
			c.othersRotated("")
		})
	}
}

// TestAPanicInOtherCommands: what they could find out is printed, with exit code 1.
func TestAPanicInOtherCommands(t *testing.T) {
	t.Parallel()
	for _, command := range []string{
		"check", "plan", "keys", "report", "doctor", "report --format html", "check --format json", "check --format csv",
		"report --spend-logs ROWS",
	} {
		well := newClumsy(t)
		args := strings.Fields(strings.ReplaceAll(command, "ROWS", well.file("rows.jsonl")))
		well.run("", "run")
		if code, printed, logged := well.run("", args...); code != exitOK {
			t.Fatalf("%s: exit %d:\n%s%s", command, code, printed, logged)
		}
		for _, part := range slices.Compact(slices.Sorted(slices.Values(well.parts))) {
			t.Run(command+"/"+part, func(t *testing.T) {
				code, printed, logged := well.run(part, args...)
				if !slices.Contains(well.parts, part) {
					t.Skip("what was to be told was told before")
				}
				if code != exitFailed || !strings.Contains(logged, "internal error") {
					t.Errorf("exit %d:\n%s%s", code, printed, logged)
				}
				silent := slices.Contains([]string{"running the command", "writing the report"}, part) ||
					strings.HasPrefix(part, "rendering the report")
				if (printed == "") != silent {
					t.Errorf("printed %q", printed)
				}
			})
		}
	}
}

// TestAPanicInPublicNamesNobody: what was panicked with may name somebody, so that where everybody can read it only
// that it was, and where, is told.
func TestAPanicInPublicNamesNobody(t *testing.T) {
	t.Parallel()
	for _, part := range []string{
		"checking", "working on key first", "writing the report", "sending to slack", "running the command", "telling people",
	} {
		c := newClumsy(t)
		delete(c.env, "GITHUB_EVENT_PATH")
		code, printed, logged := c.run(part, "run")
		summary, _ := os.ReadFile(c.file("summary"))
		shown := printed + logged + string(summary) // the issue is in a repository that GitHub says is private
		said := strings.Contains(logged, "internal error; this is a bug")
		if code != exitFailed || !said || strings.Contains(shown, "a mistake of ours") {
			t.Errorf("%s: exit %d: %s", part, code, shown)
		}
	}
}

// TestAPanicInTheService ends one pass alone, which fails; the next one is well.
func TestAPanicInTheService(t *testing.T) {
	t.Parallel()
	c := newClumsy(t)
	delete(c.env, "GITHUB_ACTIONS")
	getenv := func(name string) string { return c.env[name] }
	set, err := settings.Load([]string{"serve"}, getenv, os.ReadFile, nil)
	if err != nil {
		t.Fatal(err)
	}
	var out, log safeBuffer
	panics := "checking"
	b := newBot(process{getenv: getenv, dir: c.dir, readFile: os.ReadFile, now: c.clock.now, sleep: c.clock.sleep,
		stop: context.Background().Done(), stdout: &out, stderr: &log, failpoint: func(doing string) {
			if doing == panics {
				panic("a mistake of ours")
			}
		}}, set)
	pass := b.scheduled(settings.CommandRun)
	err = pass(t.Context())
	if err == nil || !strings.Contains(err.Error(), "checking: internal error: a mistake of ours") {
		t.Errorf("the first pass: %v", err)
	}
	c.othersRotated("")
	panics = ""
	if err := pass(t.Context()); err != nil {
		t.Errorf("the second pass: %v", err)
	}
}

// TestAPanicWhileSettingsAreRead: it is said, without a secret, and is no fault of the settings.
func TestAPanicWhileSettingsAreRead(t *testing.T) {
	t.Parallel()
	var out, log bytes.Buffer
	env := map[string]string{"LITELLM_MASTER_KEY": "the-management-key", "LITELLM_BASE_URL": "https://litellm.example.com"}
	code := run(process{
		args: []string{"run"}, getenv: func(name string) string { return env[name] }, now: time.Now,
		stdout: &out, stderr: &log,
		readFile: func(name string) ([]byte, error) { panic(fmt.Sprint("reading ", name, " with the-management-key")) },
	})
	said := strings.Contains(log.String(), "bot: reading the settings: internal error: reading ")
	if code != exitFailed || out.Len() > 0 || !said || strings.Contains(log.String(), "management") {
		t.Errorf("exit %d:\n%s%s", code, out.String(), log.String())
	}
}
