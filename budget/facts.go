package budget

import (
	"time"

	"github.com/shopspring/decimal"
)

// Facts are what is known of one logical key's spend: over all its generations, in USD.
type Facts struct {
	Key         string
	Limit       decimal.NullDecimal // a window; invalid: none
	Spend       decimal.Decimal     // in the current window
	WindowStart time.Time           // zero: no window, or not known
	ResetAt     time.Time           // zero: no window
	Source      string              // where Limit and Spend came from, e.g. "GET /user/info"

	Days       []Day // days with activity, in date order; nil: not asked
	Models     []ModelSpend
	DaysSource string
}

// Day is the activity of one UTC day.
type Day struct {
	Date     string // YYYY-MM-DD
	Spend    decimal.Decimal
	Requests int64
	Failed   int64
}

// ModelSpend is one model group's part in Days.
type ModelSpend struct {
	Model    string
	Spend    decimal.Decimal
	Requests int64
	Tokens   int64
}

// Policy is how a key's spend is judged.
type Policy struct {
	Thresholds []decimal.Decimal // percentages of Limit, e.g. 50, 80, 95
}
