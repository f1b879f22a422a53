package secret

import (
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// lateWords is how long after its end a secret is still looked for: an error may repeat one that was refused.
	lateWords = time.Hour
	// mostLate is how many secrets that have ended are kept in mind at once.
	mostLate = 100
)

// Set is every secret the process knows. The zero Set is empty and ready. It is safe for concurrent use. How long Redact
// takes does not depend on how many secrets are known.
type Set struct {
	// OnAdd, if not nil, is called once for each new secret before Add returns: in Actions it prints the mask line.
	// It is set before the first Add and not changed after.
	OnAdd func(Value)
	// Now is the clock by which secrets expire; nil: none does. It is set before the first Add and not changed after.
	Now func() time.Time

	mu    sync.RWMutex
	known map[string]known    // by text
	uses  map[string]int      // by form: of how many secrets
	index map[string][]string // forms by their first bytes, as many as the shortest has
	next  time.Time           // when the next secret is to be forgotten; zero: none is
}

// known is a secret in a Set.
type known struct {
	forms   []string
	expires time.Time // zero: never
}

// Add makes v known for good. An empty or already known v changes nothing.
func (s *Set) Add(v Value) { s.AddUntil(v, time.Time{}) }

// AddUntil makes v known until an hour after it expires, by Now. The zero time is never. What is known already is known
// for the longer of both.
func (s *Set) AddUntil(v Value, expires time.Time) {
	if v.IsZero() {
		return
	}
	if fresh := s.add(v.Reveal(), expires); fresh && s.OnAdd != nil {
		s.OnAdd(v)
	}
}

// add reports whether text was not known.
func (s *Set) add(text string, expires time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget()
	k, old := s.known[text]
	if old && (k.expires.IsZero() || !expires.IsZero() && expires.Before(k.expires)) {
		return false
	}
	if !old {
		k.forms = formsOf(text)
		s.learn(k.forms)
	}
	k.expires = expires
	if s.known == nil {
		s.known = map[string]known{}
	}
	s.known[text] = k
	s.plan()
	return !old
}

// Redact returns text without secrets: every known one of at least six bytes is replaced by Redacted, also where it is
// escaped or encoded, and so is what Scrub finds.
func (s *Set) Redact(text string) string {
	s.forgetInTime()
	s.mu.RLock()
	spans := s.find(text)
	s.mu.RUnlock()
	var out strings.Builder
	end := 0
	for _, p := range spans {
		out.WriteString(text[end:p.from])
		out.WriteString(Redacted)
		end = p.to
	}
	out.WriteString(text[end:])
	return Scrub(out.String())
}

// span is a part of a text.
type span struct{ from, to int }

// find returns where forms of known secrets are, those that overlap as one.
func (s *Set) find(text string) []span {
	var spans []span
	if len(s.index) == 0 {
		return nil
	}
	for from := 0; from+shortest <= len(text); from++ {
		to := 0
		for _, form := range s.index[text[from:from+shortest]] {
			if len(form) > to-from && strings.HasPrefix(text[from:], form) {
				to = from + len(form)
			}
		}
		n := len(spans)
		switch {
		case to == 0:
		case n > 0 && from < spans[n-1].to:
			spans[n-1].to = max(spans[n-1].to, to)
		default:
			spans = append(spans, span{from, to})
		}
	}
	return spans
}

// learn takes forms into the index.
func (s *Set) learn(forms []string) {
	if s.index == nil {
		s.index, s.uses = map[string][]string{}, map[string]int{}
	}
	for _, form := range forms {
		if s.uses[form]++; s.uses[form] == 1 {
			s.index[form[:shortest]] = append(s.index[form[:shortest]], form)
		}
	}
}

// unlearn takes out of the index what no other secret has.
func (s *Set) unlearn(forms []string) {
	for _, form := range forms {
		if s.uses[form]--; s.uses[form] > 0 {
			continue
		}
		delete(s.uses, form)
		start := form[:shortest]
		s.index[start] = slices.DeleteFunc(s.index[start], func(other string) bool { return other == form })
		if len(s.index[start]) == 0 {
			delete(s.index, start)
		}
	}
}

// forgetInTime forgets what has expired, if anything has.
func (s *Set) forgetInTime() {
	s.mu.RLock()
	due := s.Now != nil && !s.next.IsZero() && !s.Now().Before(s.next)
	s.mu.RUnlock()
	if due {
		s.mu.Lock()
		s.forget()
		s.plan()
		s.mu.Unlock()
	}
}

// forget drops the secrets that expired long ago, and the oldest of those that expired lately if there are many. One
// that has not expired is never dropped.
func (s *Set) forget() {
	if s.Now == nil {
		return
	}
	now := s.Now()
	var late []string
	for text, k := range s.known {
		if !k.expires.IsZero() && !now.Before(k.expires) {
			late = append(late, text)
		}
	}
	slices.SortFunc(late, func(a, b string) int { return s.known[b].expires.Compare(s.known[a].expires) })
	for i, text := range late {
		if k := s.known[text]; i >= mostLate || !now.Before(k.expires.Add(lateWords)) {
			s.unlearn(k.forms)
			delete(s.known, text)
		}
	}
}

// plan notes when something is to be forgotten next.
func (s *Set) plan() {
	s.next = time.Time{}
	for _, k := range s.known {
		if k.expires.IsZero() {
			continue
		}
		if at := k.expires.Add(lateWords); s.next.IsZero() || at.Before(s.next) {
			s.next = at
		}
	}
}
