package observe_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/budget"
	"github.com/org/openclaw-litellm-action/failover"
	"github.com/org/openclaw-litellm-action/finding"
	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/secret"
)

// useCache lets LiteLLM's own cache answer, where the proxy has one (testdata/litellm.yaml).
var useCache = litellm.Fields{"cache": litellm.Fields{"use-cache": true}}

// ask calls a model as an agent would, with fields of its own, and adds what it cost. It returns the key of the answer in
// LiteLLM's cache, "" if that did not answer: what it answers costs nothing, although its header tells a cost.
func (l *live) ask(v secret.Value, model string, more litellm.Fields) (cacheKey string) {
	l.Helper()
	body := litellm.Fields{"model": model, "max_tokens": 20, "messages": []any{litellm.Fields{"role": "user", "content": "of " + l.holder.Key}}}
	for name, value := range more {
		body[name] = value
	}
	raw, err := json.Marshal(body)
	l.must(err)
	req, err := http.NewRequestWithContext(l.Context(), http.MethodPost, l.BaseURL+"/v1/chat/completions", bytes.NewReader(raw))
	l.must(err)
	req.Header.Set("Authorization", "Bearer "+v.Reveal())
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	l.must(err)
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		l.Fatalf("calling %s: %s", model, resp.Status)
	}
	cacheKey = resp.Header.Get("X-Litellm-Cache-Key")
	if cost, err := decimal.NewFromString(resp.Header.Get("X-Litellm-Response-Cost")); err == nil && cacheKey == "" {
		l.cost = l.cost.Add(cost)
	}
	time.Sleep(300 * time.Millisecond) // 1.81 takes the end user of a key's last call for who names none, in any order
	return cacheKey
}

// parts holds spend by tag and by end user against SQL.
func (l *live) parts(f budget.Facts) {
	l.Helper()
	left, err := l.observer().Parts(l.Context(), &f, 1000)
	l.must(err)
	active := l.sql(`SELECT count(DISTINCT api_key) FROM "LiteLLM_DailyUserSpend" WHERE user_id = '%s'`, l.holder.UserID)[0][0]
	l.same("virtual keys with spend by day", fmt.Sprint(len(f.Tokens)), active) // 1.81 loses some of a crowd
	if left != 0 || len(f.Tokens) < 80 {
		l.Errorf("%d virtual keys, %d left out", len(f.Tokens), left)
	}
	for _, d := range []struct {
		what, table, column string
		of                  func(budget.Day) []budget.ModelSpend
		least               int
	}{
		{"tag", "LiteLLM_DailyTagSpend", "tag", func(d budget.Day) []budget.ModelSpend { return d.Tags }, 2},
		{"end user", "LiteLLM_DailyEndUserSpend", "end_user_id", func(d budget.Day) []budget.ModelSpend { return d.EndUsers }, 2},
	} {
		got := map[string]budget.ModelSpend{}
		for _, day := range f.Days {
			for _, m := range d.of(day) {
				got[day.Date+" "+m.Model] = m
			}
		}
		rows := l.sql(`SELECT date || ' ' || %[2]s, sum(spend), sum(api_requests), sum(failed_requests), sum(prompt_tokens + completion_tokens)
			FROM "%[1]s" WHERE %[2]s NOT LIKE 'User-Agent: %%' AND coalesce(%[2]s, '') <> '' AND %[3]s GROUP BY 1`, d.table, d.column, l.tokens())
		if len(rows) != len(got) || len(rows) < d.least {
			l.Errorf("%d sums by %s, SQL says %d: %v", len(got), d.what, len(rows), got)
		}
		for _, row := range rows {
			m := got[row[0]]
			l.same(row[0]+" spend", m.Spend.String(), row[1])
			l.same(row[0]+" requests", fmt.Sprint(m.Requests), row[2])
			l.same(row[0]+" failures", fmt.Sprint(m.Failed), row[3])
			l.same(row[0]+" tokens", fmt.Sprint(m.Tokens), row[4])
		}
	}
}

// tokens selects the rows of the logical key's virtual keys, the deleted ones included.
func (l *live) tokens() string {
	return fmt.Sprintf(`api_key IN (SELECT token FROM "LiteLLM_VerificationToken" WHERE user_id = '%[1]s'
		UNION SELECT token FROM "LiteLLM_DeletedVerificationToken" WHERE user_id = '%[1]s')`, l.holder.UserID)
}

