package openclaw

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/org/openclaw-litellm-action/internal/files"
)

// ReadFunc returns the content of a file of at most limit bytes. If within is not nil, the file must be in one of those
// directories, whatever symbolic links say.
type ReadFunc func(name string, within []string, limit int64) ([]byte, error)

// errOutside says that a file is in none of the directories that it may be in.
var errOutside = errors.New("it is outside of the directories that it may be in")

// ReadDisk reads regular files, as OpenClaw does: those within directories may be reached by symbolic links that stay
// there, but must not have a second hard link.
func ReadDisk(name string, within []string, limit int64) ([]byte, error) {
	if within == nil {
		return files.Read(name, limit)
	}
	real, err := filepath.EvalSymlinks(name)
	if err != nil {
		return nil, err
	}
	if real, err = filepath.Abs(real); err != nil {
		return nil, err
	}
	for _, dir := range within {
		if resolved, err := filepath.EvalSymlinks(dir); err == nil {
			dir = resolved
		}
		if inside(dir, real) {
			return readIn(dir, real, limit)
		}
	}
	return nil, &fs.PathError{Op: "reading", Path: name, Err: errOutside}
}

// readIn reads a file below dir. Should one of the directories between have become a symbolic link by now, it still leads
// nowhere else.
func readIn(dir, real string, limit int64) ([]byte, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	rel, err := filepath.Rel(dir, real)
	if err != nil {
		return nil, err
	}
	f, info, err := files.OpenIn(root, rel)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if linksOf(info) > 1 {
		return nil, &fs.PathError{Op: "reading", Path: real, Err: errors.New("it has a second hard link, and OpenClaw reads no such file")}
	}
	return files.ReadAll(f, limit)
}

// inside reports whether path is below dir, or dir itself, as both are written.
func inside(dir, path string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && filepath.IsLocal(rel)
}

// IncludeRoots are the directories besides the configuration's own that OpenClaw takes files in from, as
// OPENCLAW_INCLUDE_ROOTS lists them; none if getenv is nil.
func IncludeRoots(getenv func(string) string) []string {
	if getenv == nil {
		return nil
	}
	home := getenv("OPENCLAW_HOME")
	if home == "" {
		home = getenv("HOME")
	}
	var roots []string
	for _, dir := range filepath.SplitList(getenv("OPENCLAW_INCLUDE_ROOTS")) {
		dir = strings.TrimSpace(dir)
		if rest, ok := strings.CutPrefix(dir, "~"); ok && (rest == "" || rest[0] == '/') && home != "" {
			dir = filepath.Join(home, rest)
		}
		if dir != "" {
			roots = append(roots, dir)
		}
	}
	return roots
}
