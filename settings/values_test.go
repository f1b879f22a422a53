package settings

import (
	"strings"
	"testing"
	"time"
)

// told writes a problem as a fault would.
func told(p *problem) string {
	if p == nil {
		return ""
	}
	return p.what + "; " + p.remedy
}

func TestParseMoney(t *testing.T) {
	const remedy = "; write US dollars such as 50 or 0.25"
	const positive = " lets nothing through; write an amount above 0, or leave it out for no limit"
	for text, want := range map[string]string{
		"50": "50", "0.10": "0.1", "123456789012.123456789": "123456789012.123456789", "007": "7",
		"fifty": `"fifty" is not an amount` + remedy, "-5": `"-5" is not an amount` + remedy,
		"1e3": `"1e3" is not an amount` + remedy, "1e999999999": `"1e999999999" is not an amount` + remedy,
		"$50": `"$50" is not an amount` + remedy, "1,5": `"1,5" is not an amount` + remedy,
		"1_000": `"1_000" is not an amount` + remedy, "0x10": `"0x10" is not an amount` + remedy,
		".inf": `".inf" is not an amount` + remedy, "0": "a budget of 0" + positive, "0.00": "a budget of 0.00" + positive,
	} {
		amount, p := parseMoney(text)
		if p == nil && amount.String() != want || p != nil && told(p) != want {
			t.Errorf("parseMoney(%q) = %s, %q; want %s", text, amount, told(p), want)
		}
	}
}

func TestParseDuration(t *testing.T) {
	const remedy = "; write a duration such as 30d, 2w or 12h"
	for _, tt := range []struct {
		text string
		want time.Duration
		told string
	}{
		{"30d", 720 * time.Hour, ""},
		{"2w", 336 * time.Hour, ""},
		{"1d12h", 36 * time.Hour, ""},
		{"1w2d3h4m5s", 219*time.Hour + 4*time.Minute + 5*time.Second, ""},
		{"0.5d", 12 * time.Hour, ""},
		{"90m", 90 * time.Minute, ""},
		{"0s", 0, ""},
		{"30", 0, `"30" is not a duration` + remedy},
		{"30 days", 0, `"30 days" is not a duration` + remedy},
		{"-1d", 0, `"-1d" is negative` + remedy},
		{"99999999w", 0, `"99999999w" is not a duration` + remedy},
		{"4000d", 0, `"4000d" is too long; write at most 3650d`},
		{"1mo", 0, `"1mo" is no fixed length of time; write days, such as 30d`},
		{"monthly", 0, `"monthly" is no fixed length of time; write days, such as 30d`},
		{"weekly", 0, `"weekly" is no fixed length of time; write days, such as 30d`},
	} {
		got, p := parseDuration(tt.text)
		if got != tt.want || told(p) != tt.told {
			t.Errorf("parseDuration(%q) = %v, %q; want %v, %q", tt.text, got, told(p), tt.want, tt.told)
		}
	}
}

func TestParseBudgetDuration(t *testing.T) {
	const accident = " would be reset daily, or refused, by some releases of LiteLLM"
	const remedy = "; write hourly, daily, weekly, monthly, or one number and unit such as 12h or 30d"
	for _, tt := range []struct{ text, want, told string }{
		{"hourly", "1h", ""},
		{"daily", "1d", ""},
		{"weekly", "7d", ""},
		{"monthly", "1mo", ""},
		{"1mo", "1mo", ""},
		{"30d", "30d", ""},
		{"007d", "7d", ""},
		{"1w", "7d", ""},
		{"2w", "14d", ""},
		{"12h", "12h", ""},
		{"24h", "24h", ""},
		{"48h", "2d", ""}, // as it is, LiteLLM would reset it every day
		{"120m", "2h", ""},
		{"7200s", "2h", ""},
		{"36h", "", "LiteLLM would reset a window of 36h more often than that; write a whole number of d, such as 2d"},
		{"90m", "", "LiteLLM would reset a window of 90m more often than that; write a whole number of h, such as 2h"},
		{"90s", "", "LiteLLM would reset a window of 90s more often than that; write a whole number of m, such as 2m"},
		{"10s", "10s", ""},
		{"15m", "15m", ""},
		{"30days", "", `"30days"` + accident + remedy},
		{"1month", "", `"1month"` + accident + remedy},
		{"yearly", "", `"yearly"` + accident + remedy},
		{"Monthly", "", `"Monthly"` + accident + remedy},
		{"1d12h", "", `"1d12h"` + accident + remedy},
		{"30", "", `"30"` + accident + remedy},
		{"30D", "", `"30D"` + accident + remedy},
		{"2mo", "", `LiteLLM resets by 1 month only, not "2mo"; write monthly, or days such as 60d`},
		{"0d", "", `"0d" is no length of time` + remedy},
		{"0mo", "", `"0mo" is no length of time` + remedy},
	} {
		got, p := parseBudgetDuration(tt.text)
		if got != tt.want || told(p) != tt.told {
			t.Errorf("parseBudgetDuration(%q) = %q, %q; want %q, %q", tt.text, got, told(p), tt.want, tt.told)
		}
	}
}

