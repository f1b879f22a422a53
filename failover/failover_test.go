package failover_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/org/openclaw-litellm-action/failover"
	"github.com/org/openclaw-litellm-action/finding"
)

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func ready(f failover.Facts) failover.Facts {
	f.Proxy = failover.Proxy{URL: "https://litellm.example.com", Release: "1.106.10", Ready: true, Database: "connected"}
	return f
}

func one(t *testing.T, f failover.Facts, p failover.Policy) finding.Finding {
	t.Helper()
	found := failover.Check(f, p, now)
	if len(found) != 1 {
		t.Fatalf("found %+v, want one", found)
	}
	if found[0].Summary == "" || found[0].Advice == "" || found[0].Source == "" && found[0].Rule != failover.RuleServed {
		t.Errorf("a finding that does not explain itself: %+v", found[0])
	}
	return found[0]
}

func TestProxy(t *testing.T) {
	t.Parallel()
	if found := failover.Check(ready(failover.Facts{}), failover.Policy{}, now); len(found) != 0 {
		t.Errorf("a healthy proxy: %+v", found)
	}
	for _, tc := range []struct{ cause, rule, advice string }{
		{"network", failover.RuleProxyDown, "firewall"},
		{"tls", failover.RuleProxyDown, "ca-file"}, {"tls", failover.RuleProxyDown, "http://"},
		{"auth", failover.RuleProxyDown, "LITELLM_MASTER_KEY"},
		{"not-litellm", failover.RuleProxyDown, "LITELLM_BASE_URL"},
		{"", failover.RuleProxyDown, "log"},
		{"database", failover.RuleDatabase, "PostgreSQL"},
	} {
		got := one(t, failover.Facts{Proxy: failover.Proxy{Cause: tc.cause, Trouble: "what it said"}}, failover.Policy{})
		if got.Rule != tc.rule || got.Severity != finding.Critical || !strings.Contains(got.Advice, tc.advice) || got.Cause != "what it said" {
			t.Errorf("cause %q gives %+v", tc.cause, got)
		}
	}
	slow := failover.Facts{Proxy: failover.Proxy{Cause: "database", Database: "stalled", Trouble: "what it said"}}
	if got := one(t, slow, failover.Policy{}); got.Rule != failover.RuleDatabase || !strings.Contains(got.Summary, "waits too long") || strings.Contains(got.Advice, "Bring") {
		t.Errorf("a database that is slow gives %+v", got)
	}
}

func TestCompromised(t *testing.T) {
	t.Parallel()
	for release, want := range map[string]string{
		"1.82.6": "", "1.82.7": "trojan", "1.82.8": "trojan", "1.82.9": "", "1.106.10": "", "1.107.0": "not verified", "1.107.1": "", "": "",
	} {
		f := ready(failover.Facts{})
		f.Proxy.Release = release
		found := failover.Check(f, failover.Policy{}, now)
		if want == "" && len(found) != 0 {
			t.Errorf("release %q: found %+v", release, found)
		}
		if want != "" && (len(found) != 1 || found[0].Severity != finding.Critical || !strings.Contains(found[0].Cause, want)) {
			t.Errorf("release %q: found %+v, want one that says %q", release, found, want)
		}
	}
}

func TestUnhealthy(t *testing.T) {
	t.Parallel()
	failing := func(n int) (list []failover.Unhealthy) {
		for i := range n {
			list = append(list, failover.Unhealthy{Model: "claude", Error: "AuthenticationError", CheckedAt: now.Add(-time.Duration(i) * time.Minute)})
		}
		return list
	}
	for _, tc := range []struct {
		failing, checked int
		severity         finding.Severity
		summary          string
	}{
		{1, 3, finding.Warning, "1 of 3 deployments"},
		{2, 3, finding.Warning, "2 of 3 deployments"},
		{3, 3, finding.Critical, "every deployment"},
		{1, 1, finding.Critical, "every deployment"},
		{1, 0, finding.Warning, "1 deployment of"},
	} {
		f := ready(failover.Facts{Unhealthy: failing(tc.failing)})
		if tc.checked > 0 {
			f.Checked = map[string]int{"claude": tc.checked}
		}
		got := one(t, f, failover.Policy{})
		if got.Severity != tc.severity || !strings.Contains(got.Summary, tc.summary) || !got.Since.Equal(now.Add(-time.Duration(tc.failing-1)*time.Minute)) {
			t.Errorf("%d of %d: %+v", tc.failing, tc.checked, got)
		}
	}
}

