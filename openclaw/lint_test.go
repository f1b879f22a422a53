package openclaw

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
)

// goodText is a configuration with nothing wrong.
const goodText = `{
  secrets: { providers: { litellm: { source: "file", path: "/run/litellm.key", mode: "singleValue" } } },
  models: { mode: "merge", providers: { litellm: {
    baseUrl: "https://litellm.example.com/v1",
    api: "openai-completions",
    auth: "api-key",
    apiKey: { source: "file", provider: "litellm", id: "value" },
    models: [
      { id: "gpt-4o", name: "GPT-4o", reasoning: false, input: ["text", "image"],
        cost: { input: 2.5, output: 10 }, contextWindow: 128000, maxTokens: 16384 },
      { id: "small", name: "small", cost: { input: 0.1, output: 0.4 }, contextWindow: 32000, maxTokens: 4096 },
    ],
  } } },
  agents: { defaults: {
    model: { primary: "litellm/gpt-4o", fallbacks: ["litellm/small"] },
    mediaModels: { image: { primary: "litellm/painter" } },
  } },
}
`

func usd(text string) decimal.NullDecimal {
	return decimal.NewNullDecimal(decimal.RequireFromString(text))
}

func testServed() *Served {
	return &Served{Models: []Model{
		{ID: "gpt-4o", Mode: "chat", Vision: true, Window: 128000, MaxTokens: 16384, Input: usd("2.5"), Output: usd("10")},
		{ID: "painter", Mode: "image_generation"},
		{ID: "small", Mode: "chat", Window: 32000, MaxTokens: 4096, Input: usd("0.1"), Output: usd("0.4")},
	}}
}

func testLinter() Linter {
	return Linter{Served: testServed(), Getenv: func(string) string { return "" }, Mode: testMode}
}

func testMode(path string) (fs.FileMode, error) {
	if strings.Contains(path, "missing") {
		return 0, errors.New("missing")
	}
	if strings.Contains(path, "open") {
		return 0o644, nil
	}
	return 0o600, nil
}

func lintText(l Linter, text string) []Problem {
	return l.Lint("f", func(string, []string, int64) ([]byte, error) { return []byte(text), nil })
}

// edit replaces old, which has to be there once, and returns where it was.
func edit(t *testing.T, text, old, with string) string {
	t.Helper()
	if strings.Count(text, old) != 1 {
		t.Fatalf("%q is there %d times", old, strings.Count(text, old))
	}
	return strings.Replace(text, old, with, 1)
}

