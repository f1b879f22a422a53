package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/finding"
)

// money prints an amount in USD to the cent, or with more digits where it is less than a cent. Not known: "–".
func money(d decimal.NullDecimal) string {
	if !d.Valid {
		return "–"
	}
	return amount(d.Decimal)
}

func amount(d decimal.Decimal) string {
	if !d.IsZero() && d.Abs().LessThan(decimal.New(1, -2)) {
		return d.RoundBank(6).String()
	}
	return d.StringFixedBank(2)
}

// spentOf prints "41.20 of 50.00 USD", without a limit "41.20 USD", and "" where nothing is known or shown.
func spentOf(k Key) string {
	switch {
	case !k.Spend.Valid:
		return ""
	case !k.MaxBudget.Valid:
		return money(k.Spend) + " USD"
	}
	return money(k.Spend) + " of " + money(k.MaxBudget) + " USD"
}

func percent(d decimal.NullDecimal) string {
	if !d.Valid {
		return "–"
	}
	return d.Decimal.RoundFloor(0).String() + "%"
}

// quantities prints "41.20 of 50.00 USD", "41 of 100 requests", "16.1×, told from 14.88× on", "41 requests" or "".
func quantities(f finding.Finding) string {
	if f.Observed == nil {
		return ""
	}
	if f.Limit == nil || f.Limit.Unit != f.Observed.Unit {
		if f.Observed.Value.Equal(decimal.NewFromInt(1)) {
			return strings.TrimSuffix(quantity(*f.Observed), "s")
		}
		return quantity(*f.Observed)
	}
	if f.Limit.Unit == "×" {
		return quantity(*f.Observed) + ", told from " + quantity(*f.Limit) + " on"
	}
	return number(*f.Observed) + " of " + quantity(*f.Limit)
}

func number(q finding.Quantity) string {
	if q.Unit == "USD" {
		return amount(q.Value)
	}
	return q.Value.String()
}

func quantity(q finding.Quantity) string {
	if q.Unit == "%" || q.Unit == "×" {
		return number(q) + q.Unit
	}
	return number(q) + " " + q.Unit
}

// stamp prints a moment for people: "23 Nov 2026 18:10 UTC".
func stamp(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return t.UTC().Format("2 Jan 2006 15:04 UTC")
}

// date prints the day of t, and its time only if that is not midnight.
func date(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	t = t.UTC()
	if t.Hour() == 0 && t.Minute() == 0 {
		return t.Format("2 Jan 2006")
	}
	return t.Format("2 Jan 2006 15:04")
}

// away prints how far t is from now: "in 7d", "3h ago"; "" for no time.
func away(t, now time.Time) string {
	switch {
	case t.IsZero():
		return ""
	case t.After(now):
		return "in " + finding.Short(t.Sub(now))
	}
	return finding.Short(now.Sub(t)) + " ago"
}

// actionText says what a step does, or did, in words.
func actionText(a Action) string {
	switch a.Step {
	case "holder":
		return "create the holder that carries the budget"
	case "update":
		return "update limits and options in place"
	case "adopt":
		return "adopt the existing key as generation 0"
	case "mint":
		return fmt.Sprintf("mint generation %d", a.Generation)
	case "verify":
		return fmt.Sprintf("verify that generation %d answers", a.Generation)
	case "place":
		return fmt.Sprintf("place generation %d in %s", a.Generation, a.Target)
	case "finish":
		return fmt.Sprintf("record which targets hold generation %d", a.Generation)
	case "alias":
		return fmt.Sprintf("rename generation %d", a.Generation)
	case "block":
		return fmt.Sprintf("block generation %d", a.Generation)
	case "delete":
		return fmt.Sprintf("delete generation %d", a.Generation)
	case "cleanup":
		return "remove an expired claim"
	case "takeover":
		return "take over from another run"
	}
	return a.Step
}

// failureLead says what failed: "openclaw: placing in secret X in a/b", "telling slack".
func failureLead(f Failure) string {
	lead := ""
	if f.Key != "" {
		lead = clip(f.Key, nameLimit) + ": "
	}
	return lead + failedDoing(f)
}

// failedDoing says what was being done, without the key.
func failedDoing(f Failure) string {
	doing := clip(f.Step, nameLimit)
	switch f.Step {
	case "":
		doing = "the pass"
		if f.Key != "" {
			doing = "rotating"
		}
	case "holder":
		doing = "creating the holder"
	case "update":
		doing = "updating limits and options"
	case "adopt":
		doing = "adopting the existing key"
	case "mint":
		doing = "minting a generation"
	case "verify":
		doing = "verifying the new generation"
	case "place":
		doing = "placing in"
	case "finish":
		doing = "recording where it is"
	case "alias":
		doing = "renaming a generation"
	case "block", "delete":
		doing = strings.TrimSuffix(f.Step, "e") + "ing an old generation"
	case "cleanup":
		doing = "removing an expired claim"
	case "observe":
		doing = "reading what was spent"
	case "heartbeat":
		doing = "pinging the heartbeat"
	case "tell":
		doing = "telling"
	}
	if f.Target != "" {
		doing += " " + clip(f.Target, nameLimit)
	}
	return doing
}
