package litellm_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/secret"
	"github.com/shopspring/decimal"
)

// lastHour selects rows up to now and a little over, clocks being what they are.
func (w *world) lastHour(token string) litellm.LogQuery {
	return litellm.LogQuery{From: w.now().Add(-time.Hour), To: w.now().Add(time.Hour), Token: token}
}

// rows waits for n spend rows of the key.
func (w *world) rows(t *testing.T, q litellm.LogQuery, n int) (rows []litellm.SpendLog) {
	t.Helper()
	w.eventually(t, func() error {
		rows = nil
		for row, err := range w.SpendLogs(t.Context(), q) {
			if err != nil {
				return err
			}
			rows = append(rows, row)
		}
		if len(rows) != n {
			return fmt.Errorf("%d spend rows, want %d", len(rows), n)
		}
		return nil
	})
	return rows
}

func spendRows(t *testing.T, w *world) {
	id := w.user(t, "rows", nil)
	value := w.key(t, litellm.Fields{"user_id": id, "key_alias": w.name("rows")})
	var costs []decimal.Decimal
	for range 3 {
		costs = append(costs, w.spend(t, value))
		w.pass(10 * time.Millisecond)
	}
	wantNil(t, w.BlockKey(t.Context(), value.SHA256()))
	wantKind(t, w.call(t, value), litellm.KeyBlocked)
	q := w.lastHour(value.SHA256())
	all := w.rows(t, q, 4) // a refused call is a row, too
	if !slices.IsSortedFunc(all, func(a, b litellm.SpendLog) int { return a.StartTime.Compare(b.StartTime) }) {
		t.Error("not in order of time")
	}
	q.Status = "success"
	rows := w.rows(t, q, 3)
	for i, r := range rows {
		if !same(r.Spend, costs[i]) || r.ModelGroup != "backup" || r.Model != "openai/fake2" || r.Token != value.SHA256() ||
			r.User != id || r.PromptTokens == 0 || r.CompletionTokens != 20 || r.KeyAlias != w.name("rows") || r.StartTime.IsZero() || r.Provider != "openai" {
			t.Errorf("%+v", r)
		}
	}
	q.Status = "failure"
	if failed := w.rows(t, q, 1); failed[0].Status != "failure" || !failed[0].Spend.IsZero() || failed[0].ErrorMessage == "" {
		t.Errorf("%+v", failed)
	}
	q.Status, q.Descending, q.Limit = "success", true, 2
	if last := w.rows(t, q, 2); last[0].RequestID != rows[2].RequestID || last[1].RequestID != rows[1].RequestID {
		t.Errorf("%+v", last)
	}
	q = w.lastHour(value.SHA256())
	q.From, q.To = q.To, q.To.Add(time.Hour)
	w.rows(t, q, 0)
}

func activityOfUser(t *testing.T, w *world) {
	ctx := t.Context()
	id, other := w.user(t, "activity", nil), w.user(t, "activity-other", nil)
	keys := []secret.Value{w.key(t, litellm.Fields{"user_id": id}), w.key(t, litellm.Fields{"user_id": id}), w.key(t, litellm.Fields{"user_id": other})}
	var costs []decimal.Decimal
	for _, key := range keys {
		costs = append(costs, w.spend(t, key))
	}
	today := w.now().UTC()
	q := litellm.ActivityQuery{From: today.AddDate(0, 0, -1).Format(time.DateOnly), To: today.AddDate(0, 0, 1).Format(time.DateOnly), UserID: id}
	check := func(requests int64, spend decimal.Decimal) func() error {
		return func() error {
			a, err := w.Activity(ctx, q)
			if err != nil {
				return err
			}
			if len(a.Days) != 1 || a.Days[0].Metrics.Successful != requests || len(a.Days[0].Keys) != int(requests) {
				return fmt.Errorf("want %d requests of as many keys: %+v", requests, a.Days)
			}
			d := a.Days[0]
			if !same(d.Metrics.Spend, spend) || !same(d.Models["backup"].Spend, spend) || !same(d.Providers["openai"].Spend, spend) {
				return fmt.Errorf("want %v: %+v", spend, d)
			}
			return nil
		}
	}
	w.eventually(t, check(2, costs[0].Add(costs[1])))
	wantNil(t, w.DeleteKey(ctx, keys[0].SHA256()))
	w.eventually(t, check(2, costs[0].Add(costs[1]))) // of a key that is gone, too
	q.UserID, q.Token = "", keys[2].SHA256()
	w.eventually(t, check(1, costs[2]))
	q.Token = newKeyValue().SHA256()
	if a, err := w.Activity(ctx, q); err != nil || len(a.Days) != 0 {
		t.Errorf("of no key: %+v, %v", a, err)
	}
}

// Failover shows in the headers of every release, and in the rows of newer ones.
func fallback(t *testing.T, w *world) {
	value := w.key(t, nil)
	r, err := w.Chat(t.Context(), value, "primary", 20)
	wantNil(t, err)
	if r.ServedBy != "backup" || r.AttemptedFallbacks != 1 || r.Cost.Sub(usd("0.05")).Abs().GreaterThan(usd("0.005")) || r.CallID == "" {
		t.Errorf("%+v", r)
	}
	row := w.rows(t, w.lastHour(value.SHA256()), 1)[0]
	attempted, original := 1, "primary"
	if w.before(106) {
		attempted, original = -1, ""
	}
	if row.ModelGroup != "backup" || row.Status != "success" || row.AttemptedFallbacks != attempted || row.OriginalModelGroup != original {
		t.Errorf("%+v", row)
	}

	value = w.key(t, nil)
	if r, err = w.Chat(t.Context(), value, "backup", 20); err != nil || r.ServedBy != "backup" || r.AttemptedFallbacks != 0 {
		t.Errorf("%+v, %v", r, err)
	}
	row = w.rows(t, w.lastHour(value.SHA256()), 1)[0]
	if attempted, original = 0, "backup"; w.before(106) {
		attempted, original = -1, ""
	}
	if row.AttemptedFallbacks != attempted || row.OriginalModelGroup != original {
		t.Errorf("%+v", row)
	}
	_, err = w.Chat(t.Context(), value, "no-such-model", 20)
	wantKind(t, err, litellm.BadRequest)
}

func modelsListed(t *testing.T, w *world) {
	models, err := w.Models(t.Context())
	wantNil(t, err)
	chains := map[string][]string{}
	for _, m := range models {
		chains[m.Name] = m.Fallbacks
	}
	if backup, there := chains["backup"]; !slices.Equal(chains["primary"], []string{"backup"}) || len(backup) != 0 || !there {
		t.Errorf("%+v", models)
	}
	deployments, err := w.Deployments(t.Context())
	wantNil(t, err)
	seen := 0
	for _, d := range deployments {
		switch d.Group {
		case "primary": // has no price
			if seen++; d.InputCost.Valid != w.before(106) || !d.InputCost.Decimal.IsZero() || d.Model != "openai/fake" {
				t.Errorf("%+v", d)
			}
		case "backup":
			if seen++; !d.InputCost.Decimal.Equal(usd("0.001")) || !d.OutputCost.Decimal.Equal(usd("0.002")) || d.ID == "" || len(d.Raw) == 0 {
				t.Errorf("%+v", d)
			}
		}
	}
	if seen != 2 {
		t.Errorf("%+v", deployments)
	}
}
