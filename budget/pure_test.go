package budget_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestPure: what is judged depends on nothing but the arguments. fmt brings os along and decimal brings math/rand, so
// those two are looked for among the direct imports only.
func TestPure(t *testing.T) {
	t.Parallel()
	list := func(args ...string) []string {
		out, err := exec.CommandContext(t.Context(), "go", append([]string{"list"}, args...)...).Output()
		if err != nil {
			t.Skipf("the go command does not answer: %v", err)
		}
		return strings.Fields(string(out))
	}
	for _, dep := range list("-deps", ".") {
		pure := slices.ContainsFunc([]string{"/budget", "/finding", "/internal/figure"}, func(p string) bool { return strings.HasSuffix(dep, p) })
		ours := strings.HasPrefix(dep, "github.com/org/") && !pure
		if ours || slices.Contains([]string{"net", "net/http", "os/exec", "log", "log/slog", "crypto/tls"}, dep) {
			t.Errorf("depends on %s", dep)
		}
	}
	for _, dep := range list("-f", `{{join .Imports "\n"}}`, ".") {
		if dep == "os" || strings.HasPrefix(dep, "math/rand") || dep == "io" {
			t.Errorf("imports %s", dep)
		}
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, clock := range []string{"time." + "Now", "time." + "Since", "time." + "Until"} {
			if strings.Contains(string(text), clock) && !strings.HasSuffix(file, "_test.go") {
				t.Errorf("%s reads the clock: %s", file, clock)
			}
		}
	}
}