// cacheHits holds what the cache answered, and what that saved by the proxy's own prices, against SQL.
func (l *live) cacheHits(cached bool) {
	l.Helper()
	if !cached {
		l.Log("this proxy caches no answers: start it with observe/testdata/litellm.yaml")
		return
	}
	o := l.observer()
	prices, err := o.Prices(l.Context())
	l.must(err)
	hits, err := o.CacheHits(l.Context(), l.holder, time.Now().Add(-time.Hour), time.Now().Add(time.Minute), 1000, prices)
	l.must(err)
	row := l.sql(`SELECT count(*), coalesce(sum(prompt_tokens * 0.001 + completion_tokens * 0.002), 0), coalesce(sum(spend), 0)
		FROM "LiteLLM_SpendLogs" WHERE "user" = '%s' AND cache_hit = 'True' AND model_group = 'backup'`, l.holder.UserID)[0]
	l.same("answers from the cache", fmt.Sprint(hits.Requests), row[0])
	l.same("what they saved", hits.Saved.String(), row[1])
	l.same("what they cost", "0", row[2])
	if hits.Requests != 3 || hits.Unpriced != 0 || hits.Cut {
		l.Errorf("the cache answered %+v, three requests were repeated", hits)
	}
}

// disagreement holds the finding about sources that differ against SQL: first for what they differ by themselves (1.81
// drops daily rows of more than a hundred keys at once), then with a known amount on top.
func (l *live) disagreement(f budget.Facts) {
	l.Helper()
	difference := func() string {
		return l.sql(`SELECT (SELECT spend FROM "LiteLLM_UserTable" WHERE user_id = '%[1]s')::numeric - coalesce(sum(spend), 0)::numeric
			FROM "LiteLLM_DailyUserSpend" WHERE %[2]s`, l.holder.UserID, l.ours())[0][0]
	}
	stated := func() string {
		again, err := l.observer().Spend(l.Context(), l.holder)
		l.must(err)
		f.Spend = again.Spend
		found := budget.Check(f, budget.Policy{}, time.Now().Add(10*time.Minute))
		i := slices.IndexFunc(found, func(g finding.Finding) bool { return g.Rule == budget.RuleDisagree })
		if i < 0 {
			return ""
		}
		if found[i].Severity != finding.Info {
			l.Errorf("found %+v", found[i])
		}
		_, amount, _ := strings.Cut(found[i].Summary, "differ by ")
		return strings.TrimSuffix(amount, " USD")
	}
	own := decimal.RequireFromString(difference())
	l.Logf("the budget and the daily sums differ by %s USD by themselves", own.Round(9))
	switch told := stated(); {
	case told != "":
		l.same("what the sources differ by themselves", told, own.Abs().String())
	case own.Abs().GreaterThan(f.Spend.Mul(decimal.New(1, -2))) && own.Abs().GreaterThan(decimal.New(1, -2)):
		l.Errorf("sources that differ by %s are not told", own)
	}
	l.sql(`UPDATE "LiteLLM_UserTable" SET spend = spend + 3.25 WHERE user_id = '%s'`, l.holder.UserID)
	if told := stated(); told == "" {
		l.Errorf("sources that differ by %s are not told", difference())
	} else {
		l.same("the difference", told, difference())
	}
}

// others makes what is no agent's request: a call of the management key, and the proxy's own health checks.
func (l *live) others() {
	l.Helper()
	if _, err := l.Chat(l.Context(), l.Key, "backup", 20); err != nil {
		l.Error(err)
	}
	req, err := http.NewRequestWithContext(l.Context(), http.MethodGet, l.BaseURL+"/health", nil)
	l.must(err)
	req.Header.Set("Authorization", "Bearer "+l.Key.Reveal())
	resp, err := http.DefaultClient.Do(req)
	l.must(err)
	resp.Body.Close()
}

// models holds the requests that models answered, the management key's included and health checks not, against SQL, and wants
// the model without a price told, and no other.
func (l *live) models(f budget.Facts, seen failover.Facts) {
	l.Helper()
	if len(seen.Gaps) == 0 || !strings.Contains(gapsOf(seen.Gaps), "only the newest") {
		l.same("requests answered ("+seen.Source+")", fmt.Sprint(seen.Requests), l.sql(`SELECT count(*) FROM "LiteLLM_SpendLogs" WHERE status = 'success'
			AND coalesce(model_group, '') <> '' AND api_key <> 'litellm-internal-health-check' AND coalesce(metadata->>'user_api_key_alias', '') <> 'litellm-internal-health-check'
			AND "startTime" > now() AT TIME ZONE 'UTC' - interval '1 hour'`)[0][0])
	}
	found := budget.Check(f, budget.Policy{}, time.Now())
	i := slices.IndexFunc(found, func(g finding.Finding) bool { return g.Rule == budget.RuleUnpriced })
	if i < 0 || found[i].Level != "free" {
		l.Errorf("found %+v, want the model without a price", found)
	}
}
