package settings

import "testing"

// FuzzAlerts: what is taken is within bounds, whatever was written.
func FuzzAlerts(f *testing.F) {
	for _, text := range []string{"20%", "off", "1000%", "5", "0.000000001", "a=1", "openai/a=b=0.5", "=", "7d", "2026-11-01..2026-11-15", "1e9", "999999999999.999999999"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if share, p := parseShare(100)(text); p == nil && share.Valid && (!share.Decimal.IsPositive() || share.Decimal.IntPart() > 100) {
			t.Errorf("share %s of %q", share.Decimal, text)
		}
		if m, p := parseModelAmount(text); p == nil && (!m.amount.IsPositive() || hasControl(m.model)) {
			t.Errorf("amount %v of %q", m, text)
		}
		if v, p := parsePeriod(text); p == nil && (v.To.Before(v.From) || v.Days > 366) {
			t.Errorf("period %+v of %q", v, text)
		}
	})
}
