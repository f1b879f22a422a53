//go:build unix

package child_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/org/openclaw-litellm-action/internal/child"
)

// part is the variable that makes this test's binary another program: the one that its tests run.
const part = "CHILD_TEST_PART"

func TestMain(m *testing.M) {
	if name := os.Getenv(part); name != "" {
		os.Exit(play(name, os.Args[1:]))
	}
	os.Exit(m.Run())
}

// play is what the program does in each part.
func play(name string, args []string) int {
	switch name {
	case "show": // what it was given
		dir, _ := os.Getwd()
		n, err := os.Stdin.Read(make([]byte, 1))
		pgid, _ := syscall.Getpgid(0)
		fmt.Printf("%q\n%q\n%s\nstdin %d %v\nleads its group %v\n", args, os.Environ(), dir, n, err, pgid == os.Getpid())
		fmt.Fprintln(os.Stderr, "an error")
	case "fail":
		fmt.Fprintln(os.Stderr, "it went wrong")
		return 3
	case "flood": // without an end
		for block := []byte(strings.Repeat("y\n", 32<<10)); ; {
			if _, err := os.Stdout.Write(block); err != nil {
				return 1
			}
		}
	case "much":
		for range 100 {
			fmt.Print(strings.Repeat("z", 1<<20))
		}
	case "hang": // and so does what it starts
		grandchild("hold", args[0])
		forever()
	case "leave": // and what it starts goes on, with the same output
		fmt.Println(grandchild("wait"))
	case "hold": // a lock, until it dies
		f, err := os.OpenFile(args[0], os.O_RDWR, 0)
		if err == nil {
			err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
		}
		fmt.Println("held", err)
		forever()
	case "wait":
		forever()
	}
	return 0
}

func forever() {
	for {
		time.Sleep(time.Hour)
	}
}

// grandchild starts this program once more and returns its process id.
func grandchild(name string, args ...string) int {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = []string{part + "=" + name}
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Start(); err != nil {
		panic(err)
	}
	return cmd.Process.Pid
}

func as(t *testing.T, name string, args ...string) child.Command {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return child.Command{Program: program, Args: args, Env: []string{part + "=" + name}}
}

func TestRunGivesNothingButWhatIsListed(t *testing.T) {
	t.Setenv("CHILD_TEST_SECRET", "hidden")
	c := as(t, "show", "a b", "$HOME", "*")
	c.Env = append(c.Env, "LANG=C")
	out, err := c.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("%q\n%q\n/\nstdin 0 EOF\nleads its group true\n", c.Args, c.Env)
	if string(out.Stdout.Bytes) != want || string(out.Stderr.Bytes) != "an error\n" || out.Stdout.Cut || out.Stderr.Cut {
		t.Errorf("got %s%s", out.Stdout.Bytes, out.Stderr.Bytes)
	}
	c.Env = nil
	c.Program = "/usr/bin/env"
	c.Args = nil
	if out, err := c.Run(t.Context()); err != nil || len(out.Stdout.Bytes) > 0 {
		t.Errorf("without an environment it sees %s, %v", out.Stdout.Bytes, err)
	}
}

func TestRunReportsFailure(t *testing.T) {
	out, err := as(t, "fail").Run(t.Context())
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 3 || string(out.Stderr.Bytes) != "it went wrong\n" {
		t.Errorf("%v: %s", err, out.Stderr.Bytes)
	}
}

func TestRunKeepsTheBeginning(t *testing.T) {
	out, err := as(t, "much").Run(t.Context())
	if err != nil || len(out.Stdout.Bytes) != 64<<10 || !out.Stdout.Cut {
		t.Errorf("%d bytes, %v", len(out.Stdout.Bytes), err)
	}
}

