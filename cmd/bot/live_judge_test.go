package main

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/github/githubtest"
	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/rotate"
	"github.com/org/openclaw-litellm-action/secret"
)

// TestLiveJudges is what a user gets told of a real proxy, story by story. It runs by itself: a fallback here is a finding of
// every key on the proxy.
func TestLiveJudges(t *testing.T) {
	proxies := live(t)
	bin := buildBot(t)
	for _, p := range proxies {
		t.Run(p.version, func(t *testing.T) {
			t.Parallel()
			t.Run("reading-key", func(t *testing.T) { liveReadingKey(liveSite(t, bin, p, "reading-key"), p) })
			t.Run("probe", func(t *testing.T) { liveProbe(liveSite(t, bin, p, "probe"), p) })
			t.Run("export", func(t *testing.T) { liveExport(liveSite(t, bin, p, "export"), p) })
		})
	}
}

// liveReadingKey judges and reports with a key that may only read: nothing is left out for want of rights, every figure of
// the report equals SQL, and rotation is refused.
func liveReadingKey(s *site, p liveProxy) {
	ctx := context.Background()
	s.must("rotate")
	v := s.key()
	s.answers(v, v, v)
	s.flushed()
	user := s.name + "-reader"
	s.Cleanup(func() { _ = s.look.DeleteUser(ctx, user) })
	reading := secret.New("sk-reading-" + s.name)
	err := s.look.CreateUser(ctx, user, litellm.Fields{"user_role": "proxy_admin"})
	if err == nil {
		err = s.look.GenerateKey(ctx, litellm.NewKey{Value: reading, Fields: litellm.Fields{"user_id": user, "allowed_routes": readRoutes()}})
	}
	if err != nil {
		s.Fatal(err)
	}
	s.env["LITELLM_MASTER_KEY"] = reading.Reveal()
	for _, args := range [][]string{{"check", "--dry-run"}, {"check", "--dry-run", "--alert-forecast", "120%"}, {"report", "--period", "day", "--format", "json", "--dry-run"},
		{"report", "--period", "week", "--format", "html", "--dry-run"}, {"report", "--period", "month", "--format", "csv", "--dry-run"}} {
		r := s.must(args...)
		if len(r.writes) > 0 || strings.Contains(r.out+r.errors, "forbidden") || strings.Contains(r.out, "not told in full") || strings.Contains(r.out, "is not judged") {
			s.Errorf("with a reading key: %s", r)
		}
		s.Logf("%s: %d requests", strings.Join(args, " "), r.requests)
	}
	if r := s.bot("rotate", "--now"); r.code == exitOK || len(s.rows()) != 1 {
		s.Errorf("a reading key rotated: %s", r)
	}
	p.needsDatabase(s)
	const before = "1.234567891"
	p.sql(s, fmt.Sprintf(`INSERT INTO "LiteLLM_DailyUserSpend" (id, user_id, date, api_key, model, model_group, custom_llm_provider, prompt_tokens, completion_tokens,
		spend, api_requests, successful_requests, failed_requests, updated_at) VALUES ('%[1]s', '%[2]s', '%[3]s', '%[4]s', 'openai/fake2', 'backup', 'openai', 1, 2, %[5]s, 3, 3, 0, now())`,
		s.name, rotate.HolderID(s.name), time.Now().UTC().AddDate(0, 0, -1).Format(time.DateOnly), v.SHA256(), before))
	var told struct {
		Overview struct {
			Total struct {
				Spend    decimal.Decimal `json:"spend"`
				Before   decimal.Decimal `json:"before"`
				Change   decimal.Decimal `json:"change_percent"`
				Requests int64           `json:"requests"`
				Tokens   int64           `json:"tokens"`
			} `json:"total"`
		} `json:"overview"`
	}
	if err := json.Unmarshal([]byte(s.must("report", "--period", "day", "--format", "json", "--dry-run").out), &told); err != nil {
		s.Fatal(err)
	}
	sql := p.sql(s, fmt.Sprintf(`SELECT coalesce(sum(spend), 0), coalesce(sum(api_requests), 0), coalesce(sum(prompt_tokens + completion_tokens), 0)
		FROM "LiteLLM_DailyUserSpend" WHERE user_id = '%s' AND date = '%s'`, rotate.HolderID(s.name), time.Now().UTC().Format(time.DateOnly)))
	columns := strings.Split(sql, "|")
	if t := told.Overview.Total; usd(columns[0]).Sub(t.Spend).Abs().GreaterThan(decimal.New(1, -9)) || columns[1] != fmt.Sprint(t.Requests) || columns[2] != fmt.Sprint(t.Tokens) ||
		!t.Spend.IsPositive() || !t.Before.Equal(usd(before)) || !t.Change.Equal(t.Spend.Sub(t.Before).Mul(usd("100")).DivRound(t.Before, 1)) {
		s.Errorf("the report says %+v, SQL %s, and %s the day before", t, sql, before)
	}
}

