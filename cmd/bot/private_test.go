//go:build linux

package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// TestTheMemoryOfTheProcessIsPrivate: what the system shows of the process belongs to root, so that no other process of its
// own user can read its environment or its memory, or attach to it. Of another program that would be its own user.
func TestTheMemoryOfTheProcessIsPrivate(t *testing.T) {
	uid := os.Getuid()
	var as *syscall.Credential
	if uid == 0 { // to root it would make no difference
		uid = 65534
		as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}
	}
	if owner := ownerOfProcess(t, as, "sleep", "60"); owner != uid {
		t.Skipf("another program of user %d belongs to %d here", uid, owner)
	}
	program := publicCopy(t)
	if owner := ownerOfProcess(t, as, program, "serve", "--sandbox", "--health-listen", "127.0.0.1:0"); owner != 0 {
		t.Errorf("the environment of the process belongs to user %d, who can read it", owner)
	}
}

// ownerOfProcess runs a program until it says something, if it does, and returns who owns its environment.
func ownerOfProcess(t *testing.T, as *syscall.Credential, program string, args ...string) int {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir = "/"
	cmd.Env = []string{"LITELLM_MASTER_KEY=management-key-to-be-kept", "HOME=/nonexistent", "TMPDIR=/tmp"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as}
	said, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Skipf("starting %s: %v", program, err)
	}
	defer func() { _ = errors.Join(cmd.Process.Kill(), cmd.Wait()) }()
	if len(args) > 1 {
		if _, err := bufio.NewReader(said).ReadString('\n'); err != nil {
			t.Fatalf("%s says nothing: %v", program, err)
		}
	}
	info, err := os.Stat(fmt.Sprintf("/proc/%d/environ", cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	return int(info.Sys().(*syscall.Stat_t).Uid)
}

// publicCopy copies the program to where another user can run it.
func publicCopy(t *testing.T) string {
	t.Helper()
	own, err := exec.LookPath(realBot)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "bot-private-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	text, err := os.ReadFile(own)
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(dir, filepath.Base(own))
	if err := errors.Join(os.WriteFile(copied, text, 0o700), os.Chmod(copied, 0o755), os.Chmod(dir, 0o755)); err != nil {
		t.Fatal(err)
	}
	return copied
}
