package repo

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// snippetFolder is where TestSnippets leaves what the documents say about workflows, for linters.
var snippetFolder = flag.String("snippets", "", "folder to write the documents' workflows to")

// snippet is a YAML block of a document that uses an Action.
type snippet struct {
	name  string // "README.md line 35"
	text  string
	whole bool // a workflow, and not steps alone
}

// snippets returns them all, in order.
func snippets(t *testing.T) []snippet {
	t.Helper()
	var found []snippet
	fence := regexp.MustCompile("(?ms)^ *```ya?ml\n(.*?)^ *```$")
	uses := regexp.MustCompile(`(?m)^[ -]*uses:`)
	jobs := regexp.MustCompile(`(?m)^jobs:`)
	for _, name := range documents(t) {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range fence.FindAllSubmatchIndex(text, -1) {
			block := string(text[at[2]:at[3]])
			if uses.MatchString(block) {
				line := 1 + strings.Count(string(text[:at[2]]), "\n")
				found = append(found, snippet{fmt.Sprintf("%s line %d", name, line), block, jobs.MatchString(block)})
			}
		}
	}
	if len(found) < 2 {
		t.Fatalf("the documents have %d blocks that use an Action", len(found))
	}
	return found
}

// documents are the Markdown files of the repository.
func documents(t *testing.T) []string {
	t.Helper()
	var names []string
	err := walk(func(name string) error {
		if strings.HasSuffix(name, ".md") {
			names = append(names, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// workflow is the block as a workflow: steps alone get a job around them.
func (s snippet) workflow() string {
	if s.whole {
		return s.text
	}
	const around = "name: Steps\non: workflow_dispatch\npermissions: {}\n" +
		"concurrency: {group: one, cancel-in-progress: false}\n" +
		"jobs:\n  job:\n    runs-on: ubuntu-latest\n    steps:\n"
	return around + s.text
}

// TestSnippets: what the documents show of workflows can be read, and names only inputs that the Action has.
func TestSnippets(t *testing.T) {
	var act action
	readYAML(t, "action.yml", &act)
	for i, s := range snippets(t) {
		var w workflow
		if err := yaml.Unmarshal([]byte(s.workflow()), &w); err != nil {
			t.Errorf("%s: %v", s.name, err)
			continue
		}
		for _, j := range w.Jobs {
			for _, step := range j.Steps {
				for input := range step.With {
					if _, known := act.Inputs[input]; !known && strings.HasPrefix(step.Uses, ourAction) {
						t.Errorf("%s: action.yml has no input %s", s.name, input)
					}
				}
			}
		}
		if *snippetFolder == "" {
			continue
		}
		file := filepath.Join(*snippetFolder, fmt.Sprintf("%d.yml", i))
		if err := os.WriteFile(file, []byte("# "+s.name+"\n"+s.workflow()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestReadmeShowsTheExample: the workflow that the README tells people to paste is the example, less the words at its
// top.
func TestReadmeShowsTheExample(t *testing.T) {
	example, err := os.ReadFile(filepath.Join(root, "examples/one-key.yml"))
	if err != nil {
		t.Fatal(err)
	}
	_, want, _ := strings.Cut("\n"+string(example), "\nname: ")
	for _, s := range snippets(t) {
		if s.whole && strings.HasPrefix(s.name, "README.md") && s.text == "name: "+want {
			return
		}
	}
	t.Error("README.md has no block that is as examples/one-key.yml")
}
