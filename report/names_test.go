package report_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/org/openclaw-litellm-action/budget"
	"github.com/org/openclaw-litellm-action/report"
	"github.com/org/openclaw-litellm-action/rotate"
)

// TestLongNames: names that begin alike, as those of a fleet and of a provider's models do, are told apart where they are
// cut, and what each took is its own.
func TestLongNames(t *testing.T) {
	t.Parallel()
	const key, model = "openclaw-a-repository-whose-name-somebody-thought-about-for-long-", "bedrock/us.anthropic.claude-opus-4-6-with-a-long-name-"
	in := report.Input{Now: monday, Command: "run"}
	for i := range 2 {
		name := fmt.Sprintf("%s%d", key, i)
		in.Outcomes = append(in.Outcomes, rotate.Outcome{Name: name, CurrentNumber: 1, Spend: dec("20"), MaxBudget: limit("50"), Waiting: "for another run",
			Generations: []rotate.Generation{{Number: 1, State: rotate.Current, MintedAt: monday}}})
		in.Spend = append(in.Spend, budget.Facts{Key: name, Limit: limit("50"), Spend: dec("20")})
	}
	for _, day := range []string{"2026-11-22", "2026-11-23"} {
		one := budget.Day{Date: day}
		for i := range 8 {
			cost := dec("8").Sub(dec(fmt.Sprint(i)))
			one.Models = append(one.Models, budget.ModelSpend{Model: fmt.Sprintf("%s%d", model, i), Spend: cost, Requests: 1})
			one.Spend = one.Spend.Add(cost)
		}
		in.Spend[0].Days = append(in.Spend[0].Days, one)
	}
	r := report.New(in)
	for _, width := range []int{60, 80, 120} {
		s := text(t, r, report.Options{Width: width})
		for i := range 2 {
			if n := strings.Count(s, fmt.Sprintf("-long-%d ", i)); n < 2 {
				t.Errorf("at width %d key %d is told from the other one %d times:\n%s", width, i, n, s)
			}
		}
		checkTerminal(t, s, width)
	}
	slack := report.Slack(r, report.Options{})
	checkSlack(t, slack)
	for where, s := range map[string]string{"page": html(t, r, report.Options{}), "Markdown": report.Markdown(r, report.Options{}), "Slack": slackJSON(t, slack)} {
		for i := range 5 {
			if !strings.Contains(s, fmt.Sprintf("-name-%d", i)) && !strings.Contains(s, fmt.Sprintf("me-%d", i)) {
				t.Errorf("%s does not tell model %d from the others", where, i)
			}
		}
		if !strings.Contains(s, "other models") {
			t.Errorf("%s is silent of the other models", where)
		}
	}
	if page := html(t, r, report.Options{}); !strings.Contains(page, "16.00 USD") || !strings.Contains(page, "12.00 USD") {
		t.Error("the page adds models up that begin alike")
	}
}
