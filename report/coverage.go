package report

import (
	"slices"
	"strings"

	"github.com/org/openclaw-litellm-action/budget"
	"github.com/org/openclaw-litellm-action/failover"
	"github.com/org/openclaw-litellm-action/rotate"
)

// coverage is what a pass was able to judge. A story that a pass did not judge is neither over nor going on: it stays as it
// was. The zero coverage judges everything.
type coverage struct {
	known      bool
	configured map[string]bool     // nil: not told
	rotated    map[string]bool     // keys whose rotation was read, and whether without an error
	placed     map[string]bool     // of those, keys whose targets were asked
	spend      map[string][]string // rules of budget that the facts allowed, by key
	failover   []string            // rules of failover that the facts allowed
}

func coverageOf(in Input) coverage {
	c := coverage{known: true, rotated: map[string]bool{}, placed: map[string]bool{}, spend: map[string][]string{}}
	if in.Configured != nil {
		c.configured = map[string]bool{}
		for _, name := range in.Configured {
			c.configured[name] = true
		}
	}
	for _, o := range in.Outcomes {
		c.rotated[o.Name] = o.Err == nil && o.Waiting == ""
		c.placed[o.Name] = o.TargetsRead
	}
	for _, f := range in.Failures {
		for _, name := range f.Keys { // nothing was read of it
			c.rotated[name] = false
		}
		if f.Key != "" && f.Step == "" { // nor of this one
			c.rotated[f.Key] = false
		}
	}
	for _, f := range in.Spend {
		c.spend[f.Key] = budget.Judged(f)
	}
	if in.Failover != nil {
		c.failover = failover.Judged(*in.Failover)
	}
	return c
}

// spending reports whether the spend of any key was judged.
func (c coverage) spending() bool {
	for _, rules := range c.spend {
		if len(rules) > 0 {
			return true
		}
	}
	return false
}

// judges reports whether the pass would have found the story if it still were so.
func (c coverage) judges(rule, kind, name string) bool {
	part := ""
	if kind == "key" {
		name, part, _ = strings.Cut(name, "/") // what belongs to a key
	}
	switch {
	case !c.known:
		return true
	case kind == "key" && c.configured != nil && !c.configured[name]:
		return true
	case slices.Contains(budget.Rules(), rule):
		return slices.Contains(c.spend[name], rule)
	case slices.Contains(failover.Rules(), rule):
		return slices.Contains(c.failover, rule)
	case rule == rotate.RuleClocks:
		return len(c.rotated) > 0
	case kind == "key" && rule == RuleFailed && part == spendPart:
		return c.spend[name] != nil
	case kind == "key" && rule == RuleFailed:
		return c.rotated[name] && c.placed[name]
	case kind == "key":
		return c.rotated[name]
	}
	return true
}
