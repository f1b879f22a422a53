package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/rotate"
	"github.com/org/openclaw-litellm-action/secret"
)

// The real program against real LiteLLM. Only GitHub and Slack are in memory.
//
//	LITELLM_LIVE             VERSION=URL[,VERSION=URL…]; a model "backup" at about 0.05 USD a call, spend written every second
//	LITELLM_LIVE_MASTER_KEY  the master key of all of them
//	LITELLM_LIVE_DATABASE    VERSION=URL[,…] of their PostgreSQL, where time is moved; without it the place where
//	                         litellm-live keeps it is looked at

// liveProxy is one real proxy.
type liveProxy struct {
	version, url string
	master       secret.Value
	database     string // "": not known
}

// live returns the proxies to test against, and skips the test if there are none.
func live(t testing.TB) []liveProxy {
	list := os.Getenv("LITELLM_LIVE")
	if list == "" {
		t.Skip("LITELLM_LIVE is not set: no real proxy to run against")
	}
	databases := map[string]string{}
	for entry := range strings.SplitSeq(os.Getenv("LITELLM_LIVE_DATABASE"), ",") {
		version, at, _ := strings.Cut(strings.TrimSpace(entry), "=")
		databases[version] = at
	}
	var proxies []liveProxy
	for entry := range strings.SplitSeq(list, ",") {
		version, at, _ := strings.Cut(strings.TrimSpace(entry), "=")
		p := liveProxy{version, at, secret.New(os.Getenv("LITELLM_LIVE_MASTER_KEY")), databases[version]}
		if p.database == "" {
			p.database = keptDatabase(version, at)
		}
		proxies = append(proxies, p)
	}
	return proxies
}

// keptDatabase is where litellm-live noted the database of a proxy that it runs; "" if it does not run this one.
func keptDatabase(version, proxy string) string {
	cache := os.Getenv("LITELLM_LIVE_CACHE")
	if cache == "" {
		dir, err := os.UserCacheDir()
		if err != nil {
			return ""
		}
		cache = filepath.Join(dir, "litellm-live")
	}
	at, _ := os.ReadFile(filepath.Join(cache, "run", version, "url"))
	if strings.TrimSpace(string(at)) != proxy {
		return ""
	}
	database, _ := os.ReadFile(filepath.Join(cache, "run", version, "database_url"))
	return strings.TrimSpace(string(database))
}

// sql runs statements in the proxy's database.
func (p liveProxy) sql(t testing.TB, statements string) string {
	t.Helper()
	for {
		psql := exec.Command("psql", "-v", "ON_ERROR_STOP=1", "-qAt", "-d", p.database, "-c", statements)
		out, err := psql.CombinedOutput()
		switch {
		case err == nil:
			return strings.TrimSpace(string(out))
		case !strings.Contains(string(out), "deadlock detected"): // with LiteLLM's own writes: nothing of them was done
			t.Fatalf("psql: %v: %s", err, out)
		}
	}
}

// needsDatabase skips what has to move time.
func (p liveProxy) needsDatabase(t testing.TB) {
	if _, err := exec.LookPath("psql"); err != nil || p.database == "" {
		t.Skipf("time cannot be moved: the database of LiteLLM %s is not known (LITELLM_LIVE_DATABASE), or there is no psql", p.version)
	}
}

// liveSite is a site with a real proxy and a key name of its own.
func liveSite(t *testing.T, bin string, p liveProxy, what string) *site {
	name := fmt.Sprintf("live-%s-%x", what, time.Now().UnixNano())
	s := newSite(t, bin, p.url, p.master, name)
	s.grace = "2s"
	s.env["OPENCLAW_LITELLM_GRACE_PERIOD"] = s.grace
	s.pass = func(d time.Duration) { s.age(p, d) }
	s.spent = func(v secret.Value) error {
		s.answers(v, v, v)
		s.flushed()
		return nil
	}
	return s
}

