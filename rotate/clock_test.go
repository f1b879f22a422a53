package rotate_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/litellm/litellmtest"
	"github.com/org/openclaw-litellm-action/rotate"
)

const (
	hour = time.Hour
	year = 365 * 24 * time.Hour
)

// clocks is a site where the proxy's clock and ours can be wrong, each by itself. s.clock is the true time.
type clocks struct {
	*site
	proxys, ours time.Duration // what they are wrong by
}

func newClocks(t *testing.T) *clocks {
	c := &clocks{site: newSite(t, "1.106.10")}
	c.proxy.Close()
	c.proxy = litellmtest.New(litellmtest.Options{Release: "1.106.10", Now: func() time.Time { return c.clock.Now().Add(c.proxys) }})
	t.Cleanup(c.proxy.Close)
	return c
}

// run is a run by our clock, whatever it shows.
func (c *clocks) run(change ...func(*rotate.Runner)) rotate.Outcome {
	c.t.Helper()
	now := func() time.Time { return c.clock.Now().Add(c.ours) }
	wrong := func(r *rotate.Runner) {
		r.Now = now
		r.LiteLLM = &litellm.Client{BaseURL: c.proxy.URL(), Key: c.proxy.MasterKey(), Now: now, Sleep: r.LiteLLM.Sleep}
	}
	return c.runner(append([]func(*rotate.Runner){wrong}, change...)...).Rotate(c.t.Context())
}

// A clock that jumps in the middle of a rotation, and is right again afterwards, takes nothing off the old key's grace.
func TestNoClockShortensGrace(t *testing.T) {
	jumps := []time.Duration{-year, -24 * hour, -hour, hour}
	for _, jump := range jumps {
		for _, which := range []string{"ours", "the proxy's", "both"} {
			t.Run(fmt.Sprintf("%s by %s", which, jump), func(t *testing.T) {
				c := newClocks(t)
				c.run()
				old := c.a.value
				set := func(d time.Duration) {
					if which != "the proxy's" {
						c.ours = d
					}
					if which != "ours" {
						c.proxys = d
					}
				}
				c.a.before = func() { set(jump) }
				o := c.run(forced)
				c.a.before = nil
				// Set forward, a claim counts as over: the run stops, which shortens nothing either.
				if o.Err != nil && !strings.Contains(o.Err.Error(), "the claim has run out") {
					t.Fatal(o.Err)
				}
				c.works(old, http.StatusOK) // not blocked in the very run
				set(0)
				done := c.clock.Now()
				if o.Err != nil {
					c.clock.advance(21 * time.Minute)
					if o = c.run(); !o.Rotated {
						t.Fatalf("the next run: %s, %v", kinds(o), o.Err)
					}
					done = c.clock.Now()
				}
				c.clock.advance(c.policy.Grace - time.Minute - c.clock.Now().Sub(done))
				c.run()
				c.works(old, http.StatusOK)
				c.clock.advance(2 * hour) // a clock that was ahead makes it longer
				c.run()
				c.works(old, http.StatusUnauthorized)
				c.works(c.a.value, http.StatusOK)
			})
		}
	}
}

// A clock that jumps between runs ends no grace either, and deletes nothing early.
func TestNoClockThatIsWrongEndsGrace(t *testing.T) {
	for _, which := range []string{"ours", "the proxy's"} {
		c := newClocks(t)
		wrong := map[string]*time.Duration{"ours": &c.ours, "the proxy's": &c.proxys}[which]
		c.run()
		old := c.a.value
		c.run(forced)
		c.policy.Interval = 2 * year // it is about the old generation
		*wrong = year
		c.run()
		c.works(old, http.StatusOK)
		*wrong = 0
		c.clock.advance(c.policy.Grace)
		c.run()
		c.works(old, http.StatusUnauthorized)
		*wrong = year
		c.run()
		if n := len(c.proxy.KeysOf(rotate.HolderID("openclaw"))); n != 2 {
			t.Errorf("%s: %d rows, want the blocked one for a day more", which, n)
		}
		*wrong = 0
	}
}

