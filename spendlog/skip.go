package spendlog

import "strings"

// skipValue passes over a value of any kind and length.
func (p *parser) skipValue() bool {
	p.stack = p.stack[:0]
	for {
		opened := false
		switch c := p.peek(); c {
		case '"':
			p.pos++
			if !p.skipText() {
				return false
			}
		case '{', '[':
			p.pos++
			if p.peek() == c+2 { // } or ]
				p.pos++
				break
			}
			if p.stack = append(p.stack, c+2); len(p.stack) > deepest {
				return p.fail("it is nested too deeply")
			}
			if c == '{' && !p.skipName() {
				return false
			}
			opened = true
		default:
			if !p.skipScalar(c) {
				return false
			}
		}
		if !opened {
			if ended, ok := p.afterValue(); ended || !ok {
				return ok
			}
		}
	}
}

// afterValue passes over what closes containers, up to the next value of one that goes on. ended is true if all are
// closed.
func (p *parser) afterValue() (ended, ok bool) {
	for len(p.stack) > 0 {
		closing := p.stack[len(p.stack)-1]
		switch c := p.peek(); {
		case c == ',':
			p.pos++
			return false, closing == ']' || p.skipName()
		case c == closing:
			p.pos++
			p.stack = p.stack[:len(p.stack)-1]
		default:
			return false, p.unexpected("a comma or a closing bracket")
		}
	}
	return true, true
}

// skipName passes over a member's name and its colon.
func (p *parser) skipName() bool {
	if p.peek() != '"' {
		return p.unexpected("a member's name")
	}
	p.pos++
	return p.nearName() != nil || p.skipText() && p.colon()
}

func (p *parser) colon() bool {
	if p.peek() != ':' {
		return p.unexpected("a colon")
	}
	p.pos++
	return true
}

// skipText passes over a text, after its opening quote.
func (p *parser) skipText() bool {
	for {
		p.pos += ordinary(p.buf[p.pos:])
		if p.pos == len(p.buf) {
			if !p.fill() {
				return p.fail(endsEarly)
			}
			continue
		}
		switch p.buf[p.pos] {
		case '"':
			p.pos++
			return true
		case '\\':
			if p.pos+1 < len(p.buf) && simple(p.buf[p.pos+1]) != 0 {
				p.pos += 2
			} else if _, ok := p.escape(); !ok {
				return false
			}
		default:
			return p.control()
		}
	}
}

// skipScalar passes over a number, true, false or null, that begins with c.
func (p *parser) skipScalar(c byte) bool {
	word := ""
	switch c {
	case 't':
		word = "true"
	case 'f':
		word = "false"
	case 'n':
		word = "null"
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return p.skipNumber()
	}
	p.ensure(len(word))
	if rest := p.buf[p.pos:]; len(rest) < len(word) && strings.HasPrefix(word, string(rest)) {
		return p.fail(endsEarly)
	}
	if word == "" || len(p.buf)-p.pos < len(word) || string(p.buf[p.pos:p.pos+len(word)]) != word {
		return p.unexpected("a value")
	}
	p.pos += len(word)
	return true
}

// skipNumber passes over a number of any length.
func (p *parser) skipNumber() bool {
	if p.cur() == '-' {
		p.pos++
	}
	zero := p.cur() == '0'
	if n := p.digits(); n == 0 || zero && n > 1 {
		return p.unexpected("a number")
	}
	if p.cur() == '.' {
		p.pos++
		if p.digits() == 0 {
			return p.unexpected("a digit")
		}
	}
	if p.cur()|0x20 == 'e' {
		p.pos++
		if c := p.cur(); c == '+' || c == '-' {
			p.pos++
		}
		if p.digits() == 0 {
			return p.unexpected("a digit")
		}
	}
	return true
}

// digits passes over digits and counts them, up to two.
func (p *parser) digits() (n int) {
	for ; p.cur()-'0' <= 9 && p.pos < len(p.buf); p.pos++ {
		n = min(n+1, 2)
	}
	return n
}
