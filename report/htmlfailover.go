package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/org/openclaw-litellm-action/finding"
)

// failoverBack is how far back the failover timeline looks where a history is kept; goesOn, how far apart two sightings of
// one trouble may be.
const (
	failoverBack = 30 * 24 * time.Hour
	goesOn       = 2 * time.Hour
)

// trouble is an episode with what is known of it now.
type trouble struct {
	Episode
	past  bool     // it is known from the history alone
	count string   // "18 requests"; "" where it is not known
	cells []string // of its row, less when it was
}

// failoverOf draws what fallbacks served, which deployments were unhealthy, and when the proxy was down: now, and as far
// as it was kept; nil if there was nothing of it.
func failoverOf(r Report) *timeline {
	all := troublesOf(r)
	if len(all) == 0 {
		return nil
	}
	t := &timeline{
		Caption: "Requests served by a fallback or by nobody, unhealthy deployments, and the proxy down",
		Heads:   []string{"what", "from", "to", "requests", "evidence", "keys or error"},
		Note: "Dotted: requests for one model that another one served. Striped: a deployment whose health check failed, from that check on. " +
			"Crossed: the fallback failed too, or the proxy was down.",
	}
	now := r.GeneratedAt
	from := now.Add(-time.Hour)
	if p := r.Proxy; p != nil {
		if d, err := time.ParseDuration(p.Window); err == nil && d > 0 {
			from = now.Add(-d)
		}
	}
	if r.History != nil {
		from = earlier(from, later(r.History.From, now.Add(-failoverBack)))
	}
	var lanes []lane
	for _, one := range all {
		label := one.words()
		i := slices.IndexFunc(lanes, func(l lane) bool { return l.label == label })
		if i < 0 {
			lanes = append(lanes, lane{label: label})
			i = len(lanes) - 1
		}
		lanes[i].spans = append(lanes[i].spans, one.span())
		t.Rows = append(t.Rows, tableRow{label, append([]string{stamp(one.From), stamp(one.To)}, one.cells...)})
	}
	for _, one := range all { // how much of it, where that is known
		if i := slices.IndexFunc(lanes, func(l lane) bool { return l.label == one.words() }); one.count != "" && i >= 0 {
			lanes[i].label += ": " + one.count
		}
	}
	t.More = moreThan(len(lanes), pageLanes, "line")
	lanes, t.Rows = lanes[:min(pageLanes, len(lanes))], t.Rows[:min(pageTargets, len(t.Rows))]
	begin, _ := reach(lanes)
	if r.History == nil {
		from = earlier(begin, from)
	}
	t.draw(lanes, later(from, now.Add(-timelineBack)), now, now)
	return t
}

// span is the drawing of a trouble.
func (t trouble) span() span {
	s := span{t.From, t.To, "served", "p2", t.words() + ", " + t.lasted()}
	switch t.Kind {
	case EpisodeUnhealthy:
		s.class, s.pattern = "sick", "p3"
	case EpisodeProxy, EpisodeUnserved:
		s.class, s.pattern = "down", "p5"
	}
	return s
}

// troublesOf joins what is now with what was: a trouble that goes on began when it was first seen. The latest come first.
func troublesOf(r Report) []trouble {
	all := troublesNow(r)
	if r.History == nil {
		return all
	}
	for _, e := range slices.Backward(r.History.Episodes) {
		if e.To.Before(r.GeneratedAt.Add(-failoverBack)) {
			continue
		}
		i := slices.IndexFunc(all, func(t trouble) bool {
			return t.Kind == e.Kind && t.Subject == e.Subject && t.Detail == e.Detail && !t.past && !e.To.Before(t.From.Add(-goesOn))
		})
		if i >= 0 {
			all[i].From = earlier(e.From, all[i].From)
			continue
		}
		all = append(all, trouble{Episode: e, past: true, cells: []string{"–", "–", "–"}})
	}
	return all
}

func troublesNow(r Report) []trouble {
	var all []trouble
	episodes := Episodes(r) // in the order of what they are made from
	next := func(cells ...string) {
		all = append(all, trouble{Episode: episodes[len(all)], cells: cells})
	}
	p := r.Proxy
	if p == nil {
		return nil
	}
	if !p.Ready {
		next("–", "–", shown(cmp.Or(p.Trouble, p.Cause), textLimit))
	}
	for _, s := range slices.Concat(p.Served, p.Unserved) {
		next(fmt.Sprint(s.Requests), shown(string(s.Evidence), nameLimit), shown(strings.Join(s.Keys, ", "), textLimit))
		all[len(all)-1].count = finding.Plural(int(s.Requests), "request")
	}
	for _, u := range p.Unhealthy {
		next("–", "health check", shown(u.Error, textLimit))
	}
	return all
}
