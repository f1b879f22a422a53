package workflow

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Form is a kind of output: how its text is made inert. The zero value is Text.
type Form int

// The forms.
const (
	Text Form = iota // for people, and CSV: a space is put in between
	JSON             // JSON or JSON5: the character is escaped within its string
	HTML             // a character reference stands for the character
)

// Inert returns text, which begins a line, with nothing in it that a runner takes for a command.
func (f Form) Inert(text string) string {
	var s Scanner
	return s.Inert(f, text)
}

// Scanner makes a stream inert that is written in pieces: it remembers what the last one ended with. The zero Scanner
// is at the beginning of a line.
type Scanner struct {
	midline bool // the line has something in it
	begun   bool // that is more than white space
	colon   bool // it is one colon
	hashes  int  // how many number signs come right before
	// part is the beginning of a character whose end is in the next piece. It has been passed on: no such character can
	// complete the beginning of a command.
	part string
}

// Inert returns the next piece of the stream with nothing in it that a runner takes for a command, alone or together
// with the pieces before.
func (s *Scanner) Inert(f Form, text string) string {
	var b strings.Builder
	i := s.finish(text)
	b.WriteString(text[:i])
	for i < len(text) {
		if !utf8.FullRuneInString(text[i:]) {
			s.part, s.midline = text[i:], true
			b.WriteString(text[i:])
			break
		}
		c, size := utf8.DecodeRuneInString(text[i:])
		if s.completes(c) {
			b.WriteString(f.broken(c))
		} else {
			b.WriteString(text[i : i+size])
		}
		i += size
	}
	return b.String()
}

// finish takes in the end of the character whose beginning is in part, and returns how much of text that is.
func (s *Scanner) finish(text string) int {
	if s.part == "" {
		return 0
	}
	whole := s.part + text[:min(len(text), utf8.UTFMax-len(s.part))]
	if !utf8.FullRuneInString(whole) {
		s.part = whole
		return len(text)
	}
	c, size := utf8.DecodeRuneInString(whole)
	taken := max(0, size-len(s.part)) // none if it is no character after all
	s.part = ""
	s.completes(c)
	return taken
}

// completes takes the next character in and reports whether it would complete the beginning of a command.
func (s *Scanner) completes(c rune) bool {
	if breaksLine(c) {
		*s = Scanner{}
		return false
	}
	s.midline = true
	if ignored(c) {
		return false // what stands before it may still be joined to what follows
	}
	twoColons := s.colon && c == ':'
	bracket := s.hashes >= 2 && c == '['
	s.colon = !s.begun && c == ':'
	s.begun = s.begun || !unicode.IsSpace(c)
	if s.hashes++; c != '#' {
		s.hashes = 0
	}
	return twoColons || bracket
}

// broken is what stands for a character that would complete the beginning of a command.
func (f Form) broken(c rune) string {
	switch {
	case f == JSON && c == ':':
		return `\u003a`
	case f == JSON:
		return `\u005b`
	case f == HTML && c == ':':
		return "&#58;"
	case f == HTML:
		return "&#91;"
	}
	return " " + string(c)
}

// breaksLine reports whether a line ends with c, for a runner or for any reader of a log: Unicode's line breaks are
// among the white space that the runner drops before it looks for "::".
func breaksLine(c rune) bool {
	switch c {
	case '\n', '\r', '\v', '\f', '\x1c', '\x1d', '\x1e', '\u0085', '\u2028', '\u2029':
		return true
	}
	return false
}

// ignored reports whether a comparison by a culture's rules, as .NET makes them, may see nothing in c: control and
// format characters, combining marks, variation selectors, fillers. So may what is not assigned yet, or no character at
// all.
func ignored(c rune) bool {
	if c < utf8.RuneSelf {
		return c != '\t' && (c < ' ' || c == 0x7f)
	}
	invisible := unicode.In(c, unicode.Other_Default_Ignorable_Code_Point,
		unicode.Cc, unicode.Cf, unicode.Cs, unicode.Co, unicode.Mn, unicode.Me)
	return invisible || c == utf8.RuneError || !(unicode.IsGraphic(c) || unicode.IsSpace(c))
}

// Midline reports whether the line has something in it already, be it white space.
func (s *Scanner) Midline() bool { return s.midline }
