//go:build unix

package openclaw_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/org/openclaw-litellm-action/openclaw"
)

// agent and mallory are two users of the machine besides root.
const (
	agent   = 12345
	mallory = 23456
)

// asRoot skips a test that only root can lay out.
func asRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
}

func give(t *testing.T, path string, uid int, mode fs.FileMode) {
	t.Helper()
	if err := errors.Join(os.Lchown(path, uid, uid), os.Chmod(path, mode)); err != nil {
		t.Fatal(err)
	}
}

// folder makes a directory with that owner and mode.
func folder(t *testing.T, path string, uid int, mode fs.FileMode) string {
	t.Helper()
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	give(t, path, uid, mode)
	return path
}

func ownerAt(t *testing.T, path string) int {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	return int(info.Sys().(*syscall.Stat_t).Uid)
}

// TestNobodyGetsAKeyByPuttingAFileThere: a rotation of root's keeps a present file's owner only if that is root or the
// directory's owner, and hands a new file only to one who alone could make the directory.
func TestNobodyGetsAKeyByPuttingAFileThere(t *testing.T) {
	asRoot(t)
	const sticky, open = fs.ModeSticky | 0o777, fs.FileMode(0o777)
	tests := map[string]struct {
		lay   func(t *testing.T, dir string) string // returns the path of the key file
		want  string                                // the error; "": it is written
		owner int
	}{
		"root's directory":                      {func(t *testing.T, d string) string { return filepath.Join(folder(t, d+"/a", 0, 0o755), "key") }, "", 0},
		"the agent's directory":                 {func(t *testing.T, d string) string { return filepath.Join(folder(t, d+"/a", agent, 0o700), "key") }, "", agent},
		"everybody's directory":                 {func(t *testing.T, d string) string { return filepath.Join(folder(t, d+"/a", 0, sticky), "key") }, "", 0},
		"a file of root's":                      {planted(0, 0o755, 0), "", 0},
		"a file of root's elsewhere":            {planted(agent, 0o700, 0), "", 0},
		"a file of the agent's":                 {planted(agent, 0o700, agent), "", agent},
		"a file of mallory's among everybody's": {planted(0, sticky, mallory), "it belongs to user 23456", mallory},
		"a file of mallory's in an open place":  {planted(0, open, mallory), "it belongs to user 23456", mallory},
		"a file of mallory's at the agent's":    {planted(agent, open, mallory), "it belongs to user 23456", mallory},
		"a file of mallory's in root's":         {planted(0, 0o755, mallory), "it belongs to user 23456", mallory},
		"a directory of mallory's among everybody's": {func(t *testing.T, d string) string {
			return filepath.Join(folder(t, folder(t, d+"/a", 0, sticky)+"/b", mallory, 0o755), "key")
		}, "user 23456 would get the key", -1},
		"a directory of mallory's in an open place": {func(t *testing.T, d string) string {
			return filepath.Join(folder(t, folder(t, d+"/a", 0, open)+"/b", mallory, 0o755), "key")
		}, "user 23456 would get the key", -1},
		"far below a directory of mallory's": {func(t *testing.T, d string) string {
			b := folder(t, folder(t, d+"/a", 0, sticky)+"/b", mallory, 0o755)
			return filepath.Join(folder(t, folder(t, b+"/c", 0, 0o755)+"/d", mallory, 0o755), "key")
		}, "user 23456 would get the key", -1},
		"by a link of mallory's": {func(t *testing.T, d string) string {
			home := folder(t, folder(t, d+"/home", 0, 0o755)+"/mallory", mallory, 0o700)
			link := filepath.Join(folder(t, d+"/a", 0, sticky), "keys")
			if err := errors.Join(os.Symlink(home, link), os.Lchown(link, mallory, mallory)); err != nil {
				t.Fatal(err)
			}
			return filepath.Join(link, "key")
		}, "", -1},
		"by a link of root's": {func(t *testing.T, d string) string {
			home := folder(t, folder(t, d+"/home", 0, 0o755)+"/agent", agent, 0o700)
			link := filepath.Join(folder(t, d+"/a", 0, sticky), "keys")
			if err := os.Symlink("../home/agent", link); err != nil {
				t.Fatal(err)
			}
			_ = home
			return filepath.Join(link, "key")
		}, "", agent},
		"root's below everybody's": {func(t *testing.T, d string) string {
			return filepath.Join(folder(t, folder(t, d+"/a", 0, sticky)+"/b", 0, 0o755), "key")
		}, "", 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			k := &openclaw.KeyFile{Path: tt.lay(t, t.TempDir())}
			before, had := os.ReadFile(k.Path)
			refused := k.Preflight(t.Context())
			_, own, err := k.Write(t.Context(), key)
			if name == "by a link of mallory's" {
				// Where the kernel follows such links for root at all, it is refused here.
				if refused == nil || err == nil || own {
					t.Errorf("%v, %v", refused, err)
				}
				return
			}
			if tt.want != "" {
				wantErr(t, refused, tt.want)
				wantErr(t, err, tt.want)
				after, has := os.ReadFile(k.Path)
				if own || string(before) != string(after) || (had == nil) != (has == nil) {
					t.Error("it was written all the same")
				}
				if left, _ := filepath.Glob(filepath.Join(filepath.Dir(k.Path), ".*tmp")); len(left) > 0 {
					t.Errorf("left %v", left)
				}
				return
			}
			if refused != nil || err != nil || !own {
				t.Fatalf("%v, %v", refused, err)
			}
			info, _ := os.Stat(k.Path)
			if got := ownerAt(t, k.Path); got != tt.owner || info.Mode().Perm() != 0o600 {
				t.Errorf("it belongs to %d with mode %v, want %d", got, info.Mode(), tt.owner)
			}
		})
	}
}

