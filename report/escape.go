package report

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// nameLimit is how many characters of a name or a short text are shown; textLimit, of an error text.
const (
	nameLimit = 120
	textLimit = 600
)

// visible returns s on one line with everything that acts instead of showing made visible: control characters and ANSI
// sequences, bidirectional overrides, zero-width and tag characters, invalid UTF-8. A line break becomes a space.
func visible(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		c, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case c == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case c == '\n' || c == '\r' || c == '\t' || c == '\u2028' || c == '\u2029' || c == '\u0085':
			b.WriteByte(' ')
		case acts(c):
			if c > 0xffff {
				fmt.Fprintf(&b, `\U%08x`, c)
			} else {
				fmt.Fprintf(&b, `\u%04x`, c)
			}
		default:
			b.WriteRune(c)
		}
		i += size
	}
	return strings.TrimSpace(b.String())
}

// Line returns a text from outside on one line that does not act on a terminal.
func Line(s string) string { return visible(s) }

// acts reports whether c changes how its neighbours show, or shows as nothing. The joiner of emoji (U+200D) and variation
// selectors are left: they are part of what they join.
func acts(c rune) bool {
	switch {
	case c == '\u200d' || c >= '\ufe00' && c <= '\ufe0f':
		return false
	case unicode.Is(unicode.Cc, c), unicode.Is(unicode.Cf, c), unicode.Is(unicode.Co, c):
		return true
	}
	return c == '\u115f' || c == '\u1160' || c == '\u3164' || c == '\uffa0' || c == '\u2800' || c == '\u034f'
}

// clip cuts s to n characters, with an ellipsis in place of what went.
func clip(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	runes := []rune(s)
	return string(runes[:n-1]) + "…"
}

// brief cuts a name to n characters, in its middle: names of a fleet, models and requests begin alike and differ at the end.
func brief(s string, n int) string {
	runes := []rune(s)
	if len(runes) <= n {
		return s
	}
	head := n / 2
	return string(runes[:head]) + "…" + strings.TrimLeftFunc(string(runes[len(runes)-(n-1-head):]), clings)
}

// clings reports whether c belongs to the character before it.
func clings(c rune) bool { return unicode.Is(unicode.M, c) || c == '\u200d' }

// mdEscapes are the ASCII characters that mean something amid a line of GitHub's Markdown; the others are left alone, so that
// the source stays readable to people who edit the issue.
const mdEscapes = "\\`*_[]<>#!|~&$"

// mdText shows s as plain text in Markdown, in a table cell too: no markup, HTML, mention, reference, link or emoji comes
// of it. A backslash does not keep GitHub from linking @name, #1, name#1 or a URL, since that happens after rendering; an
// invisible character after the sign does.
func mdText(s string) string {
	var b strings.Builder
	for _, c := range visible(s) {
		if c < utf8.RuneSelf && strings.ContainsRune(mdEscapes, c) {
			b.WriteByte('\\')
		}
		b.WriteRune(c)
		if c == '@' || c == '#' {
			b.WriteRune('\u200b')
		}
	}
	return strings.NewReplacer("://", ":\u200b//", "www.", "www\u200b.").Replace(b.String())
}

// mdCell shows s as a code span in a table cell, where a bar would end the cell.
func mdCell(s string) string { return strings.ReplaceAll(mdCode(s), "|", "\\|") }

// mdCode shows s as a code span outside tables. Inside, GitHub links and mentions nothing; the beginning of a comment is
// broken, because our own marks are comments and are looked for as text.
func mdCode(s string) string {
	s = visible(s)
	if s == "" {
		return ""
	}
	s = strings.ReplaceAll(s, "<!", "<\u200b!")
	fence := "`"
	for strings.Contains(s, fence) {
		fence += "`"
	}
	if strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") {
		s = " " + s + " "
	}
	return fence + s + fence
}

// slackText shows at most n characters of s, as Slack counts them, as plain text in its mrkdwn. & < > are escaped as Slack
// asks; the signs of its markup, which it offers no escape for, are replaced by look-alikes.
func slackText(s string, n int) string {
	s = strings.NewReplacer("`", "ˋ", "*", "∗", "~", "∼", " _", " \u200b_", "_ ", "_\u200b ").Replace(visible(s))
	return slackEscape(s, n)
}

// slackCode shows at most n characters of s as inline code in Slack's mrkdwn.
func slackCode(s string, n int) string {
	s = slackEscape(strings.ReplaceAll(visible(s), "`", "ˋ"), n)
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}

// slackEscape escapes s and cuts what is longer than n characters, never within an escape.
func slackEscape(s string, n int) string {
	var b strings.Builder
	count := 0
	for i, c := range s {
		out := string(c)
		switch c {
		case '&':
			out = "&amp;"
		case '<':
			out = "&lt;"
		case '>':
			out = "&gt;"
		}
		count += utf8.RuneCountInString(out)
		if more := i+utf8.RuneLen(c) < len(s); count > n || count == n && more {
			b.WriteString("…")
			break
		}
		b.WriteString(out)
	}
	return b.String()
}
