package main

import (
	"fmt"
	"io"
	"sync"

	"github.com/org/openclaw-litellm-action/internal/workflow"
	"github.com/org/openclaw-litellm-action/report"
	"github.com/org/openclaw-litellm-action/secret"
)

// stream is one of the process's two output streams, as the program prints to it. Everything printed goes through one:
// known secrets are taken out, and nothing in it is a command to a GitHub runner. A line that is not complete waits for
// its end, so that a secret is found however it is divided among writes; flush prints what waits. It is safe for
// concurrent use.
type stream struct {
	*sink
	form workflow.Form // of what is written
}

// sink is what the streams to one place share.
type sink struct {
	hide func(string) string // takes out what readers of the log must not see; nil: nothing. Set before others write.

	mu    sync.Mutex
	lines *secret.Writer // without known secrets, into inert
	inert inert
}

// inert prints to a place where a GitHub runner may look for commands.
type inert struct {
	to   io.Writer
	form workflow.Form
	scan workflow.Scanner
}

// Write prints text so that it commands nothing.
func (i *inert) Write(text []byte) (int, error) {
	if _, err := io.WriteString(i.to, i.scan.Inert(i.form, string(text))); err != nil {
		return 0, err
	}
	return len(text), nil
}

func newStream(to io.Writer, known *secret.Set) stream {
	s := &sink{inert: inert{to: to}}
	s.lines = known.Writer(&s.inert)
	return stream{sink: s}
}

// in returns the stream for text of another form.
func (s stream) in(form workflow.Form) stream {
	s.form = form
	return s
}

// Write prints text.
func (s stream) Write(text []byte) (int, error) {
	line := string(text)
	if s.hide != nil {
		line = s.hide(line)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.form != s.inert.form {
		if err := s.lines.Flush(); err != nil {
			return 0, err
		}
		s.inert.form = s.form
	}
	if _, err := io.WriteString(s.lines, line); err != nil {
		return 0, err
	}
	return len(text), nil
}

// flush prints what waits for the end of its line.
func (s stream) flush() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lines.Flush()
}

// command gives the runner a command, which is a line of its own, before what waits. It is printed as it is: a mask
// holds its secret.
func (s stream) command(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.inert.scan.Midline() {
		line = "\n" + line
	}
	_, _ = io.WriteString(s.inert.to, line) // a stream that is closed shows nothing to anybody
	s.inert.scan = workflow.Scanner{}
}

// errorLine prints a line for people on standard error.
func (b *bot) errorLine(text string) { fmt.Fprintln(b.stderr, "bot:", report.Line(text)) }
