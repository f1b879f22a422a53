package observe_test

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/org/openclaw-litellm-action/budget"
)

// TestLiveCostsTheSameWithAMillionRows reads all that a check reads with a thousand rows of the month in the log and with a
// million, the newest hours being equal. It fills a database, and so runs only if LITELLM_LIVE_ROWS says how many rows.
func TestLiveCostsTheSameWithAMillionRows(t *testing.T) {
	rows := 0
	if _, err := fmt.Sscan(os.Getenv("LITELLM_LIVE_ROWS"), &rows); err != nil {
		t.Skip("LITELLM_LIVE_ROWS does not say how many rows to insert, such as 1000000")
	}
	onLive(t, func(l *live) {
		v := l.key("backup")
		l.call(v, "backup", "backup", "backup")
		l.settle(3)
		l.Cleanup(func() { l.forget() })
		l.insert(v.SHA256(), 0, 1000)
		few := l.timed()
		l.insert(v.SHA256(), 1000, rows)
		many := l.timed()
		ratio := float64(many.took) / float64(few.took)
		l.Logf("with 1,000 rows %s, with %d rows %s: ratio %.2f; %d and %d requests", few.took, rows, many.took, ratio, few.requests, many.requests)
		if ratio > 1.2 || few.requests != many.requests {
			l.Errorf("more rows cost more")
		}
	})
}

// insert writes rows from number from up to number to, spread over the month before the last seven hours, as LiteLLM would.
func (l *live) insert(token string, from, to int) {
	l.Helper()
	l.sql(`INSERT INTO "LiteLLM_SpendLogs" (request_id, call_type, api_key, spend, total_tokens, prompt_tokens, completion_tokens,
		"startTime", "endTime", model, model_id, model_group, custom_llm_provider, api_base, "user", metadata, cache_hit, cache_key, request_tags, status)
		SELECT '%[1]s-' || n, 'acompletion', '%[2]s', 0.05, 30, 10, 20, at, at, 'openai/fake2', 'x', 'backup', 'openai', '', '%[1]s',
		'{"status": null, "user_api_key": "x"}', 'None', 'Cache OFF', '[]', 'success' FROM
		(SELECT n, now() AT TIME ZONE 'UTC' - interval '7 hours' - (n %% 2000000) * interval '1.2 seconds' AS at FROM generate_series(%[3]d, %[4]d - 1) n) made`,
		l.holder.UserID, token, from, to)
	l.sql(`ANALYZE "LiteLLM_SpendLogs"`)
}

// forget takes them away again.
func (l *live) forget() {
	if l.database != "" {
		_ = runSQL(l.database, fmt.Sprintf(`DELETE FROM "LiteLLM_SpendLogs" WHERE "user" = '%s'`, l.holder.UserID), `VACUUM ANALYZE "LiteLLM_SpendLogs"`)
	}
}

type timing struct {
	took     time.Duration
	requests int64
}

// timed is the least of what reading everything takes: what else the machine does can only add to it.
func (l *live) timed() timing {
	l.Helper()
	var all []time.Duration
	o := l.observer("backup")
	o.Rows = 0
	var made int64
	for range 25 {
		before, start := l.Requests(), time.Now()
		f, err := o.Spend(l.Context(), l.holder)
		l.must(err)
		now := time.Now()
		f.Recent = o.Look(l.Context(), now).Recent[l.holder.Key]
		l.must(o.Activity(l.Context(), &f, l.holder, now.AddDate(0, 0, -28), now))
		budget.Check(f, budget.Policy{BurnRate: true}, now)
		all = append(all, time.Since(start))
		made = l.Requests() - before
		time.Sleep(50 * time.Millisecond)
	}
	return timing{slices.Min(all), made}
}
