package settings

import (
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/org/openclaw-litellm-action/internal/files"
)

// value is what one layer says about one setting. The zero value says nothing.
type value struct {
	text  string
	items []item // of a sequence in a file; nil: text is to be split
	src   Source
}

// item is one entry of a list.
type item struct {
	text string
	src  Source
}

// list returns the entries, whichever way they were given.
func (v value) list() []item {
	if v.items != nil {
		return v.items
	}
	var items []item
	for _, text := range splitList(v.text) {
		items = append(items, item{text, v.src})
	}
	return items
}

// file is a configuration file that was read: texts with their places, nothing of it judged.
type file struct {
	name    string
	values  map[string]value // by the path in the table: defaults.max_budget
	options []entry          // of defaults.key_options
	keys    []keyNode
	keysAt  Source // zero: the file has no keys
	doc     *document
}

// keyNode is one entry of keys.
type keyNode struct {
	name     value
	values   map[string]value // by field: max_budget
	options  []entry
	targets  []targetNode
	forEach  *forEachNode // nil: a single key
	dispatch value
	at       Source
}

// forEachNode is the for_each of a key.
type forEachNode struct {
	values map[string]value // by field
	at     Source
}

// targetNode is one entry of targets.
type targetNode struct {
	values map[string]value // by field
	reload []item           // nil: none
	at     Source
}

// usualFiles are looked for in this order if none is named.
func usualFiles() []string { return []string{"openclaw-litellm.yml", ".github/openclaw-litellm.yml"} }

// findFile reads the named file, or the first of the usual ones, which need not exist: then name is "".
func findFile(named value, readFile func(string) ([]byte, error)) (name string, content []byte, p *problem) {
	names := usualFiles()
	if named.text != "" {
		if _, p := parsePath(named.text); p != nil {
			return "", nil, p
		}
		names = []string{named.text}
	}
	for _, name := range names {
		content, err := readFile(name)
		switch {
		case err == nil:
			return name, content, nil
		case named.text != "" && errors.Is(err, fs.ErrNotExist):
			return "", nil, bad("name a file that exists", "there is no file %s", quote(name))
		case !errors.Is(err, fs.ErrNotExist):
			return "", nil, bad(readRemedy(err), "reading %s: %v", quote(name), files.Reason(err))
		}
	}
	return "", nil, nil
}

func readRemedy(err error) string {
	switch {
	case errors.Is(err, files.ErrSize):
		return "keep it below 1 MiB"
	case errors.Is(err, files.ErrKind):
		return "name a file"
	}
	return "make it readable"
}

// parseFile reads a configuration file. What it cannot place is collected as faults.
func parseFile(name string, content []byte, f *faults) *file {
	c := &file{name: name, values: map[string]value{}, doc: parseDocument(name, content, f)}
	if c.doc.body != nil {
		c.section("", c.doc.body)
	}
	return c
}

// section reads the mapping at a path; prefix is the path and a dot, "" at the top.
func (c *file) section(prefix string, n ast.Node) {
	rows, below := map[string]row{}, map[string]bool{}
	for _, r := range table() {
		rest, ok := strings.CutPrefix(r.file, prefix)
		if r.file == "" || !ok {
			continue
		}
		if first, _, deeper := strings.Cut(rest, "."); deeper {
			below[first] = true
		} else {
			rows[first] = r
		}
	}
	what := "the file"
	if prefix != "" {
		what = strings.TrimSuffix(prefix, ".")
	}
	for _, e := range c.doc.fields(n, what) {
		path := prefix + e.name
		r, leaf := rows[e.name]
		switch {
		case leaf:
			if v := c.leaf(r.kind, e); v.src.Given() {
				c.values[path] = v
			}
		case below[e.name]:
			c.section(path+".", e.value)
		case path == "defaults.key_options":
			c.options = c.doc.fields(e.value, "key_options")
		case path == "keys":
			c.readKeys(e)
		default:
			c.unknown(e, what, slices.Concat(slices.Collect(maps.Keys(rows)), slices.Collect(maps.Keys(below)), extra(prefix)))
		}
	}
}

