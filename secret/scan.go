package secret

import (
	"regexp"
	"strings"
)

// What would take regular expressions long is looked for by hand here: time is proportional to the length of the text,
// whatever is in it.

const (
	pemBegin = "-----BEGIN "
	pemEnd   = "-----END "
	pemKey   = "PRIVATE KEY-----"
	mostKind = 40 // bytes between the beginning of a PEM line and its PRIVATE KEY
)

// hideKeys hides private keys in PEM, with their lines as they are or with \n for their ends. Of one without an end, what
// may be its lines is hidden.
func hideKeys(text string) string {
	var out strings.Builder
	for {
		begin := strings.Index(text, pemBegin)
		if begin < 0 {
			out.WriteString(text)
			return out.String()
		}
		line := keyLine(text[begin:], pemBegin)
		if line == 0 {
			out.WriteString(text[:begin+len(pemBegin)])
			text = text[begin+len(pemBegin):]
			continue
		}
		out.WriteString(text[:begin])
		out.WriteString(Redacted)
		text = text[begin+line:]
		text = text[bodyOf(text):]
	}
}

// keyLine returns the length of "-----BEGIN … PRIVATE KEY-----" at the beginning of text, 0 if it is something else.
func keyLine(text, start string) int {
	if !strings.HasPrefix(text, start) {
		return 0
	}
	near := text[:min(len(text), len(start)+mostKind+len(pemKey))]
	end := strings.Index(near, pemKey)
	if end < 0 || strings.Trim(near[len(start):end], "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ") != "" {
		return 0
	}
	return end + len(pemKey)
}

var pemLines = regexp.MustCompile(`^(?:(?:\s|\\[nr])*[A-Za-z0-9+/=]{16,})*`)

// bodyOf returns the length of what follows the first line of a private key: up to its last line, or as far as it looks
// like lines of one.
func bodyOf(text string) int {
	near := text
	if next := strings.Index(near, pemBegin); next >= 0 {
		near = near[:next]
	}
	end := strings.Index(near, pemEnd)
	if end >= 0 && !strings.ContainsAny(near[:end], `"<>{}`) {
		if line := keyLine(near[end:], pemEnd); line > 0 {
			return end + line
		}
	}
	return pemLines.FindStringIndex(near)[1]
}

// writing is a way to write a URL. Everything in it is in lower case.
type writing struct {
	scheme  string // what stands between the scheme and the authority
	at      string
	port    string
	hostEnd []string // each ends the authority
	stop    string   // each of these characters certainly ends the URL
}

// hideUsers hides the user part of every URL in text, password and all, also where a URL is escaped within another.
func hideUsers(text string) string {
	const stop = " \t\r\n\"'<>`"
	text = writing{"://", "@", ":", []string{"/", "?", "#"}, stop}.hide(text)
	return writing{"%3a%2f%2f", "%40", "%3a", []string{"%2f", "%3f", "%23"}, stop + "&"}.hide(text)
}

func (w writing) hide(text string) string {
	lower := lowerASCII(text)
	if !strings.Contains(lower, w.scheme) {
		return text
	}
	var out strings.Builder
	for {
		scheme := strings.Index(lower, w.scheme)
		if scheme < 0 {
			out.WriteString(text)
			return out.String()
		}
		scheme += len(w.scheme)
		out.WriteString(text[:scheme])
		text, lower = text[scheme:], lower[scheme:]
		if n := w.user(lower); n > 0 {
			out.WriteString(Redacted)
			text, lower = text[n:], lower[n:]
		}
	}
}

// user returns how much of what follows a scheme is credentials. They end at the last @ of the authority; if there is
// none, and no host with a path either, at the last @ at all, since a password may hold a slash that nobody escaped.
func (w writing) user(text string) int {
	if next := strings.Index(text, w.scheme); next >= 0 {
		text = text[:next]
	}
	if stop := strings.IndexAny(text, w.stop); stop >= 0 {
		text = text[:stop]
	}
	authority := text
	for _, end := range w.hostEnd {
		authority, _, _ = strings.Cut(authority, end)
	}
	if at := strings.LastIndex(authority, w.at); at >= 0 {
		return at
	}
	if _, port, found := strings.Cut(authority, w.port); !found || strings.Trim(port, "0123456789") == "" {
		return 0 // a host
	}
	return max(0, strings.LastIndex(text, w.at))
}

// lowerASCII is text in lower case, of the same length.
func lowerASCII(text string) string {
	if !strings.ContainsFunc(text, func(r rune) bool { return r >= 'A' && r <= 'Z' }) {
		return text
	}
	out := []byte(text)
	for i, c := range out {
		if c >= 'A' && c <= 'Z' {
			out[i] = c + 'a' - 'A'
		}
	}
	return string(out)
}
