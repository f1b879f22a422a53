package litellm

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/org/openclaw-litellm-action/secret"
)

// maxMessage is the length, in bytes, to which texts from outside are cut.
const maxMessage = 300

var (
	// keyShaped is a key, or the proxy's own abbreviation of one ("sk-...CQWQ").
	keyShaped = regexp.MustCompile(`(?i)\bsk-[a-z0-9_.\-]+`)
	// bearer is whatever follows an authorization scheme.
	bearer = regexp.MustCompile(`(?i)\b(bearer|basic)\s+[^\s"',}]+`)
	// hashShaped is a SHA-256, as LiteLLM names keys: no secret, but no message needs it whole.
	hashShaped = regexp.MustCompile(`\b([0-9a-fA-F]{8})[0-9a-fA-F]{56}\b`)
)

// clean makes text from outside fit for people's eyes: secrets out, one line, cut. Beyond what a Set finds by its form it
// takes out keys and credentials of any length, since no message of the proxy needs them.
func clean(text string, known ...secret.Value) string {
	var set secret.Set
	for _, v := range known {
		set.Add(v)
	}
	text = set.Redact(text)
	text = keyShaped.ReplaceAllString(text, secret.Redacted)
	text = bearer.ReplaceAllString(text, "$1 "+secret.Redacted)
	text = hashShaped.ReplaceAllString(text, "$1…")
	return cut(oneLine(text), maxMessage)
}

// oneLine turns every run of white space and control characters into one space.
func oneLine(text string) string {
	return strings.Join(strings.FieldsFunc(strings.ToValidUTF8(text, "�"), func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r)
	}), " ")
}

// cut returns at most limit bytes of text, on a rune's border, with "…" where something is missing.
func cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	end := limit - len("…")
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…"
}

// short is a token as people are shown it.
func short(token string) string {
	if len(token) > 8 {
		return token[:8] + "…"
	}
	return token
}
