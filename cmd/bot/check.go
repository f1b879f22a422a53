package main

import (
	"context"
	"slices"
	"time"

	"github.com/org/openclaw-litellm-action/budget"
	"github.com/org/openclaw-litellm-action/failover"
	"github.com/org/openclaw-litellm-action/internal/netx"
	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/observe"
	"github.com/org/openclaw-litellm-action/rotate"
	"github.com/org/openclaw-litellm-action/secret"
	"github.com/org/openclaw-litellm-action/settings"
)

// history is how far back days are asked for at least: four of each weekday.
const history = 28 * day

// check judges spend and failover. What rotation has just read is not asked for again.
func (p *pass) check(ctx context.Context) {
	o := p.observer()
	o.Configured = p.set.Command == settings.CommandCheck // run keeps to what it may ask with nothing due
	var keys []settings.Key
	var facts []budget.Facts
	for _, k := range p.selected() {
		var f budget.Facts
		err := p.catch("reading the spend of key "+k.Name, func() (err error) {
			f, err = p.spend(ctx, o, k)
			return err
		})
		if err != nil {
			p.failed(k.Name, err)
			continue
		}
		keys, facts = append(keys, k), append(facts, f)
		o.Knows(k.Name, f.Generations)
	}
	var seen observe.Seen
	looked := false
	p.part("looking at the proxy", func() { seen, looked = p.look(ctx, o) })
	if p.set.Failover.Probe && !p.set.DryRun && seen.Failover.Proxy.Ready {
		p.part("probing models", func() { o.Probe(ctx, &seen.Failover, p.callers(ctx), p.in.Now) })
	}
	p.part("reading prices", func() { p.prices(ctx, keys, facts, seen.Failover.Proxy) })
	for i, k := range keys {
		f := &facts[i]
		if f.Recent = seen.Recent[k.Name]; f.Recent == nil {
			f.Unjudged = append(f.Unjudged, budget.RecentRules()...)
		}
		p.checkSpend(ctx, o, f, k, seen.Failover.Proxy)
		f.Prices = nil // they are for judging
		p.in.Spend = append(p.in.Spend, *f)
	}
	if !looked {
		return
	}
	p.part("checking failover", func() {
		found := failover.Check(seen.Failover, failover.Policy{FallbackRate: p.set.Failover.FallbackRate}, p.in.Now)
		p.in.Failover, p.in.Findings = &seen.Failover, append(p.in.Findings, found...)
	})
}

// checkSpend judges what was spent of one key's budget. If that ends in a panic, nothing of the key is judged.
func (p *pass) checkSpend(
	ctx context.Context, o observe.Observer, f *budget.Facts, k settings.Key, proxy failover.Proxy,
) {
	doing := "checking the spend of key " + k.Name
	err := p.catch(doing, func() error {
		p.days(ctx, o, f, k, proxy)
		p.in.Findings = append(p.in.Findings, budget.Check(*f, spendPolicy(k), p.in.Now)...)
		return nil
	})
	if err != nil {
		f.Unjudged = budget.Rules()
		p.broke(doing, k.Name, err)
	}
}

// look asks for the state of the proxy. It returns false if that was broken off, which says nothing about the proxy: the keys
// are left if it was by the signal to stop.
func (p *pass) look(ctx context.Context, o observe.Observer) (observe.Seen, bool) {
	if netx.Broken(ctx) == nil || p.proxy.Unreachable() != nil {
		seen := o.Look(ctx, p.in.Now)
		if netx.Broken(ctx) == nil || seen.Failover.Proxy.Ready || p.proxy.Unreachable() != nil {
			return seen, true
		}
	}
	if why := netx.Broken(ctx); why.Reason == netx.Stopped {
		for _, k := range p.selected() {
			p.refused.add(why, "observe", k.Name)
		}
	}
	return observe.Seen{}, false
}

// prices adds what the models of keys with a small budget may cost, where LiteLLM reserves a call's worst case (1.93 on).
// One request does for all; none is made where every budget is large.
func (p *pass) prices(ctx context.Context, keys []settings.Key, facts []budget.Facts, proxy failover.Proxy) {
	small := func(f budget.Facts) bool { return budget.ReservationMatters(f.Limit) }
	if !proxy.Ready || !slices.ContainsFunc(facts, small) {
		return
	}
	if release, _ := p.proxy.Release(ctx); !release.AtLeast(1, 93) {
		return
	}
	deployments, err := p.proxy.Deployments(ctx)
	if err != nil {
		p.noteErr("whether small budgets have room for a call is not judged", err)
	}
	for i := range facts {
		f := &facts[i]
		switch {
		case !small(*f):
		case err != nil:
			f.Unjudged = append(f.Unjudged, budget.RuleReservation)
		default:
			for _, d := range deployments {
				if models := keys[i].Models; len(models) == 0 || slices.Contains(models, d.Group) {
					f.Prices = append(f.Prices, budget.Price{Model: d.Group, Output: d.OutputCost.Decimal, MaxOutput: d.MaxOutputTokens})
				}
			}
		}
	}
}

