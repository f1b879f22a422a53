package openclaw

import (
	"cmp"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/org/openclaw-litellm-action/finding"
)

// Problem is one thing in a configuration that is wrong or unwise, where it stands, and how to mend it.
type Problem struct {
	At       Position
	Rule     string // stable, kebab-case
	Severity finding.Severity
	What     string
	Mend     string
}

// String is one line.
func (p Problem) String() string {
	return fmt.Sprintf("%s: %s: %s; %s [%s]", p.At, p.Severity, p.What, p.Mend, p.Rule)
}

// Linter is what a configuration is judged with. The zero value judges by the text alone.
type Linter struct {
	Served *Served // what the proxy serves; nil: not asked, and what needs it is not judged
	// Getenv reads the environment in which OpenClaw runs; nil: not known.
	Getenv func(string) string
	// Mode returns a file's mode; nil: no file is looked at.
	Mode  func(path string) (fs.FileMode, error)
	Older bool // an OpenClaw that has imageGenerationModel in place of mediaModels.image
	// Provider is the name of LiteLLM's provider; "": litellm.
	Provider string
}

// Lint returns everything wrong with a configuration file, in the order of position.
func (l Linter) Lint(file string, read ReadFunc) []Problem {
	if l.Provider == "" {
		l.Provider = "litellm"
	}
	root, errs := Read(file, IncludeRoots(l.Getenv), read)
	c := &check{Linter: l, root: root}
	for _, e := range errs {
		c.add(e.At, "syntax", finding.Critical, e.What, e.Mend)
	}
	if root != nil && root.Kind != Object {
		c.add(root.At, "syntax", finding.Critical, "the configuration is no object", "put it in braces")
	} else if root != nil {
		c.all()
	}
	slices.SortStableFunc(c.found, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.At.File, b.At.File), cmp.Compare(a.At.Line, b.At.Line), cmp.Compare(a.At.Column, b.At.Column),
			cmp.Compare(a.Rule, b.Rule))
	})
	return slices.Compact(c.found)
}

// check is one run over one configuration.
type check struct {
	Linter
	root  *Node
	found []Problem
}

func (c *check) add(at Position, rule string, severity finding.Severity, what, mend string) {
	c.found = append(c.found, Problem{at, rule, severity, what, mend})
}

func (c *check) all() {
	c.twice(c.root, 0)
	c.obsolete()
	provider := c.root.Get("models", "providers").Member(c.Provider)
	if provider.Value.Is(Object) {
		c.unset(provider.Value)
		c.baseURL(provider)
		c.api(provider.Value)
		c.key(provider)
		c.models(provider)
		c.shadowed(provider.Value)
	}
	c.references(provider.Value)
	if provider.Value == nil && len(c.found) == 0 {
		c.add(c.root.At, "no-provider", finding.Info, "there is no models.providers."+c.Provider+", so that there is nothing of LiteLLM to judge",
			"name LiteLLM's provider "+c.Provider+"; of a file that another takes in, judge that one")
	}
}

// twice finds names given twice in one object: the last counts, silently.
func (c *check) twice(n *Node, depth int) {
	if n == nil || depth > maxDepth {
		return
	}
	seen := map[string]Position{}
	for _, m := range n.Members {
		if first, ok := seen[m.Name]; ok {
			c.add(m.At, "duplicate-name", finding.Warning, fmt.Sprintf("%q is given twice, first in line %d", m.Name, first.Line),
				"remove one: the last counts")
		}
		seen[m.Name] = m.At
		c.twice(m.Value, depth+1)
	}
	for _, item := range n.Items {
		c.twice(item, depth+1)
	}
}

// obsolete finds names that OpenClaw took before, or never.
func (c *check) obsolete() {
	image, where, elsewhere := []string{"agents", "defaults", "imageGenerationModel"}, "mediaModels.image", "any more"
	if c.Older {
		image, where, elsewhere = []string{"agents", "defaults", "mediaModels", "image"}, "imageGenerationModel", "yet"
	}
	if m := c.root.Get(image[:len(image)-1]...).Member(image[len(image)-1]); m.Value != nil {
		c.add(m.At, "obsolete-key", finding.Critical, "OpenClaw has no "+strings.Join(image[2:], ".")+" "+elsewhere,
			"move it to agents.defaults."+where+", with the same content")
	}
	for _, o := range []struct {
		path     []string
		severity finding.Severity
		mend     string
	}{
		{[]string{"agents", "list"}, finding.Warning, "use agents.entries, an object by agent id"},
		{[]string{"models", "pricing"}, finding.Critical, "give each model its cost in models.providers"},
	} {
		last := len(o.path) - 1
		if m := c.root.Get(o.path[:last]...).Member(o.path[last]); m.Value != nil {
			c.add(m.At, "obsolete-key", o.severity, fmt.Sprintf("OpenClaw has no %s any more", o.path[last]), o.mend)
		}
	}
	env := c.root.Get("env")
	if !env.Is(Object) {
		return
	}
	for _, m := range env.Members {
		if m.Name != "vars" && m.Name != "shellEnv" {
			c.add(m.At, "obsolete-key", finding.Critical, "OpenClaw takes no variable straight below env", "move it into env.vars")
		}
	}
}
