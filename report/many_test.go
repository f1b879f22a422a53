package report_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/org/openclaw-litellm-action/finding"
	"github.com/org/openclaw-litellm-action/report"
	"github.com/org/openclaw-litellm-action/rotate"
)

// many is a pass over a large fleet that rotates each key and finds a few over their budget.
func many(at int, critical ...string) report.Report {
	in := report.Input{Now: hours(at), Command: "run"}
	for i := range 300 {
		in.Outcomes = append(in.Outcomes, rotate.Outcome{Name: fmt.Sprintf("openclaw-%04d", i), CurrentNumber: at, Rotated: true})
	}
	for _, name := range critical {
		f := used(finding.Critical, "95%", "w")
		f.Subject.Name, f.Summary = name, name+" has used 96% of its budget"
		in.Findings = append(in.Findings, f)
	}
	return report.New(in)
}

// commented is a tracker that keeps its comments whole.
type commented struct {
	*tracker
	comments []string
}

func (c *commented) Comment(_ context.Context, _ int, body string) error {
	c.comments = append(c.comments, body)
	return nil
}

// TestTellMany: where there is more to tell than there is room for, the gravest is told, and how much was left out.
func TestTellMany(t *testing.T) {
	t.Parallel()
	issues, hook := &commented{tracker: &tracker{}}, &recorder{}
	telling := report.Telling{Issues: issues, Sign: sign, Messengers: []report.Messenger{hook}}
	for i, r := range []report.Report{pass(hours(0), "25", 0), many(1, "openclaw-0017"), many(2, "openclaw-0017", "openclaw-0042")} {
		hook.fails = i == 1
		if _, err := telling.Tell(t.Context(), r); (err != nil) != hook.fails {
			t.Fatal(err)
		}
	}
	late := hook.messages[len(hook.messages)-1]
	checkSlack(t, late)
	last := issues.comments[len(issues.comments)-1]
	for _, told := range []struct {
		where, text string
		want        []string
	}{
		{"comment", last, []string{"openclaw-0042 has used", "and 201 notices more"}},
		{"late message", slackJSON(t, late), []string{"openclaw-0017 has used", "openclaw-0042 has used", "notices more"}},
		{"notification", late.Text, []string{"openclaw-0017 has used", "openclaw-0042 has used", "notices more"}},
	} {
		for _, want := range told.want {
			if !strings.Contains(told.text, want) {
				t.Errorf("the %s does not say %q:\n%.800s", told.where, want, told.text)
			}
		}
	}
	if _, err := telling.Tell(t.Context(), many(3, "openclaw-0001", "openclaw-0002")); err != nil {
		t.Fatal(err)
	}
	for where, s := range map[string]string{"comment": issues.comments[len(issues.comments)-1], "message": slackJSON(t, hook.messages[len(hook.messages)-1])} {
		if strings.Count(s, "Raise it.") != 1 || strings.Count(s, "as above") != 1 {
			t.Errorf("the %s says the same advice twice:\n%.900s", where, s)
		}
	}
	if !late.Broadcast {
		t.Error("what is critical is not for everybody")
	}

	bot, opened := &messenger{name: "slack", living: true}, &opening{}
	opened.messenger = bot
	if _, err := (report.Telling{Messengers: []report.Messenger{opened}, Journal: &journal{}}).Tell(t.Context(), many(1, "openclaw-0017")); err != nil {
		t.Fatal(err)
	}
	checkSlack(t, opened.first)
	if s := slackJSON(t, opened.first); !strings.Contains(s, "openclaw-0017 has used") || !strings.Contains(s, "notices more") {
		t.Errorf("the living message begins with %.800s", s)
	}
}

// opening keeps the first form of a living message.
type opening struct {
	*messenger
	first report.Message
}

func (o *opening) Post(ctx context.Context, m report.Message) (string, error) {
	o.first = m
	return o.messenger.Post(ctx, m)
}
