package report

import (
	"cmp"
	"slices"

	"github.com/org/openclaw-litellm-action/failover"
	"github.com/org/openclaw-litellm-action/finding"
)

// leftOut stands for the words of an error that has none for everybody.
const leftOut = "the reason is left out where everybody can read it"

// public returns r as people outside may read it. It looks for no names in texts: whatever may hold one has a field of
// its own, which is emptied, or words for everybody beside it, which take its place.
func public(r Report) Report {
	r = mapTexts(r, func(s string) string { return s }) // a copy
	r.Notes = slices.Clone(r.PublicNotes)
	if r.quotes() {
		r.Notes = append(r.Notes, "what other systems said is left out, because everybody can read this; run it where only "+
			"you read the output")
	}
	for i := range r.Failures {
		r.Failures[i].Message = cmp.Or(r.Failures[i].Public, leftOut)
	}
	for i := range r.Findings {
		r.Findings[i].Said, r.Findings[i].Who = "", ""
	}
	r.Logs, r.Overview = r.Logs.public(), r.Overview.public()
	served := r.servedModels()
	for i := range r.Keys {
		r.Keys[i].hideNames(served)
	}
	if p := r.Proxy; p != nil {
		p.URL, p.Trouble, p.Gaps = "", p.PublicTrouble, slices.Clone(p.PublicGaps)
		if !failover.KnownState(p.Database) {
			p.Database = ""
		}
		for i := range p.Unhealthy {
			p.Unhealthy[i].Error = ""
		}
	}
	return r
}

// quotes reports whether r repeats what another system said of a trouble.
func (r Report) quotes() bool {
	return slices.ContainsFunc(r.Failures, func(f Failure) bool { return f.Message != f.Public }) ||
		slices.ContainsFunc(r.Findings, func(f finding.Finding) bool { return f.Said != "" }) ||
		r.Proxy != nil && (r.Proxy.Trouble != r.Proxy.PublicTrouble || !slices.Equal(r.Proxy.Gaps, r.Proxy.PublicGaps))
}

// hideNames leaves out of a key, which shares nothing with others, what people or outside systems made up.
func (k *Key) hideNames(served map[string]bool) {
	public := func(full, public string) string {
		if full == "" {
			return ""
		}
		return cmp.Or(public, leftOut)
	}
	for i := range k.Generations {
		k.Generations[i].Alias = ""
	}
	k.Models = knownModels(k.Models, served)
	for i := range k.Days {
		k.Days[i].Models = knownModels(k.Days[i].Models, served)
	}
	for i := range k.Targets {
		t := &k.Targets[i]
		t.Detail = public(t.Detail, t.PublicDetail)
	}
	for i := range k.Actions {
		a := &k.Actions[i]
		a.Error, a.Who = public(a.Error, a.PublicError), ""
	}
}

// unanswered stands for models that answered nothing. A request can name any model, one that there is not included.
const unanswered = "(answered nothing)"

// servedModels are the models that answered something in r, which are none that a caller made up.
func (r Report) servedModels() map[string]bool {
	served := map[string]bool{}
	for _, k := range r.Keys {
		for _, d := range k.Days {
			addServed(served, d.Models, func(m Model) (string, bool) { return m.Name, m.Answered })
		}
		addServed(served, k.Models, func(m Model) (string, bool) { return m.Name, m.Answered })
	}
	return served
}

func addServed[T any](served map[string]bool, list []T, answered func(T) (string, bool)) {
	for _, one := range list {
		if name, ok := answered(one); ok {
			served[name] = true
		}
	}
}

// knownModels returns models with those that answered nothing summed up under one name.
func knownModels(models []Model, served map[string]bool) []Model {
	var out []Model
	rest := Model{Name: unanswered}
	for _, m := range models {
		if served[m.Name] {
			out = append(out, m)
			continue
		}
		rest.Spend = plus(rest.Spend, m.Spend)
		rest.Requests += m.Requests
		rest.Tokens += m.Tokens
	}
	if rest.Requests > 0 {
		out = append(out, rest)
	}
	return out
}
