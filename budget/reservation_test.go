package budget_test

import (
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/budget"
	"github.com/org/openclaw-litellm-action/finding"
)

// TestReservation takes limits a step on either side of one call's and of four calls' worst case: 2 USD each.
func TestReservation(t *testing.T) {
	t.Parallel()
	big := budget.Price{Model: "big", Output: dec("0.00003125"), MaxOutput: 64000}
	small := budget.Price{Model: "small", Output: dec("0.000001"), MaxOutput: 8000}
	for _, tc := range []struct {
		name     string
		limit    string // "": none
		prices   []budget.Price
		found    bool
		severity finding.Severity
	}{
		{name: "room for four calls", limit: "8", prices: []budget.Price{small, big}},
		{name: "a step less", limit: "7.999999999", prices: []budget.Price{small, big}, found: true, severity: finding.Info},
		{name: "room for one call", limit: "2", prices: []budget.Price{big}, found: true, severity: finding.Info},
		{name: "not for one", limit: "1.999999999", prices: []budget.Price{big, small}, found: true, severity: finding.Warning},
		{name: "not for one of the dear one", limit: "1", prices: []budget.Price{big, small}, found: true, severity: finding.Warning},
		{name: "no price is known", limit: "1", prices: []budget.Price{{Model: "big", MaxOutput: 64000}}},
		{name: "no most is known", limit: "1", prices: []budget.Price{{Model: "big", Output: dec("1")}}},
		{name: "no limit", prices: []budget.Price{big}},
		{name: "no models", limit: "1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			f := budget.Facts{Key: "openclaw", Prices: tc.prices}
			if tc.limit != "" {
				f.Limit = decimal.NewNullDecimal(dec(tc.limit))
			}
			found := budget.Check(f, budget.Policy{}, now)
			if len(found) == 0 != !tc.found {
				t.Fatalf("found %+v, want one: %t", found, tc.found)
			}
			if tc.found && (found[0].Severity != tc.severity || found[0].Level != "big" || !strings.Contains(found[0].Advice, "64000 output tokens of big")) {
				t.Errorf("found %+v, want %s about big", found[0], tc.severity)
			}
		})
	}
}

func TestReservationMatters(t *testing.T) {
	t.Parallel()
	for limit, want := range map[string]bool{"19.99": true, "20": false, "50": false} {
		if got := budget.ReservationMatters(decimal.NewNullDecimal(dec(limit))); got != want {
			t.Errorf("%s USD: %t", limit, got)
		}
	}
	if budget.ReservationMatters(decimal.NullDecimal{}) {
		t.Error("without a limit")
	}
}
