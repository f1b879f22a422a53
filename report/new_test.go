package report_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/org/openclaw-litellm-action/finding"
	"github.com/org/openclaw-litellm-action/report"
	"github.com/org/openclaw-litellm-action/rotate"
)

// TestNewOrder: the same input in another order is the same report.
func TestNewOrder(t *testing.T) {
	t.Parallel()
	in := sample()
	want := report.New(in)
	slices.Reverse(in.Outcomes)
	slices.Reverse(in.Findings)
	got := report.New(in)
	failures := cmpopts.SortSlices(func(a, b report.Failure) bool { return a.Key+a.Message < b.Key+b.Message })
	if diff := cmp.Diff(want, got, failures, cmpopts.IgnoreUnexported(report.Report{}, report.Key{})); diff != "" {
		t.Error(diff)
	}
	if got := report.New(sample()).RotatedKeys(); !slices.Equal(got, []string{"openclaw"}) {
		t.Errorf("rotated %q", got)
	}
	if worst, ok := want.Worst(); !ok || worst != finding.Warning {
		t.Errorf("worst is %s, %t", worst, ok)
	}
}

// TestNewFailures: a failed step is told once, whether or not the outcome's error wraps it; what no step tells is kept.
func TestNewFailures(t *testing.T) {
	t.Parallel()
	step, other := errors.New("403 on acme/a"), errors.New("releasing the claim: timeout")
	o := rotate.Outcome{
		Name: "openclaw", Steps: []rotate.StepResult{{Step: rotate.Step{Kind: rotate.StepPlace, Target: "secret A"}, Err: step}},
		Err: errors.Join(fmt.Errorf("rotating key %q: %w", "openclaw", step), other),
	}
	r := report.New(report.Input{
		Now: monday, Outcomes: []rotate.Outcome{o}, Errors: []error{errors.New("reading logs with s3cret")},
		Redact: func(s string) string { return strings.ReplaceAll(s, "s3cret", "[redacted]") },
	})
	want := []report.Failure{
		{Message: "reading logs with [redacted]"},
		{Step: "place", Key: "openclaw", Target: "secret A", Message: "403 on acme/a"},
		{Key: "openclaw", Message: "releasing the claim: timeout"},
	}
	if diff := cmp.Diff(want, r.Failures); diff != "" {
		t.Error(diff)
	}
	if more := r.Add(report.Failure{Step: "tell", Message: "slack is down"}); more.Totals.Failures != 4 || r.Totals.Failures != 3 {
		t.Errorf("after Add: %d and %d failures", more.Totals.Failures, r.Totals.Failures)
	}
}

// TestPublic: in public nobody is named, and amounts show only where allowed.
func TestPublic(t *testing.T) {
	t.Parallel()
	secrets := []string{"jane.doe@example.com", "10.1.2.3", "2001:db8::17", "jane-doe", "proxy.internal.example"}
	text0 := "ExceededBudget: User=jane-doe over budget, email: jane.doe@example.com from 10.1.2.3:4000 and [2001:db8::17] at https://proxy.internal.example/x, " +
		"Current cost: 50.123, Max budget: 50, 12.50 USD or $3.50"
	in := sample()
	in.Notes = []string{text0}
	in.Errors = []error{errors.New(text0)}
	in.Outcomes[0].Targets[0].Detail = text0
	in.Outcomes[0].Steps[0].Reason = text0
	in.Failover.Proxy.URL = "https://proxy.internal.example"
	in.Failover.Proxy.Trouble = text0
	in.Failover.Gaps = []string{"the health of deployments is not known: " + text0}
	in.Findings[0].Cause = text0
	r := report.New(in)
	o := report.Options{Public: true, HideAmounts: true, Width: 200}
	surfaces := map[string]string{
		"text": text(t, r, o), "markdown": report.Markdown(r, o), "slack": slackJSON(t, report.Slack(r, o)),
		"annotations": fmt.Sprint(report.Annotations(r, o)),
	}
	k, m := &tracker{fails: map[string]bool{}, lost: map[string]bool{}}, &recorder{}
	if _, err := (report.Telling{Issues: k, Sign: sign, Messengers: []report.Messenger{m}, IssueView: o, MessengerView: o}).Tell(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	surfaces["issue"], surfaces["message"] = k.issues[0].Body+strings.Join(k.log, "\n"), slackJSON(t, m.messages[0])
	mem, err := report.ExtractMemory(k.issues[0].Body, sign)
	if err != nil {
		t.Fatal(err)
	}
	surfaces["memory"] = fmt.Sprintf("%+v", mem)
	amounts := []string{"41.20", "50.00", "12.50", "3.50", "50.123", "164.70"}
	for name, s := range surfaces {
		for _, hidden := range append(secrets, amounts...) {
			if strings.Contains(s, hidden) {
				t.Errorf("%s shows %s", name, hidden)
			}
		}
	}
	for name, s := range surfaces {
		if name != "memory" && !strings.Contains(strings.Join(strings.Fields(strings.ReplaceAll(s, "\\", "")), " "), "unless the proxy has budget_exceeded_status_code: 402") {
			t.Errorf("%s takes the proxy's setting for an amount", name)
		}
	}
	if s := text(t, r, report.Options{Public: true}); !strings.Contains(s, "41.20") || strings.Contains(s, "jane") {
		t.Error("amounts are allowed, names are not")
	}
	if s := text(t, r, report.Options{Width: 300}); !strings.Contains(s, "jane.doe@example.com") {
		t.Error("in private the error is cut")
	}
}

// TestText: every line fits its terminal, colours appear only where asked for, and ASCII is ASCII.
func TestText(t *testing.T) {
	t.Parallel()
	r := report.New(sample())
	for width := 40; width <= 200; width++ {
		checkTerminal(t, text(t, r, report.Options{Width: width}), width)
		if s := text(t, r, report.Options{Width: width, Color: true}); !strings.Contains(s, "\x1b[") {
			t.Errorf("no colour at width %d", width)
		}
	}
	in := sample()
	in.Outcomes = slices.Delete(in.Outcomes, 2, 3)
	for _, c := range text(t, report.New(in), report.Options{ASCII: true}) {
		if c > 127 {
			t.Fatalf("%q is not ASCII", c)
		}
	}
	if s := text(t, report.New(report.Input{Now: monday}), report.Options{}); !strings.Contains(s, "all is well") {
		t.Errorf("a report of nothing:\n%s", s)
	}
}
