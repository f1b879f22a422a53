package secret

import (
	"encoding/base64"
	"encoding/json"
	"html"
	"net/url"
	"strconv"
	"strings"
)

const (
	// shortest is the length below which a secret is not searched for: shorter texts occur by chance in any output.
	shortest = 6
	// shortestPart is that of what is only a part of a secret, or a part of its base64.
	shortestPart = 8
)

// formsOf returns every text by which a secret may occur in the words of others: as it is, escaped for JSON, a URL or
// HTML, and in base64 wherever it begins there, as in Basic authorization. Of a secret with several lines each line is one
// of its own, since logs and escapes take lines apart; of a URL, so are its password and a path that nobody can guess.
func formsOf(text string) []string {
	var forms []string
	seen := map[string]bool{}
	add := func(form string, least int) {
		if len(form) >= least && !seen[form] {
			seen[form] = true
			forms = append(forms, form)
		}
	}
	for _, part := range partsOf(text) {
		least := shortest
		if part != text {
			least = shortestPart
		}
		if len(part) < least {
			continue
		}
		add(part, least)
		for _, form := range escaped(part) {
			add(form, least)
		}
		for _, form := range inBase64(part) {
			add(form, shortestPart)
		}
	}
	return forms
}

// partsOf returns what is a secret of its own in text.
func partsOf(text string) []string {
	lines := strings.FieldsFunc(strings.ReplaceAll(text, `\n`, "\n"), func(r rune) bool { return r == '\n' || r == '\r' })
	if len(lines) > 1 {
		parts := []string{}
		for _, line := range lines {
			if line = strings.TrimSpace(line); !strings.HasPrefix(line, "-----") {
				parts = append(parts, line)
			}
		}
		return parts
	}
	return append([]string{text}, partsOfURL(text)...)
}

func partsOfURL(text string) []string {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return nil
	}
	var parts []string
	if password, ok := u.User.Password(); ok {
		parts = append(parts, password, u.User.String())
	} else if u.User != nil {
		parts = append(parts, u.User.Username())
	}
	if random(u.RequestURI()) {
		parts = append(parts, u.RequestURI(), u.Path)
	}
	return parts
}

// escaped returns the ways to write text within JSON, Go, a URL or HTML.
func escaped(text string) []string {
	forms := []string{html.EscapeString(text), unquoted(strconv.Quote(text))}
	if quoted, err := json.Marshal(text); err == nil {
		forms = append(forms, unquoted(string(quoted)))
	}
	for _, form := range []string{url.QueryEscape(text), url.PathEscape(text)} {
		forms = append(forms, form, lowerEscapes(form))
	}
	return forms
}

func unquoted(text string) string { return text[1 : len(text)-1] }

// lowerEscapes writes %2F as %2f.
func lowerEscapes(text string) string {
	out := []byte(text)
	for i := 0; i+2 < len(out); i++ {
		if out[i] == '%' {
			copy(out[i+1:i+3], strings.ToLower(string(out[i+1:i+3])))
		}
	}
	return string(out)
}

// inBase64 returns what text becomes within the base64 of something longer, for each of the three places where it can
// begin in a group of three bytes. The characters at either end, which depend on what stands beside it, are left off.
func inBase64(text string) []string {
	var forms []string
	for shift := range 3 {
		padded := strings.Repeat("\x00", shift) + text
		first := (8*shift + 5) / 6  // the first character that is of text alone
		last := 8 * len(padded) / 6 // and the end of the last one
		for _, alphabet := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			forms = append(forms, alphabet.EncodeToString([]byte(padded))[first:last])
		}
	}
	return forms
}
