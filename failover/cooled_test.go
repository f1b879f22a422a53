package failover_test

import (
	"strings"
	"testing"
	"time"

	"github.com/org/openclaw-litellm-action/failover"
	"github.com/org/openclaw-litellm-action/finding"
)

func TestCooled(t *testing.T) {
	t.Parallel()
	at := func(minutes int) time.Time { return now.Add(-time.Duration(minutes) * time.Minute) }
	for _, tc := range []struct {
		cooled   failover.Cooled
		severity finding.Severity
		says     string
	}{
		{failover.Cooled{Model: "gpt", Requests: 2, First: at(9), Last: at(3)}, finding.Critical, "every deployment of gpt was cooling down after failures: 2 requests refused"},
		{failover.Cooled{Model: "gpt", Requests: 1, First: at(3), Last: at(3), Answered: at(4)}, finding.Critical, ": 1 request refused"},
		{failover.Cooled{Model: "gpt", Requests: 2, First: at(9), Last: at(3), Answered: at(1)}, finding.Warning, "it has answered since"},
		{failover.Cooled{Model: "gpt", Requests: 2, First: at(9), Last: at(3), Idle: true}, finding.Critical, "no deployment of gpt takes what is asked of it"},
	} {
		f := ready(failover.Facts{Cooled: []failover.Cooled{tc.cooled}, Source: "GET /spend/logs/v2"})
		got := one(t, f, failover.Policy{})
		if got.Rule != failover.RuleCooled || got.Severity != tc.severity || !got.Since.Equal(tc.cooled.First) || got.Evidence != finding.Recorded ||
			!strings.Contains(got.Summary+got.Cause, tc.says) {
			t.Errorf("%+v gives %+v", tc.cooled, got)
		}
	}
}
