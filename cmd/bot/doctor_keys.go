package main

import (
	"context"
	"fmt"
	"time"

	"github.com/org/openclaw-litellm-action/finding"
	"github.com/org/openclaw-litellm-action/rotate"
)

// logicalKeys says of each key what its holder and its rows show: which generation is current, what somebody else has put
// there or taken, and whether another run holds it. It takes a request or two a key.
func (x *examination) logicalKeys(ctx context.Context) {
	for _, k := range x.keys[:min(len(x.keys), mostPlaces)] {
		r := &rotate.Runner{LiteLLM: x.proxy, Policy: x.policyOf(k), Now: x.now, Sleep: x.sleep}
		r.Policy.Targets = nil // those have a check of their own
		x.logicalKey(k.Name, r.Examine(ctx))
	}
}

func (x *examination) logicalKey(name string, o rotate.Outcome) {
	if !x.judge("key", name, x.adviseProxy(o.Err), x.standing(o), "see the message; nothing was changed") {
		return
	}
	for _, f := range o.Findings {
		if f.Severity < finding.Warning {
			continue
		}
		state := stateWarning
		if f.Severity == finding.Critical {
			state = stateFault
		}
		what := f.Summary
		if f.Who != "" && !x.printView().Public {
			what += " (" + f.Who + ")"
		}
		x.note("key", name, state, what, f.Advice)
	}
}

// standing says how a key stands where nothing is wrong.
func (x *examination) standing(o rotate.Outcome) string {
	switch {
	case o.Waiting != "":
		return o.Waiting
	case o.CurrentNumber < 0:
		return "it has no generation yet; rotate makes the first"
	}
	text := fmt.Sprintf("generation %d is current", o.CurrentNumber)
	if !o.NextRotation.IsZero() {
		text += ", the next rotation is due at " + o.NextRotation.UTC().Format(time.RFC3339)
	}
	return text
}
