package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/org/openclaw-litellm-action/failover"
	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/openclaw"
	"github.com/org/openclaw-litellm-action/secret"
)

// reach tells network, TLS, another server, database and authorization apart, and reports whether it is worth going on.
func (x *examination) reach(ctx context.Context) bool {
	ready, err := x.proxy.Readiness(ctx)
	if err != nil {
		check, remedy := "network", "see that the proxy runs, that this is its address, and that this machine may reach it"
		switch {
		case strings.Contains(err.Error(), ": tls: "):
			check, remedy = "tls", "give the authority of the proxy's certificate as ca-file, mend the certificate, or see whether the address is http"
		case !litellm.IsKind(err, litellm.ProxyDown):
			check, remedy = "proxy", "see the proxy's log"
		}
		return x.judge(check, "", x.adviseProxy(err), "", remedy)
	}
	if !ready.Ready {
		remedy := databaseRemedy
		if ready.Database == failover.Stalled {
			remedy = "PostgreSQL answers too slowly: see its load, and the proxy's"
		}
		state := ready.Database
		if x.printView().Public && !failover.KnownState(state) {
			state = "not connected"
		}
		x.note("database", "", stateFault, "the proxy answers, its database is "+state, remedy)
		return false
	}
	x.note("proxy", "", stateOK, fmt.Sprintf("answers in %d ms", ready.Latency.Milliseconds()), "")
	x.note("database", "", stateOK, "connected", "")
	return true
}

const databaseRemedy = "bring PostgreSQL back, and see DATABASE_URL of the proxy"

// lost reports whether an error says that the database is down, which the proxy may deny for minutes when asked. Then that is
// what is noted, in place of what the proxy said.
func (x *examination) lost(err error) bool {
	if !litellm.IsKind(err, litellm.DatabaseDown) {
		return false
	}
	x.all = slices.DeleteFunc(x.all, func(a ailment) bool { return a.Check == "database" })
	x.note("database", "", stateFault, x.text(err), databaseRemedy)
	return true
}

// release judges the proxy's release, and reports whether the proxy tells it.
func (x *examination) release(ctx context.Context) bool {
	r, err := x.proxy.Release(ctx)
	if err != nil || !r.Known() {
		return false
	}
	for _, f := range failover.Check(failover.Facts{Proxy: failover.Proxy{Ready: true, Release: r.Version}}, failover.Policy{}, x.now()) {
		if f.Rule == failover.RuleCompromised {
			x.note("release", "", stateFault, f.Summary+": "+f.Cause, f.Advice)
			return true
		}
	}
	x.note("release", "", stateOK, "LiteLLM "+r.Version, "")
	return true
}

// right is one thing that the management key has to be allowed.
type right struct {
	name string
	try  func(context.Context) error
}

// rights tries everything that a management key is needed for: reading, about a row that does not exist; writing, with
// requests that the proxy refuses for their content after it has let the key through. It reports whether the proxy knows
// the key.
func (x *examination) rights(ctx context.Context) bool {
	who, err := x.proxy.Identity(ctx)
	if x.lost(err) || !x.judge("management key", "", x.adviseProxy(err), "known to the proxy", "give its master key or a management key") {
		return false
	}
	if who.Master {
		x.note("management key", "", stateWarning, "it is the proxy's master key", "make a narrow management key, as the README shows, and use that")
	}
	for _, r := range slices.Concat(x.readingRights(), x.writingRights()) {
		err := r.try(ctx)
		switch {
		case x.lost(err):
			return false
		case litellm.IsKind(err, litellm.NotFound):
			err = nil
		case litellm.IsKind(err, litellm.Forbidden):
			x.note("right", r.name, stateFault, "the management key may not use it",
				x.source("litellm-master-key")+": add it to the key's allowed_routes; the README has the whole list")
			continue
		}
		x.judge("right", r.name, x.adviseProxy(err), "may be used", "see the proxy's log for this request")
	}
	return true
}

