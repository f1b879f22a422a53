package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/rotate"
	"github.com/org/openclaw-litellm-action/secret"
)

// The real OpenClaw before real LiteLLM. Behind the proxy a stand-in answers for the providers.
//
//	OPENCLAW_LIVE  the folder with the scripts openclaw, gateway-up and gateway-down; besides what live() needs

// standIn answers as a provider of chat and image models does, and counts what it is asked.
type standIn struct {
	url string

	mu     sync.Mutex
	asked  map[string]int // :: path → requests
	serial int
	began  time.Time
}

// usage is what the stand-in says that every chat took: most of the prompt out of its cache.
const usage = `{"prompt_tokens": 1200, "completion_tokens": 34, "total_tokens": 1234, "prompt_tokens_details": {"cached_tokens": 1000}}`

// onePixel is a picture, as image models give it.
const onePixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

func newStandIn(t *testing.T) *standIn {
	s := &standIn{asked: map[string]int{}, began: time.Now()}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.url = server.URL + "/v1"
	return s
}

func (s *standIn) count(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[path]
}

func (s *standIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.asked[r.URL.Path]++
	s.serial++
	id := fmt.Sprintf("%x-%d", s.began.UnixNano(), s.serial) // LiteLLM books an answer by its id, once
	s.mu.Unlock()
	var q struct {
		Model  string `json:"model"`
		Stream bool   `json:"stream"`
	}
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	switch chunk := fmt.Sprintf(`"id": %q, "created": 1, "model": %q`, id, q.Model); {
	case r.URL.Path == "/v1/images/generations":
		fmt.Fprintf(w, `{"created": 1, "data": [{"b64_json": %q}]}`, onePixel)
	case q.Stream:
		w.Header().Set("Content-Type", "text/event-stream")
		for _, part := range []string{
			`"choices": [{"index": 0, "delta": {"role": "assistant", "content": "pong of ` + q.Model + `"}, "finish_reason": null}]`,
			`"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]`,
			`"choices": [], "usage": ` + usage,
		} {
			fmt.Fprintf(w, "data: {\"object\": \"chat.completion.chunk\", %s, %s}\n\n", chunk, part)
		}
		fmt.Fprint(w, "data: [DONE]\n\n")
	default:
		fmt.Fprintf(w, `{"object": "chat.completion", %s, "usage": %s, "choices": [{"index": 0, "finish_reason": "stop",
			"message": {"role": "assistant", "content": "pong of %s"}}]}`, chunk, usage, q.Model)
	}
}

// withModels starts another process of a real proxy that has the models of testdata/openclaw/litellm.yaml, with further
// lines in its configuration.
func (p liveProxy) withModels(t *testing.T, s *standIn, more string) liveProxy {
	t.Helper()
	config, err := os.ReadFile("testdata/openclaw/litellm.yaml")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "config.yaml")
	if err := os.WriteFile(file, append(config, more...), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if pid, err := os.ReadFile(filepath.Join(dir, "pid")); err == nil {
			if n, err := strconv.Atoi(strings.TrimSpace(string(pid))); err == nil {
				_ = syscall.Kill(n, syscall.SIGTERM) // it may have ended
			}
		}
	})
	start := exec.Command("../../.ci/second-proxy", p.version, dir, file)
	start.Env = append(os.Environ(), "STAND_IN_PROVIDER="+s.url, "LITELLM_LIVE_MASTER_KEY="+p.master.Reveal())
	var said bytes.Buffer
	start.Stderr = &said
	url, err := start.Output()
	if err != nil {
		t.Fatalf("starting LiteLLM %s with models of its own: %v\n%s", p.version, err, said.String())
	}
	p.url = strings.TrimSpace(string(url))
	return p
}

// claw is an OpenClaw in a home of its own, with a logical key in a file there.
type claw struct {
	*testing.T
	proxy liveProxy
	look  *litellm.Client
	live  string // OPENCLAW_LIVE
	home  string
	path  string // folder with the commands bot and openclaw, which work in this home
	key   string // name of the logical key
}

// newClaw makes the home. No key is minted yet.
func newClaw(t *testing.T, bin string, p liveProxy) *claw {
	c := &claw{T: t, proxy: p, live: os.Getenv("OPENCLAW_LIVE"), home: t.TempDir(), path: t.TempDir()}
	c.key = fmt.Sprintf("claw-%x", time.Now().UnixNano())
	c.look = &litellm.Client{BaseURL: p.url, Key: p.master, HTTP: &http.Client{Transport: &http.Transport{}}}
	cli := fmt.Sprintf("#!/bin/bash\nexport OPENCLAW_SANDBOX=%q HOME=%q XDG_CACHE_HOME=%q PATH=/usr/local/bin:/usr/bin:/bin\nexec %q \"$@\"\n",
		c.home, os.Getenv("HOME"), os.Getenv("XDG_CACHE_HOME"), filepath.Join(c.live, "openclaw"))
	c.write(filepath.Join(c.path, "openclaw"), cli, 0o755)
	if err := os.Symlink(bin, filepath.Join(c.path, "bot")); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(c.home, ".openclaw"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx := context.Background()
		keys, _ := c.look.Keys(ctx, rotate.HolderID(c.key))
		for _, k := range keys {
			_ = c.look.DeleteKey(ctx, k.Token)
		}
		_ = c.look.DeleteUser(ctx, rotate.HolderID(c.key))
		c.look.HTTP.CloseIdleConnections()
	})
	return c
}

