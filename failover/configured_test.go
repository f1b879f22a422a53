package failover_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/failover"
	"github.com/org/openclaw-litellm-action/finding"
)

func TestSlow(t *testing.T) {
	t.Parallel()
	for latency, want := range map[time.Duration]int{5*time.Second - 1: 0, 5 * time.Second: 1} {
		f := ready(failover.Facts{})
		f.Proxy.Latency = latency
		if got := failover.Check(f, failover.Policy{}, now); len(got) != want {
			t.Errorf("%s: found %+v", latency, got)
		}
	}
}

func groups(chains ...string) (list []failover.Group) {
	for _, c := range chains {
		name, rest, _ := strings.Cut(c, ">")
		g := failover.Group{Name: name}
		if rest != "" {
			g.Fallbacks = strings.Split(rest, ">")
		}
		list = append(list, g)
	}
	return list
}

func TestMissing(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		groups []failover.Group
		asked  []string
		want   []string
	}{
		{"served", groups("a>b", "b"), []string{"a"}, nil},
		{"not served", groups("a>b", "b"), []string{"a", "c"}, []string{"c"}},
		{"a fallback is not served", groups("a>b"), []string{"a"}, []string{"b"}},
		{"sets", groups("a>a2", "a2"), []string{"*", "openai/*", "all-team-models", "no-default-models"}, nil},
		{"through a wildcard", groups("openai/*"), []string{"openai/x"}, nil},
		{"not through it", groups("openai/*"), []string{"azure/x"}, []string{"azure/x"}},
		{"not known", nil, []string{"c"}, nil},
	} {
		f := ready(failover.Facts{Groups: tc.groups, Asked: []failover.Asked{{Key: "k", Models: tc.asked}}})
		var got []string
		for _, found := range failover.Check(f, failover.Policy{}, now) {
			if found.Rule == failover.RuleMissing {
				got = append(got, found.Subject.Name)
				if found.Evidence != finding.Configured || found.Cause == "" || found.Advice == "" {
					t.Errorf("%s: %+v", tc.name, found)
				}
			}
		}
		if !slices.Equal(got, tc.want) {
			t.Errorf("%s: missing %q, want %q", tc.name, got, tc.want)
		}
		if slices.Contains(failover.Judged(f), failover.RuleMissing) != (tc.groups != nil) {
			t.Errorf("%s: whether it is judged is wrong", tc.name)
		}
	}
}

func TestAlone(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		groups []failover.Group
		asked  [][]string
		want   string
	}{
		{"has one", groups("a>b", "b"), [][]string{{"a", "b"}}, ""},
		{"has none", groups("a>b", "b", "c", "d"), [][]string{{"c"}}, "c"},
		{"may ask for all", groups("a>b", "b", "d", "c"), [][]string{{}}, "c, d"},
		{"the word for all", groups("c"), [][]string{{"all-proxy-models"}}, "c"},
		{"a wildcard", groups("x/c", "y/c"), [][]string{{"x/*"}}, "x/c"},
		{"no keys", groups("c"), nil, ""},
		{"many", groups("a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"), [][]string{{}}, "a, b, c, d, e, f, g, h, i, j and 1 more"},
	} {
		f := ready(failover.Facts{Groups: tc.groups})
		for _, models := range tc.asked {
			f.Asked = append(f.Asked, failover.Asked{Key: "k", Models: models})
		}
		found := failover.Check(f, failover.Policy{}, now)
		got := ""
		if len(found) > 0 {
			got = found[0].Level
		}
		if got != tc.want || len(found) > 1 || got != "" && found[0].Severity != finding.Info {
			t.Errorf("%s: found %+v, want %q", tc.name, found, tc.want)
		}
	}
}

func TestProbed(t *testing.T) {
	t.Parallel()
	probe := failover.Probe{Model: "a", ServedBy: "b", Fell: 1, Cost: decimal.New(5, -2), At: now, Through: "key k"}
	got := one(t, ready(failover.Facts{Probes: []failover.Probe{probe}}), failover.Policy{})
	if got.Rule != failover.RuleServed || got.Evidence != finding.Probed || !strings.Contains(got.Cause, "0.05 USD") || !strings.Contains(got.Source, "key k") {
		t.Errorf("found %+v", got)
	}
	failed := failover.Probe{Model: "a", Error: "500", At: now}
	if got := one(t, ready(failover.Facts{Probes: []failover.Probe{failed}}), failover.Policy{}); got.Rule != failover.RuleProbe || got.Severity != finding.Critical {
		t.Errorf("found %+v", got)
	}
	fine := failover.Probe{Model: "a", ServedBy: "a"}
	if got := failover.Check(ready(failover.Facts{Probes: []failover.Probe{fine}}), failover.Policy{}, now); len(got) != 0 {
		t.Errorf("found %+v", got)
	}
	both := ready(failover.Facts{Probes: []failover.Probe{probe}, Served: []failover.Served{{Primary: "a", By: "b", Requests: 1, Evidence: finding.Recorded}}})
	if got := one(t, both, failover.Policy{}); got.Evidence != finding.Recorded {
		t.Errorf("the probe stands before the record: %+v", got)
	}
}

// TestExtraCost: 100 tokens of the fallback against the primary's own price of 0.01 USD for ten.
func TestExtraCost(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		spend, own string
		tokens     int64
		want       string
	}{
		{"0.3", "0.01", 10, "the fallback took 0.3 USD, 0.2 USD more than"},
		{"0.05", "0.01", 10, "0.05 USD less than"},
		{"0.3", "0", 0, "the fallback took 0.3 USD"},
		{"0.3", "0", 10, "the fallback took 0.3 USD"},
	} {
		s := failover.Served{
			Primary: "a", By: "b", Requests: 1, Evidence: finding.Recorded, Tokens: 100,
			Spend: decimal.RequireFromString(tc.spend), OwnSpend: decimal.RequireFromString(tc.own), OwnTokens: tc.tokens,
		}
		got := one(t, ready(failover.Facts{Served: []failover.Served{s}}), failover.Policy{})
		if !strings.Contains(got.Cause, tc.want) || strings.Contains(tc.want, "than") != strings.Contains(got.Cause, "than") {
			t.Errorf("cause %q does not say %q", got.Cause, tc.want)
		}
	}
}
