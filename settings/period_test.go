package settings

import "testing"

func TestPeriod(t *testing.T) {
	for text, want := range map[string]string{
		"day": "", "week": "", "month": "", "24h": "", "7d": "", "30d": "", "366d": "", "2026-11-01..2026-11-15": "", "2026-11-01..2026-11-01": "",
		"367d": "longer than a year", "0d": "not a period", "d": "not a period", "fortnight": "not a period", "2026-11-02..2026-11-01": "ends before",
		"2026-11-31..2026-12-01": "not two days", "2026-11-01..": "not two days", "2020-01-01..2026-01-01": "longer than a year",
	} {
		p, fault := parsePeriod(text)
		switch {
		case want == "" && (fault != nil || p.Name != text):
			t.Errorf("%s: %v", text, fault)
		case want != "" && (fault == nil || !contains(fault.what, want)):
			t.Errorf("%s: %v, want %q", text, fault, want)
		}
	}
}
