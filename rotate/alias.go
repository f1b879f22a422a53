package rotate

import (
	"context"
	"errors"
	"fmt"
	"regexp"

	"github.com/org/openclaw-litellm-action/finding"
	"github.com/org/openclaw-litellm-action/litellm"
)

// RuleAliasTaken is an alias of ours that somebody else's key has.
const RuleAliasTaken = "alias-taken"

// errAliasTaken is a plain alias that somebody took since it was read.
var errAliasTaken = errors.New("the alias was taken meanwhile")

// aliasSteps gives the plain alias to the current generation alone: first off the others, then on. An alias is for people:
// where somebody else's key has it, that is reported, and nothing waits for it.
func (plan *Plan) aliasSteps(p Policy, r Reading) {
	if plan.current < 0 {
		return
	}
	cur, ours := plan.rows.generations[plan.current], false
	for _, g := range plan.rows.generations {
		if g.Alias == p.Name && g.Token != cur.Token {
			ours = true
			plan.Steps = append(plan.Steps, Step{
				Kind: StepAlias, Gen: g.Gen, Token: g.Token, Target: generationAlias(p.Name, g.Gen),
				Reason: fmt.Sprintf("the plain alias goes to generation %d", cur.Gen),
			})
		}
	}
	if cur.Alias == p.Name || plan.rotate {
		return
	}
	if r.Alias == nil && !ours {
		plan.Wants.Alias = true
		return
	}
	if other := r.aliasOfOthers(); other != nil {
		instead := fmt.Sprintf("generation %d has %s", cur.Gen, p.shownAlias(cur.Alias))
		plan.Findings = append(plan.Findings, aliasTaken(p, p.Name, *other, instead))
		return
	}
	plan.Steps = append(plan.Steps, Step{
		Kind: StepAlias, Gen: cur.Gen, Token: cur.Token, Target: p.Name, Reason: "the current generation carries the key's name",
	})
}

// shownAlias is an alias of ours as everybody may read it: people can give our rows any other one.
func (p Policy) shownAlias(alias string) string {
	if alias == p.Name || WithoutGeneration(alias) == p.Name {
		return "the alias " + alias
	}
	return "another alias"
}

// generationMark is what follows the key's name in the alias of a generation.
var generationMark = regexp.MustCompile(`\.g[0-9]+(\.(blocked|reopened)-[0-9TZ]+)?(-[0-9a-f]+)?$`)

// WithoutGeneration returns the name of the key whose generation has the alias, and any other alias as it is.
func WithoutGeneration(alias string) string { return generationMark.ReplaceAllString(alias, "") }

// aliasOfOthers returns a key with the plain alias that is not the holder's, or nil.
func (r Reading) aliasOfOthers() *litellm.Key {
	for i, k := range r.Alias {
		if r.Holder == nil || k.UserID != r.Holder.ID {
			return &r.Alias[i]
		}
	}
	return nil
}

// aliasTaken reports who has an alias that was to be ours, and what we did instead.
func aliasTaken(p Policy, alias string, k litellm.Key, instead string) finding.Finding {
	return finding.Finding{
		Rule: RuleAliasTaken, Severity: finding.Warning, Subject: finding.Subject{Kind: "key", Name: p.Name + "/" + alias},
		Summary: fmt.Sprintf("the alias %s belongs to another key (hash %s); %s", alias, short(k.Token), instead),
		Who:     ownerOf(k),
		Advice:  "Rotation needs no alias and goes on; to get the name back, rename or delete that key in LiteLLM.",
		Source:  "GET /key/list",
	}
}

// withAlias runs write with an alias, and where LiteLLM says that another key has it, with a few longer ones that nobody
// can have guessed. Who has the alias is reported.
func (r *Runner) withAlias(ctx context.Context, alias string, write func(alias string) error) error {
	const tries = 3
	err := write(alias)
	for n := 1; n <= tries && litellm.IsKind(err, litellm.AliasTaken); n++ {
		other := fmt.Sprintf("%s-%s", alias, randomHex(2*n))
		if err = write(other); err == nil {
			r.reportAlias(ctx, alias, other)
		}
	}
	return err
}

// reportAlias adds the finding for an alias that was avoided. Who has it is left out if it cannot be read.
func (r *Runner) reportAlias(ctx context.Context, alias, instead string) {
	var k litellm.Key
	if keys, err := r.LiteLLM.KeysByAlias(ctx, alias); err == nil && len(keys) > 0 {
		k = keys[0]
	}
	r.found = append(r.found, aliasTaken(r.Policy, alias, k, "its place is taken by the alias "+instead))
}

// rename gives a row an alias. The plain one is not insisted on: the next reading shows who has it.
func (r *Runner) rename(ctx context.Context, token, alias string) error {
	set := func(alias string) error {
		return r.LiteLLM.UpdateKey(ctx, token, litellm.Fields{"key_alias": alias})
	}
	if alias != r.Policy.Name {
		return r.withAlias(ctx, alias, set)
	}
	err := set(alias)
	if litellm.IsKind(err, litellm.AliasTaken) {
		return errAliasTaken
	}
	return err
}
