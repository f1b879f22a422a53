//go:build unix && !aix && !solaris

package openclaw

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const (
	byGroup  = 0o020
	byOthers = 0o002
	maxLinks = 40 // on the way to a file
)

// checkReader refuses to give the key to who may have put the file, or the directory, where they are to get it. A present
// file is kept for this process's user, root, or the owner of its directory. Where that owner would get a file of root's,
// nobody else may have been able to make the directory, or a link to it.
func (k *KeyFile) checkReader(dir, present fs.FileInfo) error {
	me := os.Geteuid()
	home, _ := ownerOf(dir)
	reader := home // of a new file of root's
	if present != nil {
		reader, _ = ownerOf(present)
	}
	if present != nil && reader != me && reader != 0 && reader != home {
		return refusal{ErrReader, fmt.Sprintf("it belongs to user %d, who is neither root, nor the user of this process, "+
			"nor the owner of its directory, and would get the key", reader)}
	}
	if me != 0 || reader == 0 {
		return nil
	}
	steps, err := k.steps()
	if err != nil {
		return err
	}
	if len(steps) == 0 || !os.SameFile(steps[len(steps)-1].entry, dir) {
		return errors.New("its directory changed while it was looked at")
	}
	for _, s := range steps {
		if s.writable(byOthers) && s.owner() != 0 {
			return refusal{ErrReader, fmt.Sprintf("%s belongs to user %d and lies in %s, where everybody can make one: "+
				"user %d would get the key", s.name, s.owner(), s.dirName, reader)}
		}
	}
	return nil
}

// Exposed says who besides root, this process's user and the owner of the file's directory can replace the file; nil if
// nobody can. In a directory with the sticky bit nobody can, since only owners replace files there. It does not say why
// the file cannot be written.
func (k *KeyFile) Exposed() []Exposure {
	steps, err := k.steps()
	if err != nil || len(steps) == 0 {
		return nil
	}
	last := steps[len(steps)-1]
	me, home := os.Geteuid(), last.owner()
	var found []Exposure
	for _, s := range steps {
		found = append(found, exposure(s.dirName, s.dir, 0, me, home)...)
		if s.sticky() && s.owner() != 0 && s.owner() != me {
			found = append(found, Exposure{
				fmt.Sprintf("%s belongs to user %d and lies in %s, where everybody can make one", s.name, s.owner(), s.dirName), elsewhere,
			})
		}
	}
	if me != 0 {
		home = me // root gives the file to the directory's owner; for others that is a stranger
	}
	found = append(found, exposure(last.name, last.entry, 0, me, home)...)
	var once []Exposure
	for _, e := range found {
		if !slices.Contains(once, e) {
			once = append(once, e)
		}
	}
	return once
}

const elsewhere = "use a directory that belongs to root or the key's reader"

// exposure says how others than the trusted users can replace what is in one directory.
func exposure(name string, dir fs.FileInfo, trusted ...int) []Exposure {
	var found []Exposure
	if uid, _ := ownerOf(dir); !slices.Contains(trusted, uid) {
		found = append(found, Exposure{fmt.Sprintf("user %d can replace the key file, since directory %s is theirs", uid, name), elsewhere})
	}
	switch mode := dir.Mode(); {
	case mode&fs.ModeSticky != 0:
	case mode&byOthers != 0:
		found = append(found, Exposure{"everybody can replace the key file, since they can write to directory " + name, "chmod go-w " + name})
	case mode&byGroup != 0:
		found = append(found, Exposure{"a group can replace the key file, since it can write to directory " + name, "chmod g-w " + name})
	}
	return found
}

// step is one name on the way from the root directory to a key file's directory.
type step struct {
	dirName, name string // absolute; name is in dirName
	dir, entry    fs.FileInfo
}

func (s step) owner() int {
	uid, _ := ownerOf(s.entry)
	return uid
}

// writable reports whether the directory can be written to by all of those.
func (s step) writable(by fs.FileMode) bool { return s.dir.Mode()&by != 0 }

// sticky reports whether many can write to the directory, and only an owner can replace what is there.
func (s step) sticky() bool { return s.writable(byGroup|byOthers) && s.dir.Mode()&fs.ModeSticky != 0 }

// steps goes the way to the file's directory, through symbolic links, which are steps of their own.
func (k *KeyFile) steps() ([]step, error) {
	path, err := k.wholePath()
	if err != nil {
		return nil, err
	}
	left := split(filepath.Dir(path))
	at, links := "/", 0
	dir, err := os.Lstat(at)
	if err != nil {
		return nil, err
	}
	var steps []step
	for len(left) > 0 {
		name := left[0]
		left = left[1:]
		if name == ".." {
			at = filepath.Dir(at) // of a path without links
			if dir, err = os.Lstat(at); err != nil {
				return nil, err
			}
			continue
		}
		s := step{dirName: at, name: filepath.Join(at, name), dir: dir}
		if s.entry, err = os.Lstat(s.name); err != nil {
			return nil, err
		}
		steps = append(steps, s)
		if s.entry.Mode()&fs.ModeSymlink == 0 {
			at, dir = s.name, s.entry
			continue
		}
		if links++; links > maxLinks {
			return nil, errors.New("too many symbolic links lead to it")
		}
		target, err := os.Readlink(s.name)
		if err != nil {
			return nil, err
		}
		if filepath.IsAbs(target) {
			at = "/"
			if dir, err = os.Lstat(at); err != nil {
				return nil, err
			}
		}
		left = append(split(target), left...)
	}
	return steps, nil
}

// split returns the names of a path.
func split(path string) []string {
	return slices.DeleteFunc(strings.Split(path, "/"), func(name string) bool { return name == "" || name == "." })
}
