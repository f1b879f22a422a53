package report

import (
	"fmt"
	"strings"

	"github.com/org/openclaw-litellm-action/finding"
)

// noticeSign is what a notice begins with.
func noticeSign(n Notice) string {
	switch n.Reason {
	case Resolved:
		return "✅"
	case Done:
		return "🔑"
	}
	return sign(n.Severity)
}

// noticeWord is what a notice says of itself, before its summary.
func noticeWord(n Notice) string {
	switch n.Reason {
	case Firing:
		return n.Severity.String()
	case Escalated:
		return "now " + n.Severity.String()
	case Repeated:
		return "still " + n.Severity.String()
	}
	return string(n.Reason)
}

// noticeTail is the details of a notice, and how old it is if it comes late.
func noticeTail(n Notice, r Report) string {
	var parts []string
	if n.Details != "" {
		parts = append(parts, n.Details)
	}
	if n.Reason == Repeated {
		parts = append(parts, "first told "+stamp(n.Since))
	}
	if n.At.Before(r.GeneratedAt) {
		parts = append(parts, "was news "+stamp(n.At))
	}
	return strings.Join(parts, "; ")
}

// commentText returns the issue comment that tells the notices.
func commentText(notices []Notice, dropped int, r Report) string {
	s := section{noun: "notice", share: 95}
	for _, n := range notices {
		row := fmt.Sprintf("- %s **%s**: %s", noticeSign(n), noticeWord(n), mdText(n.Summary))
		if tail := noticeTail(n, r); tail != "" {
			row += " (" + mdText(tail) + ")"
		}
		if n.Advice != "" && n.Reason != Resolved {
			row += "<br>→ " + mdText(n.Advice)
		}
		s.rows = append(s.rows, row)
	}
	if dropped > 0 {
		s.rows = append(s.rows, "- and "+plural(dropped, "older notice")+" that could not be told in time")
	}
	text := s.render(IssueLimit - cutRoom)
	_, rows, _ := strings.Cut(text, "\n\n")
	return rows
}

// transition returns the message that tells the notices and nothing else: a thread reply, or a webhook's post.
func transition(notices []Notice, dropped int, r Report) Message {
	b := &slackBuilder{}
	m := Message{Text: noticesLine(notices)}
	items := make([]string, 0, len(notices)+1)
	for _, n := range notices {
		items = append(items, slackNotice(n, r))
		m.Broadcast = m.Broadcast || n.Reason != Resolved && n.Reason != Done && n.Severity >= finding.Critical
	}
	if dropped > 0 {
		items = append(items, "and "+plural(dropped, "older notice")+" that could not be told in time")
	}
	b.items("notice", items, 90)
	b.context(slackContext(r))
	m.Blocks = b.blocks
	return m
}

// opening returns the first form of a living message: the news, then the state.
func opening(notices []Notice, dropped int, r Report) Message {
	news, state := transition(notices, dropped, r), Slack(r, Options{})
	b := &slackBuilder{}
	b.header("LiteLLM keys: " + headline(r))
	items := make([]string, 0, len(notices))
	for _, n := range notices {
		items = append(items, slackNotice(n, r))
	}
	b.items("notice", items, 60)
	b.lines("key", slackKeys(r), 90)
	b.context(slackContext(r))
	if len(b.blocks) == 0 {
		return state
	}
	return Message{Text: news.Text, Blocks: b.blocks}.withChart(r)
}

func slackNotice(n Notice, r Report) string {
	s := fmt.Sprintf("%s *%s*: %s", noticeSign(n), noticeWord(n), slackText(n.Summary, textLimit))
	if tail := noticeTail(n, r); tail != "" {
		s += " (" + slackText(tail, textLimit) + ")"
	}
	if n.Advice != "" && n.Reason != Resolved {
		s += "\n→ " + slackText(n.Advice, textLimit)
	}
	return s
}

// noticesLine is the notices in plain words, for notifications.
func noticesLine(notices []Notice) string {
	parts := make([]string, 0, len(notices))
	for _, n := range notices {
		parts = append(parts, noticeWord(n)+": "+n.Summary)
	}
	return slackText(strings.Join(parts, " | "), slackFallback)
}
