package settings

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// MaxFile is the most bytes that a configuration file can have: a fleet of a thousand keys has some 300 kB. Load's readFile
// need read no more of one than that.
const MaxFile = 1 << 20

// Other bounds on a configuration file. One that exceeds them is refused.
const (
	maxNodes   = 200_000 // visited, so that aliases of aliases end too
	maxDepth   = 50
	maxNesting = 400
)

// document is one YAML file being read. It walks the syntax tree itself, and not into Go values, because every fault of
// the file is to be told at once, with its place, and numbers are to keep their text.
type document struct {
	name    string
	body    ast.Node // nil: the file says nothing
	broken  bool     // the file could not be read at all
	anchors map[string]ast.Node
	visited int
	faults  *faults
}

// entry is one field of a mapping.
type entry struct {
	name  string
	at    Source
	value ast.Node
}

// parseDocument reads the bytes of a file. A fault of syntax is collected and gives an empty document.
func parseDocument(name string, content []byte, f *faults) *document {
	d := &document{name: name, anchors: map[string]ast.Node{}, faults: f}
	content = bytes.TrimPrefix(content, []byte("\xef\xbb\xbf"))
	content = bytes.ReplaceAll(content, []byte("\r\n"), []byte("\n"))
	if p := checkSize(content); p != nil {
		d.broken = true
		f.add(Source{Layer: File, Name: name}, p)
		return d
	}
	file, where, p := parseTree(content)
	if p != nil {
		where.Layer, where.Name = File, name
		d.broken = true
		f.add(where, p)
		return d
	}
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		if d.body != nil {
			f.add(d.at(doc.Body), bad("keep one document", "the file holds more than one YAML document"))
			break
		}
		d.body = doc.Body
		ast.Walk(d, doc.Body)
	}
	return d
}

// checkSize refuses what the parser would spend minutes on: many bytes, brackets many levels deep, and long runs of
// dashes, each a list in a list.
func checkSize(content []byte) *problem {
	if len(content) > MaxFile {
		return bad("keep it below 1 MiB", "the file is too large")
	}
	brackets, run := 0, 0
	for _, b := range content {
		switch b {
		case '[', '{':
			brackets++
		case ']', '}':
			brackets--
		}
		if run++; !bytes.ContainsRune([]byte("-? \t"), rune(b)) {
			run = 0
		}
		if brackets > maxNesting || run > 3*maxNesting {
			return bad("nest less", "the file is nested too deep")
		}
	}
	return nil
}

// parseTree calls the parser. A panic of its is one more way to say that the file is not YAML.
func parseTree(content []byte) (file *ast.File, where Source, p *problem) {
	const remedy = "write YAML"
	defer func() {
		if r := recover(); r != nil {
			file, p = nil, bad(remedy, "the file is not YAML")
		}
	}()
	file, err := parser.ParseBytes(content, 0)
	if err == nil {
		return file, Source{}, nil
	}
	var syntax yaml.Error
	if !errors.As(err, &syntax) {
		return nil, Source{}, bad(remedy, "the file is not YAML")
	}
	if t := syntax.GetToken(); t != nil {
		where = position(t)
	}
	message := syntax.GetMessage()
	if credentialLike(message) {
		message = "the file is not YAML"
	}
	return nil, where, bad(remedy, "%s", strings.Map(printable, message))
}

// printable makes a blank of a control character.
func printable(r rune) rune {
	if r < 0x20 || r == 0x7f {
		return ' '
	}
	return r
}

// Visit collects anchors; ast.Walk calls it.
func (d *document) Visit(n ast.Node) ast.Visitor {
	if anchor, ok := n.(*ast.AnchorNode); ok {
		name := anchor.Name.GetToken().Value
		if d.anchors[name] != nil {
			d.faults.add(d.at(n), bad("name anchors differently", "anchor %s is defined twice", quote(name)))
		}
		d.anchors[name] = anchor.Value
	}
	return d
}

func position(t *token.Token) Source {
	if t.Position == nil {
		return Source{}
	}
	return Source{Line: t.Position.Line, Col: max(t.Position.Column, 1)}
}

// at returns the place of a node: of a mapping, its first field.
func (d *document) at(n ast.Node) Source {
	for range maxDepth {
		switch inner := n.(type) {
		case *ast.MappingNode:
			if inner.IsFlowStyle || len(inner.Values) == 0 {
				return d.atToken(inner.Start)
			}
			n = inner.Values[0]
			continue
		case *ast.MappingValueNode:
			n = inner.Key
			continue
		}
		break
	}
	return d.atToken(n.GetToken())
}

func (d *document) atToken(t *token.Token) Source {
	where := Source{}
	if t != nil {
		where = position(t)
	}
	where.Layer, where.Name = File, d.name
	return where
}

