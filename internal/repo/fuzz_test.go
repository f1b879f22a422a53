package repo

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestFuzzTestsHaveACorpus: what was found interesting once is tried by every `go test`.
func TestFuzzTestsHaveACorpus(t *testing.T) {
	found := 0
	fuzz := regexp.MustCompile(`(?m)^func (Fuzz[A-Za-z0-9_]+)\(`)
	err := walk(func(name string) error {
		if !strings.HasSuffix(name, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			return err
		}
		for _, m := range fuzz.FindAllSubmatch(text, -1) {
			found++
			corpus, _ := os.ReadDir(filepath.Join(root, filepath.Dir(name), "testdata", "fuzz", string(m[1])))
			if len(corpus) == 0 {
				t.Errorf("%s: %s has no corpus in testdata/fuzz", name, m[1])
			}
		}
		return nil
	})
	if err != nil || found < 10 {
		t.Errorf("%d fuzz tests, %v", found, err)
	}
}
