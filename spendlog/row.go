package spendlog

import (
	"bytes"
	"time"
	"unicode/utf8"
)

// mostTokens is more than any request has.
const mostTokens = 1e10

// longMetadata is the most bytes of metadata in a text that are unpacked.
const longMetadata = 1 << 20

// The fields that a row is of no use without, or that make it useless when they hold something else than they should.
const (
	fieldID = 1 << iota
	fieldSpend
	fieldStart
	fieldPrompt
	fieldCompletion
	fieldTotal
	needed = fieldID | fieldSpend | fieldStart
)

// row is what is kept of a row while it is read. Its texts are its own and are used again for the next.
type row struct {
	id, key, model, group, provider, status, cache, user, endUser []byte
	spend                                                         Amount
	start                                                         time.Time
	prompt, completion, total                                     int64
	tags                                                          [][]byte
	meta                                                          meta

	has, bad int  // fields
	page     bool // it was a page of rows, and no row
}

// meta is what is kept of a row's metadata.
type meta struct {
	alias, status, asked []byte
	fallbacks            int64 // -1: not told
	cached               int64 // prompt tokens that the provider had in its cache
	read                 int64 // the same by another name
	lost                 bool  // there is metadata that could not be read
}

func (m *meta) reset() {
	*m = meta{alias: m.alias[:0], status: m.status[:0], asked: m.asked[:0], fallbacks: -1}
}

func (r *row) reset() {
	m := r.meta
	m.reset()
	*r = row{
		id: r.id[:0], key: r.key[:0], model: r.model[:0], group: r.group[:0], provider: r.provider[:0], status: r.status[:0], cache: r.cache[:0],
		user: r.user[:0], endUser: r.endUser[:0], tags: r.tags[:0], meta: m,
	}
}

// wrong says why the row is none that can be counted, "" if it can be.
func (r *row) wrong() string {
	for _, f := range []struct {
		field int
		name  string
	}{
		{fieldID, "request_id"}, {fieldSpend, "spend"}, {fieldStart, "startTime"},
		{fieldPrompt, "prompt_tokens"}, {fieldCompletion, "completion_tokens"}, {fieldTotal, "total_tokens"},
	} {
		switch {
		case r.bad&f.field != 0:
			return "its " + f.name + " is none"
		case needed&f.field&^r.has != 0:
			return "it has no " + f.name
		}
	}
	return ""
}

// failed reports whether the request failed.
func (r *row) failed() bool {
	if len(r.status) > 0 {
		return string(r.status) == "failure"
	}
	return string(r.meta.status) == "failure"
}

// hit reports whether LiteLLM answered from its own cache.
func (r *row) hit() bool { return len(r.cache) == 4 && bytes.EqualFold(r.cache, []byte("true")) }

// tokens is the row's total of tokens.
func (r *row) tokens() int64 {
	if r.has&fieldTotal != 0 {
		return r.total
	}
	return r.prompt + r.completion
}

// field reads a member of a row.
func (p *parser) field(name []byte) bool {
	r := &p.row
	switch string(name) {
	case "request_id":
		return p.needText(&r.id, fieldID)
	case "api_key":
		return p.anyText(&r.key)
	case "model":
		return p.anyText(&r.model)
	case "model_group":
		return p.anyText(&r.group)
	case "custom_llm_provider":
		return p.anyText(&r.provider)
	case "status":
		return p.anyText(&r.status)
	case "cache_hit":
		return p.anyText(&r.cache)
	case "user":
		return p.anyText(&r.user)
	case "end_user":
		return p.anyText(&r.endUser)
	case "startTime":
		return p.startTime()
	case "spend":
		return p.spend()
	case "prompt_tokens":
		return p.count(&r.prompt, fieldPrompt)
	case "completion_tokens":
		return p.count(&r.completion, fieldCompletion)
	case "total_tokens":
		return p.count(&r.total, fieldTotal)
	case "request_tags":
		return p.requestTags()
	case "metadata":
		return p.metadata()
	case "data":
		return p.data()
	}
	return p.skipValue()
}

// note says whether the row has a field, and whether it is a good one. A member that comes twice counts as the last.
func (r *row) note(field int, there, good bool) {
	r.has, r.bad = r.has&^field, r.bad&^field
	if there {
		r.has |= field
	}
	if !good {
		r.bad |= field
	}
}

func (p *parser) needText(dst *[]byte, field int) bool {
	ok := p.anyText(dst)
	p.row.note(field, len(*dst) > 0, true)
	return ok
}

// anyText reads a text, or a number or word as it is written. null, objects and arrays give nothing.
func (p *parser) anyText(dst *[]byte) (ok bool) {
	*dst = (*dst)[:0]
	switch c := p.peek(); c {
	case '"':
		p.pos++
		*dst, ok = p.text(*dst, longText)
		return ok
	case '{', '[':
		return p.skipValue()
	default:
		*dst, ok = p.scalar(*dst, c)
		if string(*dst) == "null" {
			*dst = (*dst)[:0]
		}
		return ok
	}
}