// resolve follows aliases and drops anchors and tags. It returns nil for null, for an alias of nothing, and once too
// much was visited.
func (d *document) resolve(n ast.Node) ast.Node {
	for range maxDepth {
		if d.visited++; d.visited == maxNodes {
			d.faults.add(d.at(n), bad("use fewer aliases", "the file's aliases make it too large"))
		}
		if d.visited >= maxNodes {
			return nil
		}
		switch inner := n.(type) {
		case *ast.AliasNode:
			name := inner.Value.GetToken().Value
			if d.anchors[name] == nil {
				remedy := "define it with &" + name
				if credentialLike(name) {
					remedy = "write a value that begins with * in quotes"
				}
				d.faults.add(d.at(inner), bad(remedy, "alias %s has no anchor", quote(name)))
				return nil
			}
			n = d.anchors[name]
		case *ast.AnchorNode:
			n = inner.Value
		case *ast.TagNode:
			n = inner.Value
		case *ast.NullNode, nil:
			return nil
		default:
			return n
		}
	}
	return nil
}

// fields returns the entries of a mapping, those of merged mappings included; its own beat merged ones. what names it
// in the fault if it is none. null has no entries.
func (d *document) fields(n ast.Node, what string) []entry {
	resolved := d.resolve(n)
	if resolved == nil {
		return nil
	}
	var values []*ast.MappingValueNode
	switch m := resolved.(type) {
	case *ast.MappingNode:
		values = m.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{m}
	default:
		d.faults.add(d.at(n), bad("write fields below it", "%s takes fields", what))
		return nil
	}
	var own, merged []entry
	for _, v := range values {
		if _, ok := v.Key.(*ast.MergeKeyNode); ok {
			merged = append(merged, d.merged(v.Value, what)...)
			continue
		}
		own = append(own, entry{d.keyText(v.Key), d.at(v.Key), v.Value})
	}
	seen := map[string]bool{}
	var all []entry
	for _, e := range append(own, merged...) {
		if !seen[e.name] {
			seen[e.name] = true
			all = append(all, e)
		}
	}
	return all
}

func (d *document) merged(n ast.Node, what string) []entry {
	resolved := d.resolve(n)
	sequence, ok := resolved.(*ast.SequenceNode)
	if !ok {
		if resolved == nil {
			return nil
		}
		return d.fields(resolved, what)
	}
	var all []entry
	for _, v := range sequence.Values {
		all = append(all, d.fields(v, what)...)
	}
	return all
}

func (d *document) keyText(key ast.MapKeyNode) string {
	if s, ok := key.(*ast.StringNode); ok {
		return s.Value
	}
	if explicit, ok := key.(*ast.MappingKeyNode); ok {
		return explicit.Value.GetToken().Value
	}
	return key.GetToken().Value
}

// scalar returns the text of a single value as it is written, so that 0.10 stays 0.10. ok is false for null, and for a
// list or fields, which is a fault.
func (d *document) scalar(n ast.Node, what string) (text string, ok bool) {
	switch s := d.resolve(n).(type) {
	case nil:
		return "", false
	case *ast.StringNode:
		return s.Value, true
	case *ast.LiteralNode:
		return s.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return s.GetToken().Value, true
	}
	d.faults.add(d.at(n), bad("write a single value", "%s takes one value", what))
	return "", false
}

// items returns the entries of a sequence. ok is false if the node is none.
func (d *document) items(n ast.Node) (items []ast.Node, ok bool) {
	sequence, ok := d.resolve(n).(*ast.SequenceNode)
	if !ok {
		return nil, false
	}
	return sequence.Values, true
}

// free returns a node as the Go value that JSON would carry; numbers that are no small integers keep their text.
func (d *document) free(n ast.Node, depth int) any {
	if depth > maxDepth {
		d.faults.add(d.at(n), bad("nest less", "the value is nested too deep"))
		return nil
	}
	switch v := d.resolve(n).(type) {
	case nil:
		return nil
	case *ast.BoolNode:
		return v.Value
	case *ast.IntegerNode:
		return freeInteger(v)
	case *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return d.freeFloat(v)
	case *ast.SequenceNode:
		list := make([]any, 0, len(v.Values))
		for _, item := range v.Values {
			list = append(list, d.free(item, depth+1))
		}
		return list
	case *ast.MappingNode, *ast.MappingValueNode:
		object := map[string]any{}
		for _, e := range d.fields(v, "the value") {
			object[e.name] = d.free(e.value, depth+1)
		}
		return object
	default:
		text, _ := d.scalar(v, "the value")
		return text
	}
}

func freeInteger(n *ast.IntegerNode) any {
	switch v := n.Value.(type) {
	case int64:
		return v
	case uint64:
		if v <= math.MaxInt64 {
			return int64(v)
		}
	}
	return json.Number(fmt.Sprint(n.Value))
}

func (d *document) freeFloat(n ast.Node) any {
	number := json.Number(n.GetToken().Value)
	if !json.Valid([]byte(number)) {
		d.faults.add(d.at(n), bad("write it with digits, such as 0.5", "%s is no number of JSON", quote(string(number))))
		return nil
	}
	return number
}
