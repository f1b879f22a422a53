package openclaw

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	defaultReloadTimeout = 30 * time.Second
	pipeGrace            = 2 * time.Second // for output after the command's end
	maxOutput            = 64 << 10
	maxQuote             = 400
)

// Reload tells the running gateway to read the file again. Without a ReloadCommand it does nothing.
//
// The command runs without a shell, from the root directory, in a process group of its own that is killed when
// ReloadTimeout is over or ctx ends. Of the environment it sees HOME, LANG and OPENCLAW_* (not this tool's own
// OPENCLAW_LITELLM_*), and a PATH of the system's directories and the command's own. It has failed if it exits with
// another code than 0 or, being "openclaw secrets reload", reports a secret it could not resolve, for which OpenClaw
// exits with 0. Running it twice is harmless.
func (k *KeyFile) Reload(ctx context.Context) error {
	if len(k.ReloadCommand) == 0 {
		return nil
	}
	if err := k.reload(ctx); err != nil {
		return fmt.Errorf("reloading OpenClaw after writing %s with %s: %w", k, k.ReloadCommand[0], err)
	}
	return nil
}

func (k *KeyFile) reload(ctx context.Context) error {
	if err := k.checkCommand(); err != nil {
		return err
	}
	limit := k.ReloadTimeout
	if limit <= 0 {
		limit = defaultReloadTimeout
	}
	timed, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	// #nosec G204 -- the user's own command, checked above, by its path and without a shell
	cmd := exec.CommandContext(timed, k.ReloadCommand[0], k.ReloadCommand[1:]...)
	cmd.Env = reloadEnv(k.Env, filepath.Dir(k.ReloadCommand[0]))
	cmd.Dir = rootDir
	cmd.WaitDelay = pipeGrace
	isolate(cmd)
	var stdout, stderr bounded
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("stopped: %w", ctx.Err())
	case timed.Err() != nil:
		return fmt.Errorf("it did not end within %s and was killed%s", limit, k.quote(&stderr, &stdout))
	case err != nil && !errors.Is(err, exec.ErrWaitDelay): // a child of it may go on holding the output
		return fmt.Errorf("%w%s", err, k.quote(&stderr, &stdout))
	case k.isSecretsReload():
		return k.judge(&stdout, &stderr)
	}
	return nil
}

// checkCommand reports why the command would not be run.
func (k *KeyFile) checkCommand() error {
	if len(k.ReloadCommand) == 0 {
		return nil
	}
	program := k.ReloadCommand[0]
	switch {
	case !filepath.IsAbs(program):
		return fmt.Errorf("reload command %q is not an absolute path", program)
	case k.isSecretsReload() && !slices.Contains(k.ReloadCommand, "--json"):
		return errors.New("reload command needs --json: without it a reload that failed looks like one that worked")
	}
	if err := runnable(program); err != nil {
		return fmt.Errorf("reload command %s: %w", program, err)
	}
	return nil
}

// isSecretsReload reports whether the command is OpenClaw's own, whatever program starts it.
func (k *KeyFile) isSecretsReload() bool {
	i := slices.Index(k.ReloadCommand, "secrets")
	return i > 0 && i+1 < len(k.ReloadCommand) && k.ReloadCommand[i+1] == "reload"
}

// judge reads the answer of "openclaw secrets reload --json".
func (k *KeyFile) judge(stdout, stderr *bounded) error {
	answer, ok := findAnswer(stdout.kept)
	switch {
	case !ok:
		return fmt.Errorf("its answer cannot be read%s", k.quote(stdout, stderr))
	case !*answer.OK:
		return fmt.Errorf("it did not work%s", k.quote(stdout, stderr))
	case *answer.WarningCount > 0:
		return fmt.Errorf("%d secrets could not be resolved and keep their old value%s", *answer.WarningCount, k.quote(stdout, stderr))
	}
	return nil
}

type reloadAnswer struct {
	OK           *bool `json:"ok"`
	WarningCount *int  `json:"warningCount"`
}

// findAnswer returns the JSON object with both fields; other lines, other objects among them, may stand before it.
func findAnswer(output []byte) (reloadAnswer, bool) {
	for i, c := range output {
		if c != '{' || i > 0 && output[i-1] != '\n' {
			continue
		}
		var a reloadAnswer
		err := json.NewDecoder(bytes.NewReader(output[i:])).Decode(&a)
		if err == nil && a.OK != nil && a.WarningCount != nil {
			return a, true
		}
	}
	return reloadAnswer{}, false
}

// quote returns the end of the first output that is not empty, redacted, on one line, to stand behind a sentence. Of an
// output too long to keep it quotes the start: where keeping stopped, half a secret may stand.
func (k *KeyFile) quote(outputs ...*bounded) string {
	if k.Redact == nil {
		return ""
	}
	for _, o := range outputs {
		text := strings.Join(strings.Fields(k.Redact(strings.ToValidUTF8(string(o.kept), "?"))), " ")
		switch {
		case len(text) > maxQuote && o.cut:
			text = strings.ToValidUTF8(text[:maxQuote], "") + "…"
		case len(text) > maxQuote:
			text = "…" + strings.ToValidUTF8(text[len(text)-maxQuote:], "")
		}
		if text != "" {
			return ": " + text
		}
	}
	return ""
}

// reloadEnv picks what the command may know from env.
func reloadEnv(env []string, ownDir string) []string {
	out := []string{"PATH=" + strings.Join(append(slices.Clone(systemPath()), ownDir), string(filepath.ListSeparator))}
	for _, e := range env {
		name, _, _ := strings.Cut(e, "=")
		ours := strings.HasPrefix(name, "OPENCLAW_LITELLM_")
		if name == "HOME" || name == "LANG" || strings.HasPrefix(name, "OPENCLAW_") && !ours {
			out = append(out, e)
		}
	}
	return out
}

// bounded keeps the first maxOutput bytes written to it and takes the rest without keeping it. It has no ReadFrom,
// which would go round the limit.
type bounded struct {
	kept []byte
	cut  bool
}

// Write never fails, so the command is not stopped by its own output.
func (b *bounded) Write(p []byte) (int, error) {
	keep := min(len(p), maxOutput-len(b.kept))
	b.kept = append(b.kept, p[:keep]...)
	b.cut = b.cut || keep < len(p)
	return len(p), nil
}
