package openclaw

import (
	"path/filepath"
	"slices"
	"strings"
)

// maxIncludes is how deep OpenClaw follows $include.
const maxIncludes = 10

// Read reads a configuration file and everything that it takes in by $include, merged as OpenClaw does: files of a list
// in order, then the names beside $include, objects into each other. Values keep the position where they stand.
func Read(file string, readFile func(string) ([]byte, error)) (*Node, []*SyntaxError) {
	i := &includer{readFile: readFile, dir: filepath.Dir(file), budget: 200}
	n := i.file(file, Position{File: file, Line: 1, Column: 1}, 0)
	return n, i.errs
}

type includer struct {
	readFile func(string) ([]byte, error)
	dir      string   // nothing outside is read
	budget   int      // files left to read
	within   []string // the files that are being read, each taken in by the one before
	errs     []*SyntaxError
}

func (i *includer) fail(at Position, what, mend string) *Node {
	i.errs = append(i.errs, &SyntaxError{at, what, mend})
	return nil
}

func (i *includer) file(name string, at Position, level int) *Node {
	if i.budget--; i.budget < 0 {
		return i.fail(at, "$include takes in more than 200 files", "take in fewer")
	}
	if slices.Contains(i.within, filepath.Clean(name)) {
		return i.fail(at, "the file takes itself in: "+strings.Join(append(i.within, filepath.Clean(name)), " → "), "remove one $include of the circle")
	}
	i.within = append(i.within, filepath.Clean(name))
	defer func() { i.within = i.within[:len(i.within)-1] }()
	text, err := i.readFile(name)
	if err != nil {
		return i.fail(at, "the file cannot be read: "+name, "see that it is there and readable")
	}
	n, errs := Parse(name, text)
	i.errs = append(i.errs, errs...)
	return i.resolve(n, level)
}

// resolve replaces each $include below n.
func (i *includer) resolve(n *Node, level int) *Node {
	if n == nil {
		return nil
	}
	for k, item := range n.Items {
		n.Items[k] = i.resolve(item, level)
	}
	var base *Node
	kept := n.Members[:0:0]
	for _, m := range n.Members {
		if m.Name != "$include" {
			m.Value = i.resolve(m.Value, level)
			kept = append(kept, m)
			continue
		}
		for _, part := range i.parts(m.Value) {
			base = merge(base, i.include(part, level))
		}
	}
	if base == nil {
		n.Members = kept
		return n
	}
	if len(kept) == 0 {
		return base
	}
	return merge(base, &Node{Kind: Object, At: n.At, Members: kept})
}

func (i *includer) parts(n *Node) []*Node {
	switch {
	case n.Is(String):
		return []*Node{n}
	case n.Is(Array):
		return n.Items
	}
	i.fail(n.At, "$include names no file", "give a path, or a list of paths")
	return nil
}

func (i *includer) include(n *Node, level int) *Node {
	name := n.String()
	if name == "" {
		return i.fail(n.At, "$include names no file", "give a path, or a list of paths")
	}
	if level >= maxIncludes {
		return i.fail(n.At, "$include is nested deeper than 10 files", "take the file in from one nearer to the configuration")
	}
	path := name
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(n.At.File), path)
	}
	if rel, err := filepath.Rel(i.dir, path); err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return i.fail(n.At, "$include leads out of the configuration's directory: "+name, "move the file beside the configuration")
	}
	return i.file(path, n.At, level+1)
}

// merge lays over upon base: objects name by name, lists one after the other, all else replaced.
func merge(base, over *Node) *Node {
	switch {
	case base == nil:
		return over
	case over == nil:
		return base
	case base.Kind == Array && over.Kind == Array:
		return &Node{Kind: Array, At: over.At, Items: append(append([]*Node{}, base.Items...), over.Items...)}
	case base.Kind != Object || over.Kind != Object:
		return over
	}
	out := &Node{Kind: Object, At: over.At, Members: append([]Member{}, base.Members...)}
	for _, m := range over.Members {
		found := false
		for k := range out.Members {
			if out.Members[k].Name == m.Name {
				out.Members[k] = Member{m.Name, m.At, merge(out.Members[k].Value, m.Value)}
				found = true
			}
		}
		if !found {
			out.Members = append(out.Members, m)
		}
	}
	return out
}
