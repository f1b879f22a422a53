//go:build unix

package openclaw_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/org/openclaw-litellm-action/openclaw"
	"github.com/org/openclaw-litellm-action/secret"
)

// target is what rotation needs of a place that can be read: rotate.Target and rotate.Reader.
type target interface {
	String() string
	Fingerprint() string
	Preflight(ctx context.Context) error
	Stamp(ctx context.Context) (string, error)
	Write(ctx context.Context, value secret.Value) (stamp string, own bool, err error)
	Read(ctx context.Context) (secret.Value, error) // of rotate.Reader
}

var _ target = (*openclaw.KeyFile)(nil)

var key = secret.New("sk-" + "made-up-for-a-test")

func newFile(t *testing.T) *openclaw.KeyFile {
	return &openclaw.KeyFile{Path: filepath.Join(t.TempDir(), "litellm.key")}
}

func put(t *testing.T, path, content string, mode fs.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func wantErr(t *testing.T, err error, text string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), text) {
		t.Errorf("got error %v, want one with %q", err, text)
	}
	if err != nil && strings.Contains(err.Error(), key.Reveal()) {
		t.Errorf("the key is in %v", err)
	}
}

func TestWriteAndStamp(t *testing.T) {
	k, ctx := newFile(t), t.Context()
	if s, err := k.Stamp(ctx); s != "" || err != nil {
		t.Fatalf("before: %q, %v", s, err)
	}
	if err := k.Preflight(ctx); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(filepath.Dir(k.Path)); len(left) != 0 {
		t.Errorf("checking wrote %v", left)
	}
	for range 2 {
		s, own, err := k.Write(ctx, key)
		if s != key.SHA256() || !own || err != nil {
			t.Fatalf("writing: %q, %v, %v", s, own, err)
		}
	}
	content, _ := os.ReadFile(k.Path)
	info, _ := os.Stat(k.Path)
	if string(content) != key.Reveal() || info.Mode().Perm() != 0o600 {
		t.Errorf("content of %d bytes, mode %v", len(content), info.Mode())
	}
	if s, err := k.Stamp(ctx); s != key.SHA256() || err != nil {
		t.Errorf("after: %q, %v", s, err)
	}
	if v, err := k.Read(ctx); !v.Equal(key) || err != nil {
		t.Errorf("read back: %v, %v", v, err)
	}
	if left, _ := os.ReadDir(filepath.Dir(k.Path)); len(left) != 1 {
		t.Errorf("left %v", left)
	}
}

func TestStampIgnoresTheLineEnd(t *testing.T) {
	k := newFile(t)
	for content, want := range map[string]string{
		key.Reveal(): key.SHA256(), key.Reveal() + "\n": key.SHA256(), key.Reveal() + "\r\n": key.SHA256(), "": "", "\n": "",
	} {
		put(t, k.Path, content, 0o600)
		if s, err := k.Stamp(t.Context()); s != want || err != nil {
			t.Errorf("%d bytes: got %q, %v", len(content), s, err)
		}
	}
}

func TestModes(t *testing.T) {
	tests := map[string]struct {
		present, configured, want fs.FileMode // 0: none
	}{
		"new":              {want: 0o600},
		"new, configured":  {configured: 0o640, want: 0o640},
		"too wide":         {present: 0o644, want: 0o600},
		"group":            {present: 0o660, want: 0o600},
		"narrower is kept": {present: 0o400, want: 0o400},
		"configured wins":  {present: 0o600, configured: 0o440, want: 0o440},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			defer syscall.Umask(syscall.Umask(0o077))
			k := newFile(t)
			k.Mode = tt.configured
			if tt.present != 0 {
				put(t, k.Path, "sk-old", tt.present)
			}
			if err := k.Preflight(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, _, err := k.Write(t.Context(), key); err != nil {
				t.Fatal(err)
			}
			if info, _ := os.Stat(k.Path); info.Mode().Perm() != tt.want {
				t.Errorf("got %v, want %v", info.Mode().Perm(), tt.want)
			}
		})
	}
}

// regular returns the content of an ordinary file, and "" for anything else: opening a pipe would wait for a writer.
func regular(path string) string {
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return ""
	}
	content, _ := os.ReadFile(path)
	return string(content)
}

