//go:build unix

package files_test

import (
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/org/openclaw-litellm-action/internal/files"
)

const limit = 1 << 10

// zoo makes one of each kind of thing that a path can lead to, and returns its directory.
func zoo(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	steps := []error{
		os.WriteFile(in("empty"), nil, 0o600),
		os.WriteFile(in("full"), []byte(strings.Repeat("x", limit)), 0o600),
		os.WriteFile(in("large"), []byte(strings.Repeat("x", limit+1)), 0o600),
		os.WriteFile(in("sparse"), nil, 0o600),
		os.Truncate(in("sparse"), 5<<30),
		os.Mkdir(in("directory"), 0o700),
		syscall.Mkfifo(in("pipe"), 0o600),
		os.Symlink("full", in("link")),
		os.Symlink("pipe", in("link-to-pipe")),
		os.Symlink("/dev/zero", in("link-to-device")),
		os.Symlink("nowhere", in("dangling")),
	}
	if err := errors.Join(steps...); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", in("socket"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return dir
}

func TestRead(t *testing.T) {
	dir := zoo(t)
	for _, tt := range []struct {
		name  string
		bytes int
		is    error
		text  string
	}{
		{"empty", 0, nil, ""},
		{"full", limit, nil, ""},
		{"link", limit, nil, ""},
		{"large", 0, files.ErrSize, "it is larger than its limit of 1 KiB"},
		{"sparse", 0, files.ErrSize, "it is larger than its limit of 1 KiB"},
		{"directory", 0, files.ErrKind, "it is a directory, not a regular file"},
		{"pipe", 0, files.ErrKind, "it is a pipe, not a regular file"},
		{"link-to-pipe", 0, files.ErrKind, "it is a pipe"},
		{"socket", 0, files.ErrKind, "it is a socket"},
		{"link-to-device", 0, files.ErrKind, "it is a device"},
		{"dangling", 0, fs.ErrNotExist, "no such file"},
		{"missing", 0, fs.ErrNotExist, "no such file"},
	} {
		content, err := files.Read(filepath.Join(dir, tt.name), limit)
		if !errors.Is(err, tt.is) || len(content) != tt.bytes {
			t.Errorf("%s: %d bytes, %v", tt.name, len(content), err)
		}
		var p *fs.PathError
		if tt.is == nil {
			continue
		}
		if !errors.As(err, &p) || p.Path != filepath.Join(dir, tt.name) || !strings.Contains(files.Reason(err).Error(), tt.text) ||
			strings.Contains(files.Reason(err).Error(), dir) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// TestReadsWhatDoesNotTellItsSize: files of /proc say that they are empty.
func TestReadsWhatDoesNotTellItsSize(t *testing.T) {
	if info, err := os.Stat("/proc/self/status"); err != nil || info.Size() != 0 {
		t.Skip("there is no such file here")
	}
	if content, err := files.Read("/proc/self/status", 1<<20); err != nil || len(content) < 100 {
		t.Errorf("%d bytes, %v", len(content), err)
	}
	if _, err := files.Read("/proc/self/status", 100); !errors.Is(err, files.ErrSize) {
		t.Error(err)
	}
}

func TestReadIn(t *testing.T) {
	root, err := os.OpenRoot(zoo(t))
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	for name, is := range map[string]error{
		"full": nil, "large": files.ErrSize, "link": files.ErrKind, "link-to-device": files.ErrKind, "pipe": files.ErrKind,
		"directory": files.ErrKind, "socket": files.ErrKind, "dangling": files.ErrKind, "missing": fs.ErrNotExist,
	} {
		if _, err := files.ReadIn(root, name, limit); !errors.Is(err, is) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"../x", "/etc/passwd"} {
		if _, err := files.ReadIn(root, name, limit); err == nil {
			t.Errorf("%s is read", name)
		}
	}
}

// TestReadInWhileReplaced: each reading gets the whole content of one writer, as two runs that share a key file need it.
func TestReadInWhileReplaced(t *testing.T) {
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	replace := func() error {
		return errors.Join(root.WriteFile("new", []byte("whole"), 0o600), root.Rename("new", "key"))
	}
	if err := replace(); err != nil {
		t.Fatal(err)
	}
	read, wrote := make(chan struct{}), make(chan error, 1)
	go func() {
		for {
			select {
			case <-read:
				wrote <- nil
				return
			default:
			}
			if err := replace(); err != nil {
				wrote <- err
				return
			}
		}
	}()
	for range 2000 {
		if content, err := files.ReadIn(root, "key", limit); string(content) != "whole" || err != nil {
			t.Fatalf("%q, %v", content, err)
		}
	}
	close(read)
	if err := <-wrote; err != nil {
		t.Error(err)
	}
}

func TestOpenStream(t *testing.T) {
	dir := zoo(t)
	for name, is := range map[string]error{
		"sparse": nil, "link": nil, "directory": files.ErrKind, "socket": files.ErrKind, "link-to-device": files.ErrKind,
		"missing": fs.ErrNotExist,
	} {
		f, err := files.OpenStream(filepath.Join(dir, name))
		if !errors.Is(err, is) {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			f.Close()
		}
	}
	pipe := filepath.Join(dir, "pipe")
	wrote := make(chan error, 1)
	go func() { wrote <- os.WriteFile(pipe, []byte("through a pipe"), 0) }()
	f, err := files.OpenStream(pipe)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if content, err := io.ReadAll(f); string(content) != "through a pipe" || err != nil {
		t.Errorf("%q, %v", content, err)
	}
	if err := <-wrote; err != nil {
		t.Error(err)
	}
}
