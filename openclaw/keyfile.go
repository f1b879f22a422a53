package openclaw

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/org/openclaw-litellm-action/internal/files"
	"github.com/org/openclaw-litellm-action/secret"
)

// KeyFile is one key file. Its content is the key and nothing else, without a line end. Only Path has to be set. A
// KeyFile is not changed after its first use; its methods may be used by several goroutines and processes at once.
type KeyFile struct {
	Path  string // absolute, or relative to Root; its directory must exist
	Root  string // the directory that a relative Path starts from; "": Path must be absolute
	Below string // if set, the file must be in this directory or under it, whatever symbolic links say

	// Mode is the file's permission; 0: 0600, or what the present file has if that is less. It never includes everyone,
	// and OpenClaw refuses a file that others can read.
	Mode     fs.FileMode
	UID, GID *int // the owner; nil: the present file's, or this process's, or of a new file of root's the directory's

	ReloadCommand []string            // run by Reload, the program by its absolute path; nil: none
	ReloadTimeout time.Duration       // 0: 30 s
	Env           []string            // this process's environment ("NAME=value"), of which Reload passes on a little
	Redact        func(string) string // takes secrets out of the command's output; nil: the output is never quoted
	Known         func(secret.Value)  // told of each secret that Reload passes on, before the command runs; nil: need not be
}

// maxContent is how much a key file can hold. A bigger file is something else.
const maxContent = 64 << 10

// ErrNotKey says that the file holds something else than a key, which is not replaced.
var ErrNotKey = errors.New("the file holds something else than a key")

// ErrReader says that the key would be given to who put the file, or its directory, there.
var ErrReader = errors.New("the file's reader is not to be trusted")

// refusal is one of the errors above in words for people.
type refusal struct {
	is   error
	text string
}

// Error returns the words.
func (r refusal) Error() string { return r.text }

// Unwrap returns the error of this package.
func (r refusal) Unwrap() error { return r.is }

// Exposure is a way in which somebody can replace a key file who should not.
type Exposure struct {
	What   string // who, where
	Remedy string
}

// String is one line.
func (e Exposure) String() string { return e.What + "; " + e.Remedy }

// String names the file for people.
func (k *KeyFile) String() string { return "key file " + k.Path }

// Fingerprint is a digest of Path as it was written, so that it stays the same in another checkout.
func (k *KeyFile) Fingerprint() string {
	sum := sha256.Sum256([]byte("openclaw-litellm key file\x00" + filepath.ToSlash(filepath.Clean(k.Path))))
	return hex.EncodeToString(sum[:16])
}

// Preflight reports why Write or Reload would fail: the directory is missing or not writable, the file is a symbolic
// link, lies elsewhere than it may, holds something other than a key, cannot keep its owner, or would give the key to
// somebody who put the file or its directory there; the command cannot be run. It writes nothing, and leaves it to its
// caller to name the file.
func (k *KeyFile) Preflight(context.Context) error {
	err := k.preflight()
	if err == nil {
		err = k.checkCommand()
	}
	return err
}

func (k *KeyFile) preflight() error {
	dir, name, err := k.open()
	if err != nil {
		return err
	}
	defer dir.Close()
	if err := writable(dir); err != nil {
		return fmt.Errorf("its directory is not writable: %w", err)
	}
	present, err := inspect(dir, name)
	if err != nil {
		return err
	}
	if _, err := k.mode(present); err != nil {
		return err
	}
	uid, gid, err := k.owner(dir, present)
	if err != nil {
		return err
	}
	if present != nil {
		if _, err := stamp(dir, name); err != nil {
			return err
		}
	}
	return mayOwn(uid, gid)
}

// Stamp returns the lower-case hex SHA-256 of the content without its line end, which is the name LiteLLM gives to the
// key in it, or "" if there is no file or an empty one.
func (k *KeyFile) Stamp(ctx context.Context) (string, error) {
	v, err := k.Read(ctx)
	if err != nil || v.IsZero() {
		return "", err
	}
	return v.SHA256(), nil
}

// Read returns the key in the file, zero if there is no file or an empty one. A rotation that died after writing it can so
// be finished.
func (k *KeyFile) Read(context.Context) (secret.Value, error) {
	dir, name, err := k.open()
	if err != nil {
		return secret.Value{}, fmt.Errorf("reading %s: %w", k, err)
	}
	defer dir.Close()
	v, err := content(dir, name)
	if err != nil {
		return secret.Value{}, fmt.Errorf("reading %s: %w", k, err)
	}
	return v, nil
}

// open returns the file's directory and the file's name in it. Everything is done relative to that open directory, so
// that nobody can put another one in its place midway.
func (k *KeyFile) open() (*os.Root, string, error) {
	path, err := k.wholePath()
	if err != nil {
		return nil, "", err
	}
	dir, name := filepath.Split(path)
	if k.Below == "" {
		root, err := os.OpenRoot(dir)
		return root, name, explain(err, dir)
	}
	rel, err := filepath.Rel(k.Below, path)
	if err != nil || !filepath.IsLocal(rel) {
		return nil, "", fmt.Errorf("it is outside of %s", k.Below)
	}
	below, err := os.OpenRoot(k.Below)
	if err != nil {
		return nil, "", explain(err, k.Below)
	}
	defer below.Close()
	root, err := below.OpenRoot(filepath.Dir(rel))
	return root, name, explain(err, dir)
}

