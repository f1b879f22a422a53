package finding

import (
	"slices"
	"strings"
)

// Public returns the text of err for everybody: with each part that implements Public() string in those words. Such a
// part leaves out who it is about and what an outside system said. "" of a nil error.
//
// A part is found by Unwrap, so it has to be wrapped with %w. Where a wrapping error does not repeat the text of a part
// as it is, the wrapping text is left out too: it may hold anything.
func Public(err error) string {
	if err == nil {
		return ""
	}
	if part, ok := err.(interface{ Public() string }); ok {
		return part.Public()
	}
	text, inner := err.Error(), slices.Clone(wrapped(err))
	var parts []string
	for _, part := range inner {
		parts = append(parts, Public(part))
	}
	slices.SortStableFunc(inner, func(a, b error) int { return len(b.Error()) - len(a.Error()) }) // one may repeat another
	for _, part := range inner {
		full, public := part.Error(), Public(part)
		if full == public {
			continue
		}
		if full == "" || !strings.Contains(text, full) {
			return strings.Join(parts, "\n")
		}
		text = strings.ReplaceAll(text, full, public)
	}
	return text
}

// Said returns what Public leaves out of err because an outside system said it: the words of each part that implements
// Said() string. "" if there is nothing.
func Said(err error) string {
	if err == nil {
		return ""
	}
	if part, ok := err.(interface{ Said() string }); ok {
		return part.Said()
	}
	var said []string
	for _, part := range wrapped(err) {
		if text := Said(part); text != "" && !slices.Contains(said, text) {
			said = append(said, text)
		}
	}
	return strings.Join(said, "; ")
}

// wrapped returns what err wraps.
func wrapped(err error) []error {
	switch err := err.(type) {
	case interface{ Unwrap() error }:
		if inner := err.Unwrap(); inner != nil {
			return []error{inner}
		}
	case interface{ Unwrap() []error }:
		return err.Unwrap()
	}
	return nil
}

// Naming returns err with who it is about, a person, user or address, which Public leaves out. nil stays nil, and
// without who err stays as it is.
func Naming(err error, who string) error {
	if err == nil || who == "" {
		return err
	}
	return &named{err, who}
}

// named is an error about somebody.
type named struct {
	err error
	who string
}

// Error returns the error and who it is about.
func (n *named) Error() string { return n.err.Error() + " (" + n.who + ")" }

// Public returns the error alone.
func (n *named) Public() string { return Public(n.err) }

// Unwrap returns the error.
func (n *named) Unwrap() error { return n.err }
