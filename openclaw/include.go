package openclaw

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/org/openclaw-litellm-action/internal/files"
)

// Bounds on a configuration with all that it takes in. OpenClaw has the first two itself.
const (
	maxIncludes = 10      // levels of $include
	maxPath     = 4096    // characters of a path
	maxFiles    = 200     // each counted as often as it is taken in
	maxBytes    = 4 << 20 // of all files
	maxNodes    = 100_000 // values in all files, each of which takes about 200 bytes of memory
)

// Read reads a configuration file and everything that it takes in by $include, merged as OpenClaw does: files of a list
// in order, then the names beside $include, objects into each other. Values keep the position where they stand. Nothing
// is taken in from outside of the file's directory and of roots, which are those of IncludeRoots.
func Read(file string, roots []string, read ReadFunc) (*Node, []*SyntaxError) {
	i := &includer{read: read, files: maxFiles, bytes: maxBytes, nodes: maxNodes}
	for _, dir := range append([]string{filepath.Dir(file)}, roots...) {
		if dir, err := filepath.Abs(dir); err == nil {
			i.roots = append(i.roots, dir)
		}
	}
	n := i.file(file, Position{File: file, Line: 1, Column: 1}, 0)
	return n, i.errs
}

const moveInside = "move the file beside the configuration, or name its directory in OPENCLAW_INCLUDE_ROOTS where OpenClaw runs"

type includer struct {
	read   ReadFunc
	roots  []string // absolute; what is taken in has to be in one of them
	within []string // the files that are being read, each taken in by the one before
	errs   []*SyntaxError

	files, bytes, nodes int // left to read
}

func (i *includer) fail(at Position, what, mend string) *Node {
	i.errs = append(i.errs, &SyntaxError{at, what, mend})
	return nil
}

func (i *includer) file(name string, at Position, level int) *Node {
	if i.files--; i.files < 0 {
		return i.fail(at, fmt.Sprintf("$include takes in more than %d files", maxFiles), "take in fewer")
	}
	if slices.Contains(i.within, filepath.Clean(name)) {
		return i.fail(at, "the file takes itself in: "+strings.Join(append(i.within, filepath.Clean(name)), " → "), "remove one $include of the circle")
	}
	i.within = append(i.within, filepath.Clean(name))
	defer func() { i.within = i.within[:len(i.within)-1] }()
	text, ok := i.text(name, at, level)
	if !ok {
		return nil
	}
	n, errs := parse(name, text, &i.nodes)
	i.errs = append(i.errs, errs...)
	return i.resolve(n, level)
}

// text reads a file within what is left to read. Whatever is in the way is noted, and ok is false.
func (i *includer) text(name string, at Position, level int) (text []byte, ok bool) {
	limit := min(maxFileSize, i.bytes)
	var roots []string
	if level > 0 {
		roots = i.roots
	}
	text, err := i.read(name, roots, int64(limit))
	switch {
	case err == nil:
		i.bytes -= len(text)
	case errors.Is(err, files.ErrSize) && limit < maxFileSize:
		i.fail(at, fmt.Sprintf("with this file the configuration is larger than %d MB: %s", maxBytes>>20, name), "take in less")
	case errors.Is(err, files.ErrSize):
		i.fail(at, "the file is larger than 2 MB: "+name, "OpenClaw reads no larger one; split or shorten it")
	case errors.Is(err, errOutside):
		i.fail(at, "$include leads out of the configuration's directory by a symbolic link: "+name, moveInside)
	case errors.Is(err, fs.ErrNotExist):
		i.fail(at, "the file cannot be read: "+name, "see that it is there and readable")
	default:
		i.fail(at, fmt.Sprintf("the file cannot be read: %s: %v", name, files.Reason(err)), "see that it is a file and readable")
	}
	return text, err == nil
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
	switch {
	case len(kept) == 0:
		return base
	case base.Kind != Object:
		return i.fail(n.At, "$include takes in something that is no object, and has other names beside it", "give it a name of its own")
	}
	return merge(base, &Node{Kind: Object, At: n.At, Members: kept})
}

func (i *includer) parts(n *Node) []*Node {
	switch {
	case n.Is(String):
		return []*Node{n}
	case n.Is(Array):
		for _, item := range n.Items {
			if !item.Is(String) {
				i.fail(item.At, "$include names no file", "give a path, or a list of paths")
				return nil
			}
		}
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
	switch whole, err := filepath.Abs(path); {
	case strings.Contains(name, "\x00") || len(name) >= maxPath || len(whole) >= maxPath:
		return i.fail(n.At, "$include names no path: it is too long, or holds a zero byte", "give a path of fewer than 4096 characters")
	case err != nil || !slices.ContainsFunc(i.roots, func(root string) bool { return inside(root, whole) }):
		return i.fail(n.At, "$include leads out of the configuration's directory: "+name, moveInside)
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
	at := map[string]int{} // of a name that stands twice, the last, which counts
	for k, m := range out.Members {
		at[m.Name] = k
	}
	for _, m := range over.Members {
		k, found := at[m.Name]
		if found {
			out.Members[k] = Member{m.Name, m.At, merge(out.Members[k].Value, m.Value)}
			continue
		}
		at[m.Name] = len(out.Members)
		out.Members = append(out.Members, m)
	}
	return out
}
