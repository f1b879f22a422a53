//go:build !unix || aix || solaris

package openclaw

import (
	"errors"
	"io/fs"
	"os"
)

func ownerOf(fs.FileInfo) (uid, gid int) { return -1, -1 }

func linksOf(fs.FileInfo) uint64 { return 1 }

func mayOwn(uid, gid int) error {
	if uid >= 0 || gid >= 0 {
		return errors.New("files have no user and group numbers on this system")
	}
	return nil
}

func own(_ *os.File, uid, gid int) error { return mayOwn(uid, gid) }

func setMode(*os.File, fs.FileMode) error { return nil } // access lists are inherited from the directory

func writable(*os.Root) error { return nil } // only a write tells

func tryLock(*os.File) (bool, error) { return false, errors.ErrUnsupported }

func syncDir(*os.File) error { return nil }

func mounted(error) bool { return false }
