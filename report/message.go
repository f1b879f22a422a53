package report

import (
	"cmp"
	"fmt"
	"slices"
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
	rows, sizes := make([]string, len(notices)), make([]int, len(notices))
	for i, n := range advisedOnce(notices) {
		rows[i] = mdNotice(n, r)
		sizes[i] = len(rows[i]) + 1
	}
	shown := gravest(notices, sizes, IssueLimit-cutRoom, len(notices))
	var b strings.Builder
	for _, i := range shown {
		b.WriteString(rows[i] + "\n")
	}
	if more := len(notices) - len(shown) + dropped; more > 0 {
		b.WriteString("- … and " + finding.Plural(more, "notice") + " more, for which there is no room\n")
	}
	return b.String()
}

func mdNotice(n Notice, r Report) string {
	row := fmt.Sprintf("- %s **%s**: %s", noticeSign(n), noticeWord(n), mdText(n.Summary))
	if tail := noticeTail(n, r); tail != "" {
		row += " (" + mdText(tail) + ")"
	}
	if n.Advice != "" && n.Reason != Resolved {
		row += "<br>→ " + mdText(n.Advice)
	}
	return row
}

// advisedOnce says the same advice once where one notice follows another of its kind, which stays if it does (gravest).
func advisedOnce(notices []Notice) []Notice {
	out := slices.Clone(notices)
	for i := 1; i < len(out); i++ {
		n, before := notices[i], notices[i-1]
		if n.Advice != "" && n.Advice == before.Advice && n.Reason == before.Reason && n.Severity == before.Severity && n.At.Equal(before.At) {
			out[i].Advice = "as above"
		}
	}
	return out
}

// gravest returns which of the notices are told where room and number are limited: the gravest and, of those alike, the
// latest, in the order in which they came. What is over weighs little less than what it was. Without sizes all are alike.
func gravest(notices []Notice, sizes []int, room, most int) []int {
	weight := func(n Notice) int {
		switch n.Reason {
		case Done:
			return -1
		case Resolved:
			return 2 * int(n.Severity)
		}
		return 2*int(n.Severity) + 1
	}
	order := make([]int, len(notices))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(weight(notices[b]), weight(notices[a])), notices[b].At.Compare(notices[a].At))
	})
	order = order[:min(len(order), max(most, 0))]
	for i, at := range order {
		if sizes == nil {
			break
		}
		if room -= sizes[at]; room < 0 {
			order = order[:i]
			break
		}
	}
	slices.Sort(order)
	return order
}

// transition returns the message that tells the notices and nothing else: a thread reply, or a webhook's post.
func transition(notices []Notice, dropped int, r Report) Message {
	b := &slackBuilder{}
	m := Message{Text: noticesLine(notices)}
	for _, n := range notices {
		m.Broadcast = m.Broadcast || n.Reason != Resolved && n.Reason != Done && n.Severity >= finding.Critical
	}
	b.notices(notices, dropped, r, 90)
	b.context(slackContext(r))
	m.Blocks = b.blocks
	return m
}

// opening returns the first form of a living message: the news, then the state.
func opening(notices []Notice, dropped int, r Report) Message {
	news, state := transition(notices, dropped, r), Slack(r, Options{})
	b := &slackBuilder{}
	b.header("LiteLLM keys: " + headline(r))
	b.notices(notices, dropped, r, 60)
	b.lines("key", slackKeys(r), 90)
	b.context(slackContext(r))
	if len(b.blocks) == 0 {
		return state
	}
	return Message{Text: news.Text, Blocks: b.blocks}.withChart(r)
}

// notices adds one section a notice, the gravest as far as share percent of the room left allow, and says how many were
// left out, now or before.
func (b *slackBuilder) notices(notices []Notice, dropped int, r Report, share int) {
	items, sizes := make([]string, len(notices)), make([]int, len(notices))
	for i, n := range advisedOnce(notices) {
		items[i] = clip(slackNotice(n, r), slackSection)
		sizes[i] = runes(items[i])
	}
	shown := gravest(notices, sizes, (slackMessage-b.chars)*share/100, (slackBlocks-len(b.blocks))*share/100-1)
	for _, i := range shown {
		b.section(items[i])
	}
	if more := len(notices) - len(shown) + dropped; more > 0 {
		b.section(slackCut(more, "notice"))
	}
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
	const between = " | "
	parts, sizes := make([]string, len(notices)), make([]int, len(notices))
	for i, n := range notices {
		parts[i] = noticeWord(n) + ": " + n.Summary
		sizes[i] = runes(parts[i] + between)
	}
	shown := gravest(notices, sizes, slackFallback, len(notices))
	if len(shown) == 0 {
		shown = gravest(notices, nil, 0, 1)
	}
	var line []string
	for _, i := range shown {
		line = append(line, parts[i])
	}
	if more := len(notices) - len(shown); more > 0 {
		line = append(line, slackCut(more, "notice"))
	}
	return slackText(strings.Join(line, between), slackFallback)
}
