package report_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/finding"
	"github.com/org/openclaw-litellm-action/report"
)

func text(t *testing.T, r report.Report, o report.Options) string {
	t.Helper()
	var b bytes.Buffer
	if err := report.Text(&b, r, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func slackJSON(t *testing.T, m report.Message) string {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(map[string]any{"text": m.Text, "blocks": m.Blocks}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestGoldens(t *testing.T) {
	r := report.New(sample())
	for _, width := range []int{60, 80, 120} {
		golden(t, fmt.Sprintf("run-%d.txt", width), text(t, r, report.Options{Width: width}))
	}
	golden(t, "run-ascii.txt", text(t, r, report.Options{ASCII: true}))
	golden(t, "run-color.txt", text(t, r, report.Options{Color: true}))
	golden(t, "run-public.txt", text(t, r, report.Options{Public: true, HideAmounts: true}))
	golden(t, "run.md", report.Markdown(r, report.Options{}))
	golden(t, "run-public.md", report.Markdown(r, report.Options{Public: true, HideAmounts: true}))
	golden(t, "run.slack.json", slackJSON(t, report.Slack(r, report.Options{})))
	var b bytes.Buffer
	if err := report.JSON(&b, r, report.Options{}); err != nil {
		t.Fatal(err)
	}
	golden(t, "run.json", b.String())
}

func TestOneIsNotPlural(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{1: "1 model,", 2: "2 models,"} {
		r := report.New(report.Input{Findings: []finding.Finding{{
			Rule: "x", Subject: finding.Subject{Kind: "proxy", Name: "LiteLLM"}, Summary: "it is so", Evidence: finding.Configured,
			Observed: &finding.Quantity{Value: decimal.NewFromInt(n), Unit: "models"},
		}}})
		if got := text(t, r, report.Options{}); !strings.Contains(got, want) {
			t.Errorf("%d: %s", n, got)
		}
	}
}