func (x *examination) readingRights() []right {
	const nobody = "openclaw-litellm-doctor-nobody"
	today := x.now().UTC().Format(time.DateOnly)
	day := litellm.ActivityQuery{From: today, To: today, Token: secret.New(nobody).SHA256()}
	rights := []right{
		{"/key/info", func(ctx context.Context) error {
			_, err := x.proxy.FindKey(ctx, secret.New(nobody).SHA256())
			return err
		}},
		{"/key/list", func(ctx context.Context) error { _, err := x.proxy.Keys(ctx, nobody); return err }},
		{"/user/info", func(ctx context.Context) error { _, err := x.proxy.User(ctx, nobody); return err }},
		{"/user/list", func(ctx context.Context) error { _, err := x.proxy.Users(ctx, nobody); return err }},
		{"/user/daily/activity", func(ctx context.Context) error {
			_, err := x.proxy.Activity(ctx, day)
			return err
		}},
		{"/tag/daily/activity", func(ctx context.Context) error {
			_, err := x.proxy.Breakdown(ctx, litellm.ByTag, day)
			return err
		}},
		{"/customer/daily/activity", func(ctx context.Context) error {
			_, err := x.proxy.Breakdown(ctx, litellm.ByEndUser, day)
			return err
		}},
		{"/spend/logs/v2", func(ctx context.Context) error {
			_, _, err := x.row(ctx, litellm.LogQuery{Token: secret.New(nobody).SHA256(), From: x.now().Add(-time.Hour)})
			return err
		}},
		{"/v1/models", func(ctx context.Context) error { _, err := x.proxy.Models(ctx); return err }},
		{"/model/info", func(ctx context.Context) error { _, err := x.proxy.Deployments(ctx); return err }},
		{"/health/latest", func(ctx context.Context) error { _, err := x.proxy.LatestHealth(ctx); return err }},
	}
	if team := x.team(); team != "" {
		rights = append(rights, right{"/team/info", func(ctx context.Context) error {
			_, err := x.proxy.TeamMember(ctx, team, nobody)
			return err
		}})
	}
	return rights
}

// team is one that a key is in; "" if none is.
func (x *examination) team() string {
	for _, k := range x.set.Keys {
		if k.TeamID != "" {
			return k.TeamID
		}
	}
	return ""
}

// writingRights are those that a rotation needs, and those of teams only where a key is in one.
func (x *examination) writingRights() []right {
	routes := []string{"/user/new", "/user/update", "/key/generate", "/key/update", "/key/block", "/key/unblock", "/key/delete"}
	if x.team() != "" {
		routes = append(routes, "/team/member_add", "/team/member_update")
	}
	var out []right
	for _, route := range routes {
		out = append(out, right{route, func(ctx context.Context) error { return x.proxy.MayPost(ctx, route) }})
	}
	return out
}

// row returns the first row of a query that reaches up to now.
func (x *examination) row(ctx context.Context, q litellm.LogQuery) (row litellm.SpendLog, found bool, err error) {
	q.To, q.Limit = x.now().Add(time.Minute), 1
	for row, err := range x.proxy.SpendLogs(ctx, q) {
		return row, err == nil, err
	}
	return litellm.SpendLog{}, false, nil
}

// spendLogs tells by what was counted and what has a row whether the proxy writes spend logs, how far they reach back, and
// how long a call takes to get there. Rotation needs all three: a generation is blocked when it has no row in the last
// grace period.
func (x *examination) spendLogs(ctx context.Context) {
	need := 7 * day
	for _, k := range x.set.Keys {
		need = max(need, k.GracePeriod)
	}
	from := x.now().Add(-need).UTC()
	counted, err := x.proxy.Activity(ctx, litellm.ActivityQuery{From: from.Format(time.DateOnly), To: x.now().UTC().Format(time.DateOnly)})
	if err != nil {
		return // said above, as a right
	}
	oldest, some, err := x.row(ctx, litellm.LogQuery{From: from})
	if err != nil {
		return
	}
	newest, _, err := x.row(ctx, litellm.LogQuery{From: from, Descending: true})
	if err != nil {
		return
	}
	var first, last string // days with calls
	for _, d := range counted.Days {
		if d.Metrics.Requests > 0 && first == "" {
			first = d.Date
		}
		if d.Metrics.Requests > 0 {
			last = d.Date
		}
	}
	const remedy = "remove disable_spend_logs from general_settings of the proxy"
	switch {
	case last == "" && !some:
		x.note("spend logs", "", stateOK, fmt.Sprintf("no call in the last %d days to tell by", int(need/day)), "")
	case !some || newest.StartTime.UTC().Format(time.DateOnly) < last:
		x.note("spend logs", "", stateFault, "calls of "+last+" are counted and have no row, so that use of an old key is not seen", remedy)
		return // nor would a row of ours come
	default:
		x.note("spend logs", "", stateOK, "the newest row is of "+newest.StartTime.UTC().Format(time.RFC3339), "")
		x.retention(oldest.StartTime.UTC(), first, need)
	}
	x.lag(ctx)
}

