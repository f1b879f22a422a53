//go:build unix

package openclaw

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// tree makes files below a directory of the test, by their path there, and returns that directory.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func link(t *testing.T, make func(old, new string) error, old, new string) {
	t.Helper()
	if err := make(old, new); err != nil {
		t.Fatal(err)
	}
}

// TestIncludesStayWhereOpenClawLetsThem holds what OpenClaw 2026.9.6 says of each (config validate).
func TestIncludesStayWhereOpenClawLetsThem(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{
		"conf/part.json5": "{x: 1}", "conf/sub/part.json5": "{x: 2}", "conf/sub/up.json5": "{$include: '../part.json5'}", "conf/list.json5": "[1]",
		"conf/hard.json5": "{x: 3}", "out/part.json5": "{x: 4}", "shared/part.json5": "{x: 5}", "conf/empty.json5": "",
	})
	in := func(name string) string { return filepath.Join(dir, name) }
	link(t, os.Symlink, "part.json5", in("conf/link.json5"))
	link(t, os.Symlink, in("conf/part.json5"), in("conf/absolute.json5"))
	link(t, os.Symlink, "../out/part.json5", in("conf/leads-out.json5"))
	link(t, os.Symlink, in("out"), in("conf/folder-out"))
	link(t, os.Symlink, "sub", in("conf/folder"))
	link(t, os.Symlink, "nowhere", in("conf/dangling.json5"))
	link(t, os.Symlink, in("shared/part.json5"), in("conf/to-shared.json5"))
	link(t, os.Symlink, "/dev/zero", in("conf/zero.json5"))
	link(t, os.Link, in("conf/hard.json5"), in("conf/hard2.json5"))
	link(t, os.Symlink, in("conf"), in("by-link"))
	if err := syscall.Mkfifo(in("conf/pipe.json5"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ include, roots, want string }{
		{"'./part.json5'", "", ""},
		{"'part.json5'", "", ""},
		{"'sub/../part.json5'", "", ""},
		{"'./sub/up.json5'", "", ""},
		{"'../conf/part.json5'", "", ""},
		{"'" + in("conf/part.json5") + "'", "", ""},
		{"'./link.json5'", "", ""},
		{"'./absolute.json5'", "", ""},
		{"'./folder/part.json5'", "", ""},
		{"['./part.json5', './sub/part.json5']", "", ""},
		{"'../out/part.json5'", "", "leads out of the configuration's directory: ../out/part.json5"},
		{"'" + in("out/part.json5") + "'", "", "leads out of the configuration's directory: "},
		{"'/etc/passwd'", "", "leads out of the configuration's directory: /etc/passwd"},
		{"'./leads-out.json5'", "", "leads out of the configuration's directory by a symbolic link"},
		{"'./folder-out/part.json5'", "", "leads out of the configuration's directory by a symbolic link"},
		{"'./zero.json5'", "", "leads out of the configuration's directory by a symbolic link"},
		{"'./dangling.json5'", "", "cannot be read"},
		{"'./pipe.json5'", "", "it is a pipe, not a regular file"},
		{"'./sub'", "", "it is a directory, not a regular file"},
		{"'./hard.json5'", "", "second hard link"},
		{"'../shared/part.json5'", "shared", ""},
		{"'" + in("shared/part.json5") + "'", "shared", ""},
		{"'./to-shared.json5'", "shared", ""},
		{"'./to-shared.json5'", "", "by a symbolic link"},
		{"'../out/part.json5'", "shared", "leads out"},
		{"['./part.json5', 3]", "", "names no file"},
		{"'" + strings.Repeat("x", 4096) + "'", "", "too long"},
		{`'a\0b'`, "", "zero byte"},
		{"'./empty.json5'", "", "a value is missing"},
	} {
		for _, config := range []string{"conf/openclaw.json", "by-link/openclaw.json"} {
			text := "{part: {$include: " + tt.include + "}}"
			if err := os.WriteFile(in("conf/openclaw.json"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			getenv := func(name string) string {
				if name == "OPENCLAW_INCLUDE_ROOTS" && tt.roots != "" {
					return "/no/such/dir" + string(filepath.ListSeparator) + " " + in(tt.roots)
				}
				return ""
			}
			n, errs := Read(in(config), IncludeRoots(getenv), ReadDisk)
			switch {
			case config == "by-link/openclaw.json" && strings.Contains(tt.include, dir):
				continue // the path as it is written is elsewhere
			case config == "by-link/openclaw.json" && (strings.Contains(tt.include, "../conf") || tt.roots != ""):
				continue // so it is, and OpenClaw minds more than one link on the way
			case tt.want == "" && (len(errs) > 0 || n.Get("part", "x") == nil):
				t.Errorf("%s: %s: %v", config, tt.include, errs)
			case tt.want != "" && (len(errs) != 1 || !strings.Contains(errs[0].What, tt.want)):
				t.Errorf("%s: %s: %v, want %s", config, tt.include, errs, tt.want)
			}
		}
	}
}

func TestIncludedListsStandAlone(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{
		"list.json5": "[1, 2]", "alone.json5": "{a: {$include: './list.json5'}}", "beside.json5": "{a: {$include: './list.json5', b: 1}}",
	})
	if n, errs := Read(filepath.Join(dir, "alone.json5"), nil, ReadDisk); len(errs) > 0 || len(n.Get("a").Items) != 2 {
		t.Error(errs)
	}
	if _, errs := Read(filepath.Join(dir, "beside.json5"), nil, ReadDisk); len(errs) != 1 || !strings.Contains(errs[0].What, "no object") {
		t.Error(errs)
	}
}

// TestARelativeConfigurationTakesInAbsolutePaths: what is inside is told by the whole path.
func TestARelativeConfigurationTakesInAbsolutePaths(t *testing.T) {
	dir := tree(t, map[string]string{"conf/part.json5": "{x: 1}"})
	t.Chdir(filepath.Join(dir, "conf"))
	text := fmt.Sprintf("{a: {$include: %q}, b: {$include: './part.json5'}, c: {$include: '../conf/part.json5'}}", filepath.Join(dir, "conf", "part.json5"))
	if err := os.WriteFile("openclaw.json", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if n, errs := Read("openclaw.json", nil, ReadDisk); len(errs) > 0 || n.Get("c", "x").At.File != "../conf/part.json5" {
		t.Errorf("%v, %+v", errs, n)
	}
}

func TestIncludesAreBounded(t *testing.T) {
	t.Parallel()
	large := "'" + strings.Repeat("x", maxFileSize-2) + "'"
	values := "[" + strings.Repeat("1,", maxNodes) + "]"
	thirty := make([]string, 30)
	for i := range thirty {
		thirty[i] = "'./large.json5'"
	}
	again := make([]string, maxFiles+1)
	for i := range again {
		again[i] = "'./small.json5'"
	}
	dir := tree(t, map[string]string{
		"large.json5": large, "larger.json5": large + " ", "values.json5": values, "small.json5": "{}", "half.json5": values[:maxNodes] + "]",
		"thirty.json5": "{a: {$include: [" + strings.Join(thirty, ",") + "]}}", "again.json5": "{a: {$include: [" + strings.Join(again, ",") + "]}}",
		"one.json5": "{a: {$include: './large.json5'}}", "one-more.json5": "{a: {$include: './larger.json5'}}",
		"halves.json5": "{a: {$include: './half.json5'}, b: {$include: './half.json5'}, c: {$include: './half.json5'}}",
	})
	for name, want := range map[string]string{
		"one.json5": "", "one-more.json5": "the file is larger than 2 MB", "larger.json5": "the file is larger than 2 MB",
		"thirty.json5": "the configuration is larger than 4 MB", "again.json5": "more than 200 files", "values.json5": "more than 100000 values",
		"halves.json5": "more than 100000 values",
	} {
		read := 0
		counting := func(name string, within []string, limit int64) ([]byte, error) {
			text, err := ReadDisk(name, within, limit)
			read += len(text)
			return text, err
		}
		_, errs := Read(filepath.Join(dir, name), nil, counting)
		if want == "" && len(errs) > 0 || want != "" && (len(errs) == 0 || !strings.Contains(errs[0].What, want)) {
			t.Errorf("%s: %v", name, errs)
		}
		if read > maxBytes {
			t.Errorf("%s: %d bytes were read", name, read)
		}
	}
}

func TestIncludeRoots(t *testing.T) {
	t.Parallel()
	env := map[string]string{"OPENCLAW_INCLUDE_ROOTS": " ~/a :: /b:~ :relative", "HOME": "/home", "OPENCLAW_HOME": ""}
	getenv := func(name string) string { return env[name] }
	if got := strings.Join(IncludeRoots(getenv), " "); got != "/home/a /b /home relative" {
		t.Errorf("got %s", got)
	}
	if IncludeRoots(nil) != nil || IncludeRoots(func(string) string { return "" }) != nil {
		t.Error("roots without any")
	}
}
