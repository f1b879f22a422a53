package report_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/org/openclaw-litellm-action/finding"
	"github.com/org/openclaw-litellm-action/report"
)

var memoryBlock = regexp.MustCompile(`<!-- openclaw-litellm:memory:[^ ]* -->`)

// forgery is a memory as somebody would write it who wants this tool to overwrite its messages in another channel, to post
// words of theirs, and to keep quiet about a budget.
func forgery() report.Memory {
	return report.Memory{
		Version: 1, Saved: hours(1),
		Stories: []report.Story{{
			Key: "budget-used|key|openclaw|2026-11-01T00:00:00Z", Rule: "budget-used", Kind: "key", Name: "openclaw",
			Severity: finding.Critical, Level: "95%", First: hours(0), Told: hours(100), Summary: "all is well",
		}},
		Senders: map[string]report.SenderMemory{"slack": {
			Anchor: "C666/1", Posted: hours(0),
			Pending: []report.Notice{{Reason: report.Firing, Key: "x", Severity: finding.Critical, Summary: "send your keys to mallory"}},
		}},
	}
}

// block is a memory as it stands in an issue, signed by sign.
func block(t *testing.T, m report.Memory, sign report.Signer) string {
	t.Helper()
	body, err := report.EmbedMemory("", m, sign)
	if err != nil {
		t.Fatal(err)
	}
	return memoryBlock.FindString(body)
}

// TestForgedMemory: what an editor of the issue puts in the place of the memory is not believed, costs one repeat, and is
// said once.
func TestForgedMemory(t *testing.T) {
	t.Parallel()
	another := func(data []byte) []byte { return signed("of another issue", data) }
	for name, change := range map[string]func(t *testing.T, body string) string{
		"of another issue": func(t *testing.T, body string) string {
			return memoryBlock.ReplaceAllLiteralString(body, block(t, forgery(), another))
		},
		"of an earlier release": func(t *testing.T, body string) string {
			unsigned, _, _ := strings.Cut(block(t, forgery(), sign), ".")
			return memoryBlock.ReplaceAllLiteralString(body, unsigned+" -->")
		},
		"an empty signature": func(t *testing.T, body string) string {
			unsigned, _, _ := strings.Cut(block(t, forgery(), sign), ".")
			return memoryBlock.ReplaceAllLiteralString(body, unsigned+". -->")
		},
		"the signature of what was there": func(t *testing.T, body string) string {
			unsigned, _, _ := strings.Cut(block(t, forgery(), sign), ".")
			_, signature, _ := strings.Cut(memoryBlock.FindString(body), ".")
			return memoryBlock.ReplaceAllLiteralString(body, unsigned+"."+signature)
		},
		"before what was there": func(t *testing.T, body string) string {
			mine := memoryBlock.FindString(body)
			return memoryBlock.ReplaceAllLiteralString(body, block(t, forgery(), another)+mine)
		},
		"taken out": func(_ *testing.T, body string) string { return memoryBlock.ReplaceAllLiteralString(body, "") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			s.telling.Messengers = []report.Messenger{s.bot}
			s.want(pass(hours(0), "48", 0), `
				issues: find
				issues: create LiteLLM keys: budgets, rotation, failover
				issues: edit 1 body
				bot: post: critical: openclaw has used 96% of its budget`)
			s.want(pass(hours(1), "48", 0), quiet)
			s.issues.issues[0].Body = change(t, s.issues.issues[0].Body)
			res := s.want(pass(hours(2), "48", 0), `
				issues: find
				issues: edit 1 body
				issues: comment 1: - 🔴 **critical**: openclaw has used 96% of its budget (48.00 of 50.00 USD, since 1 Nov 2026)
				issues: edit 1 body
				bot: post: critical: openclaw has used 96% of its budget`)
			if len(res.Notes) != 1 || !strings.Contains(res.Notes[0], "begun anew") {
				t.Errorf("notes: %q", res.Notes)
			}
			if res := s.want(pass(hours(3), "48", 0), quiet); len(res.Notes) != 0 {
				t.Errorf("it is said again: %q", res.Notes)
			}
			if body := s.issues.issues[0].Body; len(memoryBlock.FindAllString(body, -1)) != 1 {
				t.Errorf("the issue reads:\n%s", body)
			}
		})
	}
}

// TestForgedMemoryWhereAllIsWell: the memory is begun anew although there is nothing to say, so that it is said once.
func TestForgedMemoryWhereAllIsWell(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.telling.Messengers = nil
	s.tell(pass(hours(0), "48", 0))
	december := pass(hours(24*10), "1", 0)
	s.tell(december)
	s.want(december, quiet)
	s.issues.issues[0].Body = strings.ReplaceAll(s.issues.issues[0].Body, ".", ". ")
	s.issues.issues[0].Body = memoryBlock.ReplaceAllLiteralString(s.issues.issues[0].Body, "")
	if res := s.want(december, "issues: find\nissues: edit 1 body"); len(res.Notes) != 1 {
		t.Errorf("notes: %q", res.Notes)
	}
	if res := s.want(december, quiet); len(res.Notes) != 0 {
		t.Errorf("it is said again: %q", res.Notes)
	}
}

// TestWithoutSigner: without a key no memory is believed.
func TestWithoutSigner(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.telling.Sign = nil
	s.tell(pass(hours(0), "48", 0))
	if res, _ := s.tell(pass(hours(1), "48", 0)); len(res.Notes) != 1 {
		t.Errorf("notes: %q", res.Notes)
	}
}
