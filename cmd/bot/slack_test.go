package main

import (
	"strings"
	"testing"
	"time"

	"github.com/org/openclaw-litellm-action/github/githubtest"
	"github.com/org/openclaw-litellm-action/litellm/litellmtest"
	"github.com/shopspring/decimal"
)

// spendNow books a call of the key that is in the repository's secret.
func (i *inside) spendNow(usd string) {
	key, _ := i.github.Secret(githubtest.Scope{Repository: home}, "LITELLM_API_KEY")
	i.proxy.Record(litellmtest.Usage{Token: key.SHA256(), Model: "backup", Spend: decimal.RequireFromString(usd), PromptTokens: 1000})
}

// heard is what people who look at the channel and at the issue can read.
func (i *inside) heard() (slack, issue string) {
	for _, m := range i.slack.Messages() {
		if !m.Deleted {
			slack += m.Last().Text + string(m.Last().Blocks) + "\n"
		}
	}
	for _, one := range i.github.Issues(home) {
		for _, c := range i.github.Comments(home, one.Number) {
			issue += c.Body + "\n"
		}
	}
	return slack, issue
}

// TestSlackTroubles: whatever becomes of the channel, the message or the token, each run tells at once where telling
// works: in Slack by other means, or in the issue; and what was missed arrives once.
func TestSlackTroubles(t *testing.T) {
	t.Parallel()
	const slackPath = "/api/chat.*"
	for name, tc := range map[string]struct {
		trouble func(*inside)
		mended  func(*inside)
		exit    int
		log     string // standard error says so
		issue   string // the issue tells so, in the same run; "": it has nothing to tell of Slack
		posts   int    // messages in the channel after the trouble, replies left out
	}{
		"renamed":         {trouble: func(i *inside) { i.slack.Rename(slackChannel, "money") }, posts: 1},
		"message deleted": {trouble: func(i *inside) { m := i.slack.Messages()[0]; i.slack.Delete(m.Channel, m.TS) }, posts: 2},
		"archived": {trouble: func(i *inside) { i.slack.Archive(slackChannel) }, exit: exitFailed,
			log: "is_archived", issue: `is\_archived`, posts: 1},
		"removed": {trouble: func(i *inside) { i.slack.Remove(slackChannel) }, exit: exitFailed,
			log: "channel_not_found", issue: `channel\_not\_found`, posts: 1},
		"bot kicked": {trouble: func(i *inside) { i.slack.Kick(slackChannel) }, exit: exitFailed,
			log: "not_in_channel", issue: `not\_in\_channel`, posts: 1},
		"token revoked": {trouble: func(i *inside) { i.slack.Revoke() }, exit: exitFailed,
			log: "token_revoked", issue: `token\_revoked`, posts: 1},
		"posting restricted": {trouble: func(i *inside) {
			i.inject(fault{system: "slack", method: "POST", path: slackPath, do: "200", body: `{"ok":false,"error":"restricted_action"}`})
		}, mended: (*inside).mend, exit: exitFailed, log: "restricted_action", issue: `restricted\_action`, posts: 1},
		"limited for a moment": {trouble: func(i *inside) {
			i.inject(fault{system: "slack", method: "POST", path: slackPath, do: "429", body: `{"ok":false,"error":"ratelimited"}`,
				header: map[string][]string{"Retry-After": {"3"}}, times: 1})
		}, posts: 1},
		"limited for long": {trouble: func(i *inside) {
			i.inject(fault{system: "slack", method: "POST", path: slackPath, do: "429", body: `{"ok":false,"error":"ratelimited"}`,
				header: map[string][]string{"Retry-After": {"600"}}})
		}, mended: (*inside).mend, exit: exitFailed, log: "rate limited", posts: 1},
		"out": {trouble: func(i *inside) {
			i.inject(fault{system: "slack", method: "POST", path: slackPath, do: "503", body: "upstream"})
		},
			mended: (*inside).mend, exit: exitFailed, log: "Slack could not answer", posts: 1},
		"blocks refused": {trouble: func(i *inside) {
			i.inject(fault{system: "slack", method: "POST", path: slackPath, do: "200", body: `{"ok":false,"error":"invalid_blocks"}`, times: 1})
		}, log: "invalid_blocks", posts: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := newInside(t)
			i.run(exitOK, "run")
			i.spendNow("41")
			i.clock.at = i.clock.at.Add(time.Hour)
			i.run(exitOK, "run")
			tc.trouble(i)
			i.spendNow("7")
			i.clock.at = i.clock.at.Add(time.Hour)
			_, log := i.run(tc.exit, "run")
			if tc.log != "" && !strings.Contains(log, tc.log) {
				t.Errorf("the log does not say %q:\n%s", tc.log, log)
			}
			slack, issue := i.heard()
			if !strings.Contains(issue, "has used 96% of its budget") {
				t.Errorf("the issue missed the news:\n%s", issue)
			}
			if tells := strings.Contains(issue, "slack takes no messages"); tells != (tc.issue != "") || !strings.Contains(issue, tc.issue) {
				t.Errorf("the issue should tell %q:\n%s", tc.issue, issue)
			}
			if arrived := strings.Contains(slack, "has used 96% of its budget"); arrived != (tc.exit == exitOK) {
				t.Errorf("in Slack it arrived: %t\n%s", arrived, slack)
			}
			posts := 0
			for _, m := range i.slack.Messages() {
				if m.ThreadTS == "" {
					posts++
				}
			}
			if posts != tc.posts {
				t.Errorf("%d messages in the channel, want %d", posts, tc.posts)
			}
			if tc.mended == nil {
				return
			}
			tc.mended(i)
			for range 2 {
				i.clock.at = i.clock.at.Add(time.Hour)
				i.run(exitOK, "run")
			}
			replies := 0
			for _, m := range i.slack.Messages() {
				if m.ThreadTS != "" && strings.Contains(m.Last().Text, "now critical: openclaw has used 96% of its budget") {
					replies++
				}
			}
			if _, issue = i.heard(); replies != 1 || strings.Count(issue, "**resolved**: slack takes") != strings.Count(issue, "**warning**: slack takes") {
				t.Errorf("after it was mended: %d replies, issue\n%s", replies, issue)
			}
		})
	}
}

// TestSlackShows: the living message of a run has the budget's bar, the numbers, the chart and what to do.
func TestSlackShows(t *testing.T) {
	t.Parallel()
	i := newInside(t)
	i.run(exitOK, "run")
	i.spendNow("20")
	i.clock.at = i.clock.at.Add(24 * time.Hour)
	i.spendNow("21")
	i.run(exitOK, "run")
	slack, _ := i.heard()
	for _, want := range []string{"`████████░░` 82%", "41.00 of 50.00 USD", `"data_visualization"`, "10 Mar", "raise max_budget", "generation 1", "resets 1 Apr 2026"} {
		if !strings.Contains(slack, want) {
			t.Errorf("the message does not show %q:\n%s", want, slack)
		}
	}
}
