package settings

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

var update = flag.Bool("update", false, "write action.yml and README.md from the table")

// TestRendered holds action.yml and the README to the table.
func TestRendered(t *testing.T) {
	for _, file := range []struct{ path, open, close, want string }{
		{"../action.yml", "# <settings>\n", "  # </settings>", actionInputs()},
		{"../README.md", "<!-- settings -->\n", "<!-- /settings -->", readmeTable()},
	} {
		content, err := os.ReadFile(file.path)
		if err != nil {
			t.Fatal(err)
		}
		before, rest, ok := strings.Cut(string(content), file.open)
		have, after, ok2 := strings.Cut(rest, file.close)
		if !ok || !ok2 {
			t.Fatalf("%s has no region between %q and %q", file.path, file.open, file.close)
		}
		if have == file.want {
			continue
		}
		if !*update {
			t.Errorf("%s does not agree with the table; run: go test ./settings -run TestRendered -update", file.path)
			continue
		}
		if err := os.WriteFile(file.path, []byte(before+file.open+file.want+file.close+after), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestAction wants action.yml to be an Action whose only default is the workflow's token.
func TestAction(t *testing.T) {
	content, err := os.ReadFile("../action.yml")
	if err != nil {
		t.Fatal(err)
	}
	var action struct {
		Name, Description, Author string
		Branding                  struct{ Icon, Color string }
		Inputs                    map[string]struct {
			Description, Default string
			Required             bool
		}
		Outputs map[string]struct{ Description string }
		Runs    struct{ Using, Image string }
	}
	if err := yaml.UnmarshalWithOptions(content, &action, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	inputs := 0
	for _, r := range table() {
		if r.on&inputSurface == 0 {
			continue
		}
		inputs++
		got, want := action.Inputs[r.name], ""
		if r.name == "github-token" {
			want = "${{ github.token }}"
		}
		if got.Description != r.describe() || got.Default != want || got.Required {
			t.Errorf("input %s is %+v", r.name, got)
		}
	}
	if inputs != len(action.Inputs) || len(action.Outputs) != 8 || action.Runs.Using != "docker" {
		t.Errorf("%d inputs of %d are known, %d outputs, runs %+v", inputs, len(action.Inputs), len(action.Outputs), action.Runs)
	}
}

// actionInputs renders the inputs of action.yml. None has a default but the token that only a workflow can name:
// a default would arrive as an input and beat environment and file.
func actionInputs() string {
	var b strings.Builder
	for _, r := range table() {
		if r.on&inputSurface == 0 {
			continue
		}
		fmt.Fprintf(&b, "  %s:\n    description: '%s'\n    required: false\n", r.name, strings.ReplaceAll(r.describe(), "'", "''"))
		if r.name == "github-token" {
			b.WriteString("    default: ${{ github.token }}\n")
		}
	}
	return b.String()
}

// readmeTable renders the README's tables, one a group.
func readmeTable() string {
	var b strings.Builder
	group := ""
	for _, r := range table() {
		if r.group != group {
			group = r.group
			fmt.Fprintf(&b, "\n### %s\n\n| setting | given as | environment | in the file | what |\n| --- | --- | --- | --- | --- |\n", group)
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", r.name, surfaces(r), code(r.variables()), code(strings.Fields(r.file)), cell(r.describe()))
	}
	return b.String() + "\n"
}

func surfaces(r row) string {
	var ways []string
	if r.on&inputSurface != 0 {
		ways = append(ways, "input")
	}
	if r.on&flagSurface != 0 {
		ways = append(ways, "flag")
	}
	if r.arg {
		ways = append(ways, "arguments")
	}
	return strings.Join(ways, ", ")
}

func code(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return "`" + strings.Join(names, "`, `") + "`"
}

func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "*", `\*`).Replace(text)
}
