package observe_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/budget"
	"github.com/org/openclaw-litellm-action/failover"
	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/observe"
	"github.com/org/openclaw-litellm-action/secret"
)

// live is a real proxy, its PostgreSQL, and one logical key of the test's own on it. The environment names them:
//
//	LITELLM_LIVE             VERSION=URL[,…]
//	LITELLM_LIVE_MASTER_KEY  of all of them
//	LITELLM_LIVE_DATABASE    VERSION=postgres URL[,…]; psql must be there
type live struct {
	*testing.T
	*litellm.Client
	version, database string
	holder            observe.Holder
	cost              decimal.Decimal // of the calls made, as their answers told
}

func onLive(t *testing.T, f func(l *live)) {
	if os.Getenv("LITELLM_LIVE") == "" {
		t.Skip("LITELLM_LIVE names no real proxy")
	}
	for entry := range strings.SplitSeq(os.Getenv("LITELLM_LIVE"), ",") {
		version, url, _ := strings.Cut(entry, "=")
		t.Run(version, func(t *testing.T) {
			l := &live{T: t, version: version, Client: &litellm.Client{BaseURL: url, Key: secret.New(os.Getenv("LITELLM_LIVE_MASTER_KEY"))}}
			for entry := range strings.SplitSeq(os.Getenv("LITELLM_LIVE_DATABASE"), ",") {
				if v, url, _ := strings.Cut(entry, "="); v == version {
					l.database = url
				}
			}
			name := "live-observe-" + random(4)
			l.holder = observe.Holder{Key: name, UserID: "openclaw-litellm/" + name}
			t.Cleanup(func() { _ = l.DeleteUser(context.Background(), l.holder.UserID) })
			l.must(l.CreateUser(t.Context(), l.holder.UserID, litellm.Fields{"max_budget": 500, "budget_duration": "1mo"}))
			f(l)
		})
	}
}

func random(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	return hex.EncodeToString(b)
}

func (l *live) must(err error) {
	l.Helper()
	if err != nil {
		l.Fatal(err)
	}
}

// key makes a generation of the logical key.
func (l *live) key(models ...string) secret.Value {
	l.Helper()
	v := secret.New("sk-live-" + random(16))
	l.must(l.GenerateKey(l.Context(), litellm.NewKey{Value: v, Fields: litellm.Fields{"user_id": l.holder.UserID, "models": models}}))
	return v
}

// call makes calls with a key and adds what they cost.
func (l *live) call(v secret.Value, models ...string) {
	l.Helper()
	for _, m := range models {
		r, err := l.Chat(l.Context(), v, m, 20)
		l.must(err)
		l.cost = l.cost.Add(r.Cost)
	}
}

// sql returns the rows that a query gives, each as its columns.
func (l *live) sql(format string, args ...any) [][]string {
	l.Helper()
	if _, err := exec.LookPath("psql"); err != nil || l.database == "" {
		l.Skip("LITELLM_LIVE_DATABASE does not name this proxy's PostgreSQL, or there is no psql")
	}
	out, err := exec.CommandContext(l.Context(), "psql", "-v", "ON_ERROR_STOP=1", "-qAt", "-d", l.database, "-c", fmt.Sprintf(format, args...)).CombinedOutput()
	if err != nil {
		l.Fatalf("psql: %v: %s", err, out)
	}
	var rows [][]string
	for line := range strings.Lines(string(out)) {
		rows = append(rows, strings.Split(strings.TrimSpace(line), "|"))
	}
	return rows
}

// runSQL runs statements, each by itself.
func runSQL(database string, statements ...string) error {
	for _, s := range statements {
		if out, err := exec.Command("psql", "-v", "ON_ERROR_STOP=1", "-qAt", "-d", database, "-c", s).CombinedOutput(); err != nil {
			return fmt.Errorf("psql: %w: %s", err, out)
		}
	}
	return nil
}

// same holds a figure against what SQL says of the table that it names, to a billionth of a dollar.
func (l *live) same(what, got, want string) {
	l.Helper()
	g, err := decimal.NewFromString(got)
	w, err2 := decimal.NewFromString(want)
	if err != nil || err2 != nil || g.Sub(w).Abs().GreaterThan(decimal.New(1, -9)) {
		l.Errorf("%s is %s, SQL says %s", what, got, want)
	}
}

// settle waits until the proxy has written n rows at least and counted what the calls cost, and what it has written no longer
// changes. LITELLM_LIVE_FLUSH says how many seconds apart it writes, where that is not one.
func (l *live) settle(n int) {
	l.Helper()
	flush := 1
	_, _ = fmt.Sscan(os.Getenv("LITELLM_LIVE_FLUSH"), &flush)
	quiet := time.Duration(flush)*time.Second + 4*time.Second
	state := func() string {
		return fmt.Sprint(l.sql(`SELECT (SELECT count(*) FROM "LiteLLM_SpendLogs" WHERE "user" = '%[1]s'),
			(SELECT round(spend::numeric, 6) FROM "LiteLLM_UserTable" WHERE user_id = '%[1]s'),
			(SELECT coalesce(sum(api_requests), 0) FROM "LiteLLM_DailyUserSpend" WHERE user_id = '%[1]s')`, l.holder.UserID))
	}
	before, since := "", time.Now()
	rows, spend := 0, ""
	for start := time.Now(); time.Since(start) < 90*time.Second; time.Sleep(500 * time.Millisecond) {
		if now := state(); now != before {
			before, since = now, time.Now()
		}
		if _, err := fmt.Sscanf(before, "[[%d %s", &rows, &spend); err != nil || rows < n || time.Since(since) < quiet {
			continue
		}
		if got, err := decimal.NewFromString(spend); err == nil && got.Sub(l.cost).Abs().LessThan(decimal.New(1, -5)) {
			return
		}
	}
	l.Fatalf("not settled: %s", before)
}

