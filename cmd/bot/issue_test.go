package main

import (
	"strings"
	"testing"
	"time"

	"github.com/org/openclaw-litellm-action/github/githubtest"
	"github.com/org/openclaw-litellm-action/report"
)

// TestLivingIssue: people edit our issue, strangers imitate it, and a second one of ours turns up: one issue stays, with what
// people wrote in it, and what is odd is said.
func TestLivingIssue(t *testing.T) {
	t.Parallel()
	i := newInside(t)
	hour := func() { i.clock.at = i.clock.at.Add(time.Hour) }
	i.run(exitOK, "run")
	if all := i.github.Issues(home); len(all) != 1 || all[0].State != "closed" {
		t.Fatalf("after the first rotation: %+v", all)
	}

	// A person renames it and writes around our part; a stranger copies it; a run that overlapped made a second one.
	i.github.EditIssue(home, 1, func(one *githubtest.Issue) {
		one.Title, one.Body = "Agents' money", "Ask @carol before you raise it.\r\n\r\n"+one.Body+"\r\nSee the wiki."
	})
	copied := i.github.Issues(home)[0]
	i.github.AddIssue(home, githubtest.Issue{Title: "LiteLLM keys", Body: copied.Body, Author: "mallory", Labels: copied.Labels})
	i.github.AddIssue(home, githubtest.Issue{Title: "LiteLLM keys", Body: copied.Body, Author: copied.Author, Labels: copied.Labels})
	i.spendNow("41")
	hour()
	printed, _ := i.run(exitOK, "run")
	all := i.github.Issues(home)
	if len(all) != 3 || all[0].State != "open" || all[1].State != "open" || all[2].State != "closed" {
		t.Errorf("issues: %q %q %q", all[0].State, all[1].State, all[2].State)
	}
	if b := all[0].Body; all[0].Title != "Agents' money" || !strings.HasPrefix(b, "Ask @carol before you raise it.") || !strings.HasSuffix(b, "See the wiki.") || !strings.Contains(b, "82%") {
		t.Errorf("the issue %q now reads:\n%s", all[0].Title, b)
	}
	if all[1].Body != copied.Body {
		t.Error("the stranger's issue was changed")
	}
	if c := i.github.Comments(home, 3); len(c) != 1 || c[0].Body != "This is told in #1, which stays." {
		t.Errorf("the double says %+v", c)
	}
	for _, note := range []string{"issue #2 carries our marker but is not by us: ignored", "issue #3 doubled #1 and was closed"} {
		if !strings.Contains(strings.Join(strings.Fields(printed), " "), note) {
			t.Errorf("the report does not say %q:\n%s", note, printed)
		}
	}

	// Nothing is written while nothing changes; the end closes the issue, what comes after reopens it.
	hour()
	i.run(exitOK, "run")
	if n := i.wrote("github"); n != 0 {
		t.Errorf("%d writes with nothing new", n)
	}
	i.clock.at = time.Date(2026, 4, 1, 0, 5, 0, 0, time.UTC)
	i.run(exitOK, "run")
	if got := i.github.Issues(home)[0].State; got != "closed" {
		t.Errorf("when all is well it is %s", got)
	}
	i.spendNow("48")
	hour()
	i.run(exitOK, "run")
	if got := i.github.Issues(home)[0].State; got != "open" {
		t.Errorf("with a critical finding it is %s", got)
	}
	comments := len(i.github.Comments(home, 1))
	if comments != 4 { // the rotation, the warning, its end, the critical finding
		t.Errorf("%d comments", comments)
	}

	// Somebody ruins what is hidden in it: that is said, and costs one repeat.
	i.github.EditIssue(home, 1, func(one *githubtest.Issue) {
		head, tail, _ := strings.Cut(one.Body, "<!-- openclaw-litellm:memory:")
		_, tail, _ = strings.Cut(tail, "-->")
		one.Body = head + "<!-- openclaw-litellm:memory:AAAA -->" + tail
	})
	hour()
	if printed, _ = i.run(exitOK, "run"); !strings.Contains(strings.Join(strings.Fields(printed), " "), "is begun anew, so notices may repeat once") {
		t.Errorf("a ruined memory is not spoken of:\n%s", printed)
	}
	hour()
	i.run(exitOK, "run")
	if n := len(i.github.Comments(home, 1)); n != comments+1 || strings.Count(i.github.Issues(home)[0].Body, report.Marker) != 1 {
		t.Errorf("%d comments, %d before the memory was ruined", n, comments)
	}
}
