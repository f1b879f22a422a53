package slack

import (
	"github.com/slack-go/slack"
	"github.com/slack-go/slack/slackutilsx"
)

// Message is what is sent. Text is always needed: it is what notifications, screen readers and search show, and what
// is sent alone should Slack refuse all blocks. Text is mrkdwn in which the caller has escaped what came from outside.
// Blocks carry no block_id, since Slack wants a new one with every update.
type Message struct {
	Text   string
	Blocks []slack.Block
	// Plain are older kinds of blocks that say the same, sent should Slack refuse Blocks; nil: the text alone is.
	Plain []slack.Block
	// Broadcast shows a reply in the channel as well as in its thread. Other messages are not changed by it.
	Broadcast bool
}

// Ref is where a message is: what an update and a reply need, and what memory keeps. Channel is Slack's ID even if the
// message was posted to a name, so a renamed channel changes nothing.
type Ref struct {
	Channel string `json:"channel"`
	TS      string `json:"ts"`
}

// IsZero reports whether r names no message.
func (r Ref) IsZero() bool { return r == Ref{} }

// Escape returns text from outside as it must stand in a mrkdwn text, so that it can make no link and no mention.
func Escape(text string) string { return slackutilsx.EscapeMessage(text) }

// What Slack takes. Lengths are in UTF-16 units, which is the strictest reading of "characters".
const (
	MaxText      = 40_000 // Message.Text
	MaxBlocks    = 50
	MaxSection   = 3_000 // a section's or context element's text
	MaxHeader    = 150
	MaxFields    = 10 // a section's
	MaxField     = 2_000
	MaxContext   = 10     // elements of a context block
	MaxMarkdown  = 12_000 // a markdown block
	MaxTableRows = 100
	MaxTableCols = 20
	MaxCharts    = 2 // data_visualization blocks

	// MaxSize bounds the blocks' JSON as a whole. Slack documents no such limit, but answers msg_blocks_too_long from
	// about 13,200 characters on, containers included, and from 12,000 of markdown blocks together.
	MaxSize = 11_900
)