func (l *live) observer(models ...string) observe.Observer {
	return observe.Observer{Client: l.Client, Rows: 1000, Configured: true, Keys: []observe.Asker{
		{Name: l.holder.Key, Holder: l.holder.UserID, Models: models},
	}}
}

// facts reads everything that there is about the key.
func (l *live) facts(o observe.Observer) (budget.Facts, failover.Facts) {
	l.Helper()
	for start := time.Now(); time.Since(start) < time.Minute; time.Sleep(time.Second) { // 106 says for 30 s that its database was slow
		if r, err := l.Readiness(l.Context()); err == nil && r.Ready {
			break
		}
	}
	now := time.Now()
	f, err := o.Spend(l.Context(), l.holder)
	l.must(err)
	seen := o.Look(l.Context(), now)
	if f.Recent = seen.Recent[l.holder.Key]; f.Recent == nil {
		l.Fatalf("the rows were not read: %+v", seen.Failover)
	}
	l.must(o.Activity(l.Context(), &f, l.holder, now.AddDate(0, 0, -40), now))
	return f, seen.Failover
}

// TestLiveFiguresEqualSQL generates traffic (several keys and models, fallbacks, failures, repeated prompts that a cache
// answers where there is one, a rotation in the middle with the old key deleted, and more than a hundred keys at once) and
// holds every figure against SQL over the table that the figure names as its source.
func TestLiveFiguresEqualSQL(t *testing.T) {
	onLive(t, func(l *live) {
		l.Parallel()
		const crowd = 120
		models := []string{"primary", "backup", "cheap", "free", "cooled"}
		first := l.key(models...)
		l.call(first, "backup", "backup", "primary", "cheap")
		l.ask(first, "cheap", litellm.Fields{"metadata": litellm.Fields{"tags": []string{"nightly", "team-a"}}})
		if _, err := l.Chat(l.Context(), first, "no-such-model", 20); err == nil {
			l.Fatal("a model that is not there answered")
		}
		for range 2 {
			if _, err := l.Chat(l.Context(), first, "cooled", 20); err == nil {
				l.Fatal("a model whose provider refuses every call answered")
			}
		}
		cached := l.ask(first, "backup", useCache) == "" && l.ask(first, "backup", useCache) != ""
		second := l.key(models...)
		l.call(second, "backup", "primary")
		l.settle(10) // the row of a model that is not there names nobody on 1.81
		l.must(l.DeleteKey(l.Context(), first.SHA256()))
		l.call(second, "backup", "primary", "primary")
		for range 2 {
			l.ask(second, "backup", useCache)
		}
		l.ask(second, "backup", litellm.Fields{"user": "eve", "metadata": litellm.Fields{"tags": []string{"team-a"}}})
		l.ask(second, "cheap", litellm.Fields{"user": "bob"})
		l.ask(second, "free", litellm.Fields{"user": "bob"})
		l.others()
		keys := make([]secret.Value, crowd)
		for i := range keys {
			keys[i] = l.key("backup")
		}
		l.atOnce(keys)
		l.settle(19 + crowd)

		f, model := l.facts(l.observer(models...))
		l.window(f)
		l.days(f)
		l.parts(f)
		l.cacheHits(cached)
		l.recent(f)
		l.fallbacks(model)
		l.models(f, model)
		l.disagreement(f)
		l.Logf("%d requests to the proxy in all; calls cost %s, the budget holds %s", l.Requests(), l.cost, f.Spend)
	})
}

// atOnce makes one call with each key, forty at a time.
func (l *live) atOnce(keys []secret.Value) {
	l.Helper()
	work := make(chan secret.Value)
	var wg sync.WaitGroup
	var mu sync.Mutex
	for range 40 {
		wg.Go(func() {
			for v := range work {
				r, err := l.Chat(l.Context(), v, "backup", 20)
				mu.Lock()
				if err != nil {
					l.Error(err)
				} else {
					l.cost = l.cost.Add(r.Cost)
				}
				mu.Unlock()
			}
		})
	}
	for _, v := range keys {
		work <- v
	}
	close(work)
	wg.Wait()
}

func (l *live) window(f budget.Facts) {
	l.Helper()
	row := l.sql(`SELECT spend, max_budget FROM "LiteLLM_UserTable" WHERE user_id = '%s'`, l.holder.UserID)[0]
	l.same("the spend of the window ("+f.Source+")", f.Spend.String(), row[0])
	l.same("the limit", f.Limit.Decimal.String(), row[1])
	if !f.Spend.IsPositive() || len(f.Generations) == 0 {
		l.Errorf("facts are %+v", f)
	}
}