func (c *claw) write(file, text string, mode os.FileMode) {
	c.Helper()
	if err := os.WriteFile(file, []byte(text), mode); err != nil {
		c.Fatal(err)
	}
}

// file is a path in OpenClaw's folder.
func (c *claw) file(name string) string { return filepath.Join(c.home, ".openclaw", name) }

// env is all that commands see.
func (c *claw) env() []string {
	return []string{"HOME=" + c.home, "PATH=" + c.path + ":/usr/local/bin:/usr/bin:/bin",
		"LITELLM_BASE_URL=" + c.proxy.url, "LITELLM_MASTER_KEY=" + c.proxy.master.Reveal(),
		"OPENCLAW_LITELLM_LOG_LEVEL=error"}
}

// try runs a command in the home and returns what it printed, and whether it succeeded.
func (c *claw) try(name string, args ...string) (stdout, stderr string, err error) {
	ctx, cancel := context.WithTimeout(c.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(c.path, name), args...)
	cmd.Dir, cmd.Env = c.home, c.env()
	var out, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &log
	err = cmd.Run()
	return out.String(), log.String(), err
}

// do runs a command that has to succeed.
func (c *claw) do(name string, args ...string) string {
	c.Helper()
	out, log, err := c.try(name, args...)
	if err != nil {
		c.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, out, tail(log))
	}
	return out
}

func tail(text string) string { return text[max(0, len(text)-4000):] }

// mint configures the key with its file and mints the first generation.
func (c *claw) mint() {
	c.Helper()
	c.write(filepath.Join(c.home, "openclaw-litellm.yml"), fmt.Sprintf(`owner: my-laptop
keys:
  - name: %s
    max_budget: 50
    budget_duration: monthly
    targets:
      - {file: %s, reload: [%s, secrets, reload, --json]}
`, c.key, c.file("litellm.key"), filepath.Join(c.path, "openclaw")), 0o600)
	c.try("bot", "rotate") // no gateway runs, so that reloading fails
	if c.value().IsZero() {
		c.Fatal("no key was minted")
	}
}

// configure writes OpenClaw's configuration as the bot prints it.
func (c *claw) configure(args ...string) {
	c.Helper()
	aside := c.file("openclaw.json.new")
	c.write(aside, c.do("bot", append([]string{"openclaw", "config", "--key-file", c.file("litellm.key")}, args...)...), 0o600)
	if err := os.Rename(aside, c.file("openclaw.json")); err != nil {
		c.Fatal(err)
	}
}

// reconfigure writes another configuration and waits until the gateway has seen it.
func (c *claw) reconfigure(args ...string) {
	c.Helper()
	seen := func() int {
		log, _ := os.ReadFile(filepath.Join(c.home, "gateway.log"))
		return bytes.Count(log, []byte("config hot reload applied"))
	}
	before := seen()
	c.configure(args...)
	for began := time.Now(); seen() == before; time.Sleep(200 * time.Millisecond) {
		if time.Since(began) > time.Minute {
			c.Fatal("the gateway does not see its new configuration")
		}
	}
}

// value is what the key file holds.
func (c *claw) value() secret.Value {
	content, _ := os.ReadFile(c.file("litellm.key"))
	return secret.New(strings.TrimSpace(string(content)))
}

// gateway starts OpenClaw's gateway, until the test ends.
func (c *claw) gateway() {
	c.Helper()
	c.Cleanup(func() { _ = exec.Command(filepath.Join(c.live, "gateway-down"), c.home).Run() })
	if out, err := exec.Command(filepath.Join(c.live, "gateway-up"), c.home).CombinedOutput(); err != nil {
		c.Fatalf("starting the gateway: %v\n%s", err, out)
	}
}

// rows are the calls of a key since a time, the newest first. It waits until there are so many.
func (c *claw) rows(token string, since time.Time, atLeast int) []litellm.SpendLog {
	c.Helper()
	for began := time.Now(); ; time.Sleep(500 * time.Millisecond) {
		var rows []litellm.SpendLog
		q := litellm.LogQuery{From: since.Add(-time.Second), To: time.Now().Add(time.Minute), Token: token, Descending: true}
		for row, err := range c.look.SpendLogs(c.Context(), q) {
			if err != nil {
				c.Fatal(err)
			}
			rows = append(rows, row)
		}
		if len(rows) >= atLeast {
			return rows
		}
		if time.Since(began) > 2*time.Minute {
			c.Fatalf("%d calls are in the spend logs, not %d", len(rows), atLeast)
		}
	}
}

// spent sums what calls cost.
func spent(rows []litellm.SpendLog) decimal.Decimal {
	sum := decimal.Zero
	for _, r := range rows {
		sum = sum.Add(r.Spend)
	}
	return sum
}
