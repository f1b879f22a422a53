package failover_test

import (
	"strings"
	"testing"
	"time"

	"github.com/org/openclaw-litellm-action/failover"
	"github.com/org/openclaw-litellm-action/finding"
)

// TestFallbackFailsToo: what a fallback serves is a warning; that the fallback fails as well makes the same story critical,
// whether its health checks or the requests themselves say so.
func TestFallbackFailsToo(t *testing.T) {
	t.Parallel()
	served := []failover.Served{{Primary: "claude", By: "gpt", Requests: 40, Of: 100, First: now.Add(-50 * time.Minute), Evidence: finding.Recorded}}
	sick := []failover.Unhealthy{{Model: "gpt", Error: "quota exceeded", CheckedAt: now}}
	lost := func(n int64) []failover.Unserved {
		return []failover.Unserved{{Primary: "claude", By: []string{"gpt"}, Requests: n, Of: 100, First: now.Add(-20 * time.Minute), Error: "429 quota"}}
	}
	for name, tc := range map[string]struct {
		facts    failover.Facts
		severity finding.Severity
		summary  string
		observed string
	}{
		"it serves":                    {failover.Facts{Served: served}, finding.Warning, "40% of the requests for claude are served by its fallback gpt", "40"},
		"one of its two is sick":       {failover.Facts{Served: served, Unhealthy: sick, Checked: map[string]int{"gpt": 2}}, finding.Warning, "40% of the requests for claude are served by its fallback gpt", "40"},
		"how many it has is not known": {failover.Facts{Served: served, Unhealthy: sick}, finding.Warning, "40% of the requests for claude are served by its fallback gpt", "40"},
		"it is sick":                   {failover.Facts{Served: served, Unhealthy: sick, Checked: map[string]int{"gpt": 1}}, finding.Critical, "40% of the requests for claude are served by its fallback gpt, which fails too", "40"},
		"some requests fail":           {failover.Facts{Served: served, Unserved: lost(20)}, finding.Critical, "20% of the requests for claude fail, for its fallback gpt fails too", "60"},
		"hardly any request fails":     {failover.Facts{Served: served, Unserved: lost(4)}, finding.Warning, "40% of the requests for claude are served by its fallback gpt", "44"},
		"all requests fail":            {failover.Facts{Unserved: lost(100)}, finding.Critical, "all requests for claude fail, and its fallback gpt fails too", "100"},
	} {
		f := ready(tc.facts)
		f.Requests, f.Window, f.Source = 200, time.Hour, "GET /spend/logs/v2"
		var got finding.Finding
		for _, one := range failover.Check(f, failover.Policy{FallbackRate: 0.05}, now) {
			if one.Rule == failover.RuleServed {
				got = one
			}
		}
		if got.Severity != tc.severity || got.Summary != tc.summary || got.Observed.Value.String() != tc.observed || got.Since.IsZero() || got.Evidence != finding.Recorded {
			t.Errorf("%s: %+v", name, got)
		}
		if critical := got.Severity == finding.Critical; strings.Contains(got.Advice, "Nothing is left") != critical {
			t.Errorf("%s: advice %q", name, got.Advice)
		}
	}
	if found := failover.Check(ready(failover.Facts{Unserved: lost(4)}), failover.Policy{FallbackRate: 0.05}, now); len(found) != 0 {
		t.Errorf("under the rate: %+v", found)
	}
}
