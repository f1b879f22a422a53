// Package files opens files for reading as a program should that others may hand a path to: only regular files, without
// waiting for a pipe's other end, and never more bytes than a limit.
//
// Every error is a *fs.PathError whose Err says what is wrong without the path, which may hold what must not be printed.
package files

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// ErrKind says that something is there which is no regular file.
var ErrKind = errors.New("not a regular file")

// ErrSize says that a file is larger than its limit.
var ErrSize = errors.New("larger than its limit")

// ErrChanged says that a file was replaced each time that it was opened.
var ErrChanged = errors.New("it changed while it was opened")

// maxOpens bounds how often a file is opened that is replaced while it is opened.
const maxOpens = 100

// Read returns the content of a regular file, which symbolic links may lead to. It is an error if the file has more than
// limit bytes; no more than that and one are read.
func Read(name string, limit int64) ([]byte, error) {
	f, err := Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return ReadAll(f, limit)
}

// ReadIn does so for a name in dir, which must not be a symbolic link.
func ReadIn(dir *os.Root, name string, limit int64) ([]byte, error) {
	f, _, err := OpenIn(dir, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return ReadAll(f, limit)
}

// ReadAll returns what is left of a regular file, which is an error if it is more than limit bytes.
func ReadAll(f *os.File, limit int64) ([]byte, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	large := fmt.Errorf("it is %w of %s", ErrSize, size(limit))
	if info.Size() > limit {
		return nil, wrong(f.Name(), large)
	}
	content, err := io.ReadAll(io.LimitReader(f, limit+1))
	switch {
	case err != nil:
		return nil, err
	case int64(len(content)) > limit: // it grows, or does not tell its size
		return nil, wrong(f.Name(), large)
	}
	return content, nil
}

// Open opens a regular file, which symbolic links may lead to. It does not wait, and does not touch a device.
func Open(name string) (*os.File, error) {
	info, err := os.Stat(name)
	if err == nil {
		err = regular(name, info)
	}
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(name, os.O_RDONLY|nonblock, 0) // #nosec G304 -- the caller names the file
	if err != nil {
		return nil, err
	}
	if info, err = f.Stat(); err == nil {
		err = regular(name, info)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// OpenIn opens the regular file of that name in dir, not what a symbolic link there leads to. info is the open file's.
// A writer that replaces the file meanwhile is no error: it is opened again.
func OpenIn(dir *os.Root, name string) (f *os.File, info fs.FileInfo, err error) {
	for range maxOpens {
		f, info, err = openIn(dir, name)
		if !errors.Is(err, ErrChanged) {
			break
		}
	}
	return f, info, err
}

// openIn does so once. ErrChanged says that the file opened is another than the one that was looked at before.
func openIn(dir *os.Root, name string) (f *os.File, info fs.FileInfo, err error) {
	there, err := dir.Lstat(name)
	if err == nil {
		err = regular(name, there)
	}
	if err != nil {
		return nil, nil, err
	}
	if f, err = dir.OpenFile(name, os.O_RDONLY|nonblock, 0); err != nil {
		return nil, nil, err
	}
	info, err = f.Stat()
	if err == nil && !os.SameFile(there, info) {
		err = wrong(name, ErrChanged)
	}
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return f, info, nil
}

// OpenStream opens what is read from one end to the other in bounded memory, whatever its length: a regular file, or a
// pipe, as a shell makes of <(zcat file). Opening a named pipe waits until somebody opens it for writing.
func OpenStream(name string) (*os.File, error) {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return nil, err
	case info.Mode()&fs.ModeNamedPipe == 0:
		return Open(name)
	}
	f, err := os.Open(name) // #nosec G304 -- the caller names the file
	if err != nil {
		return nil, err
	}
	if info, err = f.Stat(); err == nil && info.Mode()&fs.ModeNamedPipe == 0 {
		err = wrong(name, ErrChanged)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// regular reports what info is of if not of a regular file.
func regular(name string, info fs.FileInfo) error {
	what := "something else"
	switch mode := info.Mode(); {
	case mode.IsRegular():
		return nil
	case mode.IsDir():
		what = "a directory"
	case mode&fs.ModeSymlink != 0:
		what = "a symbolic link"
	case mode&fs.ModeNamedPipe != 0:
		what = "a pipe"
	case mode&fs.ModeSocket != 0:
		what = "a socket"
	case mode&fs.ModeDevice != 0:
		what = "a device"
	}
	return wrong(name, fmt.Errorf("it is %s, %w", what, ErrKind))
}

func wrong(name string, err error) error { return &fs.PathError{Op: "reading", Path: name, Err: err} }

// size is a number of bytes for people.
func size(n int64) string {
	switch {
	case n >= 1<<20 && n%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 1<<10 && n%(1<<10) == 0:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d bytes", n)
}

// Reason is what is wrong, without the path.
func Reason(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
