package spendlog

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	history   = 32     // bytes before the position that stay at hand
	deepest   = 10_000 // containers in containers, as encoding/json has it
	longText  = 256    // bytes of a text that are kept
	longName  = 64     // bytes of a member's name that are kept
	longToken = 80     // bytes that hold any number that is believed, and what ends it
)

// parser reads JSON from blocks. Its methods return false once something is wrong; what and at says what and where.
type parser struct {
	buf    []byte // what is at hand
	pos    int
	base   int64   // offset in the stream of buf[0]
	src    *source // nil: buf is all there is
	room   []byte  // the block that buf is part of
	stack  []byte  // of skipValue: the open containers
	name   []byte  // the member's name read last
	row    row
	packed []byte      // metadata in a text
	inRow  bool        // a row is being read
	head   []byte      // how rows begin: `{"request_id"`
	pages  func() bool // reads a page's rows; nil: there are none
	what   string
	at     int64
}

// off is the offset in the stream.
func (p *parser) off() int64 { return p.base + int64(p.pos) }

// fail notes what is wrong here and returns false.
func (p *parser) fail(what string) bool {
	p.what, p.at = what, p.off()
	return false
}

// unexpected fails because something else than what is wanted comes next.
func (p *parser) unexpected(wanted string) bool {
	switch {
	case p.pos == len(p.buf):
		return p.fail(endsEarly)
	case p.buf[p.pos] == '\n':
		return p.fail("it is cut off: another row begins before its end")
	}
	return p.fail("there should be " + wanted)
}

// control fails at a control character in a text.
func (p *parser) control() bool {
	if p.buf[p.pos] == '\n' {
		return p.fail("it is cut off: the line ends within a text")
	}
	return p.fail("a text holds a control character")
}

const endsEarly = "it is cut off: the stream ends before its end"

// fill takes in the next block, and keeps what comes from the position on and the history before it. It returns false at
// the end of the stream.
func (p *parser) fill() bool {
	if p.src == nil {
		return false
	}
	kept := p.buf[p.pos-min(history, p.pos):]
	next, ok := <-p.src.full
	if !ok {
		return false
	}
	start := headroom - len(kept)
	copy(next.room[start:], kept)
	if p.room != nil {
		p.src.free <- p.room
	}
	before := min(history, p.pos)
	p.base += int64(p.pos - before)
	p.room, p.buf, p.pos = next.room, next.room[start:next.n], before
	return true
}

// ensure has n bytes at hand, at most longToken, or all there are.
func (p *parser) ensure(n int) {
	for len(p.buf)-p.pos < n && p.fill() {
	}
}

// peek returns the next byte that is no white space, 0 at the end. It is written so that the compiler inlines it.
func (p *parser) peek() (c byte) {
	if p.pos < len(p.buf) {
		c = p.buf[p.pos]
	}
	if c > ' ' {
		return
	}
	return p.skipSpace()
}

// cut is what peek returns, at a line break, where a row begins on a new line within a row: a byte that fits nowhere.
const cut = 1

// skipSpace is peek where there is white space, or the block ends.
func (p *parser) skipSpace() byte {
	for {
		for ; p.pos < len(p.buf); p.pos++ {
			switch c := p.buf[p.pos]; c {
			case ' ', '\t', '\r', '\n':
			case '{':
				if p.inRow && p.pos > 0 && p.buf[p.pos-1] == '\n' && p.begins() {
					p.pos--
					return cut
				}
				return c
			default:
				return max(c, cut)
			}
		}
		if !p.fill() {
			return 0
		}
	}
}

// begins reports whether what comes next is how a row begins.
func (p *parser) begins() bool {
	p.ensure(len(p.head))
	return len(p.head) > 0 && len(p.buf)-p.pos >= len(p.head) && string(p.buf[p.pos:p.pos+len(p.head)]) == string(p.head)
}

// cur returns the next byte, 0 at the end.
func (p *parser) cur() byte {
	if p.pos == len(p.buf) && !p.fill() {
		return 0
	}
	return p.buf[p.pos]
}