// scalar appends a number or word as it is written. A number that is too long to be believed gives "-".
func (p *parser) scalar(dst []byte, c byte) ([]byte, bool) {
	p.ensure(longToken)
	start, from := p.off(), p.pos
	if !p.skipScalar(c) {
		return dst, false
	}
	if n := p.off() - start; n <= longNumber {
		return append(dst, p.buf[from:from+int(n)]...), true
	}
	return append(dst, '-'), true
}

// numberText reads the text of a number, which may be in a text: "" for null, "-" for what is no number.
func (p *parser) numberText() ([]byte, bool) {
	c := p.peek()
	if c == '{' || c == '[' {
		p.name = append(p.name[:0], '-')
		return p.name, p.skipValue()
	}
	ok := p.anyText(&p.name)
	if c == '"' && len(p.name) == 0 {
		p.name = append(p.name, '-')
	}
	return p.name, ok
}

func (p *parser) spend() bool {
	text, ok := p.numberText()
	if len(text) == 0 {
		p.row.note(fieldSpend, false, true)
		return ok
	}
	amount, good := Amount{}, len(text) <= longNumber
	if good {
		amount, good = parseAmount(text)
	}
	p.row.spend = amount
	p.row.note(fieldSpend, true, good)
	return ok
}

func (p *parser) count(dst *int64, field int) bool {
	text, ok := p.numberText()
	n, good := whole(text)
	*dst = n
	p.row.note(field, len(text) > 0, good || len(text) == 0)
	return ok
}

// whole reads a number of tokens.
func whole(text []byte) (int64, bool) {
	if len(text) > longNumber {
		return 0, false
	}
	n, ok := parseNumber(text)
	if !ok || n.negative && n.digits > 0 || n.digits-n.decimals > 11 {
		return 0, false
	}
	if n.decimals == 0 && n.digits <= 11 {
		return int64(n.mantissa), n.mantissa <= mostTokens // #nosec G115 -- has at most 11 digits
	}
	a, ok := parseAmount(text)
	d := a.Decimal()
	return d.IntPart(), ok && d.IsInteger() && d.IntPart() <= mostTokens
}

func (p *parser) startTime() bool {
	ok := p.anyText(&p.name)
	at, good := parseTime(p.name)
	p.row.start = at
	p.row.note(fieldStart, len(p.name) > 0, good || len(p.name) == 0)
	return ok
}

// metadata reads a row's metadata: an object, or one in a text.
func (p *parser) metadata() bool {
	p.row.meta.reset()
	switch p.peek() {
	case '{':
		return p.object((*parser).metaField)
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
	if inner.peek() == '{' && len(text) <= longMetadata && inner.object((*parser).metaField) && inner.peek() == 0 && inner.pos == len(text) {
		p.row.meta = inner.row.meta
		return true
	}
	p.row.meta.reset()
	p.row.meta.lost = len(text) > 0 && string(text) != "null"
	return true
}

func (p *parser) metaField(name []byte) bool {
	m := &p.row.meta
	switch string(name) {
	case "user_api_key_alias":
		return p.anyText(&m.alias)
	case "status":
		return p.anyText(&m.status)
	case "original_model_group":
		return p.anyText(&m.asked)
	case "attempted_fallbacks":
		text, ok := p.numberText()
		n, good := whole(text)
		if m.fallbacks = n; !good {
			m.fallbacks = -1
		}
		return ok
	case "usage_object":
		m.cached, m.read = 0, 0
		if p.peek() == '{' {
			return p.object((*parser).usageField)
		}
	}
	return p.skipValue()
}

// usageField reads how much of the prompt came from the provider's cache, as Anthropic and as OpenAI tell it.
func (p *parser) usageField(name []byte) bool {
	switch string(name) {
	case "cache_read_input_tokens":
		return p.meta(&p.row.meta.read)
	case "prompt_tokens_details":
		p.row.meta.cached = 0
		if p.peek() == '{' {
			return p.object(func(p *parser, name []byte) bool {
				if string(name) == "cached_tokens" {
					return p.meta(&p.row.meta.cached)
				}
				return p.skipValue()
			})
		}
	}
	return p.skipValue()
}

// meta reads a count that is not worth losing a row for.
func (p *parser) meta(dst *int64) bool {
	text, ok := p.numberText()
	*dst, _ = whole(text)
	return ok
}

// data reads what may be the rows of a page, which comes before anything that a row has.
func (p *parser) data() bool {
	if p.pages == nil || p.row.has != 0 || p.row.page || p.peek() != '[' {
		return p.skipValue()
	}
	return p.pages()
}
