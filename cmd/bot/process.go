package main

import (
	"context"
	"io"
	"net"
	"os"
	"time"

	"golang.org/x/term"

	"github.com/org/openclaw-litellm-action/internal/files"
	"github.com/org/openclaw-litellm-action/openclaw"
)

// version is set by the linker in releases.
var version = "dev"

// The exit codes, as the README documents them.
const (
	exitOK      = 0
	exitFailed  = 1 // something failed, the rest was done
	exitUsage   = 2 // invalid settings or usage, nothing was touched
	exitFinding = 3 // a finding at or above --fail-on
	exitDue     = 4 // plan --detailed-exitcode found work due
)

// process is what the operating system gives a program. Tests make their own.
type process struct {
	args           []string
	getenv         func(string) string
	environ        []string                     // "NAME=value", for commands that are run
	dir            string                       // the working directory
	readFile       func(string) ([]byte, error) // nil: the disk
	now            func() time.Time
	sleep          func(context.Context, time.Duration) error // waits, or returns when the context ends; nil: sleep
	stop           <-chan struct{}                            // closed by the first signal: finish the step in hand
	dial           dialer                                     // connects to outside systems; nil: over the network
	failpoint      func(doing string)                         // nil, or called as each part begins: tests make it panic
	stdout, stderr io.Writer
	stdoutTerminal terminal
	stderrTerminal terminal
}

// dialer makes connections.
type dialer func(ctx context.Context, network, address string) (net.Conn, error)

// terminal says whether a stream is one, and how wide. A width of 0 is no terminal.
type terminal struct{ width int }

func isTerminal(f *os.File) terminal {
	if width, _, err := term.GetSize(int(f.Fd())); err == nil && term.IsTerminal(int(f.Fd())) {
		return terminal{width}
	}
	return terminal{}
}

// The most bytes that are read of files whose content is looked at as a whole.
const (
	mostCertificates = 4 << 20
	mostEvent        = 32 << 20 // GitHub's own limit is 25 MB
)

// reader reads regular files of at most limit bytes.
func (p process) reader(limit int64) func(name string) ([]byte, error) {
	if p.readFile != nil {
		return p.readFile
	}
	return func(name string) ([]byte, error) { return files.Read(name, limit) }
}

// openclawReader reads the files of OpenClaw's configuration.
func (p process) openclawReader() openclaw.ReadFunc {
	if p.readFile == nil {
		return openclaw.ReadDisk
	}
	return func(name string, _ []string, _ int64) ([]byte, error) { return p.readFile(name) }
}

// sleep waits for d or until ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
