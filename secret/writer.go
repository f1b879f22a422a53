package secret

import (
	"io"
	"regexp"
	"strings"
	"sync"
)

const (
	mostHeld = 1 << 20 // bytes that a Writer keeps back of one line
	keptBack = 64 << 10
)

// Writer redacts what is written through it, line by line: a line that is not complete waits for its end, so that a
// secret is found however it is divided among calls of Write. It is safe for concurrent use.
type Writer struct {
	set *Set
	to  io.Writer

	mu   sync.Mutex
	held string
}

// Writer returns a writer that redacts on the way to w. Flush has to be called in the end.
func (s *Set) Writer(w io.Writer) *Writer { return &Writer{set: s, to: w} }

// Write passes on every complete line. What moves the cursor of a terminal, such as a progress bar, does not wait.
func (w *Writer) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	text := w.held + string(p)
	n := complete(text)
	ready := text[:n]
	w.held = text[n:]
	if len(w.held) > mostHeld {
		// What is redacted stays so when it is redacted once more.
		ready = w.set.Redact(text)
		cut := max(0, len(ready)-keptBack)
		ready, w.held = ready[:cut], ready[cut:]
	}
	if err := w.pass(ready); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Flush passes on what waits for the end of its line.
func (w *Writer) Flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	text := w.held
	w.held = ""
	return w.pass(text)
}

func (w *Writer) pass(text string) error {
	if text == "" {
		return nil
	}
	_, err := io.WriteString(w.to, w.set.Redact(text))
	return err
}

// openKey is the beginning of a private key whose end is not there yet.
var openKey = regexp.MustCompile(`-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----[ \t\r]*\n` +
	`(?:[ \t]*(?:[A-Za-z0-9+/=]*|[A-Za-z][A-Za-z0-9-]*: [^\n]*)[ \t\r]*\n)*\z`)

// complete returns how much of text can be judged: whole lines, less a private key that is not at its end.
func complete(text string) int {
	n := strings.LastIndexByte(text, '\n') + 1
	if strings.ContainsAny(text[n:], "\r\x1b") {
		n = len(text)
	}
	if strings.Contains(text[:n], "PRIVATE KEY-----") {
		if at := openKey.FindStringIndex(text[:n]); at != nil {
			return at[0]
		}
	}
	return n
}