func TestRefused(t *testing.T) {
	tests := map[string]struct {
		make func(t *testing.T, k *openclaw.KeyFile)
		want string
	}{
		"no path":      {func(_ *testing.T, k *openclaw.KeyFile) { k.Path = "" }, "no path"},
		"relative":     {func(_ *testing.T, k *openclaw.KeyFile) { k.Path = "litellm.key" }, "not absolute"},
		"a directory":  {func(_ *testing.T, k *openclaw.KeyFile) { k.Path += "/" }, "names a directory"},
		"no directory": {func(_ *testing.T, k *openclaw.KeyFile) { k.Path = filepath.Join(k.Path, "x") }, "does not exist"},
		"world mode":   {func(_ *testing.T, k *openclaw.KeyFile) { k.Mode = 0o644 }, "lets everyone in"},
		"odd mode":     {func(_ *testing.T, k *openclaw.KeyFile) { k.Mode = 0o200 }, "no permission"},
		"symlink": {func(t *testing.T, k *openclaw.KeyFile) {
			other := filepath.Join(t.TempDir(), "other")
			put(t, other, "x", 0o600)
			if err := os.Symlink(other, k.Path); err != nil {
				t.Fatal(err)
			}
		}, "symbolic link"},
		"dangling symlink": {func(t *testing.T, k *openclaw.KeyFile) {
			if err := os.Symlink("nowhere", k.Path); err != nil {
				t.Fatal(err)
			}
		}, "symbolic link"},
		"directory there": {func(t *testing.T, k *openclaw.KeyFile) {
			if err := os.Mkdir(k.Path, 0o700); err != nil {
				t.Fatal(err)
			}
		}, "not a regular file"},
		"fifo": {func(t *testing.T, k *openclaw.KeyFile) {
			if err := syscall.Mkfifo(k.Path, 0o600); err != nil {
				t.Fatal(err)
			}
		}, "not a regular file"},
		"settings file":         {func(t *testing.T, k *openclaw.KeyFile) { put(t, k.Path, "A=1\nB=2\n", 0o600) }, "more than one line"},
		"one setting":           {func(t *testing.T, k *openclaw.KeyFile) { put(t, k.Path, "LITELLM_API_KEY=sk-1", 0o600) }, "something else than a key"},
		"one word":              {func(t *testing.T, k *openclaw.KeyFile) { put(t, k.Path, "localhost\n", 0o600) }, "something else than a key"},
		"two keys":              {func(t *testing.T, k *openclaw.KeyFile) { put(t, k.Path, "sk-1 sk-2\n", 0o600) }, "something else than a key"},
		"no more than a prefix": {func(t *testing.T, k *openclaw.KeyFile) { put(t, k.Path, "sk-", 0o600) }, "something else than a key"},
		"zero bytes":            {func(t *testing.T, k *openclaw.KeyFile) { put(t, k.Path, "sk-1\x00", 0o600) }, "something else than a key"},
		"JSON":                  {func(t *testing.T, k *openclaw.KeyFile) { put(t, k.Path, `{"models": {}}`, 0o600) }, "something else than a key"},
		"a private key":         {func(t *testing.T, k *openclaw.KeyFile) { put(t, k.Path, "-----BEGIN x\nMII\n", 0o600) }, "more than one line"},
		"a socket": {func(t *testing.T, k *openclaw.KeyFile) {
			l, err := net.Listen("unix", k.Path)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { l.Close() })
		}, "not a regular file"},
		"sparse": {func(t *testing.T, k *openclaw.KeyFile) {
			put(t, k.Path, "", 0o600)
			if err := os.Truncate(k.Path, 64<<20); err != nil {
				t.Fatal(err)
			}
		}, "no key file"},
		"big file": {func(t *testing.T, k *openclaw.KeyFile) { put(t, k.Path, strings.Repeat("x", 1<<17), 0o600) }, "no key file"},
		"outside":  {func(t *testing.T, k *openclaw.KeyFile) { k.Below = t.TempDir() }, "outside"},
		"outside by dots": {func(t *testing.T, k *openclaw.KeyFile) {
			k.Below, k.Root, k.Path = t.TempDir(), filepath.Dir(k.Path), "../x"
		}, "outside"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			k := newFile(t)
			tt.make(t, k)
			before := regular(k.Path)
			wantErr(t, k.Preflight(t.Context()), tt.want)
			_, own, err := k.Write(t.Context(), key)
			wantErr(t, err, tt.want)
			if after := regular(k.Path); own || before != after {
				t.Error("it was written all the same")
			}
		})
	}
}

