package observe_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/org/openclaw-litellm-action/failover"
	"github.com/org/openclaw-litellm-action/finding"
	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/observe"
	"github.com/org/openclaw-litellm-action/secret"
)

// TestLiveEvidence forces fallbacks and wants each release's best evidence: recorded where rows tell, inferred where they
// do not, and probed with a call through the key itself.
func TestLiveEvidence(t *testing.T) {
	onLive(t, func(l *live) {
		l.Parallel()
		v := l.key("primary")
		l.call(v, "primary")
		o := l.observer("primary")
		want := finding.Recorded
		if r, err := l.Release(l.Context()); err != nil || !r.AtLeast(1, 100) {
			want = finding.Inferred
		}
		var f failover.Facts
		for range 60 {
			f = o.Look(l.Context(), time.Now()).Failover
			if evidence(f, l.holder.Key) != "" {
				break
			}
			time.Sleep(500 * time.Millisecond)
		}
		if got := evidence(f, l.holder.Key); got != want {
			l.Errorf("evidence is %q, want %q: %+v", got, want, f.Served)
		}
		f.Served = nil
		o.Probe(l.Context(), &f, []observe.Caller{{Name: "key k", Models: []string{"primary"}, Call: func(ctx context.Context, model string) (*litellm.ChatResult, error) {
			return l.Chat(ctx, v, model, 1)
		}}}, time.Now())
		found := failover.Check(f, failover.Policy{}, time.Now())
		told := false
		for _, g := range found {
			told = told || g.Rule == failover.RuleServed && g.Evidence == finding.Probed && g.Subject.Name == "primary"
		}
		if !told || len(f.Probes) != 1 || !f.Probes[0].Cost.IsPositive() {
			l.Errorf("probing showed %+v; found %+v", f.Probes, found)
		}
	})
}

// evidence returns the grade of what is known of primary being served for the key; "" for nothing.
func evidence(f failover.Facts, key string) finding.Evidence {
	for _, s := range f.Served {
		if s.Primary == "primary" && strings.Contains(" "+strings.Join(s.Keys, " ")+" ", " "+key+" ") {
			return s.Evidence
		}
	}
	return ""
}

// TestLiveCooled calls a group both of whose deployments are refused, until the proxy leaves them alone, and after that a
// model that nobody serves.
func TestLiveCooled(t *testing.T) {
	onLive(t, func(l *live) {
		l.Parallel()
		v := l.key("cooled", "unserved", "backup")
		o := l.observer("cooled", "unserved", "backup")
		models, err := l.Models(l.Context())
		l.must(err)
		if !strings.Contains(fmt.Sprint(models), "cooled") {
			l.Skip("this proxy has no model that cools down: start it with observe/testdata/litellm.yaml")
		}
		for range 4 {
			if _, err := l.Chat(l.Context(), v, "cooled", 20); err == nil {
				l.Fatal("a model whose provider refuses every call answered")
			}
		}
		var found []finding.Finding
		for range 60 {
			found = failover.Check(o.Look(l.Context(), time.Now()).Failover, failover.Policy{}, time.Now())
			if told(found, failover.RuleCooled, "cooled") {
				break
			}
			time.Sleep(500 * time.Millisecond)
		}
		if !told(found, failover.RuleCooled, "cooled") || !told(found, failover.RuleMissing, "unserved") || told(found, failover.RuleMissing, "backup") {
			l.Errorf("found %+v", found)
		}
		if !told(found, failover.RuleAlone, "LiteLLM") {
			l.Errorf("that nothing takes over from cooled is not told: %+v", found)
		}
	})
}

func told(found []finding.Finding, rule, subject string) bool {
	for _, f := range found {
		if f.Rule == rule && f.Subject.Name == subject {
			return true
		}
	}
	return false
}

