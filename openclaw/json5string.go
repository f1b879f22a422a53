package openclaw

import (
	"strings"
	"unicode/utf16"
)

// quoted reads a string in single or double quotes.
func (p *parser) quoted() string {
	var b strings.Builder
	quote := p.next()
	for !p.stop {
		switch r := p.peek(); r {
		case -1, '\n', '\r':
			p.fail("the string does not end on its line", "close it with "+string(quote))
		case quote:
			p.next()
			return b.String()
		case '\\':
			p.next()
			p.escape(&b)
		default:
			b.WriteRune(p.next())
		}
	}
	return b.String()
}

// escape reads what follows a backslash.
func (p *parser) escape(b *strings.Builder) {
	switch r := p.next(); r {
	case -1:
		p.fail("the string does not end", "close it")
	case 'b':
		b.WriteByte('\b')
	case 'f':
		b.WriteByte('\f')
	case 'n':
		b.WriteByte('\n')
	case 'r':
		b.WriteByte('\r')
	case 't':
		b.WriteByte('\t')
	case 'v':
		b.WriteByte('\v')
	case '0':
		b.WriteByte(0)
	case 'x':
		b.WriteRune(p.hex(2))
	case 'u':
		b.WriteRune(p.unicode())
	case '\r': // the string goes on in the next line
		if p.peek() == '\n' {
			p.next()
		}
	case '\n', '\u2028', '\u2029':
	default:
		if r >= '1' && r <= '9' {
			p.fail("a string has a backslash before a digit", "remove the backslash")
			return
		}
		b.WriteRune(r)
	}
}

// unicode reads \uXXXX, and the second half of a pair.
func (p *parser) unicode() rune {
	r := p.hex(4)
	if utf16.IsSurrogate(r) && strings.HasPrefix(p.text, `\u`) {
		p.skip(2)
		return utf16.DecodeRune(r, p.hex(4))
	}
	return r
}

func (p *parser) hex(digits int) rune {
	var v rune
	for range digits {
		r := p.peek()
		d := strings.IndexRune("0123456789abcdef", r|0x20)
		if r >= '0' && r <= '9' {
			d = int(r - '0')
		}
		if d < 0 || r > 'f' {
			p.fail("an escape lacks hexadecimal digits", "write all of them")
			return 0
		}
		p.next()
		v = v<<4 | rune(d)
	}
	return v
}

// Get returns the value that the names lead to through objects, or nil. Of a name given twice the last counts.
func (n *Node) Get(names ...string) *Node {
	for _, name := range names {
		n = n.Member(name).Value
	}
	return n
}

// Member returns the last member of that name; the zero Member if there is none.
func (n *Node) Member(name string) Member {
	if n != nil && n.Kind == Object {
		for i := len(n.Members) - 1; i >= 0; i-- {
			if n.Members[i].Name == name {
				return n.Members[i]
			}
		}
	}
	return Member{}
}

// Is reports whether n is there and of that kind.
func (n *Node) Is(kind Kind) bool { return n != nil && n.Kind == kind }

// String returns the content of a String, else "".
func (n *Node) String() string {
	if n.Is(String) {
		return n.Text
	}
	return ""
}