// liveProbe calls models through the key itself, from its file: the fallback is told as probed, on every release, and what the
// calls cost.
func liveProbe(s *site, _ liveProxy) {
	file := filepath.Join(s.dir, "litellm.key")
	s.env["OPENCLAW_LITELLM_KEY_FILE"] = file
	s.env["OPENCLAW_LITELLM_MODELS"] = "primary,backup"
	s.places = []place{{"file", func() secret.Value {
		text, _ := os.ReadFile(file)
		return secret.New(strings.TrimSpace(string(text)))
	}}, s.secretAt("repository", githubtest.Scope{Repository: testRepository})}
	s.must("rotate")
	// As an agent's cache would have it: a probe must not be answered by what was answered before.
	s.answers(s.key())
	r := s.must("check", "--probe")
	words := strings.Join(strings.Fields(r.out), " ")
	for _, want := range []string{"primary did not answer a call; its fallback backup did", "probing made 2 calls, which cost 0.1"} {
		if !strings.Contains(words, want) {
			s.Errorf("the check does not say %q: %s", want, r)
		}
	}
	if r := s.bot("check", "--probe", "--fail-on", "warning"); r.code != exitFinding {
		s.Errorf("with a primary that does not answer, --fail-on warning exits with %d: %s", r.code, r)
	}
}

// liveExport reports on an export of the key's spend logs, plain and packed, without a credential: its figures equal SQL.
func liveExport(s *site, p liveProxy) {
	s.must("rotate")
	v := s.key()
	s.answers(v, v, v)
	if _, err := s.look.Chat(context.Background(), v, "no-such-model", 20); err == nil {
		s.Error("a model that is not there answered")
	}
	s.flushed()
	p.needsDatabase(s)
	day := time.Now().UTC()
	address := fmt.Sprintf("%s/spend/logs?api_key=%s&start_date=%s&end_date=%s&summarize=false", p.url, v.SHA256(), day.AddDate(0, 0, -1).Format(time.DateOnly),
		day.AddDate(0, 0, 1).Format(time.DateOnly))
	var export []byte
	for range 40 {
		req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, address, nil)
		if err != nil {
			s.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+p.master.Reveal())
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			s.Fatal(err)
		}
		export, _ = io.ReadAll(resp.Body)
		resp.Body.Close()
		if strings.Count(string(export), `"request_id"`) >= 4 {
			break
		}
		time.Sleep(500 * time.Millisecond)
	}
	plain, packed := filepath.Join(s.dir, "logs.json"), filepath.Join(s.dir, "logs.json.gz")
	f, err := os.Create(packed)
	if err != nil {
		s.Fatal(err)
	}
	w := gzip.NewWriter(f)
	_, err = w.Write(export)
	if err == nil {
		err = w.Close()
	}
	if err == nil {
		err = os.WriteFile(plain, export, 0o600)
	}
	if f.Close() != nil || err != nil {
		s.Fatal(err)
	}
	row := strings.Split(p.sql(s, fmt.Sprintf(`SELECT count(*), sum(spend), sum(total_tokens), count(*) FILTER (WHERE status = 'failure')
		FROM "LiteLLM_SpendLogs" WHERE api_key = '%s'`, v.SHA256())), "|")
	for _, name := range []string{"LITELLM_MASTER_KEY", "LITELLM_BASE_URL", "GITHUB_TOKEN", "SECRETS_TOKEN", "SLACK_BOT_TOKEN", "SLACK_CHANNEL",
		"OPENCLAW_LITELLM_ISSUE_REPOSITORY", "OPENCLAW_LITELLM_MAX_BUDGET", "OPENCLAW_LITELLM_BUDGET_DURATION"} {
		delete(s.env, name)
	}
	for _, name := range []string{plain, packed} {
		var told struct {
			Logs struct {
				Rows  int64 `json:"rows"`
				Lost  int64 `json:"rows_lost"`
				Total struct {
					Spend          decimal.Decimal `json:"spend"`
					Failed, Tokens int64
				} `json:"total"`
			} `json:"spend_logs"`
		}
		if err := json.Unmarshal([]byte(s.must("report", "--spend-logs", name, "--strict", "--format", "json").out), &told); err != nil {
			s.Fatal(err)
		}
		l := told.Logs
		if fmt.Sprint(l.Rows) != row[0] || usd(row[1]).Sub(l.Total.Spend).Abs().GreaterThan(decimal.New(1, -9)) || fmt.Sprint(l.Total.Tokens) != row[2] ||
			fmt.Sprint(l.Total.Failed) != row[3] || l.Lost != 0 || l.Rows < 4 {
			s.Errorf("%s: %+v, SQL says %v", filepath.Base(name), l, row)
		}
	}
	if r := s.bot("report", "--spend-logs", plain, "--max-budget", "0.1", "--fail-on", "critical"); r.code != exitFinding {
		s.Errorf("as a gate over a budget of 0.10 USD it exits with %d: %s", r.code, r)
	}
}
