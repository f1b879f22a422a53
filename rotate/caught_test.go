package rotate_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/org/openclaw-litellm-action/rotate"
	"github.com/org/openclaw-litellm-action/secret"
)

// claimsOf counts the rows of the key that are claims.
func (s *site) claimsOf() int {
	n := 0
	for _, k := range s.proxy.KeysOf(rotate.HolderID(s.policy.Name)) {
		if k.Alias == "" {
			n++
		}
	}
	return n
}

// TestAPanicInAStepIsAFailedStep: whichever step of a rotation panics, the outcome names it, the other steps are taken
// as after any failure, the claim is released, and the next run puts everything right.
func TestAPanicInAStepIsAFailedStep(t *testing.T) {
	const steps = 8
	for n := 1; n <= steps; n++ {
		for _, first := range []bool{true, false} { // the key's first rotation, or a later one
			t.Run(fmt.Sprintf("step %d, first %v", n, first), func(t *testing.T) {
				s := newSite(t, "1.106.10")
				if !first {
					s.rotate()
					s.clock.advance(30 * 24 * time.Hour)
				}
				step, panicked := 0, ""
				o := s.runner(func(r *rotate.Runner) {
					r.Progress = func(_ string, st rotate.Step) {
						if step++; step == n {
							panicked = rotate.Describe(st)
							panic("a mistake of ours")
						}
					}
				}).Rotate(t.Context())
				if panicked == "" {
					t.Skip("there are fewer steps")
				}
				want := panicked + ": internal error: a mistake of ours"
				if o.Err == nil || !strings.Contains(o.Err.Error(), want) || o.Name != "openclaw" {
					t.Errorf("outcome of %q: %v, want %q", o.Name, o.Err, want)
				}
				if n := s.claimsOf(); n != 0 {
					t.Errorf("%d claims are left", n)
				}
				s.right()
			})
		}
	}
}

// right wants the next run to leave a working key in both targets and no claim.
func (s *site) right() {
	s.t.Helper()
	s.clock.advance(21 * time.Minute) // a claim that was left behind is over, and so is a failed target's pause
	s.rotate()
	s.works(s.a.value, http.StatusOK)
	if n := s.claimsOf(); n != 0 || !s.a.value.Equal(s.b.value) {
		s.t.Errorf("after the next run %d claims are left; the targets agree: %v", n, s.a.value.Equal(s.b.value))
	}
}

// clumsy is a target one method of which panics.
type clumsy struct {
	*target
	in string
}

func (c clumsy) Preflight(ctx context.Context) error {
	c.slip("Preflight")
	return c.target.Preflight(ctx)
}
func (c clumsy) Stamp(ctx context.Context) (string, error) {
	c.slip("Stamp")
	return c.target.Stamp(ctx)
}

func (c clumsy) Write(ctx context.Context, v secret.Value) (string, bool, error) {
	c.slip("Write")
	return c.target.Write(ctx, v)
}

func (c clumsy) slip(method string) {
	if c.in == method {
		panic("slipped in " + method)
	}
}

// TestAPanicAroundTheStepsIsAnErrorOfTheKey: also where no step is at work the outcome says so, and what was asked for
// is not done. Another target gets its key.
func TestAPanicAroundTheStepsIsAnErrorOfTheKey(t *testing.T) {
	for _, in := range []string{"Preflight", "Stamp", "Write"} {
		t.Run(in, func(t *testing.T) {
			s := newSite(t, "1.106.10")
			s.rotate()
			s.policy.Targets[1] = clumsy{s.b, in}
			o := s.runner(forced).Rotate(t.Context())
			if o.Err == nil || !strings.Contains(o.Err.Error(), "internal error: slipped in "+in) {
				t.Errorf("outcome %v", o.Err)
			}
			if in != "Write" && o.NotDone == nil {
				t.Error("the outcome does not say that the rotation is not done")
			}
			if in == "Write" && s.a.writes != 2 {
				t.Errorf("the other target was written %d times, want twice", s.a.writes)
			}
			for name, read := range map[string]func(*rotate.Runner) rotate.Outcome{
				"Plan": func(r *rotate.Runner) rotate.Outcome { return r.Plan(t.Context()) },
				"Show": func(r *rotate.Runner) rotate.Outcome { return r.Show(t.Context()) },
			} {
				if o := read(s.runner(forced)); o.Name != "openclaw" || in == "Preflight" && name == "Plan" && o.Err == nil {
					t.Errorf("%s: outcome of %q: %v", name, o.Name, o.Err)
				}
			}
			s.policy.Targets[1] = s.b
			s.right()
		})
	}
}
