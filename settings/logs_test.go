package settings

import (
	"strings"
	"testing"
)

// TestSpendLogs: a report on an export needs nothing, reads no file, and runs on events that outsiders can cause.
func TestSpendLogs(t *testing.T) {
	t.Parallel()
	e := env{"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "pull_request", "GITHUB_REPOSITORY": "acme/agents"}
	s, err := load("report --spend-logs rows.json --strict --max-budget 5 --thresholds 70% --fail-on warning --format json", e,
		map[string]string{"openclaw-litellm.yml": "defaults: {max_budget: 1000000}\nnonsense: true\n"})
	if err != nil {
		t.Fatal(err)
	}
	key := s.Keys[0]
	if s.SpendLogs != "rows.json" || !s.Strict || key.MaxBudget.Decimal.String() != "5" || len(key.Thresholds) != 1 || s.Format != "json" ||
		s.FailOn == nil || s.ConfigFile != "" || len(s.Secrets()) != 0 {
		t.Errorf("%+v", s)
	}
	_, err = load("report --spend-logs rows.json --config x.yml --max-budget much", e, nil)
	if err == nil || !strings.Contains(err.Error(), "flag --config") || !strings.Contains(err.Error(), "flag --max-budget") {
		t.Errorf("faults: %v", err)
	}
	if _, err := load("run --spend-logs rows.json", env{}, nil); err == nil {
		t.Error("run takes --spend-logs")
	}
}