// TestRunEndsAFlood: a program that prints for ever is killed in time, and its output was not kept.
func TestRunEndsAFlood(t *testing.T) {
	c := as(t, "flood")
	c.Timeout = 100 * time.Millisecond
	out, err := c.Run(t.Context())
	var timeout *child.Timeout
	if !errors.As(err, &timeout) || err.Error() != "it did not end within 100ms and was killed" || cap(out.Stdout.Bytes) > 1<<20 {
		t.Errorf("%v, %d bytes kept", err, cap(out.Stdout.Bytes))
	}
}

// TestRunKillsTheWholeGroup: what the program started dies with it, which its lock tells.
func TestRunKillsTheWholeGroup(t *testing.T) {
	path := file(t, t.TempDir(), "lock", 0o600)
	c := as(t, "hang", path)
	c.Timeout = 3 * time.Second
	out, err := c.Run(t.Context())
	var timeout *child.Timeout
	if !errors.As(err, &timeout) || string(out.Stdout.Bytes) != "held <nil>\n" {
		t.Fatalf("%v: %s", err, out.Stdout.Bytes)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	free := make(chan error, 1)
	go func() { free <- syscall.Flock(int(f.Fd()), syscall.LOCK_EX) }()
	select {
	case err := <-free:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Error("what the program had started goes on")
	}
}

// TestRunDoesNotWaitForWhatIsLeftBehind: a program that ended well has done so, though another holds its output.
func TestRunDoesNotWaitForWhatIsLeftBehind(t *testing.T) {
	c := as(t, "leave")
	c.Timeout = time.Hour
	out, err := c.Run(t.Context())
	pid, notNumber := strconv.Atoi(strings.TrimSpace(string(out.Stdout.Bytes)))
	if err != nil || notNumber != nil {
		t.Fatalf("%v: %s", err, out.Stdout.Bytes)
	}
	_ = syscall.Kill(pid, syscall.SIGKILL)
}

func TestRunEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := as(t, "wait").Run(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// file makes one with a mode.
func file(t *testing.T, dir, name string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestCheck(t *testing.T) {
	dir := t.TempDir()
	for program, want := range map[string]string{
		file(t, dir, "good", 0o755): "", file(t, dir, "plain", 0o600): "not an executable", file(t, dir, "open", 0o777): "everyone may change it",
		dir: "not an executable", filepath.Join(dir, "missing"): "no such file", "openclaw": "not an absolute path", "./openclaw": "not an absolute path",
	} {
		err := child.Command{Program: program}.Check()
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v", program, err)
		}
		if _, err := (child.Command{Program: program}).Run(t.Context()); want != "" && err == nil {
			t.Errorf("%s is run", program)
		}
	}
}

func TestFindTakesAbsoluteDirectoriesAlone(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	t.Chdir(dir)
	file(t, dir, "openclaw", 0o755)
	for _, path := range []string{"", ".", ":", "./", "sub/..:"} {
		if program, err := child.Find("openclaw", path); !errors.Is(err, exec.ErrNotFound) {
			t.Errorf("PATH=%s: %s, %v", path, program, err)
		}
	}
	want := file(t, other, "openclaw", 0o755)
	if program, err := child.Find("openclaw", "."+":/nowhere:"+other); program != want || err != nil {
		t.Errorf("%s, %v", program, err)
	}
	if err := os.Chmod(want, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := child.Find("openclaw", other+":"+dir); err == nil || !strings.Contains(err.Error(), want+": everyone may change it") {
		t.Error(err)
	}
	if os.Geteuid() != 0 {
		return
	}
	if err := errors.Join(os.Chmod(want, 0o755), os.Chown(want, 12345, 12345)); err != nil {
		t.Fatal(err)
	}
	if _, err := child.Find("openclaw", other); err == nil || !strings.Contains(err.Error(), "it belongs to user 12345") {
		t.Error(err)
	}
}

func TestAbsolutePath(t *testing.T) {
	if got := child.AbsolutePath(":/a:.:b:/c:"); got != "/a:/c" {
		t.Error(got)
	}
	if !slices.Contains(child.SystemPath(), "/usr/bin") {
		t.Error(child.SystemPath())
	}
}