// wholePath is the absolute path of the file, as it is written.
func (k *KeyFile) wholePath() (string, error) {
	path := k.Path
	switch {
	case path == "":
		return "", errors.New("no path is given")
	case os.IsPathSeparator(path[len(path)-1]):
		return "", errors.New("the path names a directory")
	case !filepath.IsAbs(path) && k.Root == "":
		return "", errors.New("the path is not absolute")
	case !filepath.IsAbs(path):
		path = filepath.Join(k.Root, path)
	}
	path = filepath.Clean(path)
	if name := filepath.Base(path); name == ".." || name == string(filepath.Separator) {
		return "", errors.New("the path names a directory")
	}
	return path, nil
}

func explain(err error, dir string) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("opening directory %s: %w", dir, fs.ErrNotExist)
	}
	return err
}

// inspect returns what is there, nil if nothing is, and an error if it is not an ordinary file.
func inspect(dir *os.Root, name string) (fs.FileInfo, error) {
	info, err := dir.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	case info.Mode()&fs.ModeSymlink != 0:
		return nil, errors.New("it is a symbolic link: name the file itself")
	case !info.Mode().IsRegular():
		return nil, errors.New("it is not a regular file")
	}
	return info, nil
}

// stamp returns the digest of what the file holds, "" for nothing.
func stamp(dir *os.Root, name string) (string, error) {
	v, err := content(dir, name)
	if err != nil || v.IsZero() {
		return "", err
	}
	return v.SHA256(), nil
}

// content reads the file; zero if there is none or it is empty. It refuses what no key file holds, since writing replaces
// the whole file.
func content(dir *os.Root, name string) (secret.Value, error) {
	var none secret.Value
	info, err := inspect(dir, name)
	if err != nil || info == nil {
		return none, err
	}
	raw, err := files.ReadIn(dir, name, maxContent)
	text := strings.TrimRight(string(raw), "\r\n")
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return none, nil
	case err != nil && !errors.Is(err, files.ErrSize):
		return none, files.Reason(err)
	case err != nil || strings.ContainsAny(text, "\r\n"):
		return none, refusal{ErrNotKey, "it holds more than one line, so it is no key file"}
	case strings.TrimSpace(text) != "" && !isKey(strings.TrimSpace(text)):
		return none, refusal{ErrNotKey, "it holds something else than a key of LiteLLM, which begins with sk-"}
	}
	return secret.New(text), nil
}

// isKey reports whether text may be a key of LiteLLM, all of which begin alike.
func isKey(text string) bool {
	rest, ok := strings.CutPrefix(text, "sk-")
	return ok && rest != "" && !strings.ContainsFunc(rest, func(r rune) bool { return r <= ' ' || r > '~' })
}

// mode returns the permission to write with: as configured, or no wider than 0600 and than the present file's.
func (k *KeyFile) mode(present fs.FileInfo) (fs.FileMode, error) {
	switch {
	case k.Mode&^0o777 != 0 || k.Mode != 0 && k.Mode&0o400 == 0:
		return 0, fmt.Errorf("mode %#o is no permission its owner can read with", uint32(k.Mode))
	case k.Mode&0o007 != 0:
		return 0, fmt.Errorf("mode %#o lets everyone in: use 0600", uint32(k.Mode))
	case k.Mode != 0:
		return k.Mode, nil
	case present != nil && present.Mode()&0o400 != 0:
		return present.Mode().Perm() & 0o600, nil
	}
	return 0o600, nil
}

// owner returns the user and group the file should have; -1 means whichever it gets. Who put the file there, or the
// directory, must not get the key that way: then it is an error.
func (k *KeyFile) owner(dir *os.Root, present fs.FileInfo) (uid, gid int, err error) {
	uid, gid = ownerOf(present)
	home, err := dir.Stat(".")
	if err != nil {
		return -1, -1, err
	}
	switch err := k.checkReader(home, present); {
	case err == nil:
	case k.UID == nil:
		return -1, -1, err
	default:
		uid, gid = -1, -1
	}
	if k.UID != nil {
		uid = *k.UID
	}
	if k.GID != nil {
		gid = *k.GID
	}
	return uid, gid, nil
}

// handOver gives a new file of root's to those whose directory it is in: what is written in a container of Actions, or by
// cron, is read by somebody else. Where that cannot be, in a container without that right, the file stays root's.
func handOver(dir *os.Root, f *os.File) {
	if os.Geteuid() != 0 {
		return
	}
	if info, err := dir.Stat("."); err == nil {
		uid, gid := ownerOf(info)
		_ = own(f, uid, gid)
	}
}
