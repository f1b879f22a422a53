// Package figure reads figures from outside within bounds in which arithmetic stays cheap, and adds counts up without
// overflow. Every decimal number that comes from a proxy, a file or a database is read here: printing or comparing 1e999999999
// as a decimal takes gigabytes.
package figure

import (
	"errors"
	"math"

	"github.com/shopspring/decimal"
)

// The bounds of a number that is believed: no amount of money and no count needs more.
const (
	longest      = 64   // bytes of its text
	mostExponent = 30   // 10^30
	mostDecimals = 100  // 10^-100: a price of a token has twenty or so
	mostCount    = 1e15 // of tokens or requests, in one figure
)

// Errors of numbers that are not believed. They do not quote the number.
var (
	errLong  = errors.New("the number is too long")
	errSize  = errors.New("it is not a number of sane size")
	errWhole = errors.New("it is not a whole number of sane size")
)

// Parse reads a decimal number.
func Parse(text string) (decimal.Decimal, error) {
	if len(text) > longest {
		return decimal.Decimal{}, errLong
	}
	d, err := decimal.NewFromString(text)
	if err != nil || d.Exponent() > mostExponent || d.Exponent() < -mostDecimals {
		return decimal.Decimal{}, errSize
	}
	return d, nil
}

// Count returns d as a whole number of at most 10^15 either way.
func Count(d decimal.Decimal) (int64, error) {
	most := decimal.New(mostCount, 0)
	if d.Abs().GreaterThan(most) || !d.IsInteger() {
		return 0, errWhole
	}
	return d.IntPart(), nil
}

// Add returns the sum of counts: the largest or the smallest int64 where it does not fit.
func Add(counts ...int64) int64 {
	var sum int64
	for _, n := range counts {
		switch {
		case n > 0 && sum > math.MaxInt64-n:
			sum = math.MaxInt64
		case n < 0 && sum < math.MinInt64-n:
			sum = math.MinInt64
		default:
			sum += n
		}
	}
	return sum
}
