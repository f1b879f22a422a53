package main

import (
	"sync"

	"github.com/org/openclaw-litellm-action/internal/workflow"
	"github.com/org/openclaw-litellm-action/secret"
)

// masker makes a GitHub runner hide secrets in its log. The lines that do so hold the secrets, so they go to standard
// error, of which the runner reads commands as well, never into a result; and there are none before begin: a command
// that uses no credential masks none.
type masker struct {
	log    stream
	exempt func(secret.Value) bool // what the runner has masked itself

	mu      sync.Mutex
	begun   bool
	waiting []secret.Value
	masked  map[string]bool // by the digest of a line
}

func newMasker(log stream, exempt func(secret.Value) bool) *masker {
	return &masker{log: log, exempt: exempt, masked: map[string]bool{}}
}

// begin masks what was added so far. What is added from now on is masked at once.
func (m *masker) begin() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.begun = true
	for _, v := range m.waiting {
		m.mask(v)
	}
	m.waiting = nil
}

// add masks v, now or as soon as masking begins.
func (m *masker) add(v secret.Value) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.begun {
		m.waiting = append(m.waiting, v)
		return
	}
	m.mask(v)
}

func (m *masker) mask(v secret.Value) {
	if m.exempt(v) {
		return
	}
	for _, line := range workflow.Masks(v.Reveal()) {
		if digest := secret.New(line).SHA256(); !m.masked[digest] {
			m.masked[digest] = true
			m.log.command(line)
		}
	}
}
