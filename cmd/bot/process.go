package main

import (
	"context"
	"io"
	"net"
	"os"
	"time"

	"golang.org/x/term"
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
	environ        []string // "NAME=value", for commands that are run
	dir            string   // the working directory
	readFile       func(string) ([]byte, error)
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
