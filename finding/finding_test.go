package finding_test

import (
	"testing"
	"time"

	"github.com/org/openclaw-litellm-action/finding"
)

func TestSeveritiesAreOrderedAndReadBack(t *testing.T) {
	if !(finding.Info < finding.Warning && finding.Warning < finding.Critical) {
		t.Error("info < warning < critical does not hold")
	}
	for _, s := range []finding.Severity{finding.Info, finding.Warning, finding.Critical} {
		text, _ := s.MarshalText()
		var back finding.Severity
		if err := back.UnmarshalText(text); err != nil || back != s {
			t.Errorf("%s reads back as %s, %v", s, back, err)
		}
	}
	var s finding.Severity
	if err := s.UnmarshalText([]byte("fatal")); err == nil {
		t.Error("an unknown severity is accepted")
	}
}

func TestAStoryIsRuleSubjectAndWindow(t *testing.T) {
	f := finding.Finding{Rule: "budget-used", Subject: finding.Subject{Kind: "key", Name: "openclaw"}, Window: "2026-11-01T00:00:00Z"}
	same := f
	same.Severity, same.Level, same.Summary = finding.Critical, "95%", "other words"
	if f.Key() != same.Key() {
		t.Error("reaching a higher level is told as another story")
	}
	next := f
	next.Window = "2026-12-01T00:00:00Z"
	if f.Key() == next.Key() {
		t.Error("the same rule in the next window is told as the same story")
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	for want, got := range map[string]string{
		"1 key": finding.Plural(1, "key"), "0 keys": finding.Plural(0, "key"), "2 passes": finding.Plural(2, "pass"),
		"3 repositories": finding.Plural(3, "repository"),
		"59s":            finding.Short(59 * time.Second), "1m": finding.Short(90 * time.Second), "1h": finding.Short(119 * time.Minute),
		"47h": finding.Short(48*time.Hour - time.Second), "2d": finding.Short(71 * time.Hour),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