func TestBelow(t *testing.T) {
	workspace, elsewhere := t.TempDir(), t.TempDir()
	if err := os.Mkdir(filepath.Join(workspace, "keys"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(elsewhere, filepath.Join(workspace, "out")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../../"+filepath.Base(elsewhere), filepath.Join(workspace, "keys", "up")); err != nil {
		t.Fatal(err)
	}
	in := &openclaw.KeyFile{Path: "keys/litellm.key", Root: workspace, Below: workspace}
	if err := in.Preflight(t.Context()); err != nil {
		t.Error(err)
	}
	if _, own, err := in.Write(t.Context(), key); !own || err != nil {
		t.Errorf("inside: %v, %v", own, err)
	}
	for _, path := range []string{"out/litellm.key", "keys/up/litellm.key"} {
		k := &openclaw.KeyFile{Path: path, Root: workspace, Below: workspace}
		if err := k.Preflight(t.Context()); err == nil {
			t.Errorf("%s passes", path)
		}
		if _, _, err := k.Write(t.Context(), key); err == nil {
			t.Errorf("%s was written", path)
		}
	}
	if left, _ := os.ReadDir(elsewhere); len(left) != 0 {
		t.Errorf("outside now holds %v", left)
	}
}

func TestValueRefused(t *testing.T) {
	k := newFile(t)
	for _, v := range []string{"", key.Reveal() + "\n", "sk-a\nb", "sk-a\x00b", "sk-a b", "sk-", "a"} {
		_, _, err := k.Write(t.Context(), secret.New(v))
		wantErr(t, err, "not one line with a key")
	}
}

func TestLeftovers(t *testing.T) {
	k := newFile(t)
	dir := filepath.Dir(k.Path)
	put(t, filepath.Join(dir, ".litellm.key.openclaw-litellm-DIED.tmp"), key.Reveal(), 0o600)
	put(t, filepath.Join(dir, ".other.key.openclaw-litellm-X.tmp"), "somebody else's", 0o600)
	if _, _, err := k.Write(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	left, _ := os.ReadDir(dir)
	if len(left) != 2 || left[0].Name() != ".other.key.openclaw-litellm-X.tmp" {
		t.Errorf("left %v", left)
	}
}

func TestCancelled(t *testing.T) {
	k := newFile(t)
	put(t, k.Path, "sk-old", 0o600)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := k.Write(ctx, key); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if left, _ := os.ReadDir(filepath.Dir(k.Path)); len(left) != 1 {
		t.Errorf("left %v", left)
	}
}

// TestManyWriters runs writers and readers at once: whatever is read is one whole value, and nothing is left behind.
func TestManyWriters(t *testing.T) {
	k := newFile(t)
	known := map[string]bool{"": true}
	var values []secret.Value
	for i := range 4 {
		v := secret.New("sk-" + strings.Repeat(fmt.Sprint(i), 5000))
		values, known[v.SHA256()] = append(values, v), true
	}
	var wg sync.WaitGroup
	for _, v := range values {
		wg.Go(func() {
			for range 10 {
				if _, _, err := k.Write(t.Context(), v); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Go(func() {
		for range 200 {
			if s, err := k.Stamp(t.Context()); err != nil || !known[s] {
				t.Errorf("read %q, %v", s, err)
			}
		}
	})
	wg.Wait()
	if left, _ := os.ReadDir(filepath.Dir(k.Path)); len(left) != 1 {
		t.Errorf("left %v", left)
	}
}

func TestOwner(t *testing.T) {
	k := newFile(t)
	me, other := os.Getuid(), 12345
	k.UID, k.GID = &me, nil
	if _, _, err := k.Write(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	k.UID, k.GID = &other, &other
	if me != 0 {
		wantErr(t, k.Preflight(t.Context()), "cannot give files away")
		return
	}
	if _, _, err := k.Write(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	k.UID, k.GID = nil, nil // kept from now on, since the directory is that user's
	if err := os.Chown(filepath.Dir(k.Path), other, other); err != nil {
		t.Fatal(err)
	}
	if _, _, err := k.Write(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	info, _ := os.Stat(k.Path)
	if st := info.Sys().(*syscall.Stat_t); int(st.Uid) != other || int(st.Gid) != other || info.Mode().Perm() != 0o600 {
		t.Errorf("owner %d:%d, mode %v", st.Uid, st.Gid, info.Mode())
	}
}

// A new file that root writes can be read by those whose directory it is: the runner's later steps, a gateway's user.
func TestOwnerOfTheDirectory(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can give files away")
	}
	k, other := newFile(t), 12345
	if err := os.Chown(filepath.Dir(k.Path), other, other); err != nil {
		t.Fatal(err)
	}
	if _, _, err := k.Write(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	info, _ := os.Stat(k.Path)
	if st := info.Sys().(*syscall.Stat_t); int(st.Uid) != other || int(st.Gid) != other || info.Mode().Perm() != 0o600 {
		t.Errorf("owner %d:%d, mode %v", st.Uid, st.Gid, info.Mode())
	}
}

func TestNotWritable(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root can write everywhere")
	}
	k := newFile(t)
	if err := os.Chmod(filepath.Dir(k.Path), 0o500); err != nil {
		t.Fatal(err)
	}
	wantErr(t, k.Preflight(t.Context()), "not writable")
}

func TestNames(t *testing.T) {
	a := &openclaw.KeyFile{Path: "keys/litellm.key", Root: "/one"}
	b := &openclaw.KeyFile{Path: "./keys//litellm.key", Root: "/two"}
	c := &openclaw.KeyFile{Path: "keys/other.key", Root: "/one"}
	if a.Fingerprint() != b.Fingerprint() || a.Fingerprint() == c.Fingerprint() || strings.Contains(a.Fingerprint(), "key") {
		t.Errorf("fingerprints %s %s %s", a.Fingerprint(), b.Fingerprint(), c.Fingerprint())
	}
	if a.String() != "key file keys/litellm.key" {
		t.Errorf("named %q", a)
	}
}