// TestRate takes the fallback rate a request on either side.
func TestRate(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name     string
		requests int64
		of, all  int64
		rate     float64
		found    bool
	}{
		{"under", 4, 100, 100, 0.05, false},
		{"at", 5, 100, 100, 0.05, true},
		{"over", 6, 100, 100, 0.05, true},
		{"of its own requests, not of all", 5, 100, 1000, 0.05, true},
		{"of all where its own are not known", 49, 0, 1000, 0.05, false},
		{"at, of all", 50, 0, 1000, 0.05, true},
		{"nothing known", 1, 0, 0, 0.05, true},
		{"any rate", 1, 1000, 1000, 0, true},
		{"none", 0, 1000, 1000, 0, false},
	} {
		f := ready(failover.Facts{Requests: tc.all, Window: time.Hour, Served: []failover.Served{
			{Primary: "claude", By: "gpt", Requests: tc.requests, Of: tc.of, Evidence: finding.Recorded},
		}})
		if got := len(failover.Check(f, failover.Policy{FallbackRate: tc.rate}, now)) == 1; got != tc.found {
			t.Errorf("%s: found %t, want %t", tc.name, got, tc.found)
		}
	}
}

// TestServedBySeveral: what several fallbacks served is one story, with the weakest evidence.
func TestServedBySeveral(t *testing.T) {
	t.Parallel()
	f := ready(failover.Facts{Requests: 10, Window: time.Hour, Source: "GET /spend/logs/v2", Served: []failover.Served{
		{Primary: "claude", By: "small", Requests: 1, Of: 10, First: now.Add(-40 * time.Minute), Last: now.Add(-40 * time.Minute), Evidence: finding.Inferred, Keys: []string{"b"}},
		{Primary: "claude", By: "gpt", Requests: 4, Of: 10, First: now.Add(-30 * time.Minute), Last: now.Add(-3 * time.Minute), Evidence: finding.Recorded, Keys: []string{"a", "b"}},
	}})
	got := one(t, f, failover.Policy{FallbackRate: 0.05})
	if got.Summary != "50% of the requests for claude are served by its fallback gpt, small" || got.Evidence != finding.Inferred ||
		!got.Since.Equal(now.Add(-40*time.Minute)) || got.Observed.Value.String() != "5" || got.Limit.Value.String() != "10" {
		t.Errorf("found %+v", got)
	}
	for _, want := range []string{"last 1h", "3m ago", "asked: a, b", "inferred"} {
		if !strings.Contains(got.Cause, want) {
			t.Errorf("cause %q does not say %q", got.Cause, want)
		}
	}
	f.Served = f.Served[1:]
	f.Served[0].Of = 4
	if got := one(t, f, failover.Policy{}).Summary; got != "all requests for claude are served by its fallback gpt" {
		t.Errorf("summary is %q", got)
	}
}

func TestJudged(t *testing.T) {
	t.Parallel()
	if got := failover.Judged(failover.Facts{Proxy: failover.Proxy{Cause: "network"}}); !slices.Equal(got, []string{failover.RuleProxyDown}) {
		t.Errorf("of a proxy that is down: %q", got)
	}
	f := ready(failover.Facts{Unjudged: []string{failover.RuleUnhealthy}, Groups: groups("a"), Probes: []failover.Probe{}})
	f.Proxy.Release = ""
	got := failover.Judged(f)
	for _, rule := range failover.Rules() {
		want := rule != failover.RuleUnhealthy && rule != failover.RuleCompromised
		if slices.Contains(got, rule) != want {
			t.Errorf("%s judged: %t, want %t", rule, !want, want)
		}
	}
}
