package main

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"maps"
	"testing"

	"github.com/org/openclaw-litellm-action/github/githubtest"
)

// inside runs the program in the test's own process, in a world, with a configuration file in memory.
type inside struct {
	*testing.T
	*world
	config string            // openclaw-litellm.yml; "": none
	env    map[string]string // on top of the world's
	files  map[string]string // others in memory, by name
	stop   <-chan struct{}
}

func newInside(t *testing.T) *inside {
	w := newWorld()
	t.Cleanup(w.close)
	return &inside{T: t, world: w, env: map[string]string{}}
}

// run runs a command, wants its exit code, and returns what it printed.
func (i *inside) run(want int, args ...string) (printed, logged string) {
	i.Helper()
	env := i.environment()
	if i.config != "" {
		delete(env, "OPENCLAW_LITELLM_MAX_BUDGET")
		delete(env, "OPENCLAW_LITELLM_BUDGET_DURATION")
	}
	maps.Copy(env, i.env)
	var out, log bytes.Buffer
	i.forget()
	code := run(process{
		args: args, getenv: func(name string) string { return env[name] }, dir: i.TempDir(), now: i.clock.now, sleep: i.clock.sleep,
		readFile: func(name string) ([]byte, error) {
			if name == "openclaw-litellm.yml" && i.config != "" {
				return []byte(i.config), nil
			}
			if text, ok := i.files[name]; ok {
				return []byte(text), nil
			}
			return nil, fmt.Errorf("%s: %w", name, fs.ErrNotExist)
		},
		stop: or(i.stop, context.Background().Done()), stdout: &out, stderr: &log,
	})
	if code != want {
		i.Fatalf("%v exits with %d, not %d:\n%s%s", args, code, want, out.String(), log.String())
	}
	for what, v := range i.everySecret() {
		if bytes.Contains(out.Bytes(), []byte(v.Reveal())) || bytes.Contains(log.Bytes(), []byte(v.Reveal())) {
			i.Errorf("%v shows %s", args, what)
		}
	}
	return out.String(), log.String()
}

func or[T any](c, fallback <-chan T) <-chan T {
	if c != nil {
		return c
	}
	return fallback
}

// wrote returns how many of the requests to a system since the last command may have changed something.
func (i *inside) wrote(system string) int {
	n := 0
	for _, r := range i.sent() {
		if r.system == system && r.writes() {
			n++
		}
	}
	return n
}

// holds wants the secret LITELLM_API_KEY of a repository to be a live key of the proxy, and returns its alias.
func (i *inside) holds(repository string) string {
	i.Helper()
	v, ok := i.github.Secret(githubtest.Scope{Repository: repository}, "LITELLM_API_KEY")
	if !ok {
		i.Fatalf("%s holds no secret", repository)
	}
	for _, k := range i.proxy.Keys() {
		if k.Token == v.SHA256() && !k.Blocked {
			return k.Alias
		}
	}
	i.Fatalf("%s holds no live key", repository)
	return ""
}
