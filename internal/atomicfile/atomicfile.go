// Package atomicfile replaces a file so that a reader sees the old content or the new one, and never a part: the new
// content is written and synced beside the file, and then renamed over it.
//
// The name itself is replaced, so nothing is written through a symbolic link, into a pipe or to a device.
package atomicfile

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// newMode is the permission of a file that was not there, before the process's umask.
const newMode = 0o644

// File is a file to be replaced.
type File struct {
	Path string // absolute, or relative to the working directory
	// Below confines a file that lies in that directory by name: it must lie there whatever symbolic links say. "": no
	// bound.
	Below string
}

// Check reports why Write would fail: the directory is missing or not writable, or what is there is not a regular file.
// It leaves everything as it was.
func (f File) Check() error {
	dir, name, err := f.open()
	if err != nil {
		return err
	}
	defer dir.Close()
	if _, err := inspect(dir, name); err != nil {
		return err
	}
	probe, err := dir.OpenFile(tempName(), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("its directory is not writable: %w", err)
	}
	return errors.Join(probe.Close(), dir.Remove(filepath.Base(probe.Name())))
}

// Write replaces the content. A file that is there keeps its permission; a new one gets 0644, less the process's umask.
// If it fails, the file is as it was and nothing is left beside it.
func (f File) Write(content []byte) error {
	dir, name, err := f.open()
	if err != nil {
		return err
	}
	defer dir.Close()
	present, err := inspect(dir, name)
	if err != nil {
		return err
	}
	mode := fs.FileMode(newMode)
	if present != nil {
		mode = 0o600 // until it has the other's permission
	}
	return Replace(dir, name, tempName(), mode, func(temp *os.File) error {
		if present != nil {
			if err := temp.Chmod(present.Mode().Perm()); err != nil {
				return err
			}
		}
		_, err := temp.Write(content)
		return err
	})
}

// Replace puts a new file, created as temp with mode and filled by fill, in the place of name in dir. It is synced
// before it is renamed; the directory is synced after that as far as its file system can. If anything fails, temp is
// removed.
func Replace(dir *os.Root, name, temp string, mode fs.FileMode, fill func(*os.File) error) error {
	f, err := dir.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	err = fill(f)
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = dir.Rename(temp, name)
	}
	if err != nil {
		return errors.Join(err, remove(dir, temp))
	}
	if handle, err := dir.Open("."); err == nil {
		_ = errors.Join(handle.Sync(), handle.Close()) // not every file system can, and the rename is done
	}
	return nil
}

// open returns the file's directory and its name there.
func (f File) open() (*os.Root, string, error) {
	if f.Path == "" || os.IsPathSeparator(f.Path[len(f.Path)-1]) {
		return nil, "", errors.New("the path names a directory; name a file")
	}
	path, err := filepath.Abs(f.Path)
	if err != nil {
		return nil, "", err
	}
	dir, name := filepath.Split(path)
	rel, err := filepath.Rel(f.Below, path)
	if f.Below == "" || err != nil || !filepath.IsLocal(rel) || rel == "." {
		root, err := os.OpenRoot(dir)
		return root, name, err
	}
	below, err := os.OpenRoot(f.Below)
	if err != nil {
		return nil, "", err
	}
	defer below.Close()
	root, err := below.OpenRoot(filepath.Dir(rel))
	return root, name, err
}

// inspect returns what is there, nil if nothing is, and an error if it is not a regular file.
func inspect(dir *os.Root, name string) (fs.FileInfo, error) {
	info, err := dir.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	case info.Mode()&fs.ModeSymlink != 0:
		return nil, errors.New("it is a symbolic link, which is not followed; name the file itself")
	case info.IsDir():
		return nil, errors.New("it is a directory; name a file")
	case !info.Mode().IsRegular():
		return nil, errors.New("it is a pipe, a device or a socket; name a regular file")
	}
	return info, nil
}

func tempName() string { return ".openclaw-litellm-" + rand.Text() + ".tmp" }

func remove(dir *os.Root, name string) error {
	if err := dir.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
