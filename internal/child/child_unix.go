//go:build unix && !aix && !solaris

package child

import (
	"errors"
	"fmt"
	"io/fs"
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
	if err != nil {
		return err
	}
	return runnableFile(info)
}

func runnableFile(info fs.FileInfo) error {
	switch {
	case !info.Mode().IsRegular() || info.Mode()&0o111 == 0:
		return errors.New("it is not an executable file")
	case info.Mode()&0o002 != 0:
		return errors.New("everyone may change it")
	}
	return nil
}

// trusted reports why a program that nobody named by its path should not be run: somebody else could have put it there.
func trusted(program string) error {
	info, err := os.Stat(program)
	if err != nil {
		return err
	}
	if err := runnableFile(info); err != nil {
		return err
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok && st.Uid != 0 && int(st.Uid) != os.Geteuid() {
		return fmt.Errorf("it belongs to user %d, who is neither root nor the user of this process", st.Uid)
	}
	return nil
}

// isolate gives cmd a process group of its own, which is killed as a whole.
func isolate(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
