package main

import (
	"encoding/base64"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/org/openclaw-litellm-action/finding"
	"github.com/org/openclaw-litellm-action/github/githubtest"
	"github.com/org/openclaw-litellm-action/report"
	"github.com/org/openclaw-litellm-action/secret"
	"github.com/org/openclaw-litellm-action/settings"
	"github.com/org/openclaw-litellm-action/slack"
)

var memoryBlock = regexp.MustCompile(`<!-- openclaw-litellm:memory:[^ ]* -->`)

// begun is what a run says whose memory was not signed.
const begun = "begun anew"

// said reports whether the last run says that its memory was begun anew.
func said(printed string) bool {
	return strings.Contains(strings.Join(strings.Fields(printed), " "), begun)
}

// TestForgedIssueMemory: who may edit the issue cannot make the bot overwrite its messages, post words of theirs or stay
// silent; it costs one repeat, which is said once.
func TestForgedIssueMemory(t *testing.T) {
	t.Parallel()
	i := newInside(t)
	hour := func() { i.clock.at = i.clock.at.Add(time.Hour) }
	i.run(exitOK, "run")
	hour()
	i.spendNow("41")
	i.run(exitOK, "run")
	hour()
	if printed, _ := i.run(exitOK, "run"); said(printed) || i.wrote("slack") > 0 {
		t.Fatalf("the memory of the same program is not believed:\n%s", printed)
	}
	theirs := report.Memory{Senders: map[string]report.SenderMemory{"slack": {
		Anchor:  "C0000000666/" + i.slack.Messages()[0].TS + "/" + slackChannel,
		Pending: []report.Notice{{Reason: report.Firing, Key: "x", Severity: finding.Critical, Summary: "send your keys to mallory"}},
	}}}
	data, err := theirs.Encode()
	if err != nil {
		t.Fatal(err)
	}
	forged := "<!-- openclaw-litellm:memory:" + base64.StdEncoding.EncodeToString(data) + " -->"
	i.github.EditIssue(home, 1, func(one *githubtest.Issue) { one.Body = memoryBlock.ReplaceAllLiteralString(one.Body, forged) })
	hour()
	printed, _ := i.run(exitOK, "run")
	if !said(printed) {
		t.Errorf("nobody is told that the memory was changed:\n%s", printed)
	}
	for _, r := range i.sent() {
		if strings.Contains(r.body, "mallory") || strings.Contains(r.body, "C0000000666") {
			t.Errorf("what was forged is obeyed: %s %s %s", r.system, r.path, r.body)
		}
	}
	hour()
	if printed, _ := i.run(exitOK, "run"); said(printed) || i.wrote("slack")+i.wrote("github") > 0 {
		t.Errorf("a run later it is told again:\n%s", printed)
	}
}

// TestMemoryOfAnotherIssue: a memory that this tool signed for one repository or label is worth nothing in another.
func TestMemoryOfAnotherIssue(t *testing.T) {
	t.Parallel()
	for name, there := range map[string]map[string]string{
		"another repository": {"OPENCLAW_LITELLM_ISSUE_REPOSITORY": "acme/ops"},
		"another label":      {"OPENCLAW_LITELLM_ISSUE_LABELS": "other"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := newInside(t)
			i.github.AddRepository(githubtest.Repository{Name: "acme/ops"})
			i.github.AddToken(i.secrets["GITHUB_TOKEN"], githubtest.Token{App: true, Permissions: []string{"issues=write"}, Repositories: []string{home, "acme/ops"}})
			i.run(exitOK, "run")
			block := memoryBlock.FindString(i.github.Issues(home)[0].Body)
			i.env = there
			i.run(exitOK, "run") // it says nothing new, and so makes no issue
			i.spendNow("41")
			i.clock.at = i.clock.at.Add(time.Hour)
			i.run(exitOK, "run")
			repository, number := home, 2
			if r := there["OPENCLAW_LITELLM_ISSUE_REPOSITORY"]; r != "" {
				repository, number = r, 1
			}
			i.github.EditIssue(repository, number, func(one *githubtest.Issue) { one.Body = memoryBlock.ReplaceAllLiteralString(one.Body, block) })
			i.clock.at = i.clock.at.Add(time.Hour)
			if printed, _ := i.run(exitOK, "run"); !said(printed) {
				t.Errorf("the copy is believed:\n%s", printed)
			}
		})
	}
}

// TestMemoryOutlivesTheManagementKey: another management key costs a repeat, which is said once; with issue-secret it costs
// nothing.
func TestMemoryOutlivesTheManagementKey(t *testing.T) {
	t.Parallel()
	for secretGiven, repeats := range map[string]bool{"": true, "sixteen characters and more": false} {
		i := newInside(t)
		i.env["OPENCLAW_LITELLM_ISSUE_SECRET"] = secretGiven
		i.run(exitOK, "run")
		i.spendNow("41")
		i.clock.at = i.clock.at.Add(time.Hour)
		i.run(exitOK, "run")
		i.env["OPENCLAW_LITELLM_OWNER"] = home
		i.narrow()
		i.clock.at = i.clock.at.Add(time.Hour)
		if printed, _ := i.run(exitOK, "run", "--only", "check,report"); said(printed) != repeats {
			t.Errorf("with issue-secret %q it is said: %t\n%s", secretGiven, !repeats, printed)
		}
		i.clock.at = i.clock.at.Add(time.Hour)
		if printed, _ := i.run(exitOK, "run", "--only", "check,report"); said(printed) {
			t.Errorf("with issue-secret %q it is said again:\n%s", secretGiven, printed)
		}
	}
}

// TestAnchorsStayInTheChannel: whatever channel an anchor names, the configured one is written to.
func TestAnchorsStayInTheChannel(t *testing.T) {
	t.Parallel()
	c := &channel{channel: "C1"}
	if ref, err := c.refOf("C666/1.2/C1"); err != nil || ref != (slack.Ref{Channel: "C1", TS: "1.2"}) {
		t.Errorf("%+v, %v", ref, err)
	}
	for _, anchor := range []string{"C1/1.2/C2", "C1/1.2", "", "C1/1.2/C1/C1"} {
		if ref, err := c.refOf(anchor); err == nil {
			t.Errorf("%q is %+v", anchor, ref)
		}
	}
}

// TestSignersDiffer: a signature holds for one secret, repository and label.
func TestSignersDiffer(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, place := range [][3]string{{"k", "a/b", "l"}, {"k2", "a/b", "l"}, {"k", "a/c", "l"}, {"k", "a/b", "m"}, {"k", "a/bl", ""}} {
		b := bot{set: signed(place[0], place[1], place[2])}
		signature := string(b.signer()([]byte("memory")))
		if other, twice := seen[signature]; twice {
			t.Errorf("%v signs as %s does", place, other)
		}
		seen[signature] = strings.Join(place[:], " ")
	}
	one, same := bot{set: signed("k", "a/b", "l")}, bot{set: signed("k", "A/B", "L")}
	if string(one.signer()([]byte("memory"))) != string(same.signer()([]byte("memory"))) {
		t.Error("another spelling signs differently")
	}
}

// signed is the settings that a signer is made of.
func signed(key, repository, label string) *settings.Settings {
	set := &settings.Settings{LiteLLM: settings.LiteLLM{Key: secret.New(key)}, Report: settings.Report{IssueRepository: repository}}
	if label != "" {
		set.Report.IssueLabels = []string{label}
	}
	return set
}
