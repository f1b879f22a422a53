package rotate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/finding"
	"github.com/org/openclaw-litellm-action/internal/figure"
	"github.com/org/openclaw-litellm-action/litellm"
)

// holderSteps adds the creation of the holder, or the updates that bring it and the live generations to the policy.
// What the configuration does not name stays as people set it.
func (plan *Plan) holderSteps(p Policy, r Reading) {
	if r.Holder == nil {
		plan.Steps = append(plan.Steps, Step{Kind: StepHolder, Reason: "the user that carries the budget does not exist yet"})
		return
	}
	for _, g := range plan.rows.generations { // before the window changes: a run may die in between
		if !g.Blocked && len(dropsOwnLimit(p, r, g.Key)) > 0 {
			plan.Steps = append(plan.Steps, Step{Kind: StepUpdate, Gen: g.Gen, Token: g.Token, Target: ownLimitStep,
				Reason: fmt.Sprintf("generation %d's own limit does not follow the holder's window and could bind before it", g.Gen)})
		}
	}
	if diff := holderDiff(p, r.Holder); len(diff) > 0 {
		changes, _ := describe(diff) // amounts and windows alone
		reason := "the holder's " + changes
		if r.Old {
			reason += "; LiteLLM before 1.93 then forgets what was spent in the seconds before and lets as much through above the limit, once"
		}
		plan.Steps = append(plan.Steps, Step{Kind: StepUpdate, Reason: reason})
	}
	if j := plan.rows.holder; p.Repository != 0 && j != nil && j.Repository == 0 {
		plan.Steps = append(plan.Steps, Step{Kind: StepUpdate, Target: repositoryStep,
			Reason: fmt.Sprintf("its journal is to say that the key is that of the repository with GitHub's number %d, by which a rename is followed", p.Repository)})
	}
	if p.TeamID != "" {
		plan.memberSteps(p, r)
	}
	for _, g := range plan.rows.generations {
		if g.Blocked {
			continue
		}
		if diff := generationDiff(p, r, g.Key); len(diff) > 0 {
			changes, who := describe(diff)
			reason := fmt.Sprintf("generation %d's %s", g.Gen, changes)
			if p.TeamID != "" && g.TeamID != p.TeamID {
				reason += "; the team's budget counts what is spent in the team from then on, not what was spent before"
			}
			plan.Steps = append(plan.Steps, Step{Kind: StepUpdate, Gen: g.Gen, Token: g.Token, Reason: reason, Who: who})
		}
		plan.judgeTeam(p, g)
	}
}

// judgeTeam finds a generation that is in a team although the configuration names none: what the configuration does not
// name stays, but in a team LiteLLM does not hold the key to the holder's budget.
func (plan *Plan) judgeTeam(p Policy, g row) {
	if p.TeamID != "" || g.TeamID == "" || !p.MaxBudget.Valid {
		return
	}
	plan.Findings = append(plan.Findings, finding.Finding{
		Rule: "budget-does-not-bind", Severity: finding.Critical, Subject: finding.Subject{Kind: "key", Name: p.Name},
		Summary: fmt.Sprintf("generation %d of key %q is in a team, where LiteLLM does not hold it to the budget of the "+
			"configuration; the spend told here leaves out what it spends", g.Gen, p.Name),
		Who:    "the team is " + g.TeamID,
		Advice: "Name that team in key_options.team_id, so that the holder gets a budget in it; or take the key out of the team in LiteLLM.",
		Source: "GET /user/info",
	})
}

// repositoryStep is the Target of the step that journals which repository a key is for, which had no for_each before.
const repositoryStep = "the holder's journal"

// nonceStep is the Target of the step that gives the holder of an earlier release its nonce.
const nonceStep = "the holder's nonce"

// memberSteps brings the holder's budget in the team to the policy. Releases before 1.93 have no window for it, which is
// said and not tried.
func (plan *Plan) memberSteps(p Policy, r Reading) {
	m := r.Member
	if m != nil && p.BudgetDuration != "" && r.Old {
		plan.Findings = append(plan.Findings, finding.Finding{
			Rule: "team-budget-never-resets", Severity: finding.Warning, Subject: finding.Subject{Kind: "key", Name: p.Name},
			Summary: fmt.Sprintf("this release of LiteLLM never resets the budget of key %q, because it is in team %s", p.Name, p.TeamID),
			Advice:  "Upgrade LiteLLM to 1.93 or later, take the key out of the team, or leave out budget_duration; until then the whole of max_budget is all it may ever spend.",
			Source:  "GET /team/info",
		})
		p.BudgetDuration = ""
	}
	var diff []change
	if m == nil || p.MaxBudget.Valid && !sameMoney(m.MaxBudget, p.MaxBudget) {
		diff = append(diff, change{"max_budget", memberLimit(m), p.MaxBudget})
	}
	if m != nil && p.MaxBudget.Valid && p.BudgetDuration != "" && m.BudgetDuration != p.BudgetDuration {
		diff = append(diff, change{"budget_duration", m.BudgetDuration, p.BudgetDuration})
	}
	if len(diff) > 0 {
		changes, _ := describe(diff)
		reason := "the holder's budget in the team: " + changes
		if r.Old && m != nil && m.MaxBudget.Valid && m.Spend.GreaterThanOrEqual(m.MaxBudget.Decimal) {
			reason += "; LiteLLM before 1.93 may go on refusing for ten minutes, because it works with what it read of a spent member"
		}
		plan.Steps = append(plan.Steps, Step{Kind: StepUpdate, Target: "team " + p.TeamID, Reason: reason})
	}
}

