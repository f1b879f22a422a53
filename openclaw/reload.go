package openclaw

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/org/openclaw-litellm-action/internal/child"
	"github.com/org/openclaw-litellm-action/secret"
)

// maxQuote is how many bytes of a command's output an error repeats.
const maxQuote = 400

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
	env := reloadEnv(k.Env, filepath.Dir(k.ReloadCommand[0]))
	for _, v := range secretsOf(env) { // before it can print them
		if k.Known != nil {
			k.Known(v)
		}
	}
	out, err := child.Command{
		Program: k.ReloadCommand[0], Args: k.ReloadCommand[1:], Env: env, Timeout: k.ReloadTimeout,
	}.Run(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("%w%s", err, k.quote(out.Stderr, out.Stdout))
	case k.isSecretsReload():
		return k.judge(out)
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
	if err := (child.Command{Program: program}).Check(); err != nil {
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
func (k *KeyFile) judge(out child.Output) error {
	answer, ok := findAnswer(out.Stdout.Bytes)
	said := k.quote(out.Stdout, out.Stderr)
	switch {
	case !ok:
		return fmt.Errorf("its answer cannot be read%s", said)
	case !*answer.OK:
		return fmt.Errorf("it did not work%s", said)
	case *answer.WarningCount > 0:
		return fmt.Errorf("%d secrets could not be resolved and keep their old value%s", *answer.WarningCount, said)
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
func (k *KeyFile) quote(outputs ...child.Text) string {
	if k.Redact == nil {
		return ""
	}
	for _, o := range outputs {
		text := strings.Join(strings.Fields(k.Redact(strings.ToValidUTF8(string(o.Bytes), "?"))), " ")
		switch {
		case len(text) > maxQuote && o.Cut:
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
	out := []string{"PATH=" + strings.Join(append(child.SystemPath(), ownDir), string(filepath.ListSeparator))}
	for _, e := range env {
		name, _, _ := strings.Cut(e, "=")
		ours := strings.HasPrefix(name, "OPENCLAW_LITELLM_")
		if name == "HOME" || name == "LANG" || strings.HasPrefix(name, "OPENCLAW_") && !ours {
			out = append(out, e)
		}
	}
	return out
}

var (
	// secretName is in the names of OpenClaw's variables that hold a secret.
	secretName = regexp.MustCompile(`TOKEN|PASSWORD|PASSWD|PASSPHRASE|SECRET|KEY|CREDENTIAL|COOKIE|BASE64`)
	// plainName ends the names of those that only say where a secret is, or how it is used.
	plainName = regexp.MustCompile(`_(FILE|PATH|DIRS?|ROOTS?|ID|MODE|METHOD|ROLE|SOURCE|URL|HOST|ENV|AT|[A-Z]*MS)$`)
)

// secretsOf returns the values of an environment that are secrets, by their names.
func secretsOf(env []string) []secret.Value {
	var secrets []secret.Value
	for _, e := range env {
		name, value, _ := strings.Cut(e, "=")
		if strings.HasPrefix(name, "OPENCLAW_") && secretName.MatchString(name) && !plainName.MatchString(name) {
			secrets = append(secrets, secret.New(value))
		}
	}
	return secrets
}
