package main

import (
	"slices"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/openclaw"
)

// TestJoin holds what is written of a group with several deployments, whatever their order: what all can do at least, at the
// dearest price, and nothing that one of them does not tell.
func TestJoin(t *testing.T) {
	t.Parallel()
	usd := func(n int64) decimal.NullDecimal { return decimal.NewNullDecimal(decimal.New(n, 0)) }
	small := openclaw.Model{Mode: "chat", Window: 1000, MaxTokens: 100, Input: usd(1), Output: usd(5)}
	large := openclaw.Model{Mode: "chat", Vision: true, Window: 2000, MaxTokens: 100, Input: usd(3), Output: usd(4), CacheRead: usd(1)}
	dumb := openclaw.Model{Mode: "chat", Window: 1000, MaxTokens: 100}
	for _, c := range []struct {
		all    []openclaw.Model
		want   openclaw.Model
		differ []string
	}{
		{[]openclaw.Model{small, small}, small, nil},
		{[]openclaw.Model{small, large, large}, openclaw.Model{Mode: "chat", Window: 1000, MaxTokens: 100, Input: usd(3), Output: usd(5)}, []string{
			"input of images, which not all of them have", "window; the least is taken", "input price; the dearest is taken",
			"output price; the dearest is taken", "price of cache reads, which not all of them have"}},
		{[]openclaw.Model{small, large, dumb}, dumb, []string{
			"input of images, which not all of them have", "window; the least is taken", "input price, which not all of them have",
			"output price, which not all of them have", "price of cache reads, which not all of them have"}},
	} {
		for range len(c.all) {
			got := join(c.all)
			if got.Window != c.want.Window || got.MaxTokens != c.want.MaxTokens || got.Vision || got.Input.Valid != c.want.Input.Valid ||
				got.Input.Valid && !(got.Input.Decimal.Equal(c.want.Input.Decimal) && got.Output.Decimal.Equal(c.want.Output.Decimal)) || got.CacheRead.Valid {
				t.Errorf("%+v gives %+v", c.all, got)
			}
			if !slices.Equal(got.Differ, c.differ) {
				t.Errorf("they differ in %q, want %q", got.Differ, c.differ)
			}
			c.all = append(c.all[1:], c.all[0])
		}
	}
}
