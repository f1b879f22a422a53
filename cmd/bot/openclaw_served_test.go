package main

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/openclaw"
)

// TestJoin holds what is written of a group with several deployments, whatever their order: what all can do at least, at the
// dearest price, and nothing that one of them does not tell.
func TestJoin(t *testing.T) {
	t.Parallel()
	usd := func(n int64) decimal.NullDecimal { return decimal.NewNullDecimal(decimal.New(n, 0)) }
	small := openclaw.Model{Mode: "chat", Window: 1000, MaxTokens: 100, Input: usd(1), Output: usd(5)}
	large := openclaw.Model{Mode: "chat", Above: "200k", Vision: true, Window: 2000, MaxTokens: 100, Input: usd(3), Output: usd(4), CacheRead: usd(1)}
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
			if len(c.differ) > 0 != (got.Above == "200k") {
				t.Errorf("other prices above %q tokens", got.Above)
			}
			if !slices.Equal(got.Differ, c.differ) {
				t.Errorf("they differ in %q, want %q", got.Differ, c.differ)
			}
			c.all = append(c.all[1:], c.all[0])
		}
	}
}

func TestAbove(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"input_cost_per_token": 1}`: "", `{"input_cost_per_token_above_200k_tokens": null}`: "",
		`{"input_cost_per_token_above_200k_tokens": 2, "input_cost_per_token_above_128k_tokens": 1.5}`:              "128k",
		`{"input_cost_per_token_above_32k_tokens": 2, "input_cost_per_token_above_128k_tokens": 1.5}`:               "32k",
		`{"input_cost_per_token_above_272k_tokens_batches": 2, "cache_creation_input_token_cost_above_1hr": 1e-05}`: "",
	} {
		d := litellm.Deployment{}
		if err := json.Unmarshal([]byte(text), &d.Raw); err != nil {
			t.Fatal(err)
		}
		if got := above(d); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}
