package repo

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// root is the top of the repository, seen from this package, where `go test` runs.
const root = "../.."

// modulePath starts the import path of every package of ours.
const modulePath = "github.com/org/openclaw-litellm-action"

// file is one parsed Go file.
type file struct {
	name  string // path from the top, with slashes
	pkg   string // its folder: "litellm/litellmtest"
	test  bool
	lines int
	tree  *ast.File
}

var fset = token.NewFileSet()

// goFiles returns every Go file of the module, by name.
func goFiles(t *testing.T) []file {
	t.Helper()
	files, err := parseAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatal("no Go files found")
	}
	return files
}

var parseAll = sync.OnceValues(func() ([]file, error) {
	var files []file
	err := walk(func(name string) error {
		if !strings.HasSuffix(name, ".go") || strings.Contains(name, "testdata/") {
			return nil
		}
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			return err
		}
		tree, err := parser.ParseFile(fset, name, text, parser.ParseComments)
		if err != nil {
			return err
		}
		files = append(files, file{
			name: name, pkg: path.Dir(name), test: strings.HasSuffix(name, "_test.go"),
			lines: bytes.Count(text, []byte("\n")), tree: tree,
		})
		return nil
	})
	return files, err
})

// product returns the files that are no tests.
func product(t *testing.T) []file {
	t.Helper()
	return slices.DeleteFunc(slices.Clone(goFiles(t)), func(f file) bool { return f.test })
}

// walk calls do for each file of the work tree, less what git ignores; without git, less a few folders.
func walk(do func(name string) error) error {
	git := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	git.Dir = root
	if list, err := git.Output(); err == nil && len(list) > 0 {
		for name := range strings.SplitSeq(strings.Trim(string(list), "\x00"), "\x00") {
			if _, err := os.Lstat(filepath.Join(root, name)); err != nil {
				continue // deleted, but not yet committed so
			}
			if err := do(name); err != nil {
				return err
			}
		}
		return nil
	}
	return fs.WalkDir(os.DirFS(root), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && slices.Contains([]string{".git", "dist"}, name):
			return fs.SkipDir
		case d.IsDir():
			return nil
		}
		return do(name)
	})
}

// importPath returns what the import names, without quotes.
func importPath(s *ast.ImportSpec) string { return strings.Trim(s.Path.Value, `"`) }

// at says where a node is: file:line.
func at(n ast.Node) string {
	p := fset.Position(n.Pos())
	p.Column = 0
	return p.String()
}