func memberLimit(m *litellm.TeamMember) decimal.NullDecimal {
	if m == nil {
		return decimal.NullDecimal{}
	}
	return m.MaxBudget
}

// change is one field that differs from the configuration, in LiteLLM's name.
type change struct {
	field    string
	from, to any
}

// describe tells the changes for everybody, and for a step's Who what they replace that people may have made up.
func describe(diff []change) (text, who string) {
	var texts, whos []string
	for _, c := range diff {
		from := plain(c.from)
		if c.madeUp() {
			whos = append(whos, c.field+" is "+from)
			from = "something else"
		}
		texts = append(texts, fmt.Sprintf("%s is %s, the configuration says %s", c.field, from, plain(c.to)))
	}
	return strings.Join(texts, "; "), strings.Join(whos, "; ")
}

// madeUp reports whether the proxy's value of an option may be a text that people chose: a team, tags, metadata.
func (c change) madeUp() bool {
	raw, option := c.from.(json.RawMessage)
	if !option || empty(raw) {
		return false
	}
	var value any
	err := json.Unmarshal(raw, &value)
	switch value.(type) {
	case bool, float64:
		return err != nil
	}
	return true
}

func plain(v any) string {
	switch v := v.(type) {
	case nil:
		return "not set"
	case string:
		if v == "" {
			return "not set"
		}
		return v
	case []string:
		if len(v) == 0 {
			return "every model"
		}
		return strings.Join(v, ",")
	case decimal.NullDecimal:
		if !v.Valid {
			return "not set"
		}
		return v.Decimal.String() + " USD"
	case decimal.Decimal:
		return v.String() + " USD"
	case json.RawMessage:
		if empty(v) {
			return "not set"
		}
		return string(v)
	}
	return fmt.Sprint(v)
}

// holderDiff compares the holder with the policy. Without a team its own budget binds; with a team the member budget does
// and the holder's own limit is left alone.
func holderDiff(p Policy, h *litellm.User) []change {
	var out []change
	if p.MaxBudget.Valid && p.TeamID == "" && !sameMoney(h.MaxBudget, p.MaxBudget) {
		out = append(out, change{"max_budget", h.MaxBudget, p.MaxBudget.Decimal})
	}
	if p.BudgetDuration != "" && h.BudgetDuration != p.BudgetDuration {
		out = append(out, change{"budget_duration", h.BudgetDuration, p.BudgetDuration})
	}
	return out
}

// generationDiff compares one generation with what the policy names.
func generationDiff(p Policy, r Reading, k litellm.Key) []change {
	var out []change
	if p.ownLimit(r) && !countedMore(k, r) {
		if !sameMoney(k.MaxBudget, p.MaxBudget) {
			out = append(out, change{"max_budget", k.MaxBudget, p.MaxBudget.Decimal})
		}
		if window := p.window(r); window != "" && k.BudgetDuration != window {
			out = append(out, change{"budget_duration", k.BudgetDuration, window})
		}
	}
	if p.Models != nil && !sameSet(k.Models, p.Models) {
		out = append(out, change{"models", k.Models, p.Models})
	}
	for _, name := range slices.Sorted(maps.Keys(p.Options)) {
		have := option(k, name)
		if !sameJSON(have, p.Options[name]) {
			out = append(out, change{name, have, p.Options[name]})
		}
	}
	return out
}

// ownLimitStep is the Target of the step that takes a generation's own limit away, which may be followed in the same run
// by one that gives it another.
const ownLimitStep = "own limit"

