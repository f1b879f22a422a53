//go:build unix && !aix && !solaris

package openclaw

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"syscall"
)

// ownerOf returns the owner of an existing file, or -1 and -1.
func ownerOf(info fs.FileInfo) (uid, gid int) {
	if info != nil {
		if st, ok := info.Sys().(*syscall.Stat_t); ok {
			return int(st.Uid), int(st.Gid)
		}
	}
	return -1, -1
}

// linksOf returns how many names an existing file has.
func linksOf(info fs.FileInfo) uint64 {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(st.Nlink)
	}
	return 1
}

// mayOwn reports why this process could not give a file to that owner.
func mayOwn(uid, gid int) error {
	me := os.Geteuid()
	if me == 0 {
		return nil
	}
	if uid >= 0 && uid != me {
		return fmt.Errorf("it belongs to user %d, and user %d cannot give files away", uid, me)
	}
	groups, err := os.Getgroups()
	if err != nil {
		return err
	}
	if gid >= 0 && gid != os.Getegid() && !slices.Contains(groups, gid) {
		return fmt.Errorf("it belongs to group %d, and user %d is not in it", gid, me)
	}
	return nil
}

// own gives f to that owner where it is not f's already.
func own(f *os.File, uid, gid int) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if u, g := ownerOf(info); (uid < 0 || uid == u) && (gid < 0 || gid == g) {
		return nil
	}
	return f.Chown(uid, gid)
}

func setMode(f *os.File, mode fs.FileMode) error { return f.Chmod(mode) }

// writable reports why nothing can be created in dir.
func writable(dir *os.Root) error {
	const writeAndSearch = 2 | 1
	f, err := dir.Open(".")
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	named, err := os.Stat(dir.Name())
	if err != nil || !os.SameFile(info, named) {
		return nil // it cannot be asked about by name; the write will tell
	}
	return syscall.Access(dir.Name(), writeAndSearch)
}

// tryLock takes an exclusive lock on the open directory if nobody has it. The lock ends with the file or the process.
func tryLock(dir *os.File) (bool, error) {
	raw, err := dir.SyscallConn()
	if err != nil {
		return false, err
	}
	var got error
	if err := raw.Control(func(fd uintptr) { got = syscall.Flock(int(fd), syscall.LOCK_EX|syscall.LOCK_NB) }); err != nil {
		return false, err
	}
	if errors.Is(got, syscall.EWOULDBLOCK) || errors.Is(got, syscall.EINTR) {
		return false, nil
	}
	return got == nil, got
}

// syncDir makes the rename last. A file system that cannot sync directories has nothing to sync.
func syncDir(dir *os.File) error {
	err := dir.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		return nil
	}
	return err
}

func mounted(err error) bool { return errors.Is(err, syscall.EBUSY) || errors.Is(err, syscall.EXDEV) }