// extra returns the fields at a path that are no rows of the table.
func extra(prefix string) []string {
	switch prefix {
	case "":
		return []string{"keys"}
	case "defaults.":
		return []string{"key_options"}
	}
	return nil
}

func (c *file) unknown(e entry, what string, known []string) {
	slices.Sort(known)
	c.doc.faults.add(e.at, bad("use "+strings.Join(known, ", "), "unknown field %s in %s", quote(e.name), what))
}

// leaf reads the value of a row's field. null and "" say nothing.
func (c *file) leaf(k kind, e entry) value {
	if _, text := e.value.(ast.ScalarNode); k == amounts && !text {
		return c.readAmounts(e)
	}
	if nodes, ok := c.doc.items(e.value); ok && (k == list || k == percents) {
		return value{items: c.texts(nodes, e.name), src: c.doc.at(e.value)}
	}
	text, ok := c.doc.scalar(e.value, e.name)
	if text = strings.TrimSpace(text); !ok || text == "" {
		return value{}
	}
	return value{text: text, src: c.doc.at(e.value)}
}

// texts returns the scalars of a sequence, never nil.
func (c *file) texts(nodes []ast.Node, what string) []item {
	items := []item{}
	for _, n := range nodes {
		if text, ok := c.doc.scalar(n, "an entry of "+what); ok {
			items = append(items, item{strings.TrimSpace(text), c.doc.at(n)})
		}
	}
	return items
}

// readKeys reads keys.
func (c *file) readKeys(e entry) {
	c.keysAt = e.at
	nodes, ok := c.doc.items(e.value)
	if !ok || len(nodes) == 0 {
		c.doc.faults.add(e.at, bad("list keys below it, or leave it out for a single key", "keys is empty or no list"))
	}
	for _, n := range nodes {
		c.keys = append(c.keys, c.readKey(n))
	}
}

func (c *file) readKey(n ast.Node) keyNode {
	key := keyNode{values: map[string]value{}, at: c.doc.at(n)}
	rows, known := policyFields()
	known = append(known, keyFields()...)
	for _, e := range c.doc.fields(n, "an entry of keys") {
		r, policy := rows[e.name]
		switch {
		case policy:
			if v := c.leaf(r.kind, e); v.src.Given() {
				key.values[e.name] = v
			}
		case e.name == "name":
			key.name = c.leaf(text, e)
		case e.name == "alerts":
			c.readAlerts(key.values, e)
		case e.name == "key_options":
			key.options = c.doc.fields(e.value, "key_options")
		case e.name == "targets":
			key.targets = c.readTargets(e)
		case e.name == "for_each":
			key.forEach = c.readForEach(e)
		case e.name == "repository_dispatch":
			key.dispatch = c.leaf(text, e)
		default:
			c.unknown(e, "a key", known)
		}
	}
	return key
}

// keyFields are the fields of a key besides its policy.
func keyFields() []string {
	return []string{"name", "key_options", "targets", "for_each", "repository_dispatch"}
}

// targetFields are the fields of a target that take a single value.
func targetFields() []string {
	return []string{"repository", "environment", "organization", "store", "secret", "visibility", "file"}
}

func (c *file) readTargets(e entry) []targetNode {
	nodes, ok := c.doc.items(e.value)
	if !ok {
		c.doc.faults.add(e.at, bad("list targets below it", "targets is no list"))
	}
	var targets []targetNode
	for _, n := range nodes {
		t := targetNode{values: map[string]value{}, at: c.doc.at(n)}
		for _, field := range c.doc.fields(n, "an entry of targets") {
			switch {
			case slices.Contains(targetFields(), field.name):
				if v := c.leaf(text, field); v.src.Given() {
					t.values[field.name] = v
				}
			case field.name == "reload":
				t.reload = c.readReload(field)
			default:
				c.unknown(field, "a target", append(targetFields(), "reload"))
			}
		}
		targets = append(targets, t)
	}
	return targets
}

func (c *file) readReload(e entry) []item {
	nodes, ok := c.doc.items(e.value)
	if !ok || len(nodes) == 0 {
		c.doc.faults.add(e.at, bad("write a list such as [/usr/bin/openclaw, secrets, reload]", "reload is no list"))
		return nil
	}
	return c.texts(nodes, "reload")
}
