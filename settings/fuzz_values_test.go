package settings

import (
	"regexp"
	"strings"
	"testing"
	"time"
)

// budgetForm is what every release of LiteLLM takes and resets as it says.
var budgetForm = regexp.MustCompile(`^([1-9][0-9]*(s|m|h|d)|1mo)$`)

// FuzzValues reads any text as each kind of value: what is taken is within bounds and says the same when read again, and
// what is not says in one line what would be right.
func FuzzValues(f *testing.F) {
	for _, text := range []string{
		"30d", "1d12h", "2w", "-1h", "999999999d", "1e9h", "0.5d", "monthly", "weekly", "12h", "90m", "36h", "1mo", "2mo", "0d", "50", "0.25", "1e400", "00",
		"5%", "50", "100.000000001%", "off", "true", "TRUE", "acme/agents", "../x", "acme", "openclaw", "a b", "C0123456789", "@every 1s", "0 9 * * 1",
		"Europe/Berlin", "Local", "https://x.example.com/v1", "http://127.0.0.1:4000", ":8080", "a,b\nc", "\x00", "day", "2026-11-01..2026-11-15",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		said := func(what string, p *problem) {
			if p == nil {
				return
			}
			if line := p.what + "; " + p.remedy; line == "" || len(line) > 4096 || strings.ContainsAny(line, "\x00\x1b") {
				t.Errorf("%s: %q", what, line)
			}
		}
		if d, p := parseDuration(text); p != nil {
			said("duration", p)
		} else if again, p := parseDuration(d.String()); p != nil || again != d || d < 0 || d > 3650*24*time.Hour {
			t.Errorf("duration %s of %q", d, text)
		}
		if d, p := parseBudgetDuration(text); p != nil {
			said("budget duration", p)
		} else if again, p := parseBudgetDuration(d); p != nil || again != d || !budgetForm.MatchString(d) {
			t.Errorf("budget duration %q of %q", d, text)
		}
		if m, p := parseMoney(text); p != nil {
			said("money", p)
		} else if !m.IsPositive() {
			t.Errorf("amount %s of %q", m, text)
		}
		if r, p := parseRate(text); p != nil {
			said("rate", p)
		} else if !(r >= 0 && r <= 1) {
			t.Errorf("rate %v of %q", r, text)
		}
		if spec, p := parseCron(text); p != nil {
			said("schedule", p)
		} else if spec != text {
			t.Errorf("schedule %q of %q", spec, text)
		}
		for what, parse := range map[string]func(string) (string, *problem){
			"key name": parseKeyName, "secret name": parseSecretName, "repository": parseRepository, "organization": parseOrganization,
			"environment": parseEnvironment, "channel": parseChannel, "path": parsePath, "label": parseLabel, "app id": parseAppID,
			"listen": parseListen, "pattern": parsePattern, "owner": parseOwner,
		} {
			if v, p := parse(text); p != nil {
				said(what, p)
			} else if again, p := parse(v); p != nil || again != v {
				t.Errorf("%s %q of %q reads as %q, %v", what, v, text, again, p)
			}
		}
		if base, _, p := parseBase(text); p != nil {
			said("address", p)
		} else if again, _, p := parseBase(base); p != nil || again != base {
			t.Errorf("address %q of %q reads as %q, %v", base, text, again, p)
		}
	})
}
