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
// known secrets are taken out, and nothing in it is a command to a GitHub runner. It is safe for concurrent use;
// callers write whole lines, since a secret split over two writes is not found.
type stream struct {
	*sink
	form workflow.Form // of what is written
}

// sink is what the streams to one place share.
type sink struct {
	known *secret.Set
	hide  func(string) string // takes out what readers of the log must not see; nil: nothing. Set before others write.

	mu   sync.Mutex
	to   io.Writer
	scan workflow.Scanner
}

func newStream(to io.Writer, known *secret.Set) stream {
	return stream{sink: &sink{to: to, known: known}}
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
	line = s.known.Redact(line)
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := io.WriteString(s.to, s.scan.Inert(s.form, line)); err != nil {
		return 0, err
	}
	return len(text), nil
}

// command gives the runner a command, which is a line of its own. It is printed as it is: a mask holds its secret.
func (s stream) command(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.scan.Midline() {
		line = "\n" + line
	}
	_, _ = io.WriteString(s.to, line) // a stream that is closed shows nothing to anybody
	s.scan = workflow.Scanner{}
}

// errorLine prints a line for people on standard error.
func (b *bot) errorLine(text string) { fmt.Fprintln(b.stderr, "bot:", report.Line(text)) }
