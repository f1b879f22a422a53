package openclaw

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Position is a place in a file, both numbers from 1; columns count characters.
type Position struct {
	File         string
	Line, Column int
}

// String returns "file:line:column".
func (p Position) String() string { return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column) }

// Kind is what a Node holds.
type Kind int

// The kinds of values.
const (
	Null Kind = iota
	Boolean
	Number
	String
	Array
	Object
)

// Node is one value of a JSON5 text, and where it stands. A nil *Node is a value that is not there: every method takes it.
type Node struct {
	Kind    Kind
	At      Position
	Text    string // of a String: its content; of a Number or Boolean: as it is written
	Number  float64
	Items   []*Node  // of an Array
	Members []Member // of an Object, as they stand; a name given twice stands twice
}

// Member is one name and value of an Object.
type Member struct {
	Name  string
	At    Position // of the name
	Value *Node
}

// SyntaxError is a place where the text is no JSON5.
type SyntaxError struct {
	At   Position
	What string
	Mend string
}

// Error is one line with the position.
func (e *SyntaxError) Error() string { return e.At.String() + ": " + e.What + "; " + e.Mend }

const (
	maxDepth    = 200
	maxFileSize = 2 << 20
)

// Parse reads one JSON5 text. What is wrong but clear, such as 180_000, is among the errors and read as meant; the rest
// of the text is read all the same. At what is not clear it stops: the node is nil then and the last error says why.
func Parse(file string, text []byte) (*Node, []*SyntaxError) {
	nodes := maxNodes
	return parse(file, text, &nodes)
}

// parse takes the values that it reads off nodes, and stops when none is left.
func parse(file string, text []byte, nodes *int) (*Node, []*SyntaxError) {
	p := &parser{text: string(text), at: Position{File: file, Line: 1, Column: 1}, nodes: nodes}
	if len(text) > maxFileSize {
		return nil, []*SyntaxError{{At: p.at, What: "the file is larger than 2 MB", Mend: "OpenClaw reads no larger one; split or shorten it"}}
	}
	p.text = strings.TrimPrefix(p.text, "\ufeff")
	n := p.document()
	return n, p.errs
}

type parser struct {
	text  string // what is left
	at    Position
	depth int
	nodes *int // left to read
	errs  []*SyntaxError
	stop  bool
}

func (p *parser) document() *Node {
	n := p.value()
	p.space()
	if !p.stop && p.text != "" {
		p.fail("there is more after the end of the value", "remove it, or put it inside")
	}
	if p.stop {
		return nil
	}
	return n
}

// fail notes an error from which there is no way on.
func (p *parser) fail(what, mend string) {
	if !p.stop {
		p.errs = append(p.errs, &SyntaxError{p.at, what, mend})
	}
	p.stop = true
	p.text = ""
}

func (p *parser) peek() rune {
	r, size := utf8.DecodeRuneInString(p.text)
	if size == 0 {
		return -1
	}
	return r
}

// next takes one character; -1 at the end.
func (p *parser) next() rune {
	r, size := utf8.DecodeRuneInString(p.text)
	if size == 0 {
		return -1
	}
	p.text = p.text[size:]
	switch {
	case r == '\r' && strings.HasPrefix(p.text, "\n"): // the line ends with the next one
	case r == '\n' || r == '\r' || r == '\u2028' || r == '\u2029':
		p.at.Line, p.at.Column = p.at.Line+1, 1
	default:
		p.at.Column++
	}
	return r
}

func (p *parser) skip(n int) {
	for end := len(p.text) - n; len(p.text) > end; {
		p.next()
	}
}

// space skips blanks and comments.
func (p *parser) space() {
	for !p.stop {
		switch r := p.peek(); {
		case r == ' ' || r == '\t' || r == '\n' || r == '\r' || r == '\v' || r == '\f' || r == '\ufeff' ||
			r == '\u2028' || r == '\u2029' || unicode.Is(unicode.Zs, r):
			p.next()
		case strings.HasPrefix(p.text, "//"):
			for r := p.peek(); r != -1 && r != '\n' && r != '\r' && r != '\u2028' && r != '\u2029'; r = p.peek() {
				p.next()
			}
		case strings.HasPrefix(p.text, "/*"):
			end := strings.Index(p.text[2:], "*/")
			if end < 0 {
				p.fail("the comment does not end", "end it with */")
				return
			}
			p.skip(end + 4)
		default:
			return
		}
	}
}

func (p *parser) value() *Node {
	p.space()
	n := &Node{At: p.at}
	if *p.nodes--; *p.nodes < 0 {
		p.fail(fmt.Sprintf("the configuration has more than %d values", maxNodes), "shorten it")
	}
	switch r := p.peek(); {
	case p.stop:
	case r == -1:
		p.fail("a value is missing", "write it")
	case r == '{' || r == '[':
		p.nested(n, r)
	case r == '"' || r == '\'':
		n.Kind, n.Text = String, p.quoted()
	case r == '+' || r == '-' || r == '.' || r >= '0' && r <= '9':
		p.number(n)
	default:
		p.word(n)
	}
	return n
}

func (p *parser) nested(n *Node, open rune) {
	if p.depth++; p.depth > maxDepth {
		p.fail("the nesting is too deep", "OpenClaw's configuration has no such depth")
		return
	}
	p.next()
	if open == '{' {
		n.Kind = Object
		p.members(n)
	} else {
		n.Kind = Array
		p.items(n)
	}
	p.depth--
}

