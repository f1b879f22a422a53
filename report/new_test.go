package report_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/org/openclaw-litellm-action/failover"
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
		Failures: []report.Failure{{Step: "for_each", Message: "listing with s3cret"}}, Notes: []string{"about s3cret"},
		Redact: func(s string) string { return strings.ReplaceAll(s, "s3cret", "[redacted]") },
	})
	if diff := cmp.Diff([]string{"about [redacted]"}, r.Notes); diff != "" {
		t.Error(diff)
	}
	want := []report.Failure{
		{Step: "for_each", Message: "listing with [redacted]"},
		{Message: "reading logs with [redacted]", Public: "reading logs with [redacted]"},
		{Step: "place", Key: "openclaw", Target: "secret A", Message: "403 on acme/a", Public: "403 on acme/a"},
		{Key: "openclaw", Message: "releasing the claim: timeout", Public: "releasing the claim: timeout"},
	}
	if diff := cmp.Diff(want, r.Failures); diff != "" {
		t.Error(diff)
	}
	more := r.Add(report.Failure{Step: "tell", Message: "slack is down"})
	if more.Totals.Failures != 5 || r.Totals.Failures != 4 {
		t.Errorf("after Add: %d and %d failures", more.Totals.Failures, r.Totals.Failures)
	}
}

// outside is an error that repeats what somebody else said.
type outside struct{ ours, theirs string }

func (e outside) Error() string  { return e.ours + ": " + e.theirs }
func (e outside) Public() string { return e.ours }

// TestPublic: in public nobody is named, however the name looks, and amounts show only where allowed.
func TestPublic(t *testing.T) {
	t.Parallel()
	secrets := []string{"jane.doe@example.com", "10.1.2.3", "2001:db8::17", "jane-doe", "Jane Doe", "proxy.internal.example"}
	text0 := "jane-doe, Jane Doe, jane.doe@example.com from 10.1.2.3:4000 and [2001:db8::17] at https://proxy.internal.example/x, " +
		"Current cost: 50.123, Max budget: 50, 12.50 USD or $3.50"
	amount := "its budget is spent: 12.50 USD or $3.50, max budget: 50.123"
	in := sample()
	in.Notes = []string{amount}
	in.Doubts = []failover.Gap{{Text: "tags are not known", Said: text0}}
	in.Errors = []error{outside{"reading the logs", text0}}
	in.Failures = []report.Failure{{Message: text0}}
	in.Outcomes[0].Targets[0].Detail = text0
	in.Outcomes[0].Targets[0].PublicDetail = "GitHub refuses it"
	in.Outcomes[1].Targets = append(in.Outcomes[1].Targets, rotate.TargetState{Name: "secret X", State: rotate.Failed, Detail: text0})
	in.Outcomes[0].Steps[0].Who = text0
	in.Outcomes[0].Steps[0].Err = outside{"writing", text0}
	in.Outcomes[0].Generations[0].Alias = text0
	in.Failover.Proxy.URL = "https://proxy.internal.example"
	in.Failover.Proxy.Database = text0
	in.Failover.Proxy.Ready, in.Failover.Proxy.Trouble, in.Failover.Proxy.Said = false, "the proxy does not answer", text0
	in.Failover.Gaps = []failover.Gap{{Text: "the health of deployments is not known", Said: text0}}
	in.Failover.Unhealthy = append(in.Failover.Unhealthy, failover.Unhealthy{Model: "m", Error: text0})
	in.Findings[0].Cause, in.Findings[0].Who, in.Findings[0].Said = amount, text0, text0
	in.Overview = &report.Overview{
		Tags: []report.PeriodSums{{Name: text0}}, EndUsers: []report.PeriodSums{{Name: text0}}, Dearest: []report.LogRequest{{ID: text0, EndUser: text0}},
	}
	in.Logs = &report.Logs{
		Tags: []report.LogSums{{Name: text0}}, EndUsers: []report.LogSums{{Name: text0}}, Dearest: []report.LogRequest{{ID: text0, EndUser: text0}},
	}
	r := report.New(in)
	o := report.Options{Public: true, HideAmounts: true, Width: 200}
	surfaces := map[string]string{
		"text": text(t, r, o), "markdown": report.Markdown(r, o), "slack": slackJSON(t, report.Slack(r, o)),
		"annotations": fmt.Sprint(report.Annotations(r, o)), "json": written(t, report.JSON, r, o), "html": written(t, report.HTML, r, o),
		"csv": written(t, report.CSV, r, o), "heartbeat": report.Heartbeat(r),
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
	for _, name := range []string{"text", "markdown", "slack", "annotations", "issue", "message"} {
		if s := surfaces[name]; !strings.Contains(strings.Join(strings.Fields(strings.ReplaceAll(s, "\\", "")), " "), "unless the proxy has budget_exceeded_status_code: 402") {
			t.Errorf("%s takes the proxy's setting for an amount", name)
		}
	}
	if s := text(t, r, report.Options{Public: true}); !strings.Contains(s, "41.20") || strings.Contains(s, "jane") {
		t.Error("amounts are allowed, names are not")
	}
	for name, s := range map[string]string{
		"text": text(t, r, report.Options{Width: 300}), "markdown": report.Markdown(r, report.Options{}), "json": written(t, report.JSON, r, report.Options{}),
		"html": written(t, report.HTML, r, report.Options{}), "slack": slackJSON(t, report.Slack(r, report.Options{})),
	} {
		if !strings.Contains(s, "Jane Doe") {
			t.Errorf("insiders do not read in %s who it is", name)
		}
	}
	for _, words := range []string{"reading the logs", "GitHub refuses it", "the reason is left out where everybody can read it", "tags are not known"} {
		if s := strings.Join(strings.Fields(text(t, r, o)), " "); !strings.Contains(s, words) {
			t.Errorf("everybody should read %q in\n%s", words, s)
		}
	}
}

// written is what a writer of reports writes.
func written(t *testing.T, write func(io.Writer, report.Report, report.Options) error, r report.Report, o report.Options) string {
	t.Helper()
	var b strings.Builder
	if err := write(&b, r, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
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

func TestLeavesKeepWhatAnErrorAdds(t *testing.T) {
	a, b, c := errors.New("a"), errors.New("b"), errors.New("c")
	whole := fmt.Errorf("writing: %w, then %w", a, b)
	if got := report.Leaves(errors.Join(whole, errors.Join(b, c))); !slices.Equal(got, []error{whole, b, c}) {
		t.Errorf("%q", got)
	}
}