func (l *live) days(f budget.Facts) {
	l.Helper()
	days := l.sql(`SELECT date, sum(spend), sum(api_requests), sum(failed_requests) FROM "LiteLLM_DailyUserSpend"
		WHERE %s GROUP BY date ORDER BY date`, l.ours())
	if len(days) != len(f.Days) || len(days) == 0 {
		l.Fatalf("%d days, SQL says %d", len(f.Days), len(days))
	}
	for i, d := range f.Days {
		l.same(d.Date+" spend ("+f.DaysSource+")", d.Spend.String(), days[i][1])
		l.same(d.Date+" requests", fmt.Sprint(d.Requests), days[i][2])
		l.same(d.Date+" failures", fmt.Sprint(d.Failed), days[i][3])
	}
	for _, row := range l.sql(`SELECT name COLLATE "C", sum(spend), sum(api_requests), sum(prompt_tokens + completion_tokens) FROM
		(SELECT coalesce(nullif(model_group, ''), model) AS name, * FROM "LiteLLM_DailyUserSpend" WHERE %s) rows
		GROUP BY 1 ORDER BY 1`, l.ours()) {
		i := slices.IndexFunc(f.Models, func(m budget.ModelSpend) bool { return m.Model == row[0] })
		if i < 0 { // models that are not there and cost nothing have no group in sums before 1.106
			l.same("what was left out, "+row[0], "0", row[1])
			continue
		}
		m := f.Models[i]
		l.same(m.Model+" spend", m.Spend.String(), row[1])
		l.same(m.Model+" requests", fmt.Sprint(m.Requests), row[2])
		l.same(m.Model+" tokens", fmt.Sprint(m.Tokens), row[3])
	}
}

// ours selects the daily rows of the logical key. 1.81 cannot filter by user, so that there they are those of its keys, the
// deleted ones included; a refused request of one of them has no user.
func (l *live) ours() string {
	if !strings.HasPrefix(l.version, "1.81.") {
		return fmt.Sprintf("user_id = '%s'", l.holder.UserID)
	}
	return l.tokens()
}

func (l *live) recent(f budget.Facts) {
	l.Helper()
	row := l.sql(`SELECT count(*), coalesce(sum(spend), 0), count(*) FILTER (WHERE status = 'failure'), sum(total_tokens) FILTER (WHERE status <> 'failure'),
		max(spend) FROM "LiteLLM_SpendLogs" WHERE "user" = '%s'`, l.holder.UserID)[0]
	spend, failed, tokens, dearest := decimal.Zero, 0, int64(0), decimal.Zero
	for _, q := range f.Recent.Requests {
		spend, dearest = spend.Add(q.Spend), decimal.Max(dearest, q.Spend)
		if q.Failed {
			failed++
		} else {
			tokens += q.Tokens
		}
	}
	what := " (" + f.Recent.Source + ")"
	l.same("requests"+what, fmt.Sprint(len(f.Recent.Requests)), row[0])
	l.same("spend"+what, spend.String(), row[1])
	l.same("failures"+what, fmt.Sprint(failed), row[2])
	l.same("tokens"+what, fmt.Sprint(tokens), row[3])
	l.same("the dearest request"+what, dearest.String(), row[4])
	top, err := l.observer().Dearest(l.Context(), l.holder, time.Now().Add(-time.Hour), time.Now().Add(time.Minute), 3)
	l.must(err)
	if len(top) != 3 {
		l.Fatalf("the dearest three are %+v", top)
	}
	l.same("the first of the dearest"+what, top[0].Spend.String(), row[4])
}

// fallbacks holds what is recorded against SQL. Releases that record nothing infer nothing here: the keys may ask for both.
func (l *live) fallbacks(f failover.Facts) {
	l.Helper()
	rows := l.sql(`SELECT count(*), coalesce(sum(spend), 0) FROM "LiteLLM_SpendLogs" WHERE "user" = '%s' AND status = 'success'
		AND coalesce((metadata->>'attempted_fallbacks')::int, 0) > 0`, l.holder.UserID)
	got, spend := int64(0), decimal.Zero
	for _, s := range f.Served {
		if s.Primary == "primary" && len(s.Keys) == 1 && s.Keys[0] == l.holder.Key {
			got, spend = s.Requests, s.Spend
		}
	}
	if others := l.sql(`SELECT count(*) FROM "LiteLLM_SpendLogs" WHERE coalesce((metadata->>'attempted_fallbacks')::int, 0) > 0
		AND "user" <> '%s' AND "startTime" > now() AT TIME ZONE 'UTC' - interval '1 hour'`, l.holder.UserID)[0][0]; others != "0" {
		l.Logf("others' requests fell back as well (%s), so that the count is not compared", others)
		return
	}
	l.same("requests served by a fallback ("+f.Source+")", fmt.Sprint(got), rows[0][0])
	l.same("what they cost", spend.String(), rows[0][1])
}
