package observe

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/failover"
	"github.com/org/openclaw-litellm-action/litellm"
)

// The bounds of probing: after so many calls, or as soon as they have cost so much, no further one is made.
const (
	mostProbes = 20
	probeCents = 25
)

// Caller can call models: a key whose plaintext is at hand, or the management key.
type Caller struct {
	Name   string   // "key openclaw", "the management key"
	Models []string // that it may ask for; empty: every one
	Call   func(ctx context.Context, model string) (*litellm.ChatResult, error)
}

// Probe makes one call of one token to each model group that f knows and somebody may ask for, through the first caller
// that may, and adds to f what that showed, its cost and what was left out.
func (o Observer) Probe(ctx context.Context, f *failover.Facts, callers []Caller, now time.Time) {
	f.Probes = []failover.Probe{}
	cost, refused := decimal.Zero, map[string]bool{}
	for _, g := range f.Groups {
		i := slices.IndexFunc(callers, func(c Caller) bool { return !refused[c.Name] && mayAsk(c.Models, g.Name) })
		if i < 0 || strings.Contains(g.Name, "*") {
			continue
		}
		if len(f.Probes) == mostProbes || cost.GreaterThanOrEqual(decimal.New(probeCents, -2)) {
			f.Gaps = append(f.Gaps, fmt.Sprintf("probing stopped after %d calls, before %s: enough was spent", len(f.Probes), g.Name))
			break
		}
		p, err := probe(ctx, callers[i], g.Name, now)
		if err != nil {
			refused[callers[i].Name] = true
			f.Gaps = append(f.Gaps, "models cannot be probed through "+callers[i].Name+": "+err.Error())
			continue
		}
		cost = cost.Add(p.Cost)
		f.Probes = append(f.Probes, p)
	}
	f.Gaps = append(f.Gaps, fmt.Sprintf("probing made %d calls, which cost %s USD", len(f.Probes), cost.Round(6)))
}

// probe makes one call. An error is one of the caller, which says nothing of the model.
func probe(ctx context.Context, c Caller, model string, now time.Time) (failover.Probe, error) {
	p := failover.Probe{Model: model, Through: c.Name, At: now.UTC()}
	r, err := c.Call(ctx, model)
	switch litellm.KindOf(err) {
	case litellm.UnknownKey, litellm.KeyBlocked, litellm.KeyExpired, litellm.BudgetExceeded, litellm.Forbidden, litellm.Interrupted:
		if err != nil {
			return p, err
		}
	}
	if err != nil {
		p.Error = err.Error()
		return p, nil
	}
	p.ServedBy, p.Fell, p.Cost = r.ServedBy, r.AttemptedFallbacks, r.Cost
	return p, nil
}

// mayAsk reports whether a model list allows to ask for a group, as far as names tell.
func mayAsk(models []string, group string) bool {
	return len(models) == 0 || slices.ContainsFunc(models, func(m string) bool {
		prefix, star := strings.CutSuffix(m, "*")
		return m == group || star && strings.HasPrefix(group, prefix) || m == "all-proxy-models"
	})
}
