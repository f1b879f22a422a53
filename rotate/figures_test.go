package rotate

import (
	"encoding/json"
	"testing"
)

// TestSameJSON: numbers are the same by value; one that would take gigabytes as a decimal is compared as it is written.
func TestSameJSON(t *testing.T) {
	for _, c := range []struct {
		have string
		want any
		same bool
	}{
		{"60", 60, true}, {"60.0", 60, true}, {"6e1", 60, true}, {"61", 60, false},
		{"1e999999999", 60, false}, {"1e999999999", json.Number("1e999999999"), true}, {`{"a":[1e-999999999]}`, map[string]any{"a": []int{0}}, false},
	} {
		if got := sameJSON(json.RawMessage(c.have), c.want); got != c.same {
			t.Errorf("%s and %v: %v", c.have, c.want, got)
		}
	}
}
