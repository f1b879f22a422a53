package report_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/org/openclaw-litellm-action/report"
)

// TestHeartbeat: what goes with a ping says what failed and what is grave, within its bound, and tells an outside service
// no user, no address and no amount.
func TestHeartbeat(t *testing.T) {
	t.Parallel()
	got := report.Heartbeat(report.New(sample()))
	want := `run: 1 failure, 2 warnings, key unlimited waits for another run, 1 key rotated
failed: nightly-batch: placing in secret LITELLM_API_KEY in acme/batch: putting secret LITELLM_API_KEY in acme/batch: 403 Resource not accessible by personal access token; needs secrets=write
warning: openclaw has used 82.4% of its budget
warning: 30% of the requests for claude-opus-4-6 are served by its fallback gpt-4o
`
	if got != want {
		t.Errorf("the body is:\n%s", got)
	}
	if got := report.Heartbeat(crowded()); len(got) > 4096 || !strings.Contains(got, "lines more") || !strings.Contains(got, "failed: ") {
		t.Errorf("a thousand failures give %d bytes:\n%s", len(got), got)
	}
}

func checkHeartbeat(t *testing.T, s string) {
	t.Helper()
	if len(s) > 4096 || !utf8.ValidString(s) {
		t.Errorf("a heartbeat of %d bytes: %q", len(s), s)
	}
	if strings.ContainsFunc(strings.ReplaceAll(s, "\n", ""), func(c rune) bool { return unicode.IsControl(c) || unicode.Is(unicode.Bidi_Control, c) }) {
		t.Errorf("what acts is in the heartbeat: %q", s)
	}
}