func (p *parser) items(n *Node) {
	for p.space(); !p.stop && p.peek() != ']'; p.space() {
		n.Items = append(n.Items, p.value())
		if !p.comma(']', "the list") {
			return
		}
	}
	p.next()
}

func (p *parser) members(n *Node) {
	for p.space(); !p.stop && p.peek() != '}'; p.space() {
		m := Member{At: p.at}
		m.Name = p.name()
		p.space()
		if p.stop {
			return
		}
		if p.peek() != ':' {
			p.fail("after the name "+strconv.Quote(m.Name)+" a colon is missing", "write a colon and its value")
			return
		}
		p.next()
		m.Value = p.value()
		n.Members = append(n.Members, m)
		if !p.comma('}', "the object") {
			return
		}
	}
	p.next()
}

// comma takes what stands after an entry: a comma, or nothing before the end.
func (p *parser) comma(end rune, what string) bool {
	p.space()
	switch p.peek() {
	case ',':
		p.next()
	case end:
	default:
		if p.peek() == -1 {
			p.fail(what+" does not end", "close it with "+string(end))
		} else {
			p.fail(fmt.Sprintf("%q stands where a comma or %c belongs", p.peek(), end), "write the comma")
		}
		return false
	}
	if p.space(); !p.stop && p.peek() == -1 {
		p.fail(what+" does not end", "close it with "+string(end))
	}
	return !p.stop
}

func isNameStart(r rune) bool {
	return r == '$' || r == '_' || unicode.IsLetter(r) || unicode.Is(unicode.Nl, r)
}

func isNamePart(r rune) bool {
	return isNameStart(r) || unicode.In(r, unicode.Mn, unicode.Mc, unicode.Nd, unicode.Pc) || r == '\u200c' || r == '\u200d'
}

// name reads a member's name, quoted or bare.
func (p *parser) name() string {
	if r := p.peek(); r == '"' || r == '\'' {
		return p.quoted()
	}
	var b strings.Builder
	for r := p.peek(); isNameStart(r) || b.Len() > 0 && isNamePart(r) || r == '\\'; r = p.peek() {
		if p.next(); r == '\\' {
			if p.next() != 'u' {
				p.fail("a name has a stray backslash", "put the name in quotes")
				return ""
			}
			r = p.hex(4)
		}
		b.WriteRune(r)
	}
	switch {
	case b.Len() > 0:
	case p.peek() == ',':
		p.fail("there is a comma too many", "remove it")
	default:
		p.fail(fmt.Sprintf("%q cannot start a name", p.peek()), "put the name in quotes")
	}
	return b.String()
}

// word reads true, false, null, Infinity or NaN.
func (p *parser) word(n *Node) {
	for word, kind := range map[string]Kind{"true": Boolean, "false": Boolean, "null": Null, "Infinity": Number, "NaN": Number} {
		rest, ok := strings.CutPrefix(p.text, word)
		if r, _ := utf8.DecodeRuneInString(rest); !ok || rest != "" && isNamePart(r) {
			continue
		}
		p.skip(len(word))
		n.Kind, n.Text = kind, word
		if kind == Number {
			n.Number = math.Inf(1)
			if word == "NaN" {
				n.Number = math.NaN()
			}
		}
		return
	}
	if p.peek() == ',' {
		p.fail("before this comma a value is missing", "write the value, or remove the comma")
		return
	}
	p.fail(fmt.Sprintf("%q cannot start a value", p.peek()), "put text in quotes")
}

// number reads a number, and one with digit separators as it is meant.
func (p *parser) number(n *Node) {
	end := strings.IndexFunc(p.text, func(r rune) bool {
		return r != '+' && r != '-' && r != '.' && !isNamePart(r)
	})
	if end < 0 {
		end = len(p.text)
	}
	text := p.text[:end]
	n.Kind, n.Text = Number, text
	plain := text
	if i := strings.IndexByte(text, '_'); i > 0 {
		plain = strings.ReplaceAll(text, "_", "")
		at := p.at
		at.Column += utf8.RuneCountInString(text[:i])
		p.errs = append(p.errs, &SyntaxError{at, "JSON5 numbers have no digit separators: " + text, "write " + plain})
	}
	value, ok := parseNumber(plain)
	if !ok {
		p.fail("this is no number: "+text, "write a number, or put text in quotes")
		return
	}
	n.Text, n.Number = plain, value
	p.skip(end)
}

func parseNumber(text string) (float64, bool) {
	sign, digits := 1.0, text
	switch text[0] {
	case '-':
		sign, digits = -1, text[1:]
	case '+':
		digits = text[1:]
	}
	if digits == "Infinity" {
		return math.Inf(int(sign)), true
	}
	if digits == "NaN" {
		return math.NaN(), true
	}
	if len(digits) > 2 && (digits[:2] == "0x" || digits[:2] == "0X") {
		v, err := strconv.ParseUint(digits[2:], 16, 64)
		return sign * float64(v), err == nil
	}
	if digits == "" || strings.Trim(digits, "0123456789.eE+-") != "" || digits[0] == '+' || digits[0] == '-' {
		return 0, false
	}
	if len(digits) > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9' {
		return 0, false // octal is no JSON5
	}
	v, err := strconv.ParseFloat(digits, 64)
	return sign * v, err == nil || math.IsInf(v, 0)
}
