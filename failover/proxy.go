package failover

import (
	"fmt"
	"slices"
	"strings"

	"github.com/org/openclaw-litellm-action/finding"
)

func proxyDown(p Proxy) finding.Finding {
	f := finding.Finding{
		Rule: RuleProxyDown, Severity: finding.Critical, Subject: proxySubject(),
		Summary: "the LiteLLM proxy does not answer", Cause: p.Trouble, Said: p.Said,
		Source: "GET /health/readiness",
	}
	switch p.Cause {
	case "network":
		f.Summary = "the LiteLLM proxy cannot be reached"
		f.Advice = "Check that the proxy runs and that its name, port and firewall let this machine through."
	case "tls":
		f.Summary = "the TLS connection to the LiteLLM proxy fails"
		f.Advice = "Renew the certificate, or name its authority with ca-file; a proxy that speaks no TLS has an address with http://."
	case "auth":
		f.Summary = "the LiteLLM proxy refuses the management key"
		f.Advice = "Check LITELLM_MASTER_KEY: agents are not affected, but nothing can be rotated or checked."
	case "not-litellm":
		f.Summary = "what answers at the base URL is not a LiteLLM proxy"
		f.Advice = "Check LITELLM_BASE_URL, and what stands in front of the proxy: a login page or a load balancer answers instead."
	default:
		f.Advice = "Check the proxy's log and that it has finished starting."
	}
	return f
}

// Stalled is what LiteLLM says from 1.106 on of a database that is connected and answers too late.
const Stalled = "stalled"

// KnownState reports whether a text is one of LiteLLM's words for the state of its database.
func KnownState(database string) bool {
	known := []string{"", "connected", "disconnected", "not connected", "unknown", Stalled}
	return slices.Contains(known, strings.ToLower(database))
}

func databaseDown(p Proxy) finding.Finding {
	out := finding.Finding{
		Rule: RuleDatabase, Severity: finding.Critical, Subject: proxySubject(),
		Summary: "the LiteLLM proxy has lost its database",
		Cause:   p.Trouble, Said: p.Said,
		Advice: "Bring PostgreSQL back: until then keys the proxy has not cached are refused (on older releases as if they " +
			"were invalid), and spend in the meantime may be lost.",
		Source: "GET /health/readiness",
	}
	if p.Database == Stalled {
		out.Summary = "the LiteLLM proxy waits too long for its database"
		out.Advice = "Look at PostgreSQL's load, locks and connections, and at the proxy's processor: within the last half minute a request " +
			"gave up waiting for its key to be looked up, and while the proxy says so, load balancers take it out."
	}
	return out
}

// knownBad are the releases to be replaced at once, with what is known of each.
func knownBad(release string) (why string, bad bool) {
	switch release {
	case "1.82.7", "1.82.8":
		return "the published package carried a trojan that takes credentials (github.com/BerriAI/litellm/issues/24518)", true
	case "1.107.0":
		return "a package summary calls it compromised; that is not verified", true
	}
	return "", false
}

func compromised(p Proxy) []finding.Finding {
	why, bad := knownBad(p.Release)
	if !bad {
		return nil
	}
	return []finding.Finding{{
		Rule: RuleCompromised, Severity: finding.Critical, Subject: proxySubject(),
		Summary: fmt.Sprintf("the proxy runs LiteLLM %s, a release reported to be compromised", p.Release),
		Cause:   why,
		Advice:  "Stop it, install another release, and replace every credential it has seen: master key, provider keys, database password.",
		Source:  "GET /health/readiness",
	}}
}
