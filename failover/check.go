package failover

import (
	"slices"
	"time"

	"github.com/org/openclaw-litellm-action/finding"
)

// The rules.
const (
	RuleProxyDown   = "proxy-down"             // it does not answer, or not as a LiteLLM that works
	RuleDatabase    = "database-disconnected"  // it answers without its database
	RuleCompromised = "compromised-release"    // it says it is a release known to be tampered with
	RuleUnhealthy   = "unhealthy-deployment"   // a deployment's latest health check failed
	RuleCooled      = "deployments-cooled"     // requests were refused because every deployment was left alone after failures
	RuleServed      = "served-by-fallback"     // a primary's requests are served by another model group
	RuleMissing     = "model-missing"          // a key may ask for a model group, or falls back to one, that is not served
	RuleAlone       = "model-without-fallback" // nothing takes over when it fails
	RuleProbe       = "probe-failed"           // a call of ours to a model got no answer
	RuleSlow        = "proxy-slow"             // it takes seconds to say that it is ready
)

// slow is from when on an answer that asks nothing of any model is slow.
const slow = 5 * time.Second

// Rules returns the rules that Check judges.
func Rules() []string {
	return []string{
		RuleProxyDown, RuleDatabase, RuleCompromised, RuleUnhealthy, RuleCooled, RuleServed, RuleMissing, RuleAlone, RuleProbe, RuleSlow,
	}
}

// Judged returns the rules that f allows to judge. While the proxy does not answer, only that is known.
func Judged(f Facts) []string {
	if down(f.Proxy) {
		return []string{RuleProxyDown}
	}
	return slices.DeleteFunc(Rules(), func(rule string) bool {
		return slices.Contains(f.Unjudged, rule) || rule == RuleCompromised && f.Proxy.Release == "" ||
			rule == RuleProbe && f.Probes == nil || (rule == RuleMissing || rule == RuleAlone) && f.Groups == nil
	})
}

// Check judges f. While the proxy does not answer there is one finding, that; nothing else could be true of it.
func Check(f Facts, p Policy, now time.Time) []finding.Finding {
	if down(f.Proxy) {
		return []finding.Finding{proxyDown(f.Proxy)}
	}
	var found []finding.Finding
	if !f.Proxy.Ready {
		found = append(found, databaseDown(f.Proxy))
	}
	found = append(found, compromised(f.Proxy)...)
	found = append(found, slowly(f.Proxy)...)
	found = append(found, unhealthy(f)...)
	found = append(found, cooled(f)...)
	found = append(found, served(f, p, now)...)
	found = append(found, probed(f, found)...)
	found = append(found, missing(f)...)
	return append(found, alone(f)...)
}

// down reports whether the proxy as a whole does not work, as against working without its database.
func down(p Proxy) bool { return !p.Ready && p.Cause != "database" }

func proxySubject() finding.Subject {
	return finding.Subject{Kind: "proxy", Name: "LiteLLM"}
}
