package openclaw

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// The tests here ask the real OpenClaw.
//
//	OPENCLAW_LIVE  the folder with the script "openclaw", which runs the CLI in a home of its own

// verdict is what "openclaw config validate" says.
type verdict struct {
	Valid    bool `json:"valid"`
	Warnings []struct{ Path, Message string }
	Issues   []struct{ Path, Message string }
}

// clean reports whether there is nothing to say.
func (v verdict) clean() bool { return v.Valid && len(v.Warnings) == 0 }

// validator returns OpenClaw's own validator, or skips the test. The real one takes a second or two, on a whole core.
func validator(t *testing.T) func(t *testing.T, file string) verdict {
	dir := os.Getenv("OPENCLAW_LIVE")
	if dir == "" {
		t.Skip("OPENCLAW_LIVE is not set: no real OpenClaw to ask")
	}
	turns := make(chan struct{}, runtime.NumCPU())
	return func(t *testing.T, file string) verdict {
		t.Helper()
		turns <- struct{}{}
		defer func() { <-turns }()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		cmd := exec.CommandContext(ctx, filepath.Join(dir, "openclaw"), "config", "validate", "--json")
		cmd.Env = append(os.Environ(), "OPENCLAW_CONFIG_PATH="+file)
		out, err := cmd.Output() // it exits with 1 for what is not valid
		var v verdict
		if json.Unmarshal(out, &v) != nil {
			t.Fatalf("validating %s: %v: %s", file, err, out)
		}
		return v
	}
}

// written puts a text into a file of its own.
func written(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestRealOpenClawTakesTheGoodOnes holds that what Linter has nothing against is valid without a warning.
func TestRealOpenClawTakesTheGoodOnes(t *testing.T) {
	validate := validator(t)
	for i, text := range goodTexts(t) {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			if v := validate(t, written(t, "openclaw.json", text)); !v.clean() {
				t.Errorf("%+v\n%s", v, text)
			}
		})
	}
}

// TestRealOpenClawTakesTheGenerated holds the same of what Generate writes, for each kind of model, source of the key
// and address.
func TestRealOpenClawTakesTheGenerated(t *testing.T) {
	validate := validator(t)
	t.Setenv("AGENT_KEY", "made-up") // a variable that is not set is a warning
	served := testServed()
	served.Models[0].Fallbacks = []string{"small"}
	served.Models = append(served.Models,
		Model{ID: "thinker", Mode: "chat", Reasoning: true, Vision: true, Window: 200000, MaxTokens: 64000, Input: usd("5"), Output: usd("25"), CacheRead: usd("0.5"), CacheWrite: usd("6.25")},
		Model{ID: "nothing is \"known\"\nof it"})
	for name, o := range map[string]Options{
		"file":            {BaseURL: "https://litellm.example.com"},
		"variable":        {BaseURL: "https://litellm.example.com", Key: KeyInEnv, KeyName: "AGENT_KEY"},
		"store":           {BaseURL: "https://litellm.example.com", Key: KeyInStore, KeyName: "AGENT_KEY"},
		"private network": {BaseURL: "http://10.0.0.7:4000"},
		"pictures":        {BaseURL: "http://127.0.0.1:4000", Models: []string{"painter"}},
		"part":            {BaseURL: "http://10.0.0.7:4000", Part: "provider"},
	} {
		t.Run(name, func(t *testing.T) {
			o.KeyFile = "/run/litellm.key"
			text, err := Generate(served, o)
			if err != nil {
				t.Fatal(err)
			}
			file := written(t, "openclaw.json", text)
			if o.Part != "" {
				file = written(t, "openclaw.json", handKept)
				if err := os.WriteFile(filepath.Join(filepath.Dir(file), "litellm.json5"), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			t.Run("validate", func(t *testing.T) {
				t.Parallel()
				if v := validate(t, file); !v.clean() {
					t.Errorf("%+v\n%s", v, text)
				}
			})
		})
	}
}

// TestRealOpenClawAndThePage holds what Linter says of the two configurations of OpenClaw's provider page, and that the
// real CLI takes both once they are mended as it says.
func TestRealOpenClawAndThePage(t *testing.T) {
	validate := validator(t)
	key := filepath.Join(t.TempDir(), "litellm.key")
	if err := os.WriteFile(key, []byte("made-up"), 0o600); err != nil {
		t.Fatal(err)
	}
	// By hand: auth, and a key file for the variable, which mends four findings of each.
	mended := func(text string) string {
		text = edit(t, text, `apiKey: "${LITELLM_API_KEY}",`, `auth: "api-key", apiKey: { source: "file", provider: "litellm", id: "value" },`)
		return strings.Replace(text, "{\n", fmt.Sprintf("{\n  secrets: { providers: { litellm: { source: \"file\", path: %q, mode: \"singleValue\" } } },\n", key), 1)
	}
	for name, c := range map[string]struct {
		valid bool // as it stands
		mend  func(text string) string
	}{
		"chat.json5": {true, func(text string) string {
			text = edit(t, text, "contextWindow: 200000,", "contextWindow: 200000, cost: { input: 5, output: 25 },")
			return edit(t, text, "contextWindow: 128000,", "contextWindow: 128000, cost: { input: 2.5, output: 10 },")
		}},
		"image.json5": {false, func(text string) string {
			text = edit(t, text, "180_000", "180000")
			return edit(t, edit(t, text, "imageGenerationModel: {", "mediaModels: { image: {"), "        timeoutMs: 180000,\n      },", "        timeoutMs: 180000,\n      } },")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			raw, err := os.ReadFile(filepath.Join("testdata", "page", name))
			if err != nil {
				t.Fatal(err)
			}
			if v := validate(t, written(t, "openclaw.json", string(raw))); v.Valid != c.valid {
				t.Errorf("as it stands: %+v", v)
			}
			text := c.mend(mended(string(raw)))
			if v := validate(t, written(t, "openclaw.json", text)); !v.clean() {
				t.Errorf("mended: %+v\n%s", v, text)
			}
			look := Linter{Getenv: func(string) string { return "" }, Mode: func(path string) (os.FileMode, error) {
				info, err := os.Stat(path)
				if err != nil {
					return 0, err
				}
				return info.Mode(), nil
			}}
			if found := lintText(look, text); len(found) > 0 {
				t.Errorf("mended: %v", found)
			}
		})
	}
}
