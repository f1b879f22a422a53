package repo

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestThreatModelNamesItsTests: every line of docs/security.md says which tests hold it, and these exist. What nothing stops
// says so.
func TestThreatModelNamesItsTests(t *testing.T) {
	there := testsAndScripts(t)
	quoted := regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z0-9]+|[a-z_]+\\.txtar)`")
	text, err := os.ReadFile(filepath.Join(root, "docs/security.md"))
	if err != nil {
		t.Fatal(err)
	}
	lines := 0
	for n, line := range strings.Split(string(text), "\n") {
		cells := strings.Split(strings.Trim(line, "| "), "|")
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| ---") || strings.TrimSpace(cells[len(cells)-1]) == "held by" {
			continue
		}
		lines++
		names := quoted.FindAllStringSubmatch(cells[len(cells)-1], -1)
		if len(names) == 0 && !strings.Contains(line, "not stopped") && !strings.Contains(line, "`.ci/run`") {
			t.Errorf("docs/security.md:%d: no test holds this: %s", n+1, line)
		}
		for _, name := range names {
			if !slices.Contains(there, name[1]) {
				t.Errorf("docs/security.md:%d: there is no %s", n+1, name[1])
			}
		}
	}
	if lines < 30 {
		t.Errorf("docs/security.md has %d lines of a threat model", lines)
	}
}

// testsAndScripts lists the tests, fuzz tests and scripts of this repository by name.
func testsAndScripts(t *testing.T) []string {
	t.Helper()
	var names []string
	function := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	err := walk(func(name string) error {
		if strings.HasSuffix(name, ".txtar") {
			names = append(names, filepath.Base(name))
		}
		if !strings.HasSuffix(name, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(filepath.Join(root, name))
		for _, f := range function.FindAllSubmatch(text, -1) {
			names = append(names, string(f[1]))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}
