package spendlog

import (
	"math/big"
	"math/bits"

	"github.com/shopspring/decimal"
)

// scale is the number of decimals of an Amount's integer part of the work.
const scale = 24

// The bounds of a spend that is believed: what a request costs has at most 15 digits before the point, and at most 400
// decimals, more than a float64 can have.
const (
	mostDigits   = 15
	mostDecimals = 400
	longNumber   = 64 // bytes of a number's text
)

// Amount is an exact sum of decimal numbers. The zero value is 0. It is a 128-bit integer of 10⁻²⁴, and what does not fit
// that is added up in rest.
type Amount struct {
	hi   int64
	lo   uint64
	rest *decimal.Decimal // nil: 0; never changed in place
}

// Add adds b to a.
func (a *Amount) Add(b Amount) {
	lo, carry := bits.Add64(a.lo, b.lo, 0)
	hi := a.hi + b.hi + int64(carry) // #nosec G115 -- 0 or 1
	if (a.hi < 0) == (b.hi < 0) && (hi < 0) != (a.hi < 0) {
		sum := a.Decimal().Add(b.Decimal())
		*a = Amount{rest: &sum}
		return
	}
	a.hi, a.lo = hi, lo
	if b.rest != nil {
		sum := *b.rest
		if a.rest != nil {
			sum = sum.Add(*a.rest)
		}
		a.rest = &sum
	}
}

// Decimal returns the sum.
func (a Amount) Decimal() decimal.Decimal {
	n := new(big.Int).Lsh(big.NewInt(a.hi), 64)
	n.Add(n, new(big.Int).SetUint64(a.lo))
	d := decimal.NewFromBigInt(n, -scale)
	if a.rest != nil {
		d = d.Add(*a.rest)
	}
	return d
}

// Cmp returns -1, 0 or 1 as a is less than, equal to or greater than b.
func (a Amount) Cmp(b Amount) int {
	switch {
	case a.rest != nil || b.rest != nil:
		return a.Decimal().Cmp(b.Decimal())
	case a.hi != b.hi && a.hi < b.hi, a.hi == b.hi && a.lo < b.lo:
		return -1
	case a.hi == b.hi && a.lo == b.lo:
		return 0
	}
	return 1
}

// Sign returns -1, 0 or 1.
func (a Amount) Sign() int { return a.Cmp(Amount{}) }

// parseAmount reads a number as JSON writes it. It returns false for what is none or is out of the bounds.
func parseAmount(text []byte) (Amount, bool) {
	n, ok := parseNumber(text)
	switch {
	case !ok:
		return Amount{}, false
	case n.digits == 0:
		return Amount{}, true
	case n.digits-n.decimals > mostDigits || n.decimals > mostDecimals:
		return Amount{}, false
	}
	if n.digits <= 19 && n.decimals <= scale {
		if hi, lo, ok := timesPower(n.mantissa, scale-n.decimals); ok {
			if n.negative {
				lo, carry := bits.Sub64(0, lo, 0)
				return Amount{hi: -int64(hi) - int64(carry), lo: lo}, true // #nosec G115 -- as below; the carry is 0 or 1
			}
			return Amount{hi: int64(hi), lo: lo}, true // #nosec G115 -- timesPower gives what fits
		}
	}
	d, err := decimal.NewFromString(string(text))
	return Amount{rest: &d}, err == nil
}

// number is a decimal number taken apart: mantissa × 10^-decimals.
type number struct {
	mantissa uint64 // right only for up to 19 digits
	digits   int    // of the mantissa, without leading zeros
	decimals int    // may be negative
	negative bool
}

// parseNumber takes apart what JSON takes for a number, and nothing else.
func parseNumber(text []byte) (n number, ok bool) {
	i := 0
	if i < len(text) && text[i] == '-' {
		n.negative = true
		i++
	}
	first := i
	i = n.take(text, i)
	if i == first || text[first] == '0' && i > first+1 {
		return n, false
	}
	if i < len(text) && text[i] == '.' {
		point := i
		i = n.take(text, i+1)
		if n.decimals = i - point - 1; n.decimals == 0 {
			return n, false
		}
	}
	if i < len(text) && text[i]|0x20 == 'e' {
		exponent, end := parseExponent(text, i+1)
		n.decimals -= exponent
		if i = end; i < 0 {
			return n, false
		}
	}
	return n, i == len(text)
}

// take reads digits from i on and returns where they end.
func (n *number) take(text []byte, i int) int {
	for ; i < len(text) && text[i]-'0' <= 9; i++ {
		n.mantissa = n.mantissa*10 + uint64(text[i]-'0')
		if n.digits > 0 || text[i] != '0' {
			n.digits++
		}
	}
	return i
}

// parseExponent reads an exponent, held within ±10,000, and returns where it ends, -1 if there is none.
func parseExponent(text []byte, i int) (exponent, end int) {
	negative := i < len(text) && text[i] == '-'
	if i < len(text) && (text[i] == '-' || text[i] == '+') {
		i++
	}
	first := i
	for ; i < len(text) && text[i]-'0' <= 9; i++ {
		exponent = min(exponent*10+int(text[i]-'0'), 10_000)
	}
	if i == first {
		return 0, -1
	}
	if negative {
		exponent = -exponent
	}
	return exponent, i
}

// timesPower returns m × 10^n, and false if that has more than 126 bits.
func timesPower(m uint64, n int) (hi, lo uint64, ok bool) {
	const most = 19 // the most that a power in 64 bits has
	if n > 2*most {
		return 0, 0, false
	}
	hi, lo = bits.Mul64(m, power(min(n, most)))
	if n > most {
		over, high := bits.Mul64(hi, power(n-most))
		carry, low := bits.Mul64(lo, power(n-most))
		sum, out := bits.Add64(high, carry, 0)
		if over != 0 || out != 0 {
			return 0, 0, false
		}
		hi, lo = sum, low
	}
	return hi, lo, hi < 1<<62
}

// powers are those of ten that 64 bits hold.
var powers = [...]uint64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19}

func power(n int) uint64 { return powers[n] }