// retention judges how far rows reach back. The first day is not compared: it may have begun before the time asked for.
func (x *examination) retention(oldest time.Time, first string, need time.Duration) {
	kept := int(x.now().Sub(oldest) / day)
	if next := oldest.AddDate(0, 0, -1).Format(time.DateOnly); first != "" && first < next {
		x.note("retention", "", stateWarning,
			fmt.Sprintf("calls are counted since %s, rows are kept for %d days: less than the %d days in which use of an old key has to be seen", first, kept, int(need/day)),
			"raise maximum_spend_logs_retention_period in general_settings of the proxy, or shorten grace-period")
		return
	}
	x.note("retention", "", stateOK, fmt.Sprintf("rows reach back as far as calls do in the last %d days", int(need/day)), "")
}

// slowBatch is how long a call may take to its row before budgets and last uses are badly out of date.
const slowBatch = 2 * time.Minute

// lag measures, with probe, how long a call takes to its row: one that is refused, since nobody has its key, and so costs
// nothing.
func (x *examination) lag(ctx context.Context) {
	if !x.set.Failover.Probe {
		x.note("batch lag", "", stateOK, "not measured: --probe makes one call, which is refused and costs nothing, and waits for its row", "")
		return
	}
	nobody := secret.New("sk-" + rand.Text() + rand.Text())
	began := x.now()
	if _, err := x.proxy.Chat(ctx, nobody, "openclaw-litellm-doctor", 1); !litellm.IsKind(err, litellm.UnknownKey) {
		x.note("batch lag", "", stateWarning, "cannot be measured: a call with a key that nobody has gives "+x.text(err),
			"see what stands in front of the proxy")
		return
	}
	for x.now().Sub(began) < slowBatch {
		_, found, err := x.row(ctx, litellm.LogQuery{Token: nobody.SHA256(), From: began.Add(-time.Minute)})
		if err != nil {
			x.judge("batch lag", "", x.adviseProxy(err), "", "see the proxy's log")
			return
		}
		if found {
			x.note("batch lag", "", stateOK, fmt.Sprintf("a call is in the spend logs after %s", max(time.Second, x.now().Sub(began).Round(time.Second))), "")
			return
		}
		if x.sleep(ctx, time.Second) != nil {
			return
		}
	}
	x.note("batch lag", "", stateFault, fmt.Sprintf("a call is not in the spend logs after %s", slowBatch),
		"remove disable_spend_logs from general_settings of the proxy, or lower proxy_batch_write_at there")
}

// chains finds models without a price, whose spend is not counted, and models without a fallback.
func (x *examination) chains(ctx context.Context) {
	served, err := x.served(ctx)
	if err != nil {
		return // said above, as a right
	}
	x.models = served
	last := map[string]bool{} // of a chain: it has no fallback by nature
	for _, m := range served.Models {
		for _, f := range m.Fallbacks {
			last[f] = true
		}
	}
	free := names(served.Models, func(m openclaw.Model) bool { return m.Chat() && (!m.Input.Valid || !m.Output.Valid) })
	alone := names(served.Models, func(m openclaw.Model) bool { return m.Chat() && len(m.Fallbacks) == 0 && !last[m.ID] })
	x.list("price", free, "every model has one", "spend is not counted, for want of a price",
		"set input_cost_per_token and output_cost_per_token on the proxy")
	x.list("fallback", alone, "every model has one, or is one", "nothing takes over when these fail", "add them to fallbacks in router_settings of the proxy")
}

func names(models []openclaw.Model, which func(openclaw.Model) bool) []string {
	var out []string
	for _, m := range models {
		if which(m) {
			out = append(out, m.ID)
		}
	}
	return out
}
