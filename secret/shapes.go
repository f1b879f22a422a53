package secret

import (
	"regexp"
	"strings"
)

// shape is the form of one kind of credential, such as a GitHub token.
type shape struct {
	marks []string // the text is only searched if it holds one of these, whatever their case
	form  *regexp.Regexp
	// hide returns what takes the place of a hit, whose groups are given; the hit itself if it is harmless.
	hide func(groups []string) string
}

// shapes are the credentials that can be told by their form alone. Digests (hex without a prefix) and names of models
// are not among them.
var shapes = []shape{
	{
		marks: []string{"ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"},
		form:  regexp.MustCompile(`(?:gh[pousr]_|github_pat_)[A-Za-z0-9_-]{10,}(?:\.[A-Za-z0-9_-]+)*`),
		hide:  whole,
	},
	{
		marks: []string{"xox", "xapp-"},
		form:  regexp.MustCompile(`(?:xox[a-z](?:\.xox[a-z])?|xapp)-[A-Za-z0-9-]{8,}`),
		hide:  whole,
	},
	{
		marks: []string{"hooks.slack"},
		form: regexp.MustCompile(`(?i)(hooks\.slack(?:-gov)?\.com(?:/|%2f)(?:services|workflows|triggers)(?:/|%2f))` +
			`[A-Za-z0-9/_%-]+`),
		hide: afterFirst,
	},
	{
		marks: []string{"sk-"},
		form:  regexp.MustCompile(`(^|[^A-Za-z0-9]|%[0-9A-Fa-f]{2}|\\[nrt]|\\u[0-9A-Fa-f]{4})(sk-[A-Za-z0-9_-]{16,})`),
		hide:  randomSecond,
	},
	{
		marks: []string{"eyj"},
		form:  regexp.MustCompile(`eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}`),
		hide:  whole,
	},
	{
		marks: []string{"authorization"},
		form: regexp.MustCompile(`(?i)(authorization["']?\s*[:=]\s*\[?["']?(?:bearer|basic)(?:\s+|%20|\+))` +
			`([^\s"'<>,;\[\])}]+)`),
		hide: secondUnlessWord,
	},
	{
		marks: []string{"bearer", "basic", "api-key", "api_key", "authorization"},
		form: regexp.MustCompile(`(?i)(\b(?:bearer|basic)(?:\s+|%20)|` +
			`(?:api[-_]key|authorization)["']?\s*[:=]\s*\[?["']?(?:token\s+|bot\s+)?)([A-Za-z0-9._~+/=-]{16,})`),
		hide: randomSecond,
	},
	{
		marks: []string{"token=", "key=", "auth=", "password=", "passwd=", "pwd=", "secret=", "sig=", "signature="},
		form: regexp.MustCompile(`(?i)([?&](?:access_token|auth_token|api[-_]?key|auth|client_secret|key|passwd|password|` +
			`pwd|secret|sig|signature|token)=)([^&\s"'<>#` + "`" + `]+)`),
		hide: secondUnlessDigest,
	},
}

// Scrub replaces what is a credential by its form: tokens of GitHub, Slack and LiteLLM, signed tokens (JWT), private keys
// in PEM, Authorization values, and the user part of URLs. Hex digests, names of models and other text stay as they are.
func Scrub(text string) string {
	text = hideKeys(text)
	lower := lowerASCII(text)
	for _, s := range shapes {
		if !s.mayOccur(lower) {
			continue
		}
		text = replaceAll(s.form, text, s.hide)
	}
	return hideUsers(text)
}

func (s shape) mayOccur(lower string) bool {
	for _, m := range s.marks {
		if strings.Contains(lower, m) {
			return true
		}
	}
	return false
}

// replaceAll is ReplaceAllStringFunc with the groups of each hit.
func replaceAll(form *regexp.Regexp, text string, hide func(groups []string) string) string {
	var out strings.Builder
	end := 0
	for _, at := range form.FindAllStringSubmatchIndex(text, -1) {
		groups := make([]string, len(at)/2)
		for i := range groups {
			if at[2*i] >= 0 {
				groups[i] = text[at[2*i]:at[2*i+1]]
			}
		}
		out.WriteString(text[end:at[0]])
		out.WriteString(hide(groups))
		end = at[1]
	}
	out.WriteString(text[end:])
	return out.String()
}

func whole([]string) string { return Redacted }

func afterFirst(groups []string) string { return groups[1] + Redacted }

// randomSecond keeps the first group, and the second if it is words.
func randomSecond(groups []string) string {
	if !random(groups[2]) {
		return groups[0]
	}
	return groups[1] + Redacted
}

// random reports whether a text is more than lower-case words joined by dashes and the like. Chance makes a key of 22
// characters without a digit and a capital once in a hundred million.
func random(text string) bool {
	const longWord = 14
	word := 0
	for _, r := range text {
		switch {
		case r >= 'a' && r <= 'z':
			if word++; word > longWord {
				return true
			}
		case r >= '0' && r <= '9', r >= 'A' && r <= 'Z', r == '+', r == '=':
			return true
		default:
			word = 0
		}
	}
	return false
}

var (
	lettersOnly = regexp.MustCompile(`^[A-Za-z]{1,14}$`)
	digestOnly  = regexp.MustCompile(`^[0-9a-f]{12,64}$`)
)

// secondUnlessWord leaves a word such as "missing", of those who complain of a header.
func secondUnlessWord(groups []string) string {
	if lettersOnly.MatchString(groups[2]) {
		return groups[0]
	}
	return afterFirst(groups)
}

// secondUnlessDigest leaves a hex digest, by which LiteLLM names keys.
func secondUnlessDigest(groups []string) string {
	if digestOnly.MatchString(groups[2]) {
		return groups[0]
	}
	return afterFirst(groups)
}