func TestLintFindsEachFault(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ old, with, at, rule string }{
		{"contextWindow: 128000", "contextWindow: 128_000", "10:61", "syntax"},
		{"  } },\n}\n", "  } }\n", "18:1", "syntax"},
		{"/v1\"", "/v1/v1\"", "4:14", "base-url"},
		{"https://litellm", "litellm", "4:14", "base-url"},
		{"/v1\"", "/v1/chat/completions\"", "4:14", "base-url"},
		{"https://litellm.example.com", "http://192.168.1.7:4000", "4:14", "private-network"},
		{`"openai-completions"`, `"anthropic-messages"`, "5:10", "api"},
		{`    auth: "api-key",` + "\n", "", "6:5", "missing-auth"},
		{`auth: "api-key"`, `auth: "token"`, "6:11", "missing-auth"},
		{`{ source: "file", provider: "litellm", id: "value" }`, `"plain-text-key"`, "7:13", "plaintext-key"},
		{`{ source: "file", provider: "litellm", id: "value" }`, `{ source: "file", provider: "litellm" }`, "7:13", "secret-ref"},
		{`provider: "litellm", id`, `provider: "other", id`, "7:41", "undeclared-provider"},
		{`{ source: "file", provider: "litellm", id: "value" }`, `{ source: "store", provider: "vault", id: "LITELLM_KEY" }`, "7:42", "undeclared-provider"},
		{`id: "value" }`, `id: "litellm" }`, "7:56", "secret-ref"},
		{`mode: "singleValue"`, `mode: "json"`, "7:56", "secret-ref"},
		{`{ source: "file", provider: "litellm", id: "value" }`, `{ source: "store", provider: "default", id: "litellm" }`, "7:57", "secret-ref"},
		{`{ source: "file", path`, `{ source: "exec", path`, "7:41", "undeclared-provider"},
		{"    apiKey: { source: \"file\", provider: \"litellm\", id: \"value\" },\n", "", "3:41", "missing-key"},
		{"/run/litellm.key", "/run/open.key", "2:60", "key-file"},
		{"/run/litellm.key", "/run/missing.key", "2:60", "key-file"},
		{`maxTokens: 4096 },`, "maxTokens: 4096 },\n      { id: 'gpt-4o', name: 'again' },", "12:13", "duplicate-model"},
		{`maxTokens: 4096 },`, "maxTokens: 4096 },\n      { id: 'litellm/small', name: 'small' },", "12:13", "model-id"},
		{`name: "GPT-4o", `, "", "9:7", "model-row"},
		{`"text", "image"`, `"text", "pictures"`, "9:73", "model-row"},
		{"contextWindow: 32000", "contextWindow: 200000", "11:87", "wrong-limit"},
		{"contextWindow: 32000", "contextWindow: 16000", "11:87", "wrong-limit"},
		{"contextWindow: 32000", "contextWindow: 0", "11:87", "model-row"},
		{"maxTokens: 4096", "maxTokens: 8192", "11:105", "wrong-limit"},
		{", maxTokens: 4096", "", "11:13", "missing-limit"},
		{"input: 2.5", "input: 0.0000025", "10:24", "wrong-cost"},
		{"input: 2.5", "input: 1e999999999", "10:24", "wrong-cost"}, // as a decimal it would take gigabytes
		{"input: 2.5", "input: 1e-999999999", "10:24", "wrong-cost"},
		{"cost: { input: 2.5, output: 10 }, ", "", "9:13", "missing-cost"},
		{"cost: { input: 2.5, output: 10 }, ", "cost: { input: 2.5 }, ", "10:15", "missing-cost"},
		{`"litellm/painter"`, `"litellm/small"`, "16:38", "wrong-mode"},
		{`"litellm/painter"`, `"litellm/nobody"`, "16:38", "not-served"},
		{`["litellm/small"]`, `["litellm/gpt-4o"]`, "15:53", "useless-fallback"},
		{`["litellm/small"]`, `["small"]`, "15:53", "bare-reference"},
		{"agents: {", "hooks: { mappings: [{ model: 'litellm/nobody' }] }, agents: {", "14:32", "not-served"},
		{"  agents: { defaults: {", "  agents: { entries: { main: { subagents: { model: 'litellm/nobody' } } }, defaults: {", "14:52", "not-served"},
		{"    mediaModels", "    models: { 'litellm/nobody': { alias: 'best' } },\n    mediaModels", "16:15", "not-served"},
		{"    mediaModels", "    modelPolicy: { allow: ['litellm/*', 'litellm/nobody'] },\n    mediaModels", "16:41", "not-served"},
		{"    mediaModels", "    imageModel: 'litellm/small',\n    mediaModels", "16:17", "wrong-mode"},
		{"    mediaModels", "    utilityModel: 'litellm/painter',\n    mediaModels", "16:19", "wrong-mode"},
		{`mediaModels: { image: { primary: "litellm/painter" } }`, `imageGenerationModel: { primary: "litellm/painter" }`, "16:5", "obsolete-key"},
		{"agents: {", "env: { FOO: 'x' }, agents: {", "14:10", "obsolete-key"},
		{"agents: {", "env: { vars: { LITELLM_API_KEY: 'x' } }, agents: {", "14:18", "shadowed-key"},
		{`mode: "merge"`, `mode: "merge", mode: "merge"`, "3:28", "duplicate-name"},
		{`mode: "merge"`, `pricing: {}`, "3:13", "obsolete-key"},
		{`name: "small",`, `name: "small", compat: { appendOnlyRuntimeContext: true },`, "11:47", "obsolete-key"},
		{"agents: {", "extra: { $include: '../else.json5' }, agents: {", "14:22", "syntax"},
	} {
		found := lintText(testLinter(), edit(t, goodText, c.old, c.with))
		if len(found) != 1 || found[0].Rule != c.rule || found[0].At.String() != "f:"+c.at || found[0].What == "" || found[0].Mend == "" {
			t.Errorf("%s → %s: want %s at %s, got %v", c.old, c.with, c.rule, c.at, found)
		}
	}
}

