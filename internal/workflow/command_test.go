package workflow_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/org/openclaw-litellm-action/internal/workflow"
	"github.com/org/openclaw-litellm-action/internal/workflow/workflowtest"
)

// TestCommandIsOneCommand: whatever is in it, the runner sees the one command that was meant.
func TestCommandIsOneCommand(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		title, message := hostile().Draw(t, "title"), hostile().Draw(t, "message")
		text := workflow.Command("error", map[string]string{"title": title, "line": "3"}, message)
		if strings.Count(text, "\n") != 1 || strings.Contains(text, "##[") {
			t.Fatalf("%q", text)
		}
		found := workflowtest.Commands(text)
		if len(found) != 1 || found[0].Name != "error" || found[0].Properties["line"] != "3" {
			t.Fatalf("%q is read as %q", text, found)
		}
		if found[0].Data != workflow.Text.Inert(message) {
			t.Fatalf("message %q is read as %q", message, found[0].Data)
		}
	})
}

func TestMasksGoLineByLine(t *testing.T) {
	pem := "-----BEGIN X-----\nfirst-line\r\n  second%line\n}\n-----END X-----\n"
	for secret, want := range map[string][]string{
		"abc": {"abc"}, "some-token": {"some-token"}, "50%-off": {"50%-off"}, pem: {"first-line", "second%line"},
	} {
		var hidden []string
		for _, line := range workflow.Masks(secret) {
			found := workflowtest.Commands(line)
			if len(found) != 1 || found[0].Name != "add-mask" || !strings.HasSuffix(line, "\n") {
				t.Fatalf("%q is read as %q", line, found)
			}
			hidden = append(hidden, found[0].Data)
		}
		if !slices.Equal(hidden, want) {
			t.Errorf("%q: masks %q, want %q", secret, hidden, want)
		}
	}
}
