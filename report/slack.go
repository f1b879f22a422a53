package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"github.com/org/openclaw-litellm-action/finding"
)

// Message is one Slack message: blocks, and the text that notifications and old clients show instead. Both are always
// sent together, also when a message is edited.
type Message struct {
	Text   string
	Blocks []slack.Block
	// Plain says the same in blocks of older kinds, for workspaces that refuse Blocks; nil: Blocks hold no newer ones.
	Plain []slack.Block
	// Broadcast asks that a thread reply also shows in the channel.
	Broadcast bool
}

// What Slack takes, with some room: it counts some characters more than once.
const (
	slackBlocks   = 50
	slackSection  = 2900 // of 3,000
	slackHeader   = 150
	slackMessage  = 11500 // of about 13,200, which is not documented
	slackFallback = 1500
)

// Slack returns r as a Slack message that shows how things stand.
func Slack(r Report, o Options) Message {
	r = o.view(r)
	b := &slackBuilder{}
	b.header("LiteLLM keys: " + headline(r))
	b.context(slackContext(r))
	b.items("finding", slackFindings(r.Findings, r), 60)
	b.items("failure", slackFailures(r), 60)
	b.lines("key", slackKeys(r), 95)
	m := Message{Text: slackFallbackText(r), Blocks: b.blocks}
	return m.withChart(r)
}

// withChart adds the days to the message: as a chart, and in the plain form as text. A message that is almost full goes
// without.
func (m Message) withChart(r Report) Message {
	chart, line, ok := slackChart(r)
	if !ok || len(m.Blocks) > slackBlocks-2 || m.size() > slackMessage-slackChartRoom {
		return m
	}
	m.Plain = append(slices.Clone(m.Blocks), slack.NewSectionBlock(mrkdwn(line), nil, nil))
	m.Blocks = append(slices.Clone(m.Blocks), chart)
	return m
}

// slackFallbackText is the message in plain words.
func slackFallbackText(r Report) string {
	parts := []string{"LiteLLM keys: " + headline(r)}
	for _, f := range r.Findings {
		if f.Severity >= finding.Warning {
			parts = append(parts, fmt.Sprintf("%s: %s", f.Severity, clip(f.Summary, nameLimit*2)))
		}
	}
	return slackText(strings.Join(parts, " | "), slackFallback)
}

func slackContext(r Report) string {
	parts := []string{"as of " + stamp(r.GeneratedAt)}
	if p := r.Proxy; p != nil {
		s := "LiteLLM " + slackText(p.Release, nameLimit)
		if !p.Ready {
			s += " *not ready*"
		}
		parts = append(parts, strings.TrimSpace(s))
	}
	if r.Totals.Spend.Valid {
		parts = append(parts, slackText(totalText(r), nameLimit))
	}
	return strings.Join(parts, " · ")
}

func slackFindings(found []finding.Finding, r Report) []string {
	items := make([]string, 0, len(found))
	for i, f := range found {
		f.Advice = adviceAt(found, i)
		s := fmt.Sprintf("%s *%s*: %s", sign(f.Severity), f.Severity, slackText(f.Summary, 2*textLimit))
		if d := details(f, r); d != "" {
			s += " (" + slackText(d, nameLimit) + ")"
		}
		if why := f.Why(); why != "" {
			s += "\nCause: " + slackText(why, textLimit)
		}
		if f.Advice != "" {
			s += "\n→ " + slackText(f.Advice, textLimit)
		}
		items = append(items, s)
	}
	return items
}

func slackFailures(r Report) []string {
	items := make([]string, 0, len(r.Failures))
	for _, f := range r.Failures {
		items = append(items, "❌ "+slackText(failureLead(f), textLimit)+": "+slackCode(f.Message, 2*textLimit))
	}
	return items
}

func slackKeys(r Report) []string {
	lines := make([]string, 0, len(r.Keys))
	for _, k := range r.Keys {
		s := mdKeySign(k) + slackCode(k.Name, nameLimit)
		if k.UsedPercent.Valid {
			s += "  `" + Options{}.bar(k.UsedPercent, 10) + "` " + percent(k.UsedPercent)
		}
		if spent := spentOf(k); spent != "" {
			s += "  " + spent
		}
		var more []string
		if k.Generation >= 0 {
			more = append(more, fmt.Sprintf("generation %d", k.Generation))
		}
		if !k.ResetAt.IsZero() {
			more = append(more, "resets "+date(k.ResetAt))
		}
		lines = append(lines, s+"  "+strings.Join(more, ", "))
	}
	return lines
}

// slackBuilder collects blocks within Slack's limits.
type slackBuilder struct {
	blocks []slack.Block
	chars  int
}

func (b *slackBuilder) add(block slack.Block, n int) {
	b.blocks = append(b.blocks, block)
	b.chars += n
}

func (b *slackBuilder) header(s string) {
	s = clip(visible(s), slackHeader)
	b.add(slack.NewHeaderBlock(slack.NewTextBlockObject(slack.PlainTextType, s, false, false)), runes(s))
}

func (b *slackBuilder) context(s string) {
	s = clip(s, slackSection)
	b.add(slack.NewContextBlock("", mrkdwn(s)), runes(s))
}

func (b *slackBuilder) section(s string) {
	b.add(slack.NewSectionBlock(mrkdwn(s), nil, nil), runes(s))
}

// mrkdwn is a text object in which Slack links nothing by itself.
func mrkdwn(s string) *slack.TextBlockObject {
	return slack.NewTextBlockObject(slack.MarkdownType, s, false, true)
}

// items adds one section an item, as far as share percent of the room left allow, and says how many were left out.
func (b *slackBuilder) items(noun string, items []string, share int) {
	room := (slackMessage - b.chars) * share / 100
	most := len(b.blocks) + (slackBlocks-len(b.blocks))*share/100 - 1
	for i, item := range items {
		if runes(item) > room || len(b.blocks) >= most {
			b.section(slackCut(len(items)-i, noun))
			return
		}
		room -= runes(item)
		b.section(clip(item, slackSection))
	}
}

// lines adds short lines, many to a section.
func (b *slackBuilder) lines(noun string, lines []string, share int) {
	room := min((slackMessage-b.chars)*share/100, (slackBlocks-len(b.blocks)-1)*slackSection)
	text := ""
	for i, line := range lines {
		line = clip(line, slackSection)
		if runes(line)+1 > room-runes(slackCut(len(lines), noun)) {
			b.flush(text)
			b.section(slackCut(len(lines)-i, noun))
			return
		}
		room -= runes(line) + 1
		if runes(text)+1+runes(line) > slackSection {
			text = b.flush(text)
		}
		text = strings.TrimPrefix(text+"\n"+line, "\n")
	}
	b.flush(text)
}

func (b *slackBuilder) flush(text string) string {
	if text != "" {
		b.section(text)
	}
	return ""
}

func slackCut(n int, noun string) string {
	return "… and " + finding.Plural(n, cmp.Or(noun, "line")) + " more"
}

func runes(s string) int { return utf8.RuneCountInString(s) }