// A key that was minted while a clock was a year ahead would never come due again.
func TestAKeyFromTheFutureIsRotated(t *testing.T) {
	c := newClocks(t)
	c.proxys = year
	c.run()
	c.proxys = 0
	if o := c.run(); !o.Rotated || !strings.Contains(o.Steps[0].Reason, "in the future") {
		t.Errorf("steps %s, %v", kinds(o), o.Err)
	}
	if o := c.run(); len(o.Steps) > 0 {
		t.Errorf("and again: %s", kinds(o))
	}
}

// With our clock set back in the middle of a run, its claim seems to last for ever. The proxy tells how long it does.
func TestAClaimIsNotOutlivedByAClockSetBack(t *testing.T) {
	c := newClocks(t)
	c.run()
	first := c.a.value
	c.a.before = func() {
		c.clock.advance(16 * time.Minute)
		c.ours = -24 * hour
	}
	o := c.run(forced)
	if o.Err == nil || o.Rotated || !c.b.value.Equal(first) {
		t.Errorf("rotated %v, the other target was written: %v, %v", o.Rotated, !c.b.value.Equal(first), o.Err)
	}
	if errors.Is(o.Err, o.NotDone) {
		t.Error("the reason is lost")
	}
}

// Many keys are read together. What is due is told by the proxy's clock, not by ours.
func TestAFleetIsDueByTheProxysClock(t *testing.T) {
	c := newClocks(t)
	c.run()
	c.clock.advance(31 * 24 * hour)
	for _, wrong := range []time.Duration{-year, -24 * hour * 40, year} {
		c.ours = wrong
		fleet, err := rotate.ReadFleet(t.Context(), c.client(), 10, nil)
		if err != nil || fleet == nil {
			t.Fatalf("no fleet: %v", err)
		}
		o := c.run(func(r *rotate.Runner) { r.Fleet = fleet })
		if !o.Rotated {
			t.Errorf("our clock wrong by %s: %s, %v", wrong, kinds(o), o.Err)
		}
		c.ours = 0
		c.clock.advance(31 * 24 * hour)
	}
}

// Before there is a holder the proxy's clock is not known, and ours stands in for nothing.
func TestTheFirstRunKeepsNoTimeOfOurs(t *testing.T) {
	c := newClocks(t)
	c.ours = 40 * 24 * hour
	c.run()
	o := c.run()
	if got := o.Generations[0].DoneAt; got.After(c.clock.Now()) {
		t.Errorf("done at %s, and the proxy's clock shows %s", got, c.clock.Now())
	}
}

// A clock that is absurd is told.
func TestAbsurdClocksAreTold(t *testing.T) {
	for wrong, want := range map[time.Duration]string{
		-4 * time.Minute: "", 40 * 24 * hour: "", -year: "365 days behind the proxy's", 100 * 24 * hour: "100 days ahead of the proxy's",
	} {
		c := newClocks(t)
		c.run()
		c.ours = wrong
		got := ""
		for _, f := range c.run().Findings {
			if f.Rule == rotate.RuleClocks {
				got = f.Summary
			}
		}
		if (want == "") != (got == "") || !strings.HasSuffix(got, want) {
			t.Errorf("wrong by %s: %q, want %q", wrong, got, want)
		}
	}
}

// Asked for now means now, however young the key is by a clock that is behind.
func TestNowIsNow(t *testing.T) {
	for _, wrong := range []time.Duration{-year, -hour, hour} {
		c := newClocks(t)
		c.run()
		c.ours, c.proxys = wrong, wrong/2
		leaked := c.a.value
		if o := c.run(forced); !o.Rotated || o.Err != nil {
			t.Errorf("clocks wrong by %s: --now: %s, overtaken %q, %v", wrong, kinds(o), o.Overtaken, o.Err)
		}
		if o := c.run(compromised); !o.Rotated || o.Err != nil {
			t.Errorf("clocks wrong by %s: --compromised: %s, overtaken %q, %v", wrong, kinds(o), o.Overtaken, o.Err)
		}
		c.works(leaked, http.StatusUnauthorized)
	}
}