// days adds the spend by day where a rule wants it. One request does since 1.93; older releases take three, so that there
// it is read only if somebody asked for such a rule. So it is in a fleet, where every key would take one.
func (p *pass) days(ctx context.Context, o observe.Observer, f *budget.Facts, k settings.Key, proxy failover.Proxy) {
	const few = 10
	release, _ := p.proxy.Release(ctx) // known since the proxy was looked at
	byDefault := k.Alerts.Forecast.Valid && f.Limit.Valid && release.AtLeast(1, 93) && len(p.selected()) <= few
	if !proxy.Ready || !byDefault && !k.Alerts.AsksDays {
		f.Unjudged = append(f.Unjudged, budget.DayRules()...)
		return
	}
	from := p.in.Now.Add(-history)
	if !f.WindowStart.IsZero() && f.WindowStart.Before(from) {
		from = f.WindowStart
	}
	err := o.Activity(ctx, f, holderOf(k), from, p.in.Now)
	if err == nil {
		return
	}
	f.Unjudged = append(f.Unjudged, budget.DayRules()...)
	if k.Alerts.AsksDays {
		p.failed(k.Name, err)
		return
	}
	p.noteErr("forecasts are not made for "+k.Name, err)
}

// noteErr notes what is done without. Of several things that one event refuses, the first is noted.
func (p *pass) noteErr(what string, err error) {
	if why := netx.RefusalOf(err); why != nil {
		if slices.Contains(p.noted, why) {
			return
		}
		p.noted = append(p.noted, why)
	}
	p.doubt(what, err, "")
}

// spendPolicy is what the settings say about a key's spend.
func spendPolicy(k settings.Key) budget.Policy {
	a := k.Alerts
	return budget.Policy{
		Thresholds: k.Thresholds, Spend: a.Spend, DailySpend: a.DailySpend, ModelSpend: a.ModelSpend, RequestCost: a.RequestCost,
		FailureRate: a.FailureRate, Forecast: a.Forecast, BurnRate: a.BurnRate, RotationInterval: k.RotationInterval,
	}
}

// observer knows our keys by name.
func (p *pass) observer() observe.Observer {
	o := observe.Observer{Client: p.proxy, URL: p.set.LiteLLM.BaseURL, Zone: p.set.LiteLLM.Timezone, Window: p.set.Failover.Window}
	for _, k := range p.selected() {
		o.Keys = append(o.Keys, observe.Asker{Name: k.Name, Holder: rotate.HolderID(k.Name), Models: k.Models})
	}
	return o
}

// spend is what rotation read of the key's budget, or else a reading of its own.
func (p *pass) spend(ctx context.Context, o observe.Observer, k settings.Key) (budget.Facts, error) {
	for _, out := range p.in.Outcomes {
		if out.Name == k.Name && out.Holder != nil && !out.Unread && len(out.Generations) > 0 {
			f := o.FactsOf(k.Name, out.Holder)
			f.Limit, f.Spend, f.ResetAt = out.MaxBudget, out.Spend, out.ResetAt
			start, _ := budget.WindowStartIn(out.BudgetDuration, out.ResetAt, o.Zone)
			f.WindowStart = budget.Begun(start, out.Holder.CreatedAt, p.in.Now)
			if k.TeamID != "" {
				f.Source = observe.TeamSource
			}
			return f, nil
		}
	}
	return o.Spend(ctx, holderOf(k))
}

func holderOf(k settings.Key) observe.Holder {
	return observe.Holder{Key: k.Name, UserID: rotate.HolderID(k.Name), TeamID: k.TeamID}
}

// callers are who can call models: the keys whose plaintext is in a file here, and then the management key. Secrets of
// GitHub cannot be read back.
func (p *pass) callers(ctx context.Context) []observe.Caller {
	call := func(v secret.Value) func(context.Context, string) (*litellm.ChatResult, error) {
		return func(ctx context.Context, model string) (*litellm.ChatResult, error) {
			ctx, cancel := context.WithTimeout(ctx, time.Minute)
			defer cancel()
			return p.proxy.Chat(ctx, v, model, 1)
		}
	}
	var callers []observe.Caller
	for _, k := range p.selected() {
		for _, t := range k.Targets {
			if t.File == "" {
				continue
			}
			if v, err := p.keyFileOf(t).Read(ctx); err == nil && !v.IsZero() {
				p.known.Add(v)
				callers = append(callers, observe.Caller{Name: "key " + k.Name, Models: k.Models, Call: call(v)})
				break
			}
		}
	}
	return append(callers, observe.Caller{Name: "the management key", Models: p.askedModels(), Call: call(p.set.LiteLLM.Key)})
}

// askedModels are the models that our keys may ask for; nil: every one.
func (p *pass) askedModels() []string {
	var models []string
	for _, k := range p.selected() {
		if len(k.Models) == 0 {
			return nil
		}
		models = append(models, k.Models...)
	}
	return models
}
