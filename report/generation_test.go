package report

import (
	"testing"
	"time"
)

// What a generation's line says of time is true of its state.
func TestGenerationText(t *testing.T) {
	now := time.Date(2026, 3, 20, 9, 0, 0, 0, time.UTC)
	before, after := now.Add(-48*time.Hour), now.Add(48*time.Hour)
	tests := []struct {
		g    Generation
		want string
	}{
		{Generation{Number: 3, State: "current", MintedAt: before, DoneAt: before}, "3 current since 18 Mar 2026 09:00"},
		{Generation{Number: 2, State: "retiring", DoneAt: before, RetireAt: after}, "2 retiring, works until 22 Mar 2026 09:00 (in 2d)"},
		{Generation{Number: 2, State: "retiring", DoneAt: before, RetireAt: before}, "2 retiring, works on although its grace ended 18 Mar 2026 09:00"},
		{Generation{Number: 1, State: "blocked", DoneAt: before.Add(-24 * time.Hour), RetireAt: before}, "1 blocked since 18 Mar 2026 09:00"},
		{Generation{Number: 1, State: "blocked", MintedAt: before, DoneAt: before}, "1 blocked, minted 18 Mar 2026 09:00"},
		{Generation{Number: 4, State: "unfinished", MintedAt: before}, "4 unfinished, minted 18 Mar 2026 09:00"},
	}
	for _, tt := range tests {
		if got := generationText(tt.g, now); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}
