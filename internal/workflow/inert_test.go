package workflow_test

import (
	"encoding/csv"
	"encoding/json"
	"html"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/org/openclaw-litellm-action/internal/workflow"
	"github.com/org/openclaw-litellm-action/internal/workflow/workflowtest"
)

// attacks are texts that would be commands.
var attacks = []string{
	"::error::x", "\t ::set-output name=a::b", "a\n::add-mask::b", "a\r::debug::b", "a\v::debug::b", "a\f::debug::b",
	"a\u0085::debug::b", "a\u2028::debug::b", "\u00a0\u3000::debug::b", "##[error]x", "a ##[add-mask]b", "###[group]x",
	"##[ERROR]x", "::STOP-COMMANDS::x", "\ufeff::debug::x",
	":\u200b:debug::x", "#\u00ad#[error]x", "#\ufe0f#[error]x", ":::x::", "##\x00[error]x", "::x y=z::",
}

// hostile draws texts that are likely to form commands.
func hostile() *rapid.Generator[string] {
	pieces := []string{
		":", "::", "#", "##", "[", "##[", "]", "error", "add-mask", "stop-commands", " ", "\t", "\n", "\r", "\r\n", "\v",
		"\f", "\u0085", "\u2028", "\u2029", "\u00a0", "\u200b", "\u00ad", "\ufeff", "\u0301", "\ufe0f", "\x00", "\x1b[31m",
		"\xff", "%0A", "=", ",", ";", "\"", "\\", "<", "&", "a",
	}
	return rapid.Custom(func(t *rapid.T) string {
		if rapid.Bool().Draw(t, "any") {
			return rapid.String().Draw(t, "text")
		}
		return strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 14).Draw(t, "pieces"), "")
	})
}

// fatal is what testing.T and rapid.T have in common.
type fatal interface {
	Helper()
	Fatalf(format string, args ...any)
}

func wantInert(t fatal, output string) {
	t.Helper()
	if found := append(workflowtest.Commands(output), workflowtest.CommandsByCulture(output)...); len(found) > 0 {
		t.Fatalf("%q has the commands %q", output, found)
	}
}

// TestTheRunnersGrammar proves that the judge sees what a runner would.
func TestTheRunnersGrammar(t *testing.T) {
	for _, attack := range attacks {
		if len(workflowtest.Commands(attack))+len(workflowtest.CommandsByCulture(attack)) == 0 {
			t.Errorf("%q is not seen as a command", attack)
		}
	}
	for _, harmless := range []string{
		"a ::error::x", ": :error::x", "## [error]x", "# #[error]x", "::", "##[", "::error", "#[x]",
	} {
		if found := workflowtest.Commands(harmless); len(found) > 0 {
			t.Errorf("%q is seen as %q", harmless, found)
		}
	}
}

func TestInertTextStaysReadable(t *testing.T) {
	for text, want := range map[string]string{
		"::error::x": ": :error::x", "  ::a::b\nc ::d": "  : :a::b\nc ::d", "a ##[error]b": "a ## [error]b",
		"###[x]": "### [x]", "see a::b and #1 [x]": "see a::b and #1 [x]", ":::": ": ::", "": "",
	} {
		if got := workflow.Text.Inert(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
	for _, attack := range attacks {
		wantInert(t, workflow.Text.Inert(attack))
	}
}

func TestInertTextProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := hostile().Draw(t, "text")
		got := workflow.Text.Inert(text)
		wantInert(t, got)
		if a, b := strings.ReplaceAll(got, " ", ""), strings.ReplaceAll(text, " ", ""); a != b {
			t.Fatalf("%q became %q: more than spaces differ", text, got)
		}
		if again := workflow.Text.Inert(got); again != got {
			t.Fatalf("%q became %q and then %q", text, got, again)
		}
	})
}

func TestInertPieces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s workflow.Scanner
		var whole strings.Builder
		for _, piece := range rapid.SliceOf(hostile()).Draw(t, "pieces") {
			cut := rapid.IntRange(0, len(piece)).Draw(t, "cut")
			whole.WriteString(s.Inert(workflow.Text, piece[:cut]))
			whole.WriteString(s.Inert(workflow.Text, piece[cut:]))
		}
		wantInert(t, whole.String())
	})
}

// TestInertPiecesCutACharacter: a line break of two or three bytes is one, wherever its bytes are divided.
func TestInertPiecesCutACharacter(t *testing.T) {
	for _, pieces := range [][]string{
		{":\xc2", "\x85::error::x"}, {"a\xe2", "\x80", "\xa8::error::x"}, {"a\xe2\x80", "\xa8::error::x"},
		{"a\xe2", "\n::error::x"}, {"a\xe2\x80", "::\xc2\x85::error::x"}, {"\xc2", "", "\x85::error::x"},
	} {
		var s workflow.Scanner
		whole := ""
		for _, piece := range pieces {
			whole += s.Inert(workflow.Text, piece)
		}
		wantInert(t, whole)
		if got, want := strings.ReplaceAll(whole, " ", ""), strings.Join(pieces, ""); got != want {
			t.Errorf("%q became %q", pieces, whole)
		}
	}
}

func TestInertJSONMeansTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(label string) string { return strings.ToValidUTF8(hostile().Draw(t, label), "?") }
		before := map[string]string{draw("name"): draw("value"), "::b": "##[c]"}
		text, err := json.MarshalIndent(before, "", "  ")
		if err != nil {
			t.Fatalf("%v", err)
		}
		got := workflow.JSON.Inert(string(text))
		wantInert(t, got)
		var after map[string]string
		if err := json.Unmarshal([]byte(got), &after); err != nil {
			t.Fatalf("%q: %v", got, err)
		}
		for name, value := range before {
			if after[name] != value || len(after) != len(before) {
				t.Fatalf("%q became %q", before, after)
			}
		}
	})
}

func TestInertHTMLMeansTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := hostile().Draw(t, "text")
		got := workflow.HTML.Inert(html.EscapeString(text))
		wantInert(t, got)
		if after := html.UnescapeString(got); after != html.UnescapeString(html.EscapeString(text)) {
			t.Fatalf("%q became %q", text, after)
		}
	})
}

func TestInertCSVKeepsItsCells(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		row := []string{hostile().Draw(t, "a"), hostile().Draw(t, "b"), "end"}
		var b strings.Builder
		w := csv.NewWriter(&b)
		if err := w.Write(row); err != nil {
			t.Fatalf("%v", err)
		}
		w.Flush()
		got := workflow.Text.Inert(b.String())
		wantInert(t, got)
		rows, err := csv.NewReader(strings.NewReader(got)).ReadAll()
		if err != nil || len(rows) != 1 || len(rows[0]) != len(row) {
			t.Fatalf("%q reads as %q, %v", got, rows, err)
		}
	})
}
