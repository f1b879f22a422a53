package report_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/org/openclaw-litellm-action/finding"
	"github.com/org/openclaw-litellm-action/report"
	"github.com/org/openclaw-litellm-action/rotate"
)

var payloads = flag.String("payloads", "", "folder to write Slack payloads into, for their types to be checked")

// crowded is a thousand keys with a thousand findings and failures.
func crowded() report.Report {
	in := spentByModel()
	for i := range 1000 {
		name := fmt.Sprintf("openclaw-%04d", i)
		in.Outcomes = append(in.Outcomes, rotate.Outcome{Name: name, CurrentNumber: 1, Spend: dec("49"), MaxBudget: limit("50"),
			Generations: []rotate.Generation{{Number: 1}}, Err: errors.New("403 " + strings.Repeat("x", 200))})
		f := used(finding.Warning, "80%", "w")
		f.Subject.Name, f.Summary = name, name+" has used 81% of its budget"
		in.Findings = append(in.Findings, f)
	}
	return report.New(in)
}

// TestSlackPayloads: every kind of message keeps Slack's limits. With the flag they are written out, for .ci/slack-types.
func TestSlackPayloads(t *testing.T) {
	t.Parallel()
	all := map[string]report.Message{}
	for name, r := range map[string]report.Report{
		"full": report.New(spentByModel()), "quiet": quietPage(), "empty": report.New(report.Input{Now: monday}),
		"crowded": crowded(), "hostile": hostile(strings.Join(evil, " ")),
	} {
		all[name] = report.Slack(r, report.Options{})
		all[name+"-public"] = report.Slack(r, report.Options{Public: true, HideAmounts: true})
		rec := &recorder{}
		living := &keeper{}
		telling := report.Telling{Messengers: []report.Messenger{rec, living}, Journal: &journal{}}
		if _, err := telling.Tell(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		for i, m := range append(rec.messages, living.messages...) {
			all[fmt.Sprintf("%s-told-%d", name, i)] = m
		}
	}
	charts := 0
	for name, m := range all {
		checkSlack(t, m)
		if m.Plain != nil {
			charts++
		}
		if *payloads == "" {
			continue
		}
		text, err := json.Marshal(map[string]any{"text": m.Text, "blocks": m.Blocks, "plain": m.Plain})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(*payloads, name+".json"), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if charts == 0 {
		t.Error("no message has a chart")
	}
}

// keeper is a living messenger that keeps what it is sent.
type keeper struct{ recorder }

func (*keeper) Name() string { return "keeper" }
func (*keeper) Living() bool { return true }