func TestLintOfAVariable(t *testing.T) {
	t.Parallel()
	ref := `{ source: "file", provider: "litellm", id: "value" }`
	for with, want := range map[string]string{
		`"${LITELLM_API_KEY}"`: "no-rotation unset-variable",
		`"${lower}"`:           "no-rotation secret-ref",
		`{ source: "env", provider: "default", id: "LITELLM_API_KEY" }`: "no-rotation unset-variable",
		`{ source: "env", provider: "other", id: "lower" }`:             "no-rotation undeclared-provider secret-ref",
		`{ source: "cloud", provider: "default", id: "x" }`:             "secret-ref",
	} {
		if got := rules(lintText(testLinter(), edit(t, goodText, ref, with))); got != want {
			t.Errorf("%s: %s, want %s", with, got, want)
		}
	}
}

// TestLintOfVariables holds that addresses and paths are judged by what variables and ~ stand for, as OpenClaw reads them.
func TestLintOfVariables(t *testing.T) {
	t.Parallel()
	l := testLinter()
	l.Getenv = func(name string) string {
		return map[string]string{"HOME": "/srv/agent", "PROXY": "http://10.0.0.7:4000", "TWICE": "https://litellm.example.com/v1"}[name]
	}
	looked := ""
	l.Mode = func(path string) (fs.FileMode, error) { looked = path; return testMode(path) }
	for _, c := range []struct{ old, with, at, rule string }{
		{"https://litellm.example.com/v1", "${PROXY}/v1", "4:14", "private-network"},
		{"https://litellm.example.com/v1", "${TWICE}/v1", "4:14", "base-url"},
		{"https://litellm.example.com/v1", "${NOWHERE}/v1", "4:14", "unset-variable"},
		{`"openai-completions",`, `"openai-completions", headers: { "x-tag": "$${LEFT} ${NOWHERE}" },`, "5:52", "unset-variable"},
		{"/run/litellm.key", "${NOWHERE}/litellm.key", "2:60", "unset-variable"},
		{"/run/litellm.key", "litellm.key", "2:60", "key-file"},
		{"/run/litellm.key", "~/open.key", "2:60", "key-file"},
		{"/run/litellm.key", "${HOME}/missing.key", "2:60", "key-file"},
	} {
		found := lintText(l, edit(t, goodText, c.old, c.with))
		if len(found) != 1 || found[0].Rule != c.rule || found[0].At.String() != "f:"+c.at {
			t.Errorf("%s: want %s at %s, got %v", c.with, c.rule, c.at, found)
		}
	}
	for with, want := range map[string]string{"~/litellm.key": "/srv/agent/litellm.key", "${HOME}/litellm.key": "/srv/agent/litellm.key"} {
		if found := lintText(l, edit(t, goodText, "/run/litellm.key", with)); len(found) > 0 || looked != want {
			t.Errorf("%s: looked at %s, %v", with, looked, found)
		}
	}
	text := edit(t, goodText, "agents: {", "env: { vars: { ADDRESS: 'https://litellm.example.com' } }, agents: {")
	if found := lintText(l, edit(t, text, "https://litellm.example.com/v1", "${ADDRESS}/v1")); len(found) > 0 {
		t.Error(found)
	}
}

