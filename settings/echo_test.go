package settings

import (
	"fmt"
	"strings"
	"testing"
)

// planted are credentials as they may be put where they do not belong. None is one.
func planted() []string {
	letters := "aB3dEfGh1jKlMnOpQrStUvWxYz0123456789"
	return []string{
		"sk-planted-credential", "ghp" + "_" + letters, "xapp" + "-1-" + letters, letters, strings.ToLower(letters),
		"https://me:pass-word@example.com/x", "eyJ" + letters + ".eyJ" + letters + "." + letters,
	}
}

// someOf takes turns, so that the test is quick: two of all.
func someOf(all []string, turn int) []string {
	return []string{all[turn%len(all)], all[(turn+3)%len(all)]}
}

// wantNoEcho wants what Load says, if anything, not to repeat a planted text or the password in it.
func wantNoEcho(t *testing.T, how, text string, s *Settings, err error) {
	t.Helper()
	said := ""
	if err != nil {
		said = err.Error()
	}
	if s != nil {
		said += strings.Join(s.Warnings, "\n")
	}
	leaks := []string{text, "pass-word"}
	for i := 0; i+12 <= len(text) && !strings.Contains(text, "://"); i++ {
		leaks = append(leaks, text[i:i+12])
	}
	for _, leak := range leaks {
		if strings.Contains(said, leak) {
			t.Errorf("%s: %q is repeated: %s", how, leak, said)
			return
		}
	}
}

// TestNoSettingRepeatsACredential gives every setting, in every way there is to give it, a credential that does not belong
// there.
func TestNoSettingRepeatsACredential(t *testing.T) {
	t.Parallel()
	for i, r := range table() {
		for _, text := range someOf(planted(), i) {
			for _, name := range r.variables() {
				s, err := load("run", shell().with(name, text), nil)
				wantNoEcho(t, "environment "+name, text, s, err)
				s, err = load("run", shell().with(name, text+" "+text), nil)
				wantNoEcho(t, "environment "+name+", twice", text, s, err)
			}
			if r.on&inputSurface != 0 {
				s, err := load("", job().with("INPUT_"+strings.ToUpper(r.name), text), nil)
				wantNoEcho(t, "input "+r.name, text, s, err)
			}
			for _, cmd := range append([]string{CommandRun}, r.cmds[:min(1, len(r.cmds))]...) {
				s, err := load(cmd+" --"+r.name+" "+text, shell(), nil)
				wantNoEcho(t, cmd+" --"+r.name, text, s, err)
				s, err = load(cmd+" --"+r.name+"="+text, shell(), nil)
				wantNoEcho(t, cmd+" --"+r.name+"=", text, s, err)
			}
		}
	}
}

// TestNoFieldRepeatsACredential does so for the fields of the file, and with the ways of YAML to write a value.
func TestNoFieldRepeatsACredential(t *testing.T) {
	t.Parallel()
	ways := []string{"%s", "'%s'", "[%s]", "['%s', '%[1]s']", "{'%s': 1}", "*%s", "&%s", "&a *%s", "!%s x", "!!%s", "|\n    %s\n   x: [", "\"%s", "%%%s", "@%s", "`%s"}
	fields := []string{"nothing", "keys", "defaults.key_options", "defaults.alerts", "report.issue", "litellm"}
	for _, r := range table() {
		if r.file != "" {
			fields = append(fields, r.file)
		}
	}
	for i, field := range fields {
		for j, way := range ways {
			for _, text := range someOf(planted(), i+j)[:1] {
				value := fmt.Sprintf(way, text)
				parts := strings.Split(field, ".")
				content := strings.Join(parts, ": {") + ": " + value + strings.Repeat("}", len(parts)-1) + "\n"
				s, err := loadFile(content)
				wantNoEcho(t, content, text, s, err)
			}
		}
	}
}

// TestNoArgumentRepeatsACredential: what the command line's parser says of an argument holds no value.
func TestNoArgumentRepeatsACredential(t *testing.T) {
	t.Parallel()
	for _, text := range append(planted(), "hunter2-of-somebody", "Passw0rd") {
		for _, args := range []string{
			"%s", "run %s", "run --%s", "run -%s", "run --now=%s", "rotate --now=%s", "rotate --now %s", "run --slack-bot-token %s",
			"run --slack-bot-token=%s", "--litellm-master-key %s run", "keys unblock %s", "version %s", "openclaw %s", "openclaw config %s",
			"openclaw lint a b %s", "run --config", "plan --detailed-exitcode=%s", "run --unknown=%s --format json",
		} {
			args = strings.ReplaceAll(args, "%s", text)
			s, err := load(args, shell(), nil)
			named := strings.HasPrefix(args, "keys unblock") || strings.HasPrefix(args, "rotate --now ")
			if named && !credentialLike(text) {
				continue // it can be the name of a key
			}
			wantNoEcho(t, args, text, s, err)
		}
	}
}

// TestWhatCannotBeACredentialIsNamed: people see what they typed wrong.
func TestWhatCannotBeACredentialIsNamed(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"run walk": "unexpected argument walk", "run --bogus": "unknown flag --bogus", "run --max-budgte 5": `did you mean "--max-budget"`,
		"rotate --now=maybe": "--now: bool value must be true, 1, yes, false, 0 or no", "report --format jsn": `"jsn"`,
	} {
		if _, err := load(args, shell(), nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", args, err)
		}
	}
}
