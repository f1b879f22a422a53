package openclaw

import (
	"cmp"
	"regexp"
	"strings"

	"github.com/org/openclaw-litellm-action/finding"
)

// variable is how a text of the configuration names a variable; with a second $ it stands for itself.
var variable = regexp.MustCompile(`\$?\$\{[A-Z_][A-Z0-9_]*\}`)

// lookup returns what OpenClaw finds under the name of a variable: in its environment, or else in env.vars.
func (c *check) lookup(name string) (value string, ok bool) {
	if c.Getenv != nil {
		value = c.Getenv(name)
	}
	value = cmp.Or(value, c.root.Get("env", "vars", name).String())
	return value, value != ""
}

// home is what ~ stands for; "": not known.
func (c *check) home() string {
	home, _ := c.lookup("OPENCLAW_HOME")
	if home == "" {
		home, _ = c.lookup("HOME")
	}
	return home
}

// expand returns a text with its variables replaced. It reports false if one of them is not known.
func (c *check) expand(n *Node) (text string, known bool) {
	known = true
	text = variable.ReplaceAllStringFunc(n.String(), func(named string) string {
		if strings.HasPrefix(named, "$$") {
			return named[1:]
		}
		value, ok := c.lookup(named[2 : len(named)-1])
		known = known && ok
		return value
	})
	return text, known
}

// unset finds variables in the texts of n that are not set. Of where the key comes from, see key.
func (c *check) unset(n *Node) {
	if n == nil || c.Getenv == nil {
		return
	}
	for _, named := range variable.FindAllString(n.String(), -1) {
		if strings.HasPrefix(named, "$$") {
			continue
		}
		if name := named[2 : len(named)-1]; !c.set(name) {
			c.add(n.At, "unset-variable", finding.Warning, "the variable "+name+" is not set, so that OpenClaw cannot use this", "set it where OpenClaw runs, or write what it stands for")
		}
	}
	for _, m := range n.Members {
		if m.Name != "apiKey" {
			c.unset(m.Value)
		}
	}
	for _, item := range n.Items {
		c.unset(item)
	}
}

func (c *check) set(name string) bool {
	_, ok := c.lookup(name)
	return ok
}
