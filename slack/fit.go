package slack

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/slack-go/slack"
)

// noteReserve is the part of MaxSize kept for the block that says what was left out.
const noteReserve = 300

// minLeftover is how much of a text must stay for its block to be shortened rather than left out.
const minLeftover = 200

// Fit returns m cut to what Slack takes, and one note for each kind of cut. Cuts are made from the end, since
// what matters most stands first, and can be seen in the message. m itself is not changed; a message within the limits
// is returned as it is, without notes.
func Fit(m Message) (Message, []string) {
	var f fitter
	text := m.Text
	if f.cutTo(&text, MaxText, true) {
		f.note("the text was cut")
	}
	blocks := f.whole(f.each(m.Blocks))
	plain := m.Plain
	if plain != nil {
		var g fitter // what is cut from these is told when they are sent
		plain = g.whole(g.each(plain))
	}
	return Message{Text: text, Blocks: blocks, Plain: plain, Broadcast: m.Broadcast}, f.notes
}

// fitter collects what was cut.
type fitter struct{ notes []string }

func (f *fitter) note(format string, args ...any) {
	f.notes = append(f.notes, fmt.Sprintf(format, args...))
}

// each cuts every block to the limits of its own kind and drops the ones with nothing in them.
func (f *fitter) each(blocks []slack.Block) []slack.Block {
	var out []slack.Block
	charts, before := 0, len(f.notes)
	for _, b := range blocks {
		fitted := f.one(b)
		if fitted == nil {
			continue
		}
		if b.BlockType() == slack.MBTDataVisualization {
			if charts++; charts > MaxCharts {
				f.note("charts beyond %d were left out", MaxCharts)
				continue
			}
		}
		out = append(out, fitted)
	}
	f.notes = append(f.notes[:before:before], unique(f.notes[before:])...)
	return out
}

// one returns b within the limits of its kind, a copy if anything had to change, or nil if b says nothing.
func (f *fitter) one(b slack.Block) slack.Block {
	switch b := b.(type) {
	case nil:
		return nil
	case *slack.SectionBlock:
		return f.section(b)
	case *slack.HeaderBlock:
		if b.Text == nil || b.Text.Text == "" {
			return nil
		}
		c := *b
		c.Text = f.object(b.Text, MaxHeader, "a heading was cut")
		return &c
	case *slack.ContextBlock:
		return f.context(b)
	case *slack.MarkdownBlock:
		if b.Text == "" {
			return nil
		}
		c := *b
		if f.cutTo(&c.Text, MaxMarkdown, true) {
			f.note("a text block was cut")
		}
		return &c
	case *slack.TableBlock:
		return f.table(b)
	}
	return b
}

func (f *fitter) section(b *slack.SectionBlock) slack.Block {
	c := *b
	c.Text = f.object(b.Text, MaxSection, "a section was cut")
	c.Fields = nil
	for _, field := range b.Fields {
		if field == nil || field.Text == "" {
			continue
		}
		if len(c.Fields) == MaxFields {
			f.note("fields beyond %d were left out", MaxFields)
			break
		}
		c.Fields = append(c.Fields, f.object(field, MaxField, "a field was cut"))
	}
	if c.Text == nil && len(c.Fields) == 0 {
		return nil
	}
	return &c
}

func (f *fitter) context(b *slack.ContextBlock) slack.Block {
	c := *b
	c.ContextElements.Elements = nil
	for _, e := range b.ContextElements.Elements {
		switch t := e.(type) {
		case *slack.TextBlockObject:
			if t = f.object(t, MaxSection, "a footnote was cut"); t == nil {
				continue
			}
			e = t
		case slack.TextBlockObject:
			cut := f.object(&t, MaxSection, "a footnote was cut")
			if cut == nil {
				continue
			}
			e = cut
		}
		if len(c.ContextElements.Elements) == MaxContext {
			f.note("footnotes beyond %d were left out", MaxContext)
			break
		}
		c.ContextElements.Elements = append(c.ContextElements.Elements, e)
	}
	if len(c.ContextElements.Elements) == 0 {
		return nil
	}
	return &c
}

func (f *fitter) table(b *slack.TableBlock) slack.Block {
	c := *b
	if len(c.Rows) > MaxTableRows {
		f.note("table rows beyond %d were left out", MaxTableRows)
		c.Rows = c.Rows[:MaxTableRows]
	}
	rows := make([][]slack.TableCell, len(c.Rows))
	for i, row := range c.Rows {
		if len(row) > MaxTableCols {
			f.note("table columns beyond %d were left out", MaxTableCols)
			row = row[:MaxTableCols]
		}
		rows[i] = row
	}
	c.Rows = rows
	return &c
}

// object returns t cut to limit, or nil for an empty one.
func (f *fitter) object(t *slack.TextBlockObject, limit int, note string) *slack.TextBlockObject {
	if t == nil || t.Text == "" {
		return nil
	}
	c := *t
	if f.cutTo(&c.Text, limit, t.Type == slack.MarkdownType) {
		f.note("%s", note)
	}
	return &c
}

// whole keeps the blocks that fit into one message and says in a last block how many it left out.
func (f *fitter) whole(blocks []slack.Block) []slack.Block {
	sizes, total := make([]int, len(blocks)), 0
	for i, b := range blocks {
		sizes[i] = size(b)
		total += sizes[i]
	}
	if len(blocks) <= MaxBlocks && total <= MaxSize {
		return blocks
	}
	left, kept := MaxSize-noteReserve, 0
	for kept < len(blocks) && kept < MaxBlocks-1 && sizes[kept] <= left {
		left -= sizes[kept]
		kept++
	}
	out := append([]slack.Block(nil), blocks[:kept]...)
	said := ""
	if kept < MaxBlocks-1 {
		if short := shorten(blocks[kept], left); short != nil {
			out, kept, said = append(out, short), kept+1, "the last block was cut"
		}
	}
	if n := len(blocks) - kept; n > 0 {
		said = fmt.Sprintf("%d of %d blocks were left out", n, len(blocks))
	}
	f.note("%s", said)
	return append(out, noteBlock("This message was too long for Slack: "+said+"."))
}

// shorten returns b with its text cut so that its size is at most room, or nil if too little would stay.
func shorten(b slack.Block, room int) slack.Block {
	var text *string
	var c slack.Block
	switch b := b.(type) {
	case *slack.MarkdownBlock:
		md := *b
		c, text = &md, &md.Text
	case *slack.SectionBlock:
		if b.Text == nil {
			return nil
		}
		sec, obj := *b, *b.Text
		sec.Text = &obj
		c, text = &sec, &obj.Text
	default:
		return nil
	}
	var f fitter
	for over := size(c) - room; over > 0; over = size(c) - room { // each turn cuts at least over characters
		want := units(*text) - over
		if want < minLeftover {
			return nil
		}
		f.cutTo(text, want, true)
	}
	return c
}

func noteBlock(text string) slack.Block {
	return slack.NewContextBlock("", slack.NewTextBlockObject(slack.MarkdownType, "_"+text+"_", false, false))
}

// size is b's length as JSON, without the escapes Go adds for HTML.
func size(b slack.Block) int {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(b); err != nil {
		return 0 // sending will fail on it, and say why
	}
	return units(buf.String())
}

func unique(notes []string) []string {
	var out []string
	seen := map[string]bool{}
	for _, n := range notes {
		if !seen[n] {
			seen[n] = true
			out = append(out, n)
		}
	}
	return out
}
