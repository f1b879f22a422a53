package secret

import (
	"cmp"
	"io"
	"slices"
	"strings"
	"sync"
)

// shortest is the length below which a secret is not searched for: shorter texts occur by chance in any output.
const shortest = 6

// Set is every secret the process knows. The zero Set is empty and ready. It is safe for concurrent use.
type Set struct {
	// OnAdd, if not nil, is called once for each new secret before Add returns: in Actions it prints the mask line.
	// It is set before the first Add and not changed after.
	OnAdd func(Value)

	mu    sync.RWMutex
	texts []string // longest first, so that a secret that contains another goes as one
}

// Add makes v known. An empty or already known v changes nothing.
func (s *Set) Add(v Value) {
	if v.IsZero() {
		return
	}
	s.mu.Lock()
	known := slices.Contains(s.texts, v.Reveal())
	if !known {
		s.texts = append(s.texts, v.Reveal())
		slices.SortStableFunc(s.texts, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	}
	s.mu.Unlock()
	if !known && s.OnAdd != nil {
		s.OnAdd(v)
	}
}

// Redact returns text with every known secret of at least six bytes replaced by Redacted.
func (s *Set) Redact(text string) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, t := range s.texts {
		if len(t) >= shortest {
			text = strings.ReplaceAll(text, t, Redacted)
		}
	}
	return text
}

// Writer returns a writer that redacts each Write on its way to w. A secret split over two Writes is not found, so
// callers write whole lines.
func (s *Set) Writer(w io.Writer) io.Writer { return redactingWriter{s, w} }

type redactingWriter struct {
	set *Set
	to  io.Writer
}

func (w redactingWriter) Write(p []byte) (int, error) {
	if _, err := io.WriteString(w.to, w.set.Redact(string(p))); err != nil {
		return 0, err
	}
	return len(p), nil
}
