package report_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/report"
)

func exported() report.Input {
	usd := func(s string) decimal.NullDecimal { return decimal.NewNullDecimal(decimal.RequireFromString(s)) }
	sums := report.LogSums{Spend: usd("12.5"), Requests: 4, Failed: 1, Fallbacks: 1, Tokens: 900, CacheHits: 1, CachedPrompt: 7}
	named := func(name string) []report.LogSums {
		s := sums
		s.Name = name
		return []report.LogSums{s}
	}
	return report.Input{Now: monday, Command: "report", Logs: &report.Logs{
		Source: "spend.json", Bytes: 4096, Rows: 4, Outside: 1, Lost: 3, More: true, Damage: "its figures are incomplete", First: monday.AddDate(0, 0, -1), Last: monday,
		Faults: []report.LogFault{{Offset: 12, At: 90, What: "it is cut off"}}, Total: sums,
		Models: named("gpt|4o"), Days: named("2026-11-22"), Providers: named("openai"),
		Dearest: []report.LogRequest{{ID: "chatcmpl-1", Key: "openclaw", Model: "gpt|4o", Start: monday, Spend: usd("3.25"), Tokens: 5, EndUser: "ann@example.com"}},
		Saved:   usd("0.5"), Repeats: 2, RepeatsOf: 4, FallbackFor: 3, Unread: 5,
	}}
}

func TestLogs(t *testing.T) {
	t.Parallel()
	r := report.New(exported())
	wants := []string{"4 rows in spend.json", "12.50 USD, 900 tokens, 1 failed", "of 3 rows that tell", "saved about 0.50 USD", "7 prompt tokens",
		"1 row outside of the period", "about 2 rows with the request id", "5 rows with metadata that cannot be read", "at least 3 rows could not be read", "figures are incomplete", "byte 12", "and 2 more", "2026-11-22", "openai", "chatcmpl-1", "3.25"}
	for name, shown := range map[string]string{
		"text": text(t, r, report.Options{Width: 200}), "markdown": strings.ReplaceAll(report.Markdown(r, report.Options{}), "&#8203;", ""),
	} {
		for _, want := range wants {
			if !strings.Contains(shown, want) && !strings.Contains(strings.ReplaceAll(shown, `\`, ""), want) {
				t.Errorf("%s does not say %q:\n%s", name, want, shown)
			}
		}
	}
	public := report.Options{Public: true, HideAmounts: true, Width: 200}
	var b bytes.Buffer
	if err := report.JSON(&b, r, public); err != nil {
		t.Fatal(err)
	}
	for name, shown := range map[string]string{"text": text(t, r, public), "markdown": report.Markdown(r, public), "json": b.String()} {
		for _, hidden := range []string{"ann@", "12.5", "3.25", "0.5"} {
			if strings.Contains(shown, hidden) {
				t.Errorf("%s shows %q in public:\n%s", name, hidden, shown)
			}
		}
	}
	root := readSchema(t)
	var v any
	if err := json.Unmarshal(b.Bytes(), &v); err != nil {
		t.Fatal(err)
	}
	for _, fault := range root.check(root, "logs", v) {
		t.Error(fault)
	}
}

// TestFewLogs: what an empty export, or one of an older release, does not tell is said.
func TestFewLogs(t *testing.T) {
	t.Parallel()
	in := exported()
	in.Logs.FallbackFor, in.Logs.Source, in.Logs.Lost, in.Logs.Repeats = 0, "-", 0, 0
	shown := text(t, report.New(in), report.Options{Width: 200})
	for _, want := range []string{"standard input", "do not tell of fallbacks"} {
		if !strings.Contains(shown, want) {
			t.Errorf("does not say %q:\n%s", want, shown)
		}
	}
	if empty := text(t, report.New(report.Input{Now: monday, Logs: &report.Logs{}}), report.Options{}); !strings.Contains(empty, "0 rows") {
		t.Errorf("an empty export:\n%s", empty)
	}
}
