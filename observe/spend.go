package observe

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/org/openclaw-litellm-action/budget"
	"github.com/org/openclaw-litellm-action/litellm"
)

// Holder says where a logical key's budget lives.
type Holder struct {
	Key    string // the logical key's name
	UserID string // of the LiteLLM user that all its generations belong to
	TeamID string // of the team they are in; "" for none
}

// Spend reads what a key has spent in its window, over all its generations, with one request; two for a key in a team.
func (o Observer) Spend(ctx context.Context, h Holder) (budget.Facts, error) {
	u, err := o.Client.User(ctx, h.UserID)
	if err != nil {
		return budget.Facts{}, fmt.Errorf("reading the spend of key %q: %w", h.Key, err)
	}
	f := o.FactsOf(h.Key, u)
	if h.TeamID == "" {
		return f, nil
	}
	m, err := o.Client.TeamMember(ctx, h.TeamID, h.UserID)
	if err != nil {
		return budget.Facts{}, fmt.Errorf("reading the spend of key %q in team %q: %w", h.Key, h.TeamID, err)
	}
	f.Limit, f.Spend, f.ResetAt, f.Source = m.MaxBudget, m.Spend, m.BudgetResetAt, TeamSource
	f.WindowStart, _ = budget.WindowStartIn(m.BudgetDuration, m.BudgetResetAt, o.Zone)
	if !u.AsOf.IsZero() {
		f.WindowStart = budget.Begun(f.WindowStart, u.CreatedAt, u.AsOf)
	}
	return f, nil
}

// TeamSource is where the budget of a key in a team comes from: the membership, which binds in place of the user's own.
const TeamSource = "GET /team/info"

// FactsOf makes the facts of a holder that was read already. The current generation is the one that has the key's own
// name as its alias.
func (o Observer) FactsOf(key string, u *litellm.User) budget.Facts {
	f := budget.Facts{Key: key, Limit: u.MaxBudget, Spend: u.Spend, ResetAt: u.BudgetResetAt, Source: "GET /user/info", HolderSince: u.CreatedAt, Adopted: adopted(u)}
	f.WindowStart, _ = budget.WindowStartIn(u.BudgetDuration, u.BudgetResetAt, o.Zone)
	if !u.AsOf.IsZero() {
		f.WindowStart = budget.Begun(f.WindowStart, u.CreatedAt, u.AsOf)
	}
	for _, k := range u.Keys {
		f.Generations = append(f.Generations, budget.Generation{
			Alias: k.Alias, Token: k.Token, Current: k.Alias == key, Blocked: k.Blocked, Expires: k.Expires, CreatedAt: k.CreatedAt,
		})
	}
	return f
}

// adopted reports whether the holder's journal says that the key was taken over from people, with what it had spent.
func adopted(u *litellm.User) bool {
	var journal struct {
		Adopted string `json:"adopted"`
	}
	err := json.Unmarshal(u.Metadata["openclaw_litellm"], &journal)
	return err == nil && journal.Adopted != ""
}

// Activity adds to f the days from the first to the last, both included (UTC), with the models they went to.
func (o Observer) Activity(ctx context.Context, f *budget.Facts, h Holder, from, to time.Time) error {
	a, err := o.Client.Activity(ctx, litellm.ActivityQuery{
		From: from.UTC().Format(time.DateOnly), To: to.UTC().Format(time.DateOnly), UserID: h.UserID,
	})
	if err != nil {
		return fmt.Errorf("reading the daily spend of key %q: %w", h.Key, err)
	}
	f.DaysSource = "GET /user/daily/activity"
	f.DaysFrom, f.DaysTo = from.UTC().Format(time.DateOnly), to.UTC().Format(time.DateOnly)
	f.Tokens = tokensOf(a)
	f.Days = []budget.Day{}
	for _, d := range a.Days {
		f.Days = append(f.Days, budget.Day{
			Date: d.Date, Spend: d.Metrics.Spend, Requests: d.Metrics.Requests, Failed: d.Metrics.Failed, Models: sumsOf(d.Models),
			Tokens: d.Metrics.Tokens(), Providers: sumsOf(d.Providers),
			CachedPrompt: d.Metrics.CacheReadTokens, Saved: d.Metrics.CacheSaved,
		})
	}
	f.Models = budget.SumDays(f.Days)
	return nil
}

// sumsOf returns one dimension of a day by name.
func sumsOf(by map[string]litellm.Metrics) []budget.ModelSpend {
	var sums []budget.ModelSpend
	for _, name := range slices.Sorted(maps.Keys(by)) {
		m := by[name]
		sums = append(sums, budget.ModelSpend{
			Model: name, Spend: m.Spend, Requests: m.Requests, Failed: m.Failed, Tokens: m.Tokens(),
		})
	}
	return sums
}

// Dearest returns the n most expensive requests of a key that began in [from, to), with one request.
func (o Observer) Dearest(ctx context.Context, h Holder, from, to time.Time, n int) ([]budget.Request, error) {
	var dearest []budget.Request
	q := litellm.LogQuery{From: from, To: to, UserID: h.UserID, Status: "success", Descending: true, BySpend: true, Limit: n}
	for row, err := range o.Client.SpendLogs(ctx, q) {
		if err != nil {
			return nil, fmt.Errorf("reading the most expensive requests of key %q: %w", h.Key, err)
		}
		if row.Spend.IsPositive() {
			dearest = append(dearest, requestOf(row))
		}
	}
	return dearest, nil
}
