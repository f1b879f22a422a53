package daemon

import "testing"

// TestLook: the one reading of the clock is monotonic, which nobody can set, and the other is not, so that a suspended
// machine is noticed. In a synctest bubble the two are the same.
func TestLook(t *testing.T) {
	m := (&Daemon{}).look()
	if m.mono == m.mono.Round(0) {
		t.Error("the monotonic reading is lost")
	}
	if m.wall != m.wall.Round(0) {
		t.Error("the wall clock is monotonic")
	}
}