// age makes everything that carries a time older, which is how time passes for a real proxy: the journals, the marks in
// the aliases, when claims expire, and the rows of what was spent. With a day, more than the grace of a live site passes
// indeed.
func (s *site) age(p liveProxy, d time.Duration) {
	s.Helper()
	if d > time.Hour {
		time.Sleep(2500 * time.Millisecond)
	}
	older := func(at, layout string) string {
		when, err := time.Parse(layout, at)
		if err != nil {
			s.Fatalf("moving the time %q: %v", at, err)
		}
		return when.Add(-d).Format(layout)
	}
	for _, g := range s.rows() {
		change := litellm.Fields{}
		var journal map[string]any
		if err := json.Unmarshal(g.Metadata["openclaw_litellm"], &journal); err != nil {
			s.Fatal(err)
		}
		for _, name := range []string{"minted_at", "done_at"} {
			if at, ok := journal[name].(string); ok {
				journal[name] = older(at, time.RFC3339Nano)
			}
		}
		raw, err := json.Marshal(journal)
		if err != nil {
			s.Fatal(err)
		}
		g.Metadata["openclaw_litellm"] = raw
		change["metadata"] = g.Metadata
		if alias, at, ok := strings.Cut(g.Alias, ".blocked-"); ok {
			change["key_alias"] = alias + ".blocked-" + older(at, "20060102T150405Z")
		}
		if err := s.look.UpdateKey(context.Background(), g.Token, change); err != nil {
			s.Fatal(err)
		}
	}
	p.sql(s, fmt.Sprintf(`
		UPDATE "LiteLLM_VerificationToken" SET expires = expires - interval '%[1]d seconds' WHERE user_id = '%[2]s' AND expires IS NOT NULL;
		UPDATE "LiteLLM_SpendLogs" SET "startTime" = "startTime" - interval '%[1]d seconds', "endTime" = "endTime" - interval '%[1]d seconds'
			WHERE api_key IN (SELECT token FROM "LiteLLM_VerificationToken" WHERE user_id = '%[2]s')`,
		int(d.Seconds()), rotate.HolderID(s.name)))
}

// TestLive is what a user gets of the program and a real proxy, story by story.
func TestLive(t *testing.T) {
	proxies := live(t)
	bin := buildBot(t)
	stories := []struct {
		name string
		tell func(s *site, p liveProxy)
	}{
		{"life", liveLife}, {"budget", liveBudget}, {"adoption", liveAdoption}, {"four-at-once", liveFourAtOnce}, {"narrow-key", liveNarrowKey},
	}
	for _, p := range proxies {
		t.Run(p.version, func(t *testing.T) {
			for _, story := range stories {
				t.Run(story.name, func(t *testing.T) {
					t.Parallel()
					story.tell(liveSite(t, bin, p, story.name), p)
				})
			}
		})
	}
}

// told returns how often a text was told: in Slack messages as they came, and in comments on the issue.
func (s *site) told(text string) (slack, issue int) {
	for _, r := range s.slack.Requests() {
		if r.Answer == "ok" && r.Method != "chat.update" && strings.Contains(r.Text, text) {
			slack++
		}
	}
	for _, i := range s.github.Issues(testRepository) {
		for _, c := range s.github.Comments(testRepository, i.Number) {
			issue += strings.Count(c.Body, text)
		}
	}
	return slack, issue
}

// toldOnce asserts that people heard of something once, in Slack and in the issue.
func (s *site) toldOnce(text string) {
	s.Helper()
	if slack, issue := s.told(text); slack != 1 || issue != 1 {
		s.Errorf("%q was told %d times in Slack and %d times in the issue", text, slack, issue)
	}
}

// nextMonth is when a budget of a month resets: LiteLLM counts by the calendar, in UTC.
func nextMonth() time.Time {
	now := time.Now().UTC()
	return time.Date(now.Year(), now.Month()+1, 1, 0, 0, 0, 0, time.UTC)
}

func usd(text string) decimal.Decimal { return decimal.RequireFromString(text) }
