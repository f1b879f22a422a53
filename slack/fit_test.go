package slack_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	slackgo "github.com/slack-go/slack"
	"pgregory.net/rapid"

	"github.com/org/openclaw-litellm-action/slack"
	"github.com/org/openclaw-litellm-action/slack/slacktest"
)

func TestFitLeavesSmallMessagesAlone(t *testing.T) {
	m := message("all is well")
	got, notes := slack.Fit(m)
	a, _ := json.Marshal(m)
	b, _ := json.Marshal(got)
	if string(a) != string(b) || notes != nil {
		t.Errorf("got %s with %q", b, notes)
	}
}

func text(kind, s string) *slackgo.TextBlockObject {
	return slackgo.NewTextBlockObject(kind, s, false, false)
}

func TestFitCutsVisibly(t *testing.T) {
	long := strings.Repeat("money ", 9000)
	fields := make([]*slackgo.TextBlockObject, 14)
	elements := make([]slackgo.MixedElement, 12)
	for i := range fields {
		fields[i] = text(slackgo.MarkdownType, "f")
	}
	for i := range elements {
		elements[i] = text(slackgo.MarkdownType, "e")
	}
	wide := &slackgo.TableBlock{Type: slackgo.MBTTable, Rows: make([][]slackgo.TableCell, 130)}
	for i := range wide.Rows {
		wide.Rows[i] = []slackgo.TableCell{&slackgo.TableRawTextCell{Type: "raw_text", Text: "x"}}
	}
	many := make([]slackgo.Block, 60)
	for i := range many {
		many[i] = section(fmt.Sprint("line ", i))
	}
	big := make([]slackgo.Block, 8)
	for i := range big {
		big[i] = section(strings.Repeat("x", 2900))
	}
	tests := map[string]struct {
		m     slack.Message
		shown string // what people see of the cut
		note  string
	}{
		"text":    {slack.Message{Text: long}, "… (cut)", "the text was cut"},
		"section": {slack.Message{Text: "t", Blocks: []slackgo.Block{section(long)}}, "… (cut)", "a section was cut"},
		"header":  {slack.Message{Text: "t", Blocks: []slackgo.Block{header(long)}}, "… (cut)", "a heading was cut"},
		"markdown": {slack.Message{Text: "t", Blocks: []slackgo.Block{slackgo.NewMarkdownBlock("", long)}},
			"… (cut)", "a text block was cut"},
		"fields":   {slack.Message{Text: "t", Blocks: []slackgo.Block{slackgo.NewSectionBlock(nil, fields, nil)}}, "", "fields beyond 10"},
		"elements": {slack.Message{Text: "t", Blocks: []slackgo.Block{slackgo.NewContextBlock("", elements...)}}, "", "footnotes beyond 10"},
		"rows":     {slack.Message{Text: "t", Blocks: []slackgo.Block{wide}}, "", "rows beyond 100"},
		"blocks":   {slack.Message{Text: "t", Blocks: many}, "11 of 60 blocks were left out", "11 of 60"},
		"total":    {slack.Message{Text: "t", Blocks: big}, "blocks were left out", "of 8 blocks"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			before, _ := json.Marshal(tt.m.Blocks)
			w := newWorld(t, slacktest.Options{})
			if _, err := w.bot.Post(t.Context(), channel, tt.m); err != nil {
				t.Fatal(err)
			}
			if len(w.Requests()) != 1 {
				t.Errorf("Slack refused the fitted message: %q", w.answers())
			}
			v := w.Messages()[0].Last()
			if !strings.Contains(v.Text+string(v.Blocks), tt.shown) {
				t.Errorf("the cut cannot be seen in %.200s", v.Blocks)
			}
			if len(w.notes) == 0 || !strings.Contains(strings.Join(w.notes, " "), tt.note) {
				t.Errorf("notes %q", w.notes)
			}
			if after, _ := json.Marshal(tt.m.Blocks); string(before) != string(after) {
				t.Error("the caller's blocks were changed")
			}
		})
	}
}

func TestFitDropsEmptyBlocks(t *testing.T) {
	m := slack.Message{Text: "t", Blocks: []slackgo.Block{section(""), header(""), nil,
		slackgo.NewContextBlock(""), slackgo.NewMarkdownBlock("", ""), slackgo.NewDividerBlock()}}
	got, _ := slack.Fit(m)
	if len(got.Blocks) != 1 || got.Blocks[0].BlockType() != slackgo.MBTDivider {
		t.Errorf("got %+v", got.Blocks)
	}
}

func TestFitBreaksNothing(t *testing.T) {
	for _, tt := range []struct{ piece, bad string }{
		{"<https://example.com/a/b/c|the label>", "<"}, {"a &amp; b ", "&"},
	} {
		for pad := range 40 {
			got, _ := slack.Fit(slack.Message{Text: "t", Blocks: []slackgo.Block{section(strings.Repeat("x", pad) + strings.Repeat(tt.piece, 400))}})
			s := got.Blocks[0].(*slackgo.SectionBlock).Text.Text
			s = strings.ReplaceAll(s, tt.piece, "")
			if strings.Contains(strings.ReplaceAll(s, "&amp;", ""), tt.bad) {
				t.Fatalf("half a token stays: %q", s)
			}
		}
	}
	got, _ := slack.Fit(slack.Message{Text: "t", Blocks: []slackgo.Block{section("```\n" + strings.Repeat("log line\n", 900) + "```")}})
	if s := got.Blocks[0].(*slackgo.SectionBlock).Text.Text; strings.Count(s, "```") != 2 {
		t.Errorf("the fence stays open: …%q", s[len(s)-40:])
	}
}

// TestFitIsTaken posts random messages: whatever Fit returns, Slack's documented limits allow it.
func TestFitIsTaken(t *testing.T) {
	w := newWorld(t, slacktest.Options{})
	piece := rapid.StringOfN(rapid.RuneFrom([]rune("ab <>&`\n\"\\é😀")), 1, 40, -1)
	rapid.Check(t, func(t *rapid.T) {
		some := func() string {
			return strings.Repeat(piece.Draw(t, "piece"), rapid.SampledFrom([]int{1, 5, 100, 1500}).Draw(t, "times"))
		}
		m := slack.Message{Text: "t" + some()}
		for range rapid.IntRange(0, 70).Draw(t, "blocks") {
			var b slackgo.Block
			switch rapid.IntRange(0, 4).Draw(t, "kind") {
			case 0:
				b = header(some())
			case 1:
				b = section(some())
			case 2:
				b = slackgo.NewContextBlock("", text(slackgo.MarkdownType, some()))
			case 3:
				b = slackgo.NewSectionBlock(nil, []*slackgo.TextBlockObject{text(slackgo.MarkdownType, some())}, nil)
			case 4:
				b = slackgo.NewMarkdownBlock("", some())
			}
			m.Blocks = append(m.Blocks, b)
		}
		before := len(w.Requests())
		if _, err := w.bot.Post(t.Context(), channel, m); err != nil {
			t.Fatal(err)
		}
		if n := len(w.Requests()) - before; n != 1 {
			t.Fatalf("Slack refused the blocks: %q", w.notes[len(w.notes)-1])
		}
		if r := w.Requests()[before]; !utf8.ValidString(r.Text) || !utf8.Valid(r.Blocks) {
			t.Fatal("a character was broken")
		}
	})
}

func TestEscape(t *testing.T) {
	if got := slack.Escape("<!channel> & co"); got != "&lt;!channel&gt; &amp; co" {
		t.Errorf("got %q", got)
	}
}
