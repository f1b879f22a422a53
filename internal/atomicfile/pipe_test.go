//go:build unix

package atomicfile_test

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/org/openclaw-litellm-action/internal/atomicfile"
)

// TestAPipeIsRefused without waiting for somebody to read it.
func TestAPipeIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip(err)
	}
	f := atomicfile.File{Path: path}
	for _, err := range []error{f.Check(), f.Write([]byte("new"))} {
		if err == nil || !strings.Contains(err.Error(), "a pipe") {
			t.Errorf("got %v", err)
		}
	}
}
