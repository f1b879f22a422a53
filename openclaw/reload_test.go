//go:build unix

package openclaw_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/org/openclaw-litellm-action/openclaw"
	"github.com/org/openclaw-litellm-action/secret"
)

// program writes an executable shell script.
func program(t *testing.T, body string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "openclaw")
	put(t, path, "#!/bin/sh\n"+body+"\n", 0o700)
	return path
}

func withReload(t *testing.T, body string, args ...string) *openclaw.KeyFile {
	t.Helper()
	k := newFile(t)
	k.ReloadCommand = append([]string{program(t, body)}, args...)
	k.Redact = func(s string) string { return strings.ReplaceAll(s, key.Reveal(), "[redacted]") }
	return k
}

func TestReloadAnswers(t *testing.T) {
	tests := map[string]struct{ body, want string }{
		"fine":         {`echo '{"ok":true,"warningCount":0}'`, ""},
		"noise before": {`echo '{"level":"info"}'; echo starting; printf '{\n "ok": true,\n "warningCount": 0\n}\n'`, ""},
		"unresolved":   {`echo '{"ok":true,"warningCount":1}'`, "1 secrets could not be resolved"},
		"not ok":       {`echo '{"ok":false,"warningCount":0}'`, "did not work"},
		"no answer":    {`true`, "cannot be read"},
		"no count":     {`echo '{"ok":true}'`, "cannot be read"},
		"exit code":    {`echo "gateway gone with ` + key.Reveal() + `" >&2; exit 3`, "exit status 3: gateway gone with [redacted]"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			k := withReload(t, tt.body, "secrets", "reload", "--json")
			if err := k.Preflight(t.Context()); err != nil {
				t.Fatal(err)
			}
			err := k.Reload(t.Context())
			if tt.want != "" {
				wantErr(t, err, tt.want)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestReloadOfOtherPrograms(t *testing.T) {
	if err := withReload(t, "exit 0", "restart").Reload(t.Context()); err != nil {
		t.Error(err)
	}
	if err := newFile(t).Reload(t.Context()); err != nil {
		t.Errorf("without a command: %v", err)
	}
}

func TestReloadQuotesOnlyWhatIsRedacted(t *testing.T) {
	k := withReload(t, `i=0; while [ $i -lt 4000 ]; do echo "`+key.Reveal()+` $i"; i=$((i+1)); done; exit 1`)
	err := k.Reload(t.Context())
	wantErr(t, err, "[redacted]")
	if len(err.Error()) > 700 || strings.Contains(err.Error(), "made-up") {
		t.Errorf("got %d bytes: %v", len(err.Error()), err)
	}
	k.Redact = nil
	if err := k.Reload(t.Context()); err == nil || strings.Contains(err.Error(), "made-up") {
		t.Errorf("got %v", err)
	}
}

func TestReloadEnvironment(t *testing.T) {
	out := filepath.Join(t.TempDir(), "env")
	k := withReload(t, `env > "$1"; pwd >> "$1"`, out)
	k.Env = []string{
		"HOME=/home/agent", "LANG=C", "OPENCLAW_STATE_DIR=/state", "OPENCLAW_LITELLM_APP_PRIVATE_KEY=hidden",
		"LITELLM_MASTER_KEY=hidden", "GITHUB_TOKEN=hidden", "LD_PRELOAD=hidden", "PATH=/hidden", "NODE_OPTIONS=hidden",
	}
	if err := k.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	got, _ := os.ReadFile(out)
	for _, want := range []string{"HOME=/home/agent\n", "LANG=C\n", "OPENCLAW_STATE_DIR=/state\n", "/usr/bin", "\n/\n"} {
		if !strings.Contains(string(got), want) {
			t.Errorf("%q is missing in %s", want, got)
		}
	}
	if strings.Contains(string(got), "hidden") {
		t.Errorf("too much is passed on: %s", got)
	}
}

func TestReloadExpandsNothing(t *testing.T) {
	out := filepath.Join(t.TempDir(), "args")
	k := withReload(t, `printf '%s|' "$@" > "$OPENCLAW_OUT"`, "$HOME", "*", "a; b", "`c`")
	k.Env = []string{"OPENCLAW_OUT=" + out}
	if err := k.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(out); string(got) != "$HOME|*|a; b|`c`|" {
		t.Errorf("got %s", got)
	}
}

// TestReloadTimeout starts a grandchild that would write a file after the limit, and sees it die with the rest.
func TestReloadTimeout(t *testing.T) {
	late := filepath.Join(t.TempDir(), "late")
	k := withReload(t, `(sleep 0.6; touch "$1") & echo waiting; sleep 60`, late)
	k.ReloadTimeout = 200 * time.Millisecond
	wantErr(t, k.Reload(t.Context()), "did not end within 200ms and was killed: waiting")
	deadline := time.After(900 * time.Millisecond)
	<-deadline
	if _, err := os.Stat(late); err == nil {
		t.Error("what the command had started went on")
	}
}

func TestReloadCancelled(t *testing.T) {
	k := withReload(t, "sleep 60")
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := k.Reload(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestReloadCommandsRefused(t *testing.T) {
	loose := program(t, "true")
	if err := os.Chmod(loose, 0o777); err != nil {
		t.Fatal(err)
	}
	plain := filepath.Join(t.TempDir(), "plain")
	put(t, plain, "", 0o600)
	for _, tt := range []struct {
		command []string
		want    string
	}{
		{[]string{"openclaw", "x"}, "not an absolute path"},
		{[]string{"./openclaw"}, "not an absolute path"},
		{[]string{"/no/such/openclaw"}, "no such file"},
		{[]string{plain}, "not an executable"},
		{[]string{t.TempDir()}, "not an executable"},
		{[]string{loose}, "everyone may change it"},
		{[]string{program(t, "true"), "secrets", "reload"}, "needs --json"},
	} {
		k := newFile(t)
		k.ReloadCommand = tt.command
		wantErr(t, k.Preflight(t.Context()), tt.want)
		wantErr(t, k.Reload(t.Context()), tt.want)
	}
}

// TestReloadHidesWhatItPassesOn: the gateway's token and its like are known before the command can print them.
func TestReloadHidesWhatItPassesOn(t *testing.T) {
	known := &secret.Set{}
	k := withReload(t, `echo "unauthorized: $OPENCLAW_GATEWAY_TOKEN for $OPENCLAW_STATE_DIR, not $OPENCLAW_GATEWAY_PASSWORD" >&2; exit 1`)
	k.Redact, k.Known = known.Redact, known.Add
	k.Env = []string{
		"OPENCLAW_GATEWAY_TOKEN=gateway-token-value", "OPENCLAW_GATEWAY_PASSWORD=gateway word", "OPENCLAW_STATE_DIR=/state/of/openclaw",
		"OPENCLAW_SECRET_FILE=/place/of/a/secret", "OPENCLAW_KEY_ID=an-id-of-a-key",
	}
	wantErr(t, k.Reload(t.Context()), "exit status 1: unauthorized: [redacted] for /state/of/openclaw, not [redacted]")
	for _, text := range []string{"/place/of/a/secret", "an-id-of-a-key"} {
		if known.Redact(text) != text {
			t.Errorf("%q is taken for a secret", text)
		}
	}
	k.Known = nil
	if err := k.Reload(t.Context()); err == nil {
		t.Error("no error")
	}
}
