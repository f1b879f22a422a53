package rotate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/org/openclaw-litellm-action/finding"
	"github.com/org/openclaw-litellm-action/litellm"
)

// masterUser is the user id that LiteLLM gives to what the master key makes.
const masterUser = "default_user_id"

// aliasFree looks at who carries the plain alias before the first generation is minted. It adds the adoption of an
// existing key if the policy allows it, and refuses the plan if the alias belongs to somebody else.
func (plan *Plan) aliasFree(p Policy, r Reading) bool {
	if plan.current >= 0 || len(plan.rows.generations) > 0 {
		return true
	}
	if r.Alias == nil {
		plan.Wants.Alias = true
		return false
	}
	theirs := slices.DeleteFunc(slices.Clone(r.Alias), func(k litellm.Key) bool { return k.UserID == HolderID(p.Name) })
	persons := slices.DeleteFunc(slices.Clone(theirs), func(k litellm.Key) bool { return !ofPerson(k) })
	refuse := func(who, format string, args ...any) bool {
		plan.Steps, plan.Refused = nil, finding.Naming(&Conflict{fmt.Sprintf(format, args...)}, who)
		return false
	}
	switch {
	case len(theirs) == 0:
		return true
	case len(persons) == len(theirs) && !p.Adopt: // anybody may take a free alias: that stops nothing
		plan.Findings = append(plan.Findings, aliasTaken(p, p.Name, theirs[0], "the first generation gets another alias"))
		return true
	case len(theirs)-len(persons) > 1: // LiteLLM takes two that are made at once
		return refuse("", "%d keys have that alias (hashes %s and %s): give all but one another alias in LiteLLM, or "+
			"choose another key name",
			len(theirs), short(theirs[0].Token), short(theirs[1].Token))
	}
	k := theirs[0]
	if i := slices.IndexFunc(theirs, func(k litellm.Key) bool { return !ofPerson(k) }); i >= 0 {
		k = theirs[i]
	}
	if why := adoptable(p, k); why != "" {
		return refuse(madeBy(k), "a key with that alias exists already (hash %s, %s): %s",
			short(k.Token), facts(k), why)
	}
	plan.Steps = append(plan.Steps, Step{Kind: StepAdopt, Gen: 0, Token: k.Token, Who: madeBy(k),
		Reason: fmt.Sprintf("adopt is set and the alias %s is carried by hash %s (%s)%s", p.Name, short(k.Token), facts(k), notCarried(k))})
	return true
}

// ofPerson reports whether a key belongs to a user of its own, as every key does that somebody other than an administrator
// made.
func ofPerson(k litellm.Key) bool { return k.UserID != "" && k.UserID != masterUser }

// adoptable returns why a key with our alias must not be taken over, or "".
func adoptable(p Policy, k litellm.Key) string {
	switch {
	case !p.Adopt:
		return "set adopt: true to take it over, or choose another key name"
	case ofPerson(k):
		return "it belongs to a user, whose budget it would leave; remove its user_id first, or choose another key name"
	case k.Blocked:
		return "it is blocked; unblock it or choose another key name"
	case k.TeamID != p.TeamID:
		return "it is in another team; name that team in key_options.team_id"
	}
	if _, ok := k.Metadata[journalKey]; ok {
		return "it carries a journal of this tool under another holder; remove that metadata entry if it is a copy"
	}
	return ""
}

// notCarried says what of a key's window LiteLLM gives no way to move to the holder.
func notCarried(k litellm.Key) string {
	switch {
	case k.TeamID != "" && k.Spend.IsPositive():
		return "; the team counts the member's spend from now on, not what the key has spent before"
	case k.BudgetDuration != "" && !calendar(k.BudgetDuration):
		return fmt.Sprintf("; its window of %s begins anew, with what it has spent", k.BudgetDuration)
	}
	return ""
}

// facts tells what a person needs to know of a key before it is adopted.
func facts(k litellm.Key) string {
	limit := "no limit"
	if k.MaxBudget.Valid {
		limit = "limit " + k.MaxBudget.Decimal.String() + " USD"
	}
	if k.BudgetDuration != "" {
		limit += " a " + k.BudgetDuration
	}
	return fmt.Sprintf("%s, %s USD spent, last changed %s", limit, k.Spend, stamp(k.UpdatedAt))
}

// madeBy names who made a key and whose it is.
func madeBy(k litellm.Key) string {
	var parts []string
	if k.CreatedBy != "" {
		parts = append(parts, "made by "+k.CreatedBy)
	}
	if ofPerson(k) {
		parts = append(parts, "of the user "+k.UserID)
	}
	if k.TeamID != "" {
		parts = append(parts, "in the team "+k.TeamID)
	}
	return strings.Join(parts, ", ")
}
