package failover

import (
	"fmt"
	"slices"
	"strings"

	"github.com/org/openclaw-litellm-action/finding"
)

// slowly judges how long the proxy took to say that it is ready.
func slowly(p Proxy) []finding.Finding {
	if p.Latency < slow {
		return nil
	}
	return []finding.Finding{{
		Rule: RuleSlow, Severity: finding.Warning, Subject: proxySubject(),
		Summary:  "the LiteLLM proxy takes " + finding.Short(p.Latency) + " to say that it is ready",
		Observed: count(int64(p.Latency.Seconds()), "seconds"), Limit: count(int64(slow.Seconds()), "seconds"),
		Cause:  "it asks no model for that: the proxy, its database or the way to it is overloaded",
		Advice: "Look at the proxy's processor and memory, and at PostgreSQL's: every request of every agent waits as long.",
		Source: "GET /health/readiness",
	}}
}

// missing makes one finding a model group that somebody relies on and the proxy does not list.
func missing(f Facts) []finding.Finding {
	if f.Groups == nil {
		return nil
	}
	relied := map[string][]string{}
	for _, a := range f.Asked {
		for _, m := range a.Models {
			if !f.serves(m) {
				relied[m] = append(relied[m], "key "+a.Key+" may ask for it")
			}
		}
	}
	for _, g := range f.Groups {
		for _, m := range g.Fallbacks {
			if !f.serves(m) {
				relied[m] = append(relied[m], "it is a fallback of "+g.Name)
			}
		}
	}
	var found []finding.Finding
	for _, model := range sortedKeys(relied) {
		found = append(found, finding.Finding{
			Rule: RuleMissing, Severity: finding.Warning, Subject: finding.Subject{Kind: "model", Name: model},
			Summary: fmt.Sprintf("the proxy does not list %s, on which something relies", model),
			Cause:   strings.Join(relied[model], "; "), Evidence: finding.Configured, Source: "GET /v1/models",
			Advice: "Add it to LiteLLM's model_list, or correct its name where it is relied on; the name of an access group is fine.",
		})
	}
	return found
}

// serves reports whether the proxy lists the group, or the name is one for a set of groups.
func (f Facts) serves(model string) bool {
	if wide(model) {
		return true
	}
	return slices.ContainsFunc(f.Groups, func(g Group) bool {
		prefix, star := strings.CutSuffix(g.Name, "*")
		return g.Name == model || star && strings.HasPrefix(model, prefix)
	})
}

// wide reports whether a name in a key's model list stands for a set of groups.
func wide(model string) bool {
	return strings.Contains(model, "*") || strings.HasPrefix(model, "all-") || model == "no-default-models"
}

// alone tells, in one finding, which of the groups that our keys may ask for nothing takes over from. A group that is
// itself a fallback is the last of a chain and has none by nature.
func alone(f Facts) []finding.Finding {
	last := map[string]bool{}
	for _, g := range f.Groups {
		for _, m := range g.Fallbacks {
			last[m] = true
		}
	}
	var names []string
	for _, g := range f.Groups {
		if len(g.Fallbacks) == 0 && !last[g.Name] && !wide(g.Name) && f.asked(g.Name) {
			names = append(names, g.Name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	const most = 10
	shown := strings.Join(names[:min(most, len(names))], ", ")
	if len(names) > most {
		shown += fmt.Sprintf(" and %d more", len(names)-most)
	}
	return []finding.Finding{{
		Rule: RuleAlone, Severity: finding.Info, Subject: proxySubject(), Level: shown,
		Summary: "nothing takes over when these models fail: " + shown, Observed: count(int64(len(names)), "models"),
		Evidence: finding.Configured, Source: "GET /v1/models",
		Advice: "Name a fallback for each in router_settings.fallbacks, or in OpenClaw, if its agents must not stop.",
	}}
}

// asked reports whether one of our keys may ask for the group.
func (f Facts) asked(group string) bool {
	return slices.ContainsFunc(f.Asked, func(a Asked) bool {
		return len(a.Models) == 0 || slices.ContainsFunc(a.Models, func(m string) bool {
			prefix, star := strings.CutSuffix(m, "*")
			return m == group || strings.HasPrefix(m, "all-") || star && strings.HasPrefix(group, prefix)
		})
	})
}

// probed judges what our own calls showed. What the log has told already is not told again.
func probed(f Facts, told []finding.Finding) []finding.Finding {
	var found []finding.Finding
	for _, p := range f.Probes {
		subject := finding.Subject{Kind: "model", Name: p.Model}
		known := slices.ContainsFunc(told, func(t finding.Finding) bool { return t.Rule == RuleServed && t.Subject == subject })
		switch {
		case p.Error != "":
			found = append(found, finding.Finding{
				Rule: RuleProbe, Severity: finding.Critical, Subject: subject, Since: p.At, Evidence: finding.Probed,
				Summary: fmt.Sprintf("a call to %s got no answer, from a fallback either", p.Model),
				Cause:   p.Error, Said: p.Said,
				Advice: "Look at the provider's status, its key and its quota, and at the proxy's log: agents that ask for it fail.",
				Source: "POST /v1/chat/completions through " + p.Through,
			})
		case !known && (p.Fell > 0 || p.ServedBy != "" && p.ServedBy != p.Model):
			found = append(found, finding.Finding{
				Rule: RuleServed, Severity: finding.Warning, Subject: subject, Since: p.At, Evidence: finding.Probed,
				Summary: fmt.Sprintf("%s did not answer a call; its fallback %s did", p.Model, p.ServedBy), Observed: count(int64(p.Fell), "fallbacks"),
				Cause: "the call cost " + dollars(p.Cost) + "; the answer's headers tell who served it",
				Advice: "Find out why " + p.Model + " fails (its provider's status, key and quota; the proxy's log): the fallback may cost " +
					"more and answer differently.",
				Source: "POST /v1/chat/completions through " + p.Through,
			})
		}
	}
	return found
}
