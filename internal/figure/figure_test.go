package figure_test

import (
	"math"
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/internal/figure"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"0": "0", "-0.5": "-0.5", "12.50": "12.5", "1e-7": "0.0000001", "1E3": "1000", "1e30": "1" + strings.Repeat("0", 30),
	} {
		if got, err := figure.Parse(text); err != nil || !got.Equal(decimal.RequireFromString(want)) {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "NaN", "Infinity", "-Infinity", "inf", "one", "1e31", "1e400", "1e999999999", "1e-999999999", "-1e999999999",
		"1e99999999999999999999", strings.Repeat("9", 65), "1e", "--1", "1,5", "0x10"} {
		if got, err := figure.Parse(text); err == nil {
			t.Errorf("%s was read, with exponent %d", text, got.Exponent())
		}
	}
}

func TestCount(t *testing.T) {
	for text, want := range map[string]int64{"0": 0, "12.0": 12, "-3": -3, "1e15": 1e15, "2e3": 2000} {
		if got, err := figure.Count(decimal.RequireFromString(text)); err != nil || got != want {
			t.Errorf("%s: %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"0.5", "1e16", "9e18", "1e30", "-1e30", "18446744073709551617"} {
		if got, err := figure.Count(decimal.RequireFromString(text)); err == nil {
			t.Errorf("%s was taken for %d", text, got)
		}
	}
}

func TestAdd(t *testing.T) {
	for _, c := range []struct {
		counts []int64
		want   int64
	}{
		{nil, 0}, {[]int64{1, 2, 3}, 6}, {[]int64{-1, 4}, 3},
		{[]int64{math.MaxInt64, 1}, math.MaxInt64}, {[]int64{9e18, 9e18, 9e18}, math.MaxInt64},
		{[]int64{math.MinInt64, -1}, math.MinInt64}, {[]int64{math.MaxInt64, math.MinInt64}, -1},
	} {
		if got := figure.Add(c.counts...); got != c.want {
			t.Errorf("%d: %d, want %d", c.counts, got, c.want)
		}
	}
}
