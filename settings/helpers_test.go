package settings

import (
	"errors"
	"io/fs"
	"maps"
	"strings"
	"testing"
)

// env is an environment. The zero value is empty.
type env map[string]string

// with returns a copy of e with further variables; an empty text removes one.
func (e env) with(pairs ...string) env {
	all := maps.Clone(e)
	for i := 0; i < len(pairs); i += 2 {
		all[pairs[i]] = pairs[i+1]
	}
	return all
}

// shell is a sufficient environment outside Actions.
func shell() env {
	return env{
		"LITELLM_BASE_URL":   "https://litellm.example.com",
		"LITELLM_MASTER_KEY": "test-management-key",
		"SECRETS_TOKEN":      "test-secrets-token",
		"GITHUB_REPOSITORY":  "acme/agents",
	}
}

// job is a sufficient environment in Actions.
func job() env {
	return shell().with("GITHUB_ACTIONS", "true", "GITHUB_EVENT_NAME", "schedule", "GITHUB_WORKSPACE", "/github/workspace",
		"INPUT_GITHUB-TOKEN", "test-github-token")
}

// load calls Load with files by name.
func load(args string, e env, files map[string]string) (*Settings, error) {
	read := func(name string) ([]byte, error) {
		if content, ok := files[name]; ok {
			return []byte(content), nil
		}
		return nil, fs.ErrNotExist
	}
	return Load(strings.Fields(args), func(name string) string { return e[name] }, read, nil)
}

// loadFile calls Load for run outside Actions with one usual file.
func loadFile(content string) (*Settings, error) {
	return load("run", shell(), map[string]string{"openclaw-litellm.yml": content})
}

// mustLoad fails the test on any fault.
func mustLoad(t *testing.T, args string, e env, files map[string]string) *Settings {
	t.Helper()
	s, err := load(args, e, files)
	if err != nil {
		t.Fatalf("Load(%q) = %v", args, err)
	}
	return s
}

// wantFaults compares the lines of an error with those wanted, none of which means no error.
func wantFaults(t *testing.T, err error, want ...string) {
	t.Helper()
	var got string
	if err != nil {
		got = err.Error()
		var faults Faults
		if !errors.As(err, &faults) {
			t.Errorf("error is a %T, want Faults", err)
		}
	}
	if got != strings.Join(want, "\n") {
		t.Errorf("faults:\n%s\nwant:\n%s", got, strings.Join(want, "\n"))
	}
}
