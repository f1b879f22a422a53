package spendlog

import (
	"bytes"
	"slices"
	"unicode/utf8"
)

// ownTags begins the tags that LiteLLM gives every request by itself. They are no tags of the caller's.
const ownTags = "User-Agent: "

// mostTags is the most tags of a row that are kept.
const mostTags = 64

// requestTags reads a row's tags: an array of texts, or one in a text. What is something else has none.
func (p *parser) requestTags() bool {
	p.row.tags = p.row.tags[:0]
	switch p.peek() {
	case '[':
		return p.list((*parser).tag)
	case '"':
		p.pos++
	default:
		return p.skipValue()
	}
	text, ok := p.text(p.packed[:0], longMetadata+utf8.UTFMax)
	p.packed = text
	if !ok {
		return false
	}
	inner := parser{buf: text, row: p.row, name: p.name[:0]}
	whole := inner.peek() == '[' && len(text) <= longMetadata && inner.list((*parser).tag) && inner.peek() == 0 && inner.pos == len(text)
	if p.row.tags = inner.row.tags; !whole {
		p.row.tags = p.row.tags[:0]
	}
	return true
}

// tag reads one tag. Those of LiteLLM's own and empty ones are left out.
func (p *parser) tag() bool {
	r := &p.row
	if p.peek() != '"' || len(r.tags) == mostTags {
		return p.skipValue()
	}
	n := len(r.tags)
	r.tags = slices.Grow(r.tags, 1)[:n+1] // a slot may hold the room of an earlier row's tag
	ok := p.anyText(&r.tags[n])
	if tag := r.tags[n]; len(tag) == 0 || bytes.HasPrefix(tag, []byte(ownTags)) {
		r.tags = r.tags[:n]
	}
	return ok
}

// list reads an array from its opening bracket on and hands each element to element, which reads it.
func (p *parser) list(element func(p *parser) bool) bool {
	p.pos++
	if p.peek() == ']' {
		p.pos++
		return true
	}
	for {
		if !element(p) {
			return false
		}
		switch p.peek() {
		case ',':
			p.pos++
		case ']':
			p.pos++
			return true
		default:
			return p.unexpected("a comma or a closing bracket")
		}
	}
}