// planted returns a layout with a file of an owner in a directory of another.
func planted(dirOwner int, dirMode fs.FileMode, fileOwner int) func(*testing.T, string) string {
	return func(t *testing.T, dir string) string {
		path := filepath.Join(folder(t, dir+"/a", dirOwner, dirMode), "key")
		put(t, path, "sk-planted", 0o600)
		give(t, path, fileOwner, 0o666)
		return path
	}
}

// TestAConfiguredOwnerBeatsAPlantedFile: whom the caller names gets the file, and the group of a stranger's file does not
// stay.
func TestAConfiguredOwnerBeatsAPlantedFile(t *testing.T) {
	asRoot(t)
	me := 0
	k := &openclaw.KeyFile{Path: planted(0, fs.ModeSticky|0o777, mallory)(t, t.TempDir()), UID: &me, Mode: 0o640}
	if err := k.Preflight(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, own, err := k.Write(t.Context(), key); err != nil || !own {
		t.Fatal(err)
	}
	info, _ := os.Stat(k.Path)
	if st := info.Sys().(*syscall.Stat_t); st.Uid != 0 || st.Gid == mallory {
		t.Errorf("it belongs to %d:%d", st.Uid, st.Gid)
	}
}

// TestAHardLinkKeepsNothing: the file gets another inode, so that a second name for the old one does not show the new key.
func TestAHardLinkKeepsNothing(t *testing.T) {
	k := newFile(t)
	put(t, k.Path, "sk-old", 0o600)
	second := k.Path + ".second"
	if err := os.Link(k.Path, second); err != nil {
		t.Fatal(err)
	}
	if _, own, err := k.Write(t.Context(), key); err != nil || !own {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(second); string(text) != "sk-old" {
		t.Error("the second name shows the new key")
	}
	info, _ := os.Stat(k.Path)
	if n := info.Sys().(*syscall.Stat_t).Nlink; n != 1 {
		t.Errorf("it has %d names, and OpenClaw refuses more than one", n)
	}
}

// TestALockOfAStrangerDoesNotStopAWrite: everybody who can read a directory can lock it.
func TestALockOfAStrangerDoesNotStopAWrite(t *testing.T) {
	k := newFile(t)
	dir, err := os.Open(filepath.Dir(k.Path))
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	if err := syscall.Flock(int(dir.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		if _, own, err := k.Write(context.Background(), key); err != nil || !own {
			t.Error(err)
		}
	})
}

// TestExposed holds who is said to be able to replace the file.
func TestExposed(t *testing.T) {
	asRoot(t)
	for name, tt := range map[string]struct {
		lay  func(t *testing.T, dir string) string
		want []string // parts of the sentences, with DIR for the test's directory
	}{
		"private":     {func(t *testing.T, d string) string { return folder(t, d+"/a", 0, 0o700) }, nil},
		"the agent's": {func(t *testing.T, d string) string { return folder(t, d+"/a", agent, 0o755) }, nil},
		"below the agent's": {func(t *testing.T, d string) string {
			return folder(t, folder(t, d+"/a", agent, 0o755)+"/b", agent, 0o755)
		}, nil},
		"sticky":            {func(t *testing.T, d string) string { return folder(t, d+"/a", 0, fs.ModeSticky|0o777) }, nil},
		"a group's":         {func(t *testing.T, d string) string { return folder(t, d+"/a", 0, 0o775) }, []string{"a group can replace the key file, since it can write to directory DIR/a; chmod g-w DIR/a"}},
		"everybody's":       {func(t *testing.T, d string) string { return folder(t, d+"/a", 0, 0o777) }, []string{"everybody can replace the key file, since they can write to directory DIR/a; chmod go-w DIR/a"}},
		"below everybody's": {func(t *testing.T, d string) string { return folder(t, folder(t, d+"/a", 0, 0o777)+"/b", 0, 0o700) }, []string{"everybody can replace the key file, since they can write to directory DIR/a"}},
		"below mallory's": {func(t *testing.T, d string) string {
			return folder(t, folder(t, d+"/a", mallory, 0o755)+"/b", agent, 0o700)
		}, []string{"user 23456 can replace the key file, since directory DIR/a is theirs"}},
		"made by mallory": {func(t *testing.T, d string) string {
			return folder(t, folder(t, d+"/a", 0, fs.ModeSticky|0o777)+"/b", mallory, 0o700)
		}, []string{"DIR/a/b belongs to user 23456 and lies in DIR/a"}},
		"missing": {func(_ *testing.T, d string) string { return d + "/missing" }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			got := (&openclaw.KeyFile{Path: filepath.Join(tt.lay(t, dir), "key")}).Exposed()
			fits := slices.EqualFunc(got, tt.want, func(said openclaw.Exposure, want string) bool {
				return strings.Contains(said.String(), strings.ReplaceAll(want, "DIR", dir))
			})
			if !fits {
				t.Errorf("got %q", got)
			}
		})
	}
}