// TestLiveTrouble tells apart why a real proxy cannot be asked. What takes its database away for a while runs only if
// LITELLM_LIVE_OUTAGE is set: nothing else may use that proxy then.
func TestLiveTrouble(t *testing.T) {
	onLive(t, func(l *live) {
		nobody, err := net.Listen("tcp", "127.0.0.1:0")
		l.must(err)
		l.must(nobody.Close())
		for cause, c := range map[string]*litellm.Client{
			"network": {BaseURL: "http://" + nobody.Addr().String(), Key: l.Key},
			"tls":     {BaseURL: strings.Replace(l.BaseURL, "http:", "https:", 1), Key: l.Key},
			"auth":    {BaseURL: l.BaseURL, Key: secret.New("sk-nobody-" + random(8))},
		} {
			c.Attempts = 1
			l.trouble(c, cause, failover.RuleProxyDown)
		}
		l.slow()
		if os.Getenv("LITELLM_LIVE_OUTAGE") == "" {
			return
		}
		name := l.database[strings.LastIndex(l.database, "/")+1:]
		other := strings.TrimSuffix(l.database, name) + "postgres"
		admit := func(yes bool) error {
			return runSQL(other, fmt.Sprintf(`ALTER DATABASE %s ALLOW_CONNECTIONS %t`, name, yes),
				fmt.Sprintf(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '%s' AND NOT %t`, name, yes))
		}
		defer func() {
			l.must(admit(true))
			for range 60 {
				if r, err := l.Readiness(l.Context()); err == nil && r.Ready {
					return
				}
				time.Sleep(time.Second)
			}
			l.Error("the proxy did not come back")
		}()
		l.must(admit(false))
		time.Sleep(time.Second)
		l.trouble(&litellm.Client{BaseURL: l.BaseURL, Key: l.Key, Attempts: 1}, "database", failover.RuleDatabase)
	})
}

// slow looks at the proxy through something that holds its answers back for longer than it may take.
func (l *live) slow() {
	l.Helper()
	at, err := url.Parse(l.BaseURL)
	l.must(err)
	forward := httputil.NewSingleHostReverseProxy(at)
	between := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/health/readiness") {
			time.Sleep(5200 * time.Millisecond)
		}
		forward.ServeHTTP(w, r)
	}))
	defer between.Close()
	f := observe.Observer{Client: &litellm.Client{BaseURL: between.URL, Key: l.Key, Attempts: 1}, Keys: l.observer().Keys}.Look(l.Context(), time.Now()).Failover
	if found := failover.Check(f, failover.Policy{}, time.Now()); !f.Proxy.Ready || !told(found, failover.RuleSlow, "LiteLLM") {
		l.Errorf("a slow proxy: %+v, found %+v", f.Proxy, found)
	}
}

// trouble looks with a client and wants one finding, that of the rule and cause.
func (l *live) trouble(c *litellm.Client, cause, rule string) {
	l.Helper()
	f := observe.Observer{Client: c, URL: c.BaseURL, Keys: l.observer("primary").Keys}.Look(l.Context(), time.Now()).Failover
	found := failover.Check(f, failover.Policy{}, time.Now())
	if f.Proxy.Cause != cause || len(found) != 1 || found[0].Rule != rule || found[0].Severity != finding.Critical {
		l.Errorf("want cause %s: %+v, found %+v", cause, f.Proxy, found)
	}
}

// TestLiveHealth reads the background health checks of a proxy that makes them (testdata/zoned.yaml): one deployment of two
// is a warning, all of them are critical.
func TestLiveHealth(t *testing.T) {
	onLive(t, func(l *live) {
		models, err := l.Models(l.Context())
		l.must(err)
		if !strings.Contains(fmt.Sprint(models), "half") {
			l.Skip("this proxy has no deployment that is not there: start it with observe/testdata/zoned.yaml")
		}
		var found []finding.Finding
		for range 60 {
			found = failover.Check(l.observer("half", "gone").Look(l.Context(), time.Now()).Failover, failover.Policy{}, time.Now())
			if told(found, failover.RuleUnhealthy, "gone") && told(found, failover.RuleUnhealthy, "half") {
				break
			}
			time.Sleep(500 * time.Millisecond)
		}
		for _, f := range found {
			want, severity := map[string]string{"half": "1 of 2 deployments of half", "gone": "every deployment of gone"}[f.Subject.Name], finding.Warning
			if f.Subject.Name == "gone" {
				severity = finding.Critical
			}
			if f.Rule == failover.RuleUnhealthy && (want == "" || !strings.Contains(f.Summary, want) || f.Severity != severity || f.Since.IsZero() ||
				!strings.Contains(f.Said, "Connection error")) {
				l.Errorf("found %+v", f)
			}
		}
		if !told(found, failover.RuleUnhealthy, "gone") || !told(found, failover.RuleUnhealthy, "half") || told(found, failover.RuleUnhealthy, "backup") {
			l.Errorf("found %+v", found)
		}
	})
}