// ordinary returns how many bytes of text come before a quote, a backslash or a control character. It looks at eight at
// a time; the lowest of the bits that it finds is always right.
func ordinary(text []byte) int {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	i := 0
	for ; i+8 <= len(text); i += 8 {
		w := binary.LittleEndian.Uint64(text[i:])
		quote, slash := w^(ones*'"'), w^(ones*'\\')
		if found := ((quote-ones)&^quote | (slash-ones)&^slash | (w-ones*' ')&^w) & tops; found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for ; i < len(text); i++ {
		if c := text[i]; c == '"' || c == '\\' || c < ' ' {
			break
		}
	}
	return i
}

// simple returns what an escape of one letter stands for, 0 if it is none.
func simple(c byte) byte {
	switch c {
	case '"', '\\', '/':
		return c
	case 'n':
		return '\n'
	case 't':
		return '\t'
	case 'r':
		return '\r'
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	}
	return 0
}

// escape reads an escape, from its backslash on. A half of a surrogate pair alone gives U+FFFD.
func (p *parser) escape() (rune, bool) {
	p.ensure(6)
	if len(p.buf)-p.pos >= 2 {
		if c := simple(p.buf[p.pos+1]); c != 0 {
			p.pos += 2
			return rune(c), true
		}
	}
	r := hex(p.buf[p.pos:])
	if r < 0 && len(p.buf)-p.pos < 6 {
		return 0, p.fail(endsEarly)
	}
	if r < 0 {
		return 0, p.fail("a text holds an escape that is none")
	}
	p.pos += 6
	if !utf16.IsSurrogate(r) {
		return r, true
	}
	p.ensure(6)
	if both := utf16.DecodeRune(r, hex(p.buf[p.pos:])); both != utf8.RuneError {
		p.pos += 6
		return both, true
	}
	return utf8.RuneError, true
}

// hex reads \uXXXX, and returns -1 for anything else.
func hex(text []byte) rune {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return -1
	}
	var r rune
	for _, c := range text[2:6] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return -1
		}
		r = r<<4 | rune(c)
	}
	return r
}

// text reads a text after its opening quote into dst, up to most bytes of it.
func (p *parser) text(dst []byte, most int) ([]byte, bool) {
	for {
		n := ordinary(p.buf[p.pos:])
		dst = append(dst, p.buf[p.pos:p.pos+min(n, max(most-len(dst), 0))]...)
		p.pos += n
		if p.pos == len(p.buf) {
			if !p.fill() {
				return dst, p.fail(endsEarly)
			}
			continue
		}
		switch p.buf[p.pos] {
		case '"':
			p.pos++
			return dst, true
		case '\\':
			r, ok := p.escape()
			if !ok {
				return dst, false
			}
			if len(dst) < most {
				dst = utf8.AppendRune(dst, r)
			}
		default:
			return dst, p.control()
		}
	}
}

// object reads an object from its opening bracket on and hands each member to field, which reads its value.
func (p *parser) object(field func(p *parser, name []byte) bool) bool {
	p.pos++
	if p.peek() == '}' {
		p.pos++
		return true
	}
	for {
		if p.peek() != '"' {
			return p.unexpected("a member's name")
		}
		p.pos++
		name := p.nearName()
		if name == nil {
			var ok bool
			if p.name, ok = p.text(p.name[:0], longName); !ok || !p.colon() {
				return false
			}
			name = p.name
		}
		if !field(p, name) {
			return false
		}
		switch p.peek() {
		case ',':
			p.pos++
		case '}':
			p.pos++
			return true
		default:
			return p.unexpected("a comma or a closing bracket")
		}
	}
}

// nearName passes over a member's name, after its opening quote, and its colon, if all of it is at hand and plain, and
// returns the name; nil leaves all as it is. The name holds until the next block.
func (p *parser) nearName() []byte {
	rest := p.buf[p.pos:]
	n := ordinary(rest)
	if n+1 >= len(rest) || rest[n] != '"' || rest[n+1] != ':' || n > longName {
		return nil
	}
	p.pos += n + 2
	return rest[:n:n]
}
