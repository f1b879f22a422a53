package atomicfile_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/org/openclaw-litellm-action/internal/atomicfile"
)

// put makes a file with that permission, whatever the umask.
func put(t *testing.T, path, content string, mode fs.FileMode) {
	t.Helper()
	if err := errors.Join(os.WriteFile(path, []byte(content), 0o600), os.Chmod(path, mode)); err != nil {
		t.Fatal(err)
	}
}

func want(t *testing.T, path, content string) fs.FileInfo {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil || string(got) != content {
		t.Errorf("%s holds %q, %v; want %q", path, got, err, content)
	}
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

// alone wants nothing in the directory but those names.
func alone(t *testing.T, dir string, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if strings.Join(got, " ") != strings.Join(names, " ") {
		t.Errorf("the directory holds %q, want %q", got, names)
	}
}

func TestWriteKeepsTheMode(t *testing.T) {
	for _, mode := range []fs.FileMode{0o600, 0o640, 0o664, 0o444, 0o755} {
		dir := t.TempDir()
		path := filepath.Join(dir, "report")
		put(t, path, "old", mode)
		f := atomicfile.File{Path: path}
		if err := errors.Join(f.Check(), f.Write([]byte("new"))); err != nil {
			t.Fatal(err)
		}
		if info := want(t, path, "new"); info.Mode() != mode {
			t.Errorf("mode %v became %v", mode, info.Mode())
		}
		alone(t, dir, "report")
	}
}

func TestWriteANewFile(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	put(t, "other", "", 0o600)
	ordinary, err := os.Create("ordinary") // has 0666 less the umask
	if err != nil {
		t.Fatal(err)
	}
	ordinary.Close()
	info, err := os.Stat("ordinary")
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("n", 255)
	for _, name := range []string{"report", long} {
		f := atomicfile.File{Path: name}
		if err := errors.Join(f.Check(), f.Write([]byte("new"))); err != nil {
			t.Fatal(err)
		}
		if got := want(t, name, "new"); got.Mode() != info.Mode()&0o644 {
			t.Errorf("mode %v, want %v", got.Mode(), info.Mode()&0o644)
		}
	}
	alone(t, dir, long, "ordinary", "other", "report")
}

// TestAReaderKeepsTheOldContent: a file that is open, or linked under another name, is not changed.
func TestAReaderKeepsTheOldContent(t *testing.T) {
	dir := t.TempDir()
	path, other := filepath.Join(dir, "report"), filepath.Join(dir, "link")
	put(t, path, "old", 0o644)
	if err := os.Link(path, other); err != nil {
		t.Skip(err)
	}
	if err := (atomicfile.File{Path: path}).Write([]byte("new")); err != nil {
		t.Fatal(err)
	}
	want(t, path, "new")
	want(t, other, "old")
}

func TestRefused(t *testing.T) {
	dir := t.TempDir()
	victim := filepath.Join(dir, "victim")
	put(t, victim, "precious", 0o600)
	for name, target := range map[string]string{
		"link": victim, "dangling": filepath.Join(dir, "nowhere"), "loop": filepath.Join(dir, "loop"),
	} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Skip(err)
		}
	}
	for path, reason := range map[string]string{
		filepath.Join(dir, "link"): "symbolic link", filepath.Join(dir, "dangling"): "symbolic link",
		filepath.Join(dir, "loop"): "symbolic link", dir: "is a directory", ".": "is a directory",
		dir + string(filepath.Separator): "names a directory", "": "names a directory", os.DevNull: "a device",
		filepath.Join(dir, "no", "such"): "no such file", filepath.Join(victim, "x"): "",
	} {
		f := atomicfile.File{Path: path}
		for what, err := range map[string]error{"Check": f.Check(), "Write": f.Write([]byte("new"))} {
			if err == nil || !strings.Contains(err.Error(), reason) {
				t.Errorf("%s of %q: %v, want %q", what, path, err, reason)
			}
		}
	}
	want(t, victim, "precious")
	alone(t, dir, "dangling", "link", "loop", "victim")
}

// TestConfined: a directory that is a link out of the bound is not followed; one within it is.
func TestConfined(t *testing.T) {
	outside, below := t.TempDir(), t.TempDir()
	if err := errors.Join(os.Mkdir(filepath.Join(below, "real"), 0o700), os.Symlink(outside, filepath.Join(below, "out")),
		os.Symlink("real", filepath.Join(below, "in"))); err != nil {
		t.Skip(err)
	}
	escape := atomicfile.File{Path: filepath.Join(below, "out", "report"), Below: below}
	if escape.Check() == nil || escape.Write([]byte("new")) == nil {
		t.Error("a link out of the bound is followed")
	}
	alone(t, outside)
	for _, f := range []atomicfile.File{
		{Path: filepath.Join(below, "in", "report"), Below: below}, {Path: filepath.Join(below, "report"), Below: below},
		{Path: filepath.Join(outside, "report"), Below: below}, // outside by name: somebody chose that
	} {
		if err := errors.Join(f.Check(), f.Write([]byte("new"))); err != nil {
			t.Errorf("%s: %v", f.Path, err)
		}
	}
	want(t, filepath.Join(below, "real", "report"), "new")
}

// TestNothingIsLeftBeside: a write that fails leaves the file as it was, and no other.
func TestNothingIsLeftBeside(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "report"), "old", 0o600)
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	full := errors.New("no space left")
	err = atomicfile.Replace(root, "report", "temp", 0o600, func(f *os.File) error {
		_, err := f.WriteString("a part")
		return errors.Join(err, full)
	})
	if !errors.Is(err, full) {
		t.Errorf("got %v", err)
	}
	if err := os.Mkdir(filepath.Join(dir, "taken"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := atomicfile.Replace(root, "taken", "temp", 0o600, func(*os.File) error { return nil }); err == nil {
		t.Error("a directory was replaced")
	}
	want(t, filepath.Join(dir, "report"), "old")
	alone(t, dir, "report", "taken")
}
