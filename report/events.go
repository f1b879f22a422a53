package report

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/failover"
	"github.com/org/openclaw-litellm-action/finding"
)

// RuleFailed is the rule that a pass could not do something; its findings are made of the Failures, for telling only.
const RuleFailed = "pass-failed"

// spendPart is what of a key a pass without rotation can fail at, and can see mended.
const spendPart = "spend"

// Events returns what the pass did that people should know of: rotations, generations that stopped working, adoptions,
// changed limits. A plan did nothing.
func Events(r Report) []Event {
	if r.DryRun {
		return nil
	}
	var out []Event
	for _, k := range r.Keys {
		if k.Rotated {
			out = append(out, Event{
				Key:     eventKey("rotated", k, k.Generation, r.GeneratedAt),
				Summary: fmt.Sprintf("%s was rotated: generation %d is in every target", k.Name, k.Generation),
				Details: targetsText(k),
			})
		}
		for _, a := range k.Actions {
			if summary := deed(k, a); a.Done && summary != "" {
				key := eventKey(a.Step, k, a.Generation, r.GeneratedAt)
				out = append(out, Event{Key: key, Summary: summary, Details: a.why()})
			}
		}
	}
	return out
}

// deed words a step that is news by itself.
func deed(k Key, a Action) string {
	switch a.Step {
	case "block":
		return fmt.Sprintf("generation %d of %s was blocked: it works no more", a.Generation, k.Name)
	case "adopt":
		return fmt.Sprintf("%s was adopted as generation %d", k.Name, a.Generation)
	case "update":
		return fmt.Sprintf("limits or options of %s were updated in place", k.Name)
	}
	return ""
}

// eventKey names a deed. A generation is told from a later one of the same number by when it was minted, and an update
// from a later one by the day and the limit.
func eventKey(step string, k Key, generation int, now time.Time) string {
	at := ""
	for _, g := range k.Generations {
		if g.Number == generation && !g.MintedAt.IsZero() {
			at = g.MintedAt.UTC().Format(time.RFC3339)
		}
	}
	if step == "update" {
		at += now.UTC().Format(time.DateOnly) + k.MaxBudget.Decimal.String()
	}
	return strings.Join([]string{step, clip(k.Name, nameLimit), fmt.Sprint(generation), at}, "|")
}

func targetsText(k Key) string {
	const most = 5
	var names []string
	for _, t := range k.Targets[:min(most, len(k.Targets))] {
		names = append(names, clip(t.Name, nameLimit))
	}
	if n := len(k.Targets) - most; n > 0 {
		names = append(names, fmt.Sprintf("%d more", n))
	}
	return strings.Join(names, ", ")
}

// tellable returns the findings of r and one for each key or step that failed, and for keys that were left. While the proxy is down or without its
// database, that is the one cause, and failures of keys are not told one by one.
func tellable(r Report) []finding.Finding {
	found := slices.Clone(r.Findings)
	down := slices.ContainsFunc(found, func(f finding.Finding) bool {
		return f.Rule == failover.RuleProxyDown || f.Rule == failover.RuleDatabase
	})
	if down {
		return found
	}
	if r.Totals.Left > 0 {
		found = append(found, interrupted(r))
	}
	seen := map[finding.Subject]bool{}
	for _, f := range r.Failures {
		subject := finding.Subject{Kind: "key", Name: f.Key}
		switch {
		case f.Key == "":
			subject = finding.Subject{Kind: "tool", Name: cmp.Or(f.Step, "pass")}
		case f.Step == "observe":
			subject.Name += "/" + spendPart
		}
		if seen[subject] {
			continue
		}
		seen[subject] = true
		whose := ""
		if f.Key != "" {
			whose = " for " + clip(f.Key, nameLimit)
		}
		found = append(found, finding.Finding{
			Rule: RuleFailed, Severity: finding.Warning, Subject: subject,
			Summary: "not everything could be done" + whose + ": " + failedDoing(f), Cause: clip(f.Message, textLimit),
			Advice: "Mend what the cause names; the next pass tries again what is still due.",
		})
	}
	return found
}

// interrupted is the finding that a run was told to stop before it had looked after every key.
func interrupted(r Report) finding.Finding {
	left := r.Totals.Left
	return finding.Finding{
		Rule: RuleFailed, Severity: finding.Warning, Subject: finding.Subject{Kind: "tool", Name: "stop"},
		Summary: fmt.Sprintf("interrupted: %d of %d keys not looked after", left, max(left, r.Totals.Keys)),
		Cause:   "the program was told to stop", Advice: "The next run goes on with them.",
	}
}

// fingerprint is the same as long as what a living surface should show is materially the same. Time passing, and spend
// moving by less than a twentieth of the budget, do not change it.
func fingerprint(r Report) string {
	var state []any
	for _, f := range tellable(r) {
		state = append(state, f.Key(), f.Severity, f.Level)
	}
	for _, k := range r.Keys {
		used := k.UsedPercent.Decimal.Div(decimal.NewFromInt(5)).Floor()
		state = append(state, k.Name, k.Generation, used, k.ResetAt.UTC(), k.Failed)
		for _, g := range k.Generations {
			if g.State != "deleted" { // it is gone from the next reading
				state = append(state, g.Number, g.State)
			}
		}
		for _, t := range k.Targets {
			if t.State == "failed" || t.State == "drifted" { // of the others a quiet pass may not ask
				state = append(state, t.Name, t.State)
			}
		}
	}
	if p := r.Proxy; p != nil {
		state = append(state, p.Ready, p.Release)
	}
	text, err := json.Marshal(state)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}