func TestParsePercentages(t *testing.T) {
	const remedy = "; write a percentage from 1% to 1000%, such as 80%"
	for text, want := range map[string]string{
		"80%": "80", "80": "80", "99.5 %": "99.5", "1000%": "1000", "1%": "1",
		"0.8": `"0.8" is out of range` + remedy, "1001%": `"1001%" is out of range` + remedy,
		"most": `"most" is not a percentage` + remedy, "-5%": `"-5%" is not a percentage` + remedy,
		"%": `"%" is not a percentage` + remedy, "": `"" is not a percentage` + remedy,
	} {
		share, p := parseThreshold(text)
		if p == nil && share.String() != want || p != nil && told(p) != want {
			t.Errorf("parseThreshold(%q) = %s, %q; want %s", text, share, told(p), want)
		}
	}
}

func TestParseRate(t *testing.T) {
	const remedy = "; write a percentage above 0% and up to 100%, such as 5%"
	for _, tt := range []struct {
		text string
		want float64
		told string
	}{
		{"5%", 0.05, ""},
		{"0.5 %", 0.005, ""},
		{"100%", 1, ""},
		{"5", 0, `"5" is not a percentage` + remedy},
		{"0.05", 0, `"0.05" is not a percentage` + remedy},
		{"0%", 0, `"0%" is out of range` + remedy},
		{"101%", 0, `"101%" is out of range` + remedy},
	} {
		got, p := parseRate(tt.text)
		if got != tt.want || told(p) != tt.told {
			t.Errorf("parseRate(%q) = %v, %q; want %v, %q", tt.text, got, told(p), tt.want, tt.told)
		}
	}
}

func TestParseSmall(t *testing.T) {
	if _, p := parseBool("yes"); told(p) != `"yes" is neither true nor false; write true or false` {
		t.Error(told(p))
	}
	if v, p := parseBool("TRUE"); !v || p != nil {
		t.Error(v, told(p))
	}
	if _, p := parseText("a\nb"); told(p) != "the value holds a line break or another control character; write one line" {
		t.Error(told(p))
	}
	if got := splitList(" a, b\r\n\nc d ,"); strings.Join(got, "|") != "a|b|c d" {
		t.Errorf("splitList = %q", got)
	}
}

func TestQuoteHidesCredentials(t *testing.T) {
	for _, text := range []string{"sk-abc", "ghp_abc", "github_pat_abc", "xoxb-1", "https://me:you@host"} {
		if got := quote(text); got != "the given value" {
			t.Errorf("quote(%q) = %s", text, got)
		}
	}
	if got := quote(strings.Repeat("é", 100)); got != `"`+strings.Repeat("é", 60)+`…"` {
		t.Errorf("quote of a long text = %s", got)
	}
}

func TestShowDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{48 * time.Hour: "2d", 36 * time.Hour: "36h0m0s", 0: "0s"} {
		if got := showDuration(d); got != want {
			t.Errorf("showDuration(%v) = %s, want %s", d, got, want)
		}
	}
}
