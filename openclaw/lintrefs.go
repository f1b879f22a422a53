package openclaw

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/org/openclaw-litellm-action/finding"
)

// use is what a model is named for.
type use int

const (
	chats  use = iota // it answers an agent
	looks             // it answers about pictures
	paints            // it makes pictures
	other             // something that the proxy's modes do not tell apart
)

// place is a path at which OpenClaw takes a model.
type place struct {
	path  string // names with dots; * stands for each name, or each item of a list
	use   use
	alias bool // it may be an alias in place of provider/model
}

// places are where OpenClaw 2026.9.6 takes one model, or a primary with fallbacks. imageGenerationModel is how older ones
// name mediaModels.image.
func places() []place {
	out := []place{
		{"agents.defaults.mediaModels.image", paints, false},
		{"agents.defaults.imageGenerationModel", paints, false},
		{"agents.defaults.mediaModels.*", other, false},
		{"agents.defaults.imageModel", looks, false},
		{"agents.defaults.pdfModel", chats, false},
		{"agents.defaults.voiceModel", other, false},
		{"agents.defaults.compaction.model", chats, true},
		{"agents.defaults.compaction.memoryFlush.model", chats, true},
		{"hooks.mappings.*.model", chats, true},
		{"hooks.gmail.model", chats, true},
	}
	for _, agent := range []string{"agents.defaults", "agents.entries.*"} {
		out = append(out,
			place{agent + ".model", chats, true},
			place{agent + ".utilityModel", chats, true},
			place{agent + ".decisionModel", chats, true},
			place{agent + ".subagents.model", chats, true},
			place{agent + ".heartbeat.model", chats, true},
		)
	}
	return out
}

// references judges every place that names a model.
func (c *check) references(provider *Node) {
	judged := map[*Node]bool{}
	for _, p := range places() {
		for _, n := range c.root.all(strings.Split(p.path, ".")) {
			if !judged[n] { // not again by a * that comes later
				judged[n] = true
				c.choice(provider, n, p)
			}
		}
	}
	for _, agent := range []string{"agents.defaults", "agents.entries.*"} {
		for _, n := range c.root.all(strings.Split(agent+".models", ".")) {
			for _, m := range n.Members {
				c.about(provider, m.At, m.Name, "remove the entry")
			}
		}
		for _, n := range c.root.all(strings.Split(agent+".modelPolicy.allow.*", ".")) {
			if !strings.HasSuffix(n.String(), "/*") {
				c.about(provider, n.At, n.String(), "remove it from the list")
			}
		}
	}
}

// all returns the nodes at a path in which * stands for each name or item.
func (n *Node) all(path []string) []*Node {
	switch {
	case n == nil:
		return nil
	case len(path) == 0:
		return []*Node{n}
	case path[0] != "*":
		return n.Get(path[0]).all(path[1:])
	}
	var out []*Node
	for _, m := range n.Members {
		out = append(out, m.Value.all(path[1:])...)
	}
	for _, item := range n.Items {
		out = append(out, item.all(path[1:])...)
	}
	return out
}

// paintsOnly reports whether the provider is named for pictures and such alone, which needs no row.
func (c *check) paintsOnly() bool {
	named := false
	for _, p := range places() {
		for _, n := range c.root.all(strings.Split(p.path, ".")) {
			if !strings.HasPrefix(primaryOf(n).String(), c.Provider+"/") {
				continue
			}
			if p.use != paints && p.use != other {
				return false
			}
			named = true
		}
	}
	return named
}

// primaryOf is the one model, or the first of several.
func primaryOf(n *Node) *Node {
	if n.Is(Object) {
		return n.Get("primary")
	}
	return n
}

// choice judges one model, or a primary with its fallbacks.
func (c *check) choice(provider, n *Node, p place) {
	primary := primaryOf(n)
	c.reference(provider, primary, p)
	seen := map[string]bool{primary.String(): true}
	for _, f := range n.Get("fallbacks").items() {
		if seen[f.String()] {
			c.add(f.At, "useless-fallback", finding.Warning, fmt.Sprintf("%q is tried already before this fallback", f.String()), "name another model")
			continue
		}
		seen[f.String()] = true
		c.reference(provider, f, p)
	}
}

func (c *check) reference(provider, ref *Node, p place) {
	if ref.String() == "" {
		return
	}
	id, ours := strings.CutPrefix(ref.Text, c.Provider+"/")
	if !ours {
		if !strings.Contains(ref.Text, "/") && !(p.alias && c.alias(ref.Text)) {
			c.add(ref.At, "bare-reference", finding.Warning, fmt.Sprintf("%q names no provider", ref.Text), "write "+c.Provider+"/"+ref.Text)
		}
		return
	}
	if provider == nil {
		c.add(ref.At, "dangling-reference", finding.Critical, fmt.Sprintf("%q is of a provider that is not configured", ref.Text), "add models.providers."+c.Provider)
		return
	}
	rows := provider.Get("models").items()
	listed := slices.ContainsFunc(rows, func(r *Node) bool { return r.Get("id").String() == id })
	served, ok := c.Served.Find(id)
	switch {
	case c.Served != nil && !c.Served.Serves(id) && !listed: // a listed one is told of in its row
		c.add(ref.At, "not-served", finding.Critical, fmt.Sprintf("the proxy serves no model %q to this key", id), "use a name of GET /v1/models"+c.like(id))
	case ok && served.Mode != "" && p.use != other && !c.fits(ref, served, p.use):
	case p.use != paints && p.use != other && len(rows) > 0 && !listed:
		c.add(ref.At, "dangling-reference", finding.Critical, fmt.Sprintf("%q is not among the provider's models", ref.Text),
			"add its row, or name one that is there")
	}
}

// fits judges whether the proxy says that a model does what it is named for.
func (c *check) fits(ref *Node, served Model, as use) bool {
	id := strconv.Quote(served.ID)
	switch {
	case as == paints && !served.Image():
		c.add(ref.At, "wrong-mode", finding.Critical, id+" makes no pictures, the proxy says", "name a model of mode image_generation")
	case as != paints && !served.Chat():
		c.add(ref.At, "wrong-mode", finding.Critical, fmt.Sprintf("%s is of mode %s and answers no chats", id, served.Mode), "name a chat model")
	case as == looks && !served.Vision:
		c.add(ref.At, "wrong-mode", finding.Warning, "the proxy does not say that "+id+" sees pictures", "name a model that does")
	default:
		return true
	}
	return false
}

// alias reports whether OpenClaw is given the name for some model.
func (c *check) alias(name string) bool {
	for _, path := range []string{"agents.defaults.models.*.alias", "agents.entries.*.models.*.alias"} {
		for _, n := range c.root.all(strings.Split(path, ".")) {
			if n.String() == name {
				return true
			}
		}
	}
	return false
}

// about judges a name under which something is said about a model, such as an alias: nothing fails by it until somebody
// picks the model.
func (c *check) about(provider *Node, at Position, name, mend string) {
	id, ours := strings.CutPrefix(name, c.Provider+"/")
	if !ours || id == "*" {
		return
	}
	rows := provider.Get("models").items()
	listed := slices.ContainsFunc(rows, func(r *Node) bool { return r.Get("id").String() == id })
	switch {
	case c.Served != nil && !c.Served.Serves(id) && !listed:
		c.add(at, "not-served", finding.Warning, fmt.Sprintf("the proxy serves no model %q to this key", id), mend+c.like(id))
	case c.Served == nil && len(rows) > 0 && !listed:
		c.add(at, "dangling-reference", finding.Warning, fmt.Sprintf("%q is not among the provider's models", name), mend)
	}
}
