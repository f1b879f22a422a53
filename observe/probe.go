package observe

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/failover"
	"github.com/org/openclaw-litellm-action/finding"
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
// that may, and adds to f what that showed, its cost and what was left out. Groups that are not for chat are left out.
func (o Observer) Probe(ctx context.Context, f *failover.Facts, callers []Caller, now time.Time) {
	f.Probes = []failover.Probe{}
	mute, err := o.mute(ctx)
	if err != nil {
		const what = "models that are not for chat are probed as well, since what they are for is not known"
		f.Gaps = append(f.Gaps, gap(what, err))
	}
	cost, refused := decimal.Zero, map[string]bool{}
	var left []string
	for _, g := range f.Groups {
		may := func(c Caller) bool { return !refused[c.Name] && mayAsk(c.Models, g.Name) }
		if strings.Contains(g.Name, "*") || !slices.ContainsFunc(callers, may) {
			continue
		}
		if mute[g.Name] {
			left = append(left, g.Name)
			continue
		}
		if len(f.Probes) == mostProbes || cost.GreaterThanOrEqual(decimal.New(probeCents, -2)) {
			known(f, fmt.Sprintf("probing stopped after %d calls, before %s: enough was spent", len(f.Probes), g.Name))
			break
		}
		for _, c := range callers {
			if !may(c) {
				continue
			}
			p, err := probe(ctx, c, g.Name, now)
			if err == nil {
				cost = cost.Add(p.Cost)
				f.Probes = append(f.Probes, p)
				break
			}
			refused[c.Name] = true
			f.Gaps = append(f.Gaps, gap("models cannot be probed through "+c.Name, err))
		}
	}
	if len(left) > 0 {
		known(f, "not probed, since they are not for chat: "+strings.Join(left, ", "))
	}
	known(f, fmt.Sprintf("probing made %d calls, which cost %s USD", len(f.Probes), cost.Round(6)))
}

// mute returns the model groups of which a deployment is known to be for something else than chat.
func (o Observer) mute(ctx context.Context) (map[string]bool, error) {
	deployments, err := o.Client.Deployments(ctx)
	groups := map[string]bool{}
	for _, d := range deployments {
		if d.Mode != "" && d.Mode != "chat" && d.Mode != "responses" {
			groups[d.Group] = true
		}
	}
	return groups, err
}

// probe makes one call. An error is one of the caller, which says nothing of the model.
func probe(ctx context.Context, c Caller, model string, now time.Time) (failover.Probe, error) {
	p := failover.Probe{Model: model, Through: c.Name, At: now.UTC()}
	r, err := c.Call(ctx, model)
	switch litellm.KindOf(err) {
	case litellm.UnknownKey, litellm.KeyBlocked, litellm.KeyExpired, litellm.BudgetExceeded, litellm.Forbidden,
		litellm.Interrupted, litellm.NotAsked:
		if err != nil {
			return p, err
		}
	}
	if err != nil {
		p.Error, p.Said = finding.Public(err), finding.Said(err)
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
