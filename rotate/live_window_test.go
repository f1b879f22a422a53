package rotate_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/rotate"
	"github.com/org/openclaw-litellm-action/secret"
)

const days = 24 * time.Hour

// floorAge is how long LiteLLM from 93 on may take a user's spend from before a reset for the least that was spent since
// (docs/facts.md).
const floorAge = 5100 * time.Millisecond

// TestLiveFifteenDaysRotatedWeekly: five windows of a budget that does not follow the calendar, each of them 15 days long
// whatever was rotated meanwhile. Time is moved in the database.
func TestLiveFifteenDaysRotatedWeekly(t *testing.T) {
	onLive(t, func(t *testing.T, l *live) {
		l.sql("SELECT 1")
		l.policy.MaxBudget, l.policy.BudgetDuration = decimal.NewNullDecimal(decimal.RequireFromString("0.6")), "15d"
		release, err := l.client.Release(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		// 1.81 counts an earlier window's spend for up to a minute longer, and so does a worker of any release that did not do
		// the reset itself (docs/facts.md).
		if !release.AtLeast(1, 93) || strings.Contains(os.Getenv("LITELLM_LIVE_SECOND"), release.Version+"=") {
			l.policy.MaxBudget.Decimal = decimal.NewFromInt(6)
		}
		l.policy.Interval, l.policy.Grace, l.policy.MaxGrace = 7*days, 2*days, 14*days
		rotations := 0
		rotated := func() rotate.Outcome {
			o := l.rotate()
			if o.Rotated {
				rotations++
			}
			return o
		}
		rotated()
		for window := 1; window <= 5; window++ {
			var p purse
			spend := func(n int) {
				for range n {
					if !p.call(t.Context(), l.client, l.a.value) {
						t.Fatalf("window %d: refused after %s USD of %s", window, p.total(), l.policy.MaxBudget.Decimal)
					}
				}
			}
			reset := l.holder().BudgetResetAt
			if left := time.Until(reset); left > 15*days || left < 14*days {
				t.Errorf("window %d ends in %s, want 15 days by midnight", window, left)
			}
			spend(3)
			for range 2 {
				l.moveJournals(7 * days)
				l.moveWindows(7 * days)
				if got, want := l.holder().BudgetResetAt, reset.Add(-7*days); !got.Equal(want) {
					t.Errorf("window %d: a rotation moved its end to %s, want %s", window, got, want)
				}
				time.Sleep(1100 * time.Millisecond)
				rotated()
				reset = reset.Add(-7 * days)
				spend(3)
			}
			l.eventually("all nine calls are reported", func() bool { return l.rotate().Spend.Sub(p.total()).Abs().LessThan(decimal.New(1, -6)) })
			for _, k := range l.holder().Keys {
				if k.MaxBudget.Valid {
					t.Errorf("generation %s has a limit of its own, which cannot follow the holder's window", k.Alias)
				}
			}
			l.moveJournals(2 * days)
			l.moveWindows(2 * days)
			l.eventually("the window begins anew", func() bool { return l.holder().Spend.IsZero() })
			time.Sleep(floorAge)
		}
		if rotations < 10 {
			t.Errorf("%d rotations, want one a week", rotations)
		}
		t.Logf("5 windows, %d rotations", rotations)
	})
}

// TestLiveOwnLimitOutsideTheCalendar shows what LiteLLM would do with a generation that carried a 15d limit itself: it
// counts from the key's creation, so after the holder's reset it refuses calls that the budget allows.
func TestLiveOwnLimitOutsideTheCalendar(t *testing.T) {
	onLive(t, func(t *testing.T, l *live) {
		l.sql("SELECT 1")
		limit := decimal.RequireFromString("0.2")
		id := rotate.HolderID(l.policy.Name)
		if err := l.client.CreateUser(t.Context(), id, litellm.Fields{"max_budget": limit, "budget_duration": "15d", "auto_create_key": false}); err != nil {
			t.Fatal(err)
		}
		l.moveWindows(8 * days) // the middle of the holder's window
		v := secret.New("sk-live-own-" + l.policy.Name[len(l.policy.Name)-9:])
		fields := litellm.Fields{"user_id": id, "max_budget": limit, "budget_duration": "15d"}
		if err := l.client.GenerateKey(t.Context(), litellm.NewKey{Value: v, Fields: fields}); err != nil {
			t.Fatal(err)
		}
		if user, key := l.holder().BudgetResetAt, l.row(v).BudgetResetAt; !key.After(user) {
			t.Fatalf("the key's window ends at %s, the holder's at %s", key, user)
		}
		var p purse
		for range 3 {
			p.call(t.Context(), l.client, v)
		}
		l.eventually("three calls are counted", func() bool { return l.holder().Spend.GreaterThan(decimal.RequireFromString("0.14")) })
		l.moveWindows(8 * days)
		l.eventually("the holder's window begins anew", func() bool { return l.holder().Spend.IsZero() })
		if l.row(v).Spend.IsZero() {
			t.Fatal("the key's own spend was reset with the holder's: this LiteLLM needs no care any more")
		}
		for range 3 {
			p.call(t.Context(), l.client, v)
			time.Sleep(1500 * time.Millisecond)
		}
		if p.refused == 0 || l.holder().Spend.GreaterThan(decimal.RequireFromString("0.16")) {
			t.Errorf("%d calls refused with %s of %s USD spent in the holder's window, want refusals", p.refused, l.holder().Spend, limit)
		}
	})
}

// TestLiveWindowsFollowTheCalendar: every form of budget_duration that settings accept ends when the calendar says.
func TestLiveWindowsFollowTheCalendar(t *testing.T) {
	onLive(t, func(t *testing.T, l *live) {
		for i, form := range []string{"1h", "2h", "12h", "24h", "1d", "3d", "7d", "14d", "15d", "30d", "90d", "1mo", "30m", "10s"} {
			n := l.newLive(t, fmt.Sprintf("-%d", i))
			n.policy.BudgetDuration = form
			n.policy.Targets = nil
			before := time.Now().UTC()
			n.rotate()
			u := n.holder()
			after := time.Now().UTC()
			if !u.BudgetResetAt.Equal(calendarEnd(form, before)) && !u.BudgetResetAt.Equal(calendarEnd(form, after)) {
				t.Errorf("%s: ends at %s, want %s", form, u.BudgetResetAt, calendarEnd(form, after))
			}
			if k := u.Keys[0]; k.MaxBudget.Valid && !k.BudgetResetAt.Equal(u.BudgetResetAt) && form != "10s" {
				t.Errorf("%s: the generation's window ends at %s, the holder's at %s", form, k.BudgetResetAt, u.BudgetResetAt)
			}
		}
	})
}

// calendarEnd is when a window that contains now ends.
func calendarEnd(form string, now time.Time) time.Time {
	midnight := now.Truncate(days)
	switch form {
	case "24h", "1d":
		return midnight.AddDate(0, 0, 1)
	case "7d":
		return midnight.AddDate(0, 0, 7-(int(now.Weekday())+6)%7)
	case "30d", "1mo":
		return time.Date(now.Year(), now.Month()+1, 1, 0, 0, 0, 0, time.UTC)
	}
	if n, ok := strings.CutSuffix(form, "d"); ok {
		var count int
		fmt.Sscan(n, &count)
		return midnight.AddDate(0, 0, count)
	}
	d, _ := time.ParseDuration(form)
	return now.Truncate(d).Add(d)
}

// TestLiveTeamBudgetHasAWindow: a key in a team draws on the member's budget, which has the configured window where
// LiteLLM knows one (1.93 on); elsewhere it is said that it never resets.
func TestLiveTeamBudgetHasAWindow(t *testing.T) {
	onLive(t, func(t *testing.T, l *live) {
		l.policy.TeamID, l.policy.BudgetDuration = l.makeTeam(), "7d"
		o := l.rotate()
		release, err := l.client.Release(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !release.AtLeast(1, 93) {
			said := false
			for _, f := range o.Findings {
				said = said || f.Rule == "team-budget-never-resets"
			}
			if !said || !o.ResetAt.IsZero() {
				t.Errorf("that the budget never resets is not said: reset %s, findings %v", o.ResetAt, o.Findings)
			}
		} else if want := calendarEnd("7d", time.Now().UTC()); !o.ResetAt.Equal(want) {
			t.Errorf("the window ends at %s, want %s", o.ResetAt, want)
		}
		if again := l.rotate(); len(again.Steps) > 0 {
			t.Errorf("once more: %s", kinds(again))
		}
		if !release.AtLeast(1, 93) {
			return
		}
		var p purse
		for range 3 {
			p.call(t.Context(), l.client, l.a.value)
		}
		l.eventually("three calls are counted", func() bool { return l.rotate().Spend.GreaterThan(decimal.RequireFromString("0.14")) })
		l.sql(`UPDATE "LiteLLM_BudgetTable" SET budget_reset_at = now() - interval '1 minute' WHERE budget_id IN
			(SELECT budget_id FROM "LiteLLM_TeamMembership" WHERE user_id = '%s')`, rotate.HolderID(l.policy.Name))
		l.eventually("the member's window begins anew", func() bool { return l.rotate().Spend.IsZero() })
	})
}

// TestLiveLimitsChangedByHand: the next run brings back what the configuration names and leaves the rest.
func TestLiveLimitsChangedByHand(t *testing.T) {
	onLive(t, func(t *testing.T, l *live) {
		l.rotate()
		ctx, id := context.Background(), rotate.HolderID(l.policy.Name)
		if err := l.client.UpdateUser(ctx, id, litellm.Fields{"max_budget": 9, "rpm_limit": 77}); err != nil {
			t.Fatal(err)
		}
		if err := l.client.UpdateKey(ctx, l.a.value.SHA256(), litellm.Fields{"max_budget": 1, "tpm_limit": 1000}); err != nil {
			t.Fatal(err)
		}
		reset := l.holder().BudgetResetAt
		if o := l.rotate(); kinds(o) != "update update" || !o.MaxBudget.Decimal.Equal(decimal.NewFromInt(5)) {
			t.Errorf("%s, limit %s; want both updated, to 5", kinds(o), o.MaxBudget.Decimal)
		}
		k := l.row(l.a.value)
		if !k.MaxBudget.Decimal.Equal(decimal.NewFromInt(5)) || string(k.Raw["tpm_limit"]) != "1000" {
			t.Errorf("the generation has limit %s and tpm_limit %s", k.MaxBudget.Decimal, k.Raw["tpm_limit"])
		}
		if !l.holder().BudgetResetAt.Equal(reset) {
			t.Error("the window moved")
		}
		l.policy.MaxBudget, l.policy.BudgetDuration = decimal.NullDecimal{}, ""
		if o := l.rotate(); len(o.Steps) > 0 || !o.MaxBudget.Decimal.Equal(decimal.NewFromInt(5)) {
			t.Errorf("with the limit out of the configuration: %s, limit %v; want it left as it is", kinds(o), o.MaxBudget)
		}
	})
}
