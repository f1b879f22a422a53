package report_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"

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
