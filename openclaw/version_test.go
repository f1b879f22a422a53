package openclaw

import "testing"

func TestVersions(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct {
		version string
		older   bool
	}{
		"OpenClaw 2026.9.6 (eb377ac)\n": {"2026.9.6", false},
		"2026.8.1":                      {"2026.8.1", false},
		"2026.7.35":                     {"2026.7.35", true},
		"2026.7.1-2":                    {"2026.7.1-2", true},
		"2025.12.30":                    {"2025.12.30", true},
		"2027.1.1":                      {"2027.1.1", false},
		"v22.1.0":                       {"", false},
		"":                              {"", false},
	} {
		version := FindVersion(text)
		if version != want.version || Older(version) != want.older {
			t.Errorf("%q: %q, older %v", text, version, Older(version))
		}
	}
}
