package litellm_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/secret"
	"github.com/shopspring/decimal"
)

// ask calls backup as an agent would, with fields of its own, and returns the answer's headers.
func (w *world) ask(t *testing.T, key secret.Value, more litellm.Fields) http.Header {
	t.Helper()
	body := litellm.Fields{"model": "backup", "max_tokens": 20, "messages": []any{litellm.Fields{"role": "user", "content": "hello"}}}
	for name, v := range more {
		body[name] = v
	}
	raw, err := json.Marshal(body)
	wantNil(t, err)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.BaseURL+"/v1/chat/completions", bytes.NewReader(raw))
	wantNil(t, err)
	req.Header.Set("Authorization", "Bearer "+key.Reveal())
	req.Header.Set("Content-Type", "application/json")
	client := w.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(req)
	wantNil(t, err)
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("calling backup: %s", resp.Status)
	}
	w.pass(time.Second)
	return resp.Header
}

// The spend of a key is told by tag, each of several, and by end user; other keys' is not, and a deleted key's is.
func breakdown(t *testing.T, w *world) {
	ctx := t.Context()
	id := w.user(t, "breakdown", nil)
	key, other := w.key(t, litellm.Fields{"user_id": id}), w.key(t, litellm.Fields{"user_id": id})
	tags := func(names ...string) litellm.Fields { return litellm.Fields{"tags": names} }
	alpha, beta, eve := w.name("alpha"), w.name("beta"), w.name("eve")
	w.ask(t, key, litellm.Fields{"metadata": tags(alpha)}) // first: 1.81 takes the end user of a key's last call for who names none
	w.ask(t, key, litellm.Fields{"metadata": tags(alpha, beta), "user": eve})
	w.ask(t, other, litellm.Fields{"metadata": tags(alpha), "user": eve})
	rows := w.rows(t, w.lastHour(key.SHA256()), 2)
	if !slices.Contains(rows[1].Tags, alpha) || !slices.Contains(rows[1].Tags, beta) || rows[1].EndUser != eve || rows[0].EndUser != "" {
		t.Errorf("%+v", rows)
	}
	today := w.now().UTC().Format(time.DateOnly)
	q := litellm.ActivityQuery{From: today, To: w.now().UTC().AddDate(0, 0, 1).Format(time.DateOnly), Token: key.SHA256()}
	check := func(d litellm.Dimension, want map[string]decimal.Decimal) func() error {
		return func() error {
			days, err := w.Breakdown(ctx, d, q)
			if err != nil {
				return err
			}
			got := map[string]decimal.Decimal{}
			for _, day := range days {
				for name, m := range day {
					got[name] = got[name].Add(m.Spend)
				}
			}
			for name, spend := range want {
				if !same(got[name], spend) {
					return fmt.Errorf("by %s: %v, want %v", d, got, want)
				}
			}
			return nil
		}
	}
	byTag := check(litellm.ByTag, map[string]decimal.Decimal{alpha: rows[0].Spend.Add(rows[1].Spend), beta: rows[1].Spend})
	byUser := check(litellm.ByEndUser, map[string]decimal.Decimal{eve: rows[1].Spend})
	w.eventually(t, byTag)
	w.eventually(t, byUser)
	wantNil(t, w.DeleteKey(ctx, key.SHA256()))
	wantNil(t, byTag())
	wantNil(t, byUser())
	q.Token = newKeyValue().SHA256()
	if days, err := w.Breakdown(ctx, litellm.ByTag, q); err != nil || days == nil || len(days) != 0 {
		t.Errorf("of no key: %v, %v", days, err)
	}
}

// What LiteLLM's own cache answers is a row that costs nothing, although its header goes on telling the cost.
func cacheHits(t *testing.T, w *world) {
	key := w.key(t, litellm.Fields{"user_id": w.user(t, "hits", nil)})
	question := litellm.Fields{"cache": litellm.Fields{"use-cache": true}, "messages": []any{litellm.Fields{"role": "user", "content": w.name("question")}}}
	w.ask(t, key, question)
	hit := w.ask(t, key, question)
	if hit.Get("X-Litellm-Cache-Key") == "" {
		if !w.live {
			t.Fatal("the imitated proxy has no cache")
		}
		t.Skip("this proxy caches no answers: start it with observe/testdata/litellm.yaml")
	}
	if _, err := w.Chat(t.Context(), key, "backup", 20); err != nil {
		t.Error(err)
	}
	rows := w.rows(t, w.lastHour(key.SHA256()), 3)
	if rows[0].CacheHit || !rows[1].CacheHit || rows[2].CacheHit || !rows[1].Spend.IsZero() || rows[0].Spend.IsZero() || rows[2].Spend.IsZero() ||
		rows[1].PromptTokens != rows[0].PromptTokens || rows[1].CompletionTokens != rows[0].CompletionTokens || rows[1].Model != "openai/fake2" {
		t.Errorf("%+v", rows)
	}
	if cost, err := decimal.NewFromString(hit.Get("X-Litellm-Response-Cost")); err != nil || !same(cost, rows[0].Spend) {
		t.Errorf("the answer from the cache tells a cost of %s, %v", cost, err)
	}
	q := w.lastHour(key.SHA256())
	q.CacheHits, q.Status = true, "success"
	if found := w.rows(t, q, 1); found[0].RequestID != rows[1].RequestID {
		t.Errorf("%+v", found)
	}
}
