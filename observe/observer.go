package observe

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/org/openclaw-litellm-action/budget"
	"github.com/org/openclaw-litellm-action/failover"
	"github.com/org/openclaw-litellm-action/finding"
	"github.com/org/openclaw-litellm-action/litellm"
)

// DefaultWindow is how far back fallbacks are looked for.
const DefaultWindow = time.Hour

// Observer asks one proxy. It keeps nothing between calls and writes nothing.
type Observer struct {
	Client *litellm.Client
	URL    string         // of the proxy as people may read it, without credentials
	Zone   *time.Location // in which the proxy resets budgets; nil: not told
	Window time.Duration  // how far back requests are looked at; 0: DefaultWindow
	// Rows is how many of the window's newest requests are looked at; 0: as many as one page holds on the proxy's release.
	Rows int
	// Configured asks for the model groups that the proxy serves even if no key has a model list to hold against them.
	Configured bool
	Keys       []Asker // our keys, so that findings can name them and fallbacks be inferred where they are not recorded
}

// Asker is one logical key as an asker of models.
type Asker struct {
	Name   string
	Holder string   // the LiteLLM user that all its generations belong to; "": not known
	Tokens []string // of its generations: SHA-256, no secrets
	Models []string // that it may ask for; empty: every one, from which nothing can be inferred
}

// Seen is what one look at the proxy showed.
type Seen struct {
	Failover failover.Facts
	Recent   map[string]*budget.Recent // by key; nil: the rows could not be read
}

// Models returns what is known of the proxy and of the models it served within the window before now.
func (o Observer) Models(ctx context.Context, now time.Time) failover.Facts {
	return o.Look(ctx, now).Failover
}

// Look returns what is known of the proxy, of the models it served within the window before now, and of the requests of
// each key then.
func (o Observer) Look(ctx context.Context, now time.Time) Seen {
	f := failover.Facts{Window: cmp.Or(o.Window, DefaultWindow)}
	f.Proxy = o.proxy(ctx)
	if !f.Proxy.Ready {
		f.Unjudged = []string{failover.RuleUnhealthy, failover.RuleCooled, failover.RuleServed, failover.RuleMissing, failover.RuleAlone}
		return Seen{Failover: f}
	}
	if o.Configured || slices.ContainsFunc(o.Keys, func(a Asker) bool { return len(a.Models) > 0 }) {
		o.groups(ctx, &f)
	}
	if f.Proxy.Ready {
		o.health(ctx, &f)
	}
	seen := Seen{}
	if f.Proxy.Ready {
		seen.Recent = o.served(ctx, &f, now)
	}
	seen.Failover = f
	return seen
}

// groups reads which model groups the proxy serves, and what our keys may ask for.
func (o Observer) groups(ctx context.Context, f *failover.Facts) {
	models, err := o.Client.Models(ctx)
	if err != nil {
		o.missing(f, "the models that the proxy serves are not known", err, failover.RuleMissing, failover.RuleAlone)
		return
	}
	f.Groups = []failover.Group{}
	for _, m := range models {
		f.Groups = append(f.Groups, failover.Group{Name: m.Name, Fallbacks: m.Fallbacks})
	}
	for _, a := range o.Keys {
		f.Asked = append(f.Asked, failover.Asked{Key: a.Name, Models: a.Models})
	}
}

// proxy asks whether the proxy is ready.
func (o Observer) proxy(ctx context.Context) failover.Proxy {
	p := failover.Proxy{URL: o.URL}
	r, err := o.Client.Readiness(ctx)
	if err != nil {
		p.Trouble, p.Said, p.Cause = finding.Public(err), finding.Said(err), cause(err)
		return p
	}
	p.Release, p.Ready, p.Database, p.Latency = r.Release.Version, r.Ready, r.Database, r.Latency
	if !p.Ready {
		p.Cause = "database"
		p.Trouble = "the proxy says of its database: " + cmp.Or(r.Database, "nothing")
		if !failover.KnownState(r.Database) {
			p.Trouble, p.Said = "the proxy says that its database does not work", r.Database
		}
	}
	return p
}

// cause puts an error into one of failover's words.
func cause(err error) string {
	switch litellm.KindOf(err) {
	case litellm.NotLiteLLM, litellm.BadAnswer, litellm.TooLarge:
		return "not-litellm"
	case litellm.UnknownKey, litellm.KeyBlocked, litellm.KeyExpired, litellm.Forbidden:
		return "auth"
	case litellm.DatabaseDown:
		return "database"
	case litellm.ProxyDown, litellm.NotAsked:
		if strings.Contains(err.Error(), ": tls: ") {
			return "tls"
		}
		return "network"
	}
	return ""
}

// dead reports whether err says that the management key itself is refused, whatever it asks for.
func dead(err error) bool {
	switch litellm.KindOf(err) {
	case litellm.UnknownKey, litellm.KeyBlocked, litellm.KeyExpired:
		return true
	}
	return false
}

// missing notes what could not be had: as the proxy's trouble if it is one, else as a gap.
func (o Observer) missing(f *failover.Facts, what string, err error, rules ...string) {
	f.Unjudged = append(f.Unjudged, rules...)
	switch {
	case dead(err):
		f.Proxy.Ready, f.Proxy.Cause = false, "auth"
	case litellm.IsKind(err, litellm.DatabaseDown):
		f.Proxy.Ready, f.Proxy.Cause = false, "database"
	case o.Client.Unreachable() != nil:
		f.Proxy.Ready, f.Proxy.Cause = false, cause(err)
	default:
		f.Gaps = append(f.Gaps, gap(what, err))
		return
	}
	f.Proxy.Trouble, f.Proxy.Said = finding.Public(err), finding.Said(err)
}

// known notes a gap that nobody said anything of.
func known(f *failover.Facts, text string) {
	f.Gaps = append(f.Gaps, failover.Gap{Text: text})
}

// gap says what could not be learned, and why.
func gap(what string, err error) failover.Gap {
	return failover.Gap{Text: what + ": " + finding.Public(err), Said: finding.Said(err)}
}

// health reads the proxy's own background health checks.
func (o Observer) health(ctx context.Context, f *failover.Facts) {
	checks, err := o.Client.LatestHealth(ctx)
	if err != nil {
		o.missing(f, "the health of deployments is not known", err, failover.RuleUnhealthy)
		return
	}
	if len(checks) == 0 {
		f.Unjudged = append(f.Unjudged, failover.RuleUnhealthy)
		known(f, "the health of deployments is not known: the proxy runs no background health checks")
		return
	}
	f.Checked = map[string]int{}
	for _, c := range checks {
		f.Checked[c.Model]++
		if !c.Healthy {
			f.Unhealthy = append(f.Unhealthy, failover.Unhealthy{Model: c.Model, ModelID: c.ModelID, Error: c.Error, CheckedAt: c.CheckedAt})
		}
	}
}

// Knows takes in the generations of a key. 1.81 names nothing else in the row of a call that it refused.
func (o *Observer) Knows(key string, generations []budget.Generation) {
	for i := range o.Keys {
		if a := &o.Keys[i]; a.Name == key {
			for _, g := range generations {
				a.Tokens = append(a.Tokens, g.Token)
			}
		}
	}
}

// asker returns the key that made the row: by its holder, which every generation has that ever was, or by its token.
func (o Observer) asker(row litellm.SpendLog) (Asker, bool) {
	i := slices.IndexFunc(o.Keys, func(a Asker) bool {
		return a.Holder != "" && a.Holder == row.User || slices.Contains(a.Tokens, row.Token)
	})
	if i < 0 {
		return Asker{}, false
	}
	return o.Keys[i], true
}