// TestLintWithoutTheProvider holds that nothing to judge is not the same as nothing wrong.
func TestLintWithoutTheProvider(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"{}": "no-provider", "{ models: { providers: { proxy: { baseUrl: 'https://litellm.example.com/v1' } } } }": "no-provider",
		"{ agents: { defaults: { model: 'litellm/small' } } }": "dangling-reference",
	} {
		if got := rules(lintText(testLinter(), text)); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func rules(found []Problem) string {
	var names []string
	for _, p := range found {
		names = append(names, p.Rule)
	}
	return strings.Join(names, " ")
}

// goodTexts are configurations with nothing wrong.
func goodTexts(t *testing.T) []string {
	ref := `{ source: "file", provider: "litellm", id: "value" }`
	return []string{
		goodText,
		edit(t, goodText, "https://litellm.example.com/v1", "http://127.0.0.1:4000"),
		edit(t, goodText, "https://litellm.example.com/v1", "http://host.docker.internal:4000/v1/"),
		edit(t, goodText, `"https://litellm.example.com/v1"`, `"http://10.0.0.7:4000/v1", request: { allowPrivateNetwork: true }`),
		edit(t, goodText, ref, `{ source: "store", provider: "default", id: "LITELLM_KEY" }`),
		edit(t, goodText, `{ primary: "litellm/gpt-4o", fallbacks: ["litellm/small"] }`, `"litellm/gpt-4o"`),
		edit(t, goodText, `"litellm/small"`, `"anthropic/claude-opus-4-6"`),
		edit(t, goodText, "  agents: {", "  /* who */ 'agents': { entries: { main: { model: 'litellm/small' } },"),
		edit(t, goodText, "128000", "0x1F400"),
		edit(t, goodText, "    mediaModels: { image: { primary: \"litellm/painter\" } },\n", "\n"),
		edit(t, goodText, "    mediaModels", "    models: { 'litellm/small': { alias: 'quick' } }, utilityModel: 'quick', modelPolicy: { allow: ['litellm/*'] },\n    mediaModels"),
		edit(t, edit(t, goodText, `mode: "singleValue"`, `mode: "json"`), `id: "value" }`, `id: "/keys/litellm" }`),
		`{
  models: { providers: { litellm: { baseUrl: 'https://litellm.example.com/v1', auth: 'api-key',
    apiKey: { source: 'store', provider: 'default', id: 'LITELLM_KEY' }, models: [] } } },
  agents: { defaults: { mediaModels: { image: 'litellm/painter' } } }, // it paints, and needs no row
}`,
	}
}

func TestLintFindsNothingInGoodOnes(t *testing.T) {
	t.Parallel()
	for i, text := range goodTexts(t) {
		if found := lintText(testLinter(), text); len(found) > 0 {
			t.Errorf("%d: %v", i, found)
		}
		if found := lintText(Linter{}, text); len(found) > 0 {
			t.Errorf("%d, without a proxy: %v", i, found)
		}
	}
}

// TestLintOfCaches holds that the price of cached tokens is missed only where the proxy has one.
func TestLintOfCaches(t *testing.T) {
	t.Parallel()
	l := testLinter()
	l.Served.Models[0].CacheRead = usd("1.25")
	found := lintText(l, goodText)
	if len(found) != 1 || found[0].Rule != "missing-cost" || found[0].At.String() != "f:10:15" || found[0].Mend != "write cacheRead: 1.25" {
		t.Error(found)
	}
	if found := lintText(l, edit(t, goodText, "output: 10 }", "output: 10, cacheRead: 1.25 }")); len(found) > 0 {
		t.Error(found)
	}
	found = lintText(l, edit(t, goodText, "cost: { input: 2.5, output: 10 }, ", ""))
	if len(found) != 1 || found[0].Mend != "write cost: {input: 2.5, output: 10, cacheRead: 1.25}" {
		t.Error(found)
	}
}

// TestLintBehindAWildcard holds that a name that the proxy does not list is served if a wildcard of its takes it.
func TestLintBehindAWildcard(t *testing.T) {
	t.Parallel()
	l := testLinter()
	l.Served.Wildcards = []string{"openai/*"}
	for name, want := range map[string]string{"openai/gpt-new": "", "azure/gpt-new": "not-served", "openai": "not-served"} {
		text := edit(t, goodText, "      { id: \"small\"", "      { id: '"+name+"', name: 'new', cost: { input: 1, output: 2 }, contextWindow: 1, maxTokens: 1 },\n      { id: \"small\"")
		text = edit(t, text, `fallbacks: ["litellm/small"]`, `fallbacks: ["litellm/`+name+`"]`)
		if got := rules(lintText(l, text)); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	text := edit(t, goodText, `"litellm/painter"`, `"litellm/openai/gpt-image-new"`)
	if found := lintText(l, edit(t, text, "    mediaModels", "    models: { 'litellm/openai/gpt-new': { alias: 'new' } },\n    mediaModels")); len(found) > 0 {
		t.Error(found)
	}
}

// TestLintOfThePage holds the two configurations of OpenClaw's provider page.
func TestLintOfThePage(t *testing.T) {
	t.Parallel()
	unset := Linter{Getenv: func(string) string { return "" }}
	for name, want := range map[string]string{
		"chat.json5":  "6:9 missing-auth|6:17 no-rotation|6:17 unset-variable|10:17 missing-cost|18:17 missing-cost",
		"image.json5": "6:9 missing-auth|6:17 no-rotation|6:17 unset-variable|12:7 obsolete-key|14:23 syntax",
	} {
		found := unset.Lint(filepath.Join("testdata", "page", name), ReadDisk)
		var got []string
		for _, p := range found {
			got = append(got, fmt.Sprintf("%d:%d %s", p.At.Line, p.At.Column, p.Rule))
		}
		if strings.Join(got, "|") != want {
			t.Errorf("%s:\n got %s\nwant %s", name, strings.Join(got, "|"), want)
		}
	}
}
