package main

import (
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"
)

// A disk that is full is not a directory that cannot be written to.
func TestFileRemedy(t *testing.T) {
	t.Parallel()
	for want, err := range map[string]error{
		"make room":  &fs.PathError{Op: "write", Path: "litellm.key", Err: syscall.ENOSPC},
		"make room ": fmt.Errorf("writing key file: %w", syscall.EDQUOT),
		"may write":  fs.ErrPermission,
		"exists":     fs.ErrNotExist,
	} {
		if got := fileRemedy(err); !strings.Contains(got, want) {
			t.Errorf("%v: %q", err, got)
		}
	}
}