// dropsOwnLimit returns the change that takes away a generation's own limit where it could bind before the holder's: its
// window is another one, or it has counted spend that the holder's window has not. What is left binds no earlier.
func dropsOwnLimit(p Policy, r Reading, k litellm.Key) []change {
	if !p.MaxBudget.Valid || !k.MaxBudget.Valid {
		return nil
	}
	drop := []change{{"max_budget", k.MaxBudget, nil}}
	window := p.window(r)
	if !follows(k.BudgetDuration, window) || !follows(k.BudgetDuration, p.bindingWindow(r)) {
		return drop
	}
	if countedMore(k, r) && !(sameMoney(k.MaxBudget, p.MaxBudget) && (window == "" || k.BudgetDuration == window)) {
		return drop
	}
	return nil
}

// countedMore reports whether a key has counted more than the budget that binds. A millionth of a dollar is none: LiteLLM
// adds floats.
func countedMore(k litellm.Key, r Reading) bool {
	return k.Spend.Sub(r.spend()).GreaterThan(decimal.New(1, -6))
}

// follows reports whether a key's window has always been reset where the one of the budget that binds was.
func follows(own, binding string) bool {
	return binding == "" || own == binding && calendar(binding)
}

// ownLimit reports whether a generation may carry the policy's limit itself, as a second belt and for its /key/info. It
// may only where its window resets with the budget that binds: by the calendar, or never. Any other window counts from
// its row's creation; a generation minted in the middle of the holder's window would then keep what it spent before the
// holder's reset, and refuse calls that the budget allows. While the holder's own window is about to change it may not.
func (p Policy) ownLimit(r Reading) bool {
	if !p.MaxBudget.Valid {
		return false
	}
	window := p.window(r)
	return follows(window, window) && follows(window, p.bindingWindow(r))
}

// calendar reports whether LiteLLM resets a window by the calendar, so that rows made at different times share it.
func calendar(window string) bool {
	switch window {
	case "1h", "1d", "24h", "7d", "30d", "1mo": // seen on 1.81.13, 1.93.2 and 1.106.10
		return true
	}
	return false
}

// window is the configured window, or else the one that people gave to the holder.
func (p Policy) window(r Reading) string {
	if p.BudgetDuration != "" {
		return p.BudgetDuration
	}
	return p.bindingWindow(r)
}

// bindingWindow is the window of the budget that binds: the holder's own, or its one in the team. "": it never resets.
func (p Policy) bindingWindow(r Reading) string {
	switch {
	case p.TeamID != "" && r.Member != nil:
		return r.Member.BudgetDuration
	case p.TeamID == "" && r.Holder != nil:
		return r.Holder.BudgetDuration
	}
	return ""
}

// option returns a field of the row by LiteLLM's name. Some options ("tags", "model_rpm_limit", "guardrails") are kept in
// the row's metadata.
func option(k litellm.Key, name string) json.RawMessage {
	if raw, ok := k.Raw[name]; ok && !empty(raw) {
		return raw
	}
	if name == "soft_budget" {
		return budgetTable(k)["soft_budget"]
	}
	return k.Metadata[name]
}

// budgetTable is the row of LiteLLM's budget table that the key points to: its soft budget, or a budget shared with other
// keys. nil: none.
func budgetTable(k litellm.Key) map[string]json.RawMessage {
	var table map[string]json.RawMessage
	if json.Unmarshal(k.Raw["litellm_budget_table"], &table) != nil {
		return nil
	}
	return table
}

func empty(raw json.RawMessage) bool {
	switch string(bytes.TrimSpace(raw)) {
	case "", "null", "[]", "{}", `""`:
		return true
	}
	return false
}

func fieldsOf(diff []change) litellm.Fields {
	out := litellm.Fields{}
	for _, c := range diff {
		out[c.field] = c.to
	}
	return out
}

func sameMoney(a, b decimal.NullDecimal) bool {
	return a.Valid == b.Valid && (!a.Valid || a.Decimal.Equal(b.Decimal))
}

func sameSet(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(slices.Compact(a), slices.Compact(b))
}

// sameJSON compares values as JSON, numbers by value: 60, 60.0 and 6e1 are the same.
func sameJSON(have json.RawMessage, want any) bool {
	raw, err := json.Marshal(want)
	if err != nil {
		return false
	}
	if empty(have) && empty(raw) {
		return true
	}
	a, errA := decodeJSON(have)
	b, errB := decodeJSON(raw)
	return errA == nil && errB == nil && reflect.DeepEqual(a, b)
}

func decodeJSON(raw json.RawMessage) (any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	return canonical(v), nil
}

func canonical(v any) any {
	switch v := v.(type) {
	case json.Number:
		if d, err := figure.Parse(v.String()); err == nil {
			return d.String()
		}
		return v.String()
	case []any:
		for i := range v {
			v[i] = canonical(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = canonical(v[k])
		}
	}
	return v
}
