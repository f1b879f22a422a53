package slacktest

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Limits that Slack documents or, for maxAll, is reported to have.
const (
	maxText    = 40_000
	maxBlocks  = 50
	maxAll     = 13_200
	maxBlockID = 255
)

// checkContent returns Slack's error word and explanation for a text and blocks that it would not take, or "".
func checkContent(text string, raw json.RawMessage) (code, why string) {
	if chars(text) > maxText {
		return "msg_too_long", ""
	}
	var blocks []object
	if raw != nil {
		if err := json.Unmarshal(raw, &blocks); err != nil {
			return "invalid_blocks_format", ""
		}
	}
	if strings.TrimSpace(text) == "" && len(blocks) == 0 {
		return "no_text", ""
	}
	if len(blocks) > maxBlocks {
		return "invalid_blocks", "no more than 50 items allowed [json-pointer:/blocks]"
	}
	ids, charts, tables, markdown := map[string]bool{}, 0, 0, 0
	for i, b := range blocks {
		if why := checkBlock(b); why != "" {
			return "invalid_blocks", fmt.Sprintf("%s [json-pointer:/blocks/%d]", why, i)
		}
		if id, _ := b["block_id"].(string); id != "" {
			if ids[id] || chars(id) > maxBlockID {
				return "invalid_blocks", fmt.Sprintf("`block_id` is too long or not unique [json-pointer:/blocks/%d]", i)
			}
			ids[id] = true
		}
		switch b["type"] {
		case "data_visualization":
			charts++
		case "table":
			tables++
		case "markdown":
			markdown += chars(b["text"].(string))
		}
	}
	switch {
	case charts > 2:
		return "invalid_blocks", "no more than 2 data_visualization blocks allowed"
	case tables > 1:
		return "invalid_attachments", "only_one_table_allowed"
	case markdown > 12_000 || whole(blocks) > maxAll:
		return "msg_blocks_too_long", ""
	}
	return "", ""
}

// whole is the length of all blocks as compact JSON, without HTML escapes.
func whole(blocks []object) int {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(blocks)
	return chars(b.String())
}

// chars counts UTF-16 units, as Slack's JavaScript tools do.
func chars(s string) int {
	n := 0
	for _, r := range s {
		n++
		if r > 0xFFFF {
			n++
		}
	}
	return n
}

// checkBlock returns what is wrong with one block, or "".
func checkBlock(b object) string {
	switch kind, _ := b["type"].(string); kind {
	case "section":
		return checkSection(b)
	case "header":
		return checkTextObject(b["text"], 150, "plain_text")
	case "context":
		return checkContext(b)
	case "divider":
		return ""
	case "markdown":
		if text, _ := b["text"].(string); text == "" || chars(text) > 12_000 {
			return "must be between 1 and 12000 characters: text"
		}
		return ""
	case "table":
		return checkRows(b, 1, 100)
	case "data_table":
		return checkRows(b, 2, 201)
	case "data_visualization":
		return checkChart(b)
	case "actions":
		return checkCount(b["elements"], 1, 25, "elements")
	case "rich_text":
		return checkCount(b["elements"], 1, 1000, "elements")
	case "image":
		if url, _ := b["image_url"].(string); url == "" || chars(url) > 3000 {
			return "missing or too long: image_url"
		}
		if alt, _ := b["alt_text"].(string); alt == "" || chars(alt) > 2000 {
			return "missing or too long: alt_text"
		}
		return ""
	default: // "alert" is for modals only
		return fmt.Sprintf("unsupported type: %s", kind)
	}
}

func checkSection(b object) string {
	text, hasText := b["text"]
	fields, hasFields := b["fields"]
	if !hasText && !hasFields {
		return "missing required field: text or fields"
	}
	if hasText {
		if why := checkTextObject(text, 3000, "mrkdwn", "plain_text"); why != "" {
			return why
		}
	}
	if !hasFields {
		return ""
	}
	if why := checkCount(fields, 1, 10, "fields"); why != "" {
		return why
	}
	for _, f := range fields.([]any) {
		if why := checkTextObject(f, 2000, "mrkdwn", "plain_text"); why != "" {
			return why
		}
	}
	return ""
}

func checkContext(b object) string {
	if why := checkCount(b["elements"], 1, 10, "elements"); why != "" {
		return why
	}
	for _, e := range b["elements"].([]any) {
		if o, ok := e.(object); ok && o["type"] == "image" {
			continue
		}
		if why := checkTextObject(e, 3000, "mrkdwn", "plain_text"); why != "" {
			return why
		}
	}
	return ""
}

func checkTextObject(v any, limit int, kinds ...string) string {
	o, _ := v.(object)
	kind, _ := o["type"].(string)
	text, _ := o["text"].(string)
	known := false
	for _, k := range kinds {
		known = known || k == kind
	}
	switch {
	case !known:
		return fmt.Sprintf("text must be of type %s", strings.Join(kinds, " or "))
	case text == "":
		return "must be more than 0 characters: text"
	case chars(text) > limit:
		return fmt.Sprintf("must be less than %d characters: text", limit+1)
	case kind == "mrkdwn" && o["emoji"] != nil:
		return "unexpected field: emoji"
	}
	return ""
}

func checkCount(v any, least, most int, name string) string {
	list, ok := v.([]any)
	switch {
	case !ok || len(list) < least:
		return fmt.Sprintf("missing required field: %s", name)
	case len(list) > most:
		return fmt.Sprintf("no more than %d items allowed: %s", most, name)
	}
	return ""
}

func checkRows(b object, least, most int) string {
	if why := checkCount(b["rows"], least, most, "rows"); why != "" {
		return why
	}
	for _, row := range b["rows"].([]any) {
		if why := checkCount(row, 1, 20, "columns"); why != "" {
			return why
		}
	}
	return ""
}

// checkChart checks what the four chart types have in common. Slack's own tools disagree on the number of series;
// six is what all take.
func checkChart(b object) string {
	if title, _ := b["title"].(string); title == "" || chars(title) > 50 {
		return "must be between 1 and 50 characters: title"
	}
	chart, _ := b["chart"].(object)
	switch chart["type"] {
	case "pie":
		return checkPoints(chart["segments"], 6)
	case "bar", "line", "area":
		if why := checkCount(chart["series"], 1, 6, "series"); why != "" {
			return why
		}
		for _, s := range chart["series"].([]any) {
			series, _ := s.(object)
			if why := checkPoints(series["data"], 20); why != "" {
				return why
			}
		}
		return ""
	}
	return "unsupported chart type"
}

func checkPoints(v any, most int) string {
	if why := checkCount(v, 1, most, "data"); why != "" {
		return why
	}
	for _, p := range v.([]any) {
		point, _ := p.(object)
		if label, _ := point["label"].(string); label == "" || chars(label) > 20 {
			return "must be between 1 and 20 characters: label"
		}
	}
	return ""
}
