// Package child runs other programs, all in one way: by absolute path, without a shell, with nothing of our environment
// but what is listed, from the root directory, with no standard input, in a process group of its own, for a limited time,
// and keeping a limited part of what they print.
package child

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const (
	defaultTimeout = 30 * time.Second
	pipeGrace      = 2 * time.Second // for output after the program's end
	maxKept        = 64 << 10        // bytes of each output
)

// Command is a program to run once.
type Command struct {
	Program string // its absolute path
	Args    []string
	Env     []string      // all that it sees, "NAME=value"; nil: nothing
	Timeout time.Duration // 0: 30 s
}

// Output is what a program printed: the first 64 KiB of each stream.
type Output struct {
	Stdout, Stderr Text
}

// Text is the beginning of an output.
type Text struct {
	Bytes []byte
	Cut   bool // there was more
}

// Timeout says that a program did not end in time. It was killed, and so was what it had started.
type Timeout struct{ After time.Duration }

// Error names the limit.
func (t *Timeout) Error() string {
	return fmt.Sprintf("it did not end within %s and was killed", t.After)
}

// Check reports why the program should not be run: it is not there, is not executable, or everyone may change it.
func (c Command) Check() error {
	if !filepath.IsAbs(c.Program) {
		return fmt.Errorf("%q is not an absolute path", c.Program)
	}
	return runnable(c.Program)
}

// Run runs the program and waits for its end, for at most the timeout and two seconds more. What it printed is returned
// with an error, too: *Timeout, *exec.ExitError, or that of ctx if that ended first. A program of its own group that goes on
// holding the output is not waited for.
func (c Command) Run(ctx context.Context) (Output, error) {
	if err := c.Check(); err != nil {
		return Output{}, err
	}
	limit := c.Timeout
	if limit <= 0 {
		limit = defaultTimeout
	}
	timed, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	// #nosec G204 -- the caller's program, checked above, by its path and without a shell
	cmd := exec.CommandContext(timed, c.Program, c.Args...)
	cmd.Env = append([]string{}, c.Env...) // nil would be all of ours
	cmd.Dir = rootDir
	cmd.WaitDelay = pipeGrace
	isolate(cmd)
	var stdout, stderr bounded
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	out := Output{Text{stdout.kept, stdout.cut}, Text{stderr.kept, stderr.cut}}
	switch {
	case ctx.Err() != nil:
		return out, fmt.Errorf("stopped: %w", ctx.Err())
	case timed.Err() != nil:
		return out, &Timeout{limit}
	case errors.Is(err, exec.ErrWaitDelay):
		return out, nil
	}
	return out, err
}

// Find returns the absolute path of a program in the directories of a PATH. Those that are not absolute, the current one
// among them, are left out, since others may be able to write there. It is an error if the first one found should not be
// run, and exec.ErrNotFound if no directory has one.
func Find(name, path string) (string, error) {
	for _, dir := range filepath.SplitList(path) {
		if !filepath.IsAbs(dir) {
			continue
		}
		program, err := exec.LookPath(filepath.Join(dir, name))
		if err != nil {
			continue
		}
		if err := trusted(program); err != nil {
			return "", fmt.Errorf("%s: %w", program, err)
		}
		return program, nil
	}
	return "", exec.ErrNotFound
}

// AbsolutePath is a PATH without its directories that are not absolute.
func AbsolutePath(path string) string {
	var dirs []string
	for _, dir := range filepath.SplitList(path) {
		if filepath.IsAbs(dir) {
			dirs = append(dirs, dir)
		}
	}
	return strings.Join(dirs, string(filepath.ListSeparator))
}

// SystemPath returns the directories of the system's own programs.
func SystemPath() []string { return systemPath() }

// bounded keeps the first maxKept bytes written to it and takes the rest without keeping it. It has no ReadFrom, which
// would go round the limit.
type bounded struct {
	kept []byte
	cut  bool
}

// Write never fails, so the program is not stopped by its own output.
func (b *bounded) Write(p []byte) (int, error) {
	keep := min(len(p), maxKept-len(b.kept))
	b.kept = append(b.kept, p[:keep]...)
	b.cut = b.cut || keep < len(p)
	return len(p), nil
}
