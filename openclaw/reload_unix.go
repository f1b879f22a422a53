//go:build unix && !aix && !solaris

package openclaw

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
)

const rootDir = "/"

func systemPath() []string {
	return []string{"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"}
}

// runnable reports why program cannot or should not be run.
func runnable(program string) error {
	info, err := os.Stat(program)
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular() || info.Mode()&0o111 == 0:
		return errors.New("it is not an executable file")
	case info.Mode()&0o002 != 0:
		return errors.New("everyone may change it")
	}
	return nil
}

// isolate gives cmd a process group of its own, which is killed as a whole.
func isolate(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
