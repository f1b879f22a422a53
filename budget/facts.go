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

	Adopted     bool      // the key may have brought spend of before HolderSince
	HolderSince time.Time // when the budget's row was made; zero: not known

	Generations []Generation // the key rows that count against the limit; nil: not known

	Days       []Day        // days with activity, in date order; nil: not asked
	DaysFrom   string       // the first day asked for, YYYY-MM-DD; "" : not told
	DaysTo     string       // the last one
	Models     []ModelSpend // of all of Days, by name
	DaysSource string
	Tokens     []string // of the virtual keys that were active on Days: SHA-256, no secrets

	Recent *Recent // the newest requests; nil: not read

	Prices []Price // of the models that the key may ask for; nil: not asked

	// Unjudged names the rules that were wanted and whose facts could not be had.
	Unjudged []string
}

// Generation is one real virtual key that counts against the limit.
type Generation struct {
	Alias     string
	Token     string // SHA-256, no secret
	Current   bool   // agents are to use this one
	Blocked   bool
	Expires   time.Time // zero: never
	CreatedAt time.Time // zero: not known
}

// Day is the activity of one UTC day.
type Day struct {
	Date     string // YYYY-MM-DD
	Spend    decimal.Decimal
	Requests int64
	Failed   int64
	Models   []ModelSpend // that it went to; nil: not told

	Tokens       int64
	Providers    []ModelSpend        // by provider
	Tags         []ModelSpend        // by tag: a request with several counts in each; nil: not asked, or none
	EndUsers     []ModelSpend        // by end user, of requests that name one; nil: not asked, or none; never shown in public
	CachedPrompt int64               // prompt tokens that providers had cached
	Saved        decimal.NullDecimal // what those saved; invalid: not told
}

// ModelSpend is one model group's part; of a Day also that of a provider, tag or end user.
type ModelSpend struct {
	Model    string // its name
	Spend    decimal.Decimal
	Requests int64
	Failed   int64 // of Requests
	Hits     int64 // of Requests: answered by LiteLLM's own cache, where that is told
	Tokens   int64
}

// Recent are the newest requests of a key, as far back as was read.
type Recent struct {
	From, To time.Time // everything of the key that was logged between these was read
	Requests []Request // newest first
	Earlier  []Request // some or all of those before From, at most BurnReach before To, newest first: for the burn rate and dear requests
	Source   string
}

// Request is one logged request.
type Request struct {
	ID       string
	At       time.Time
	Model    string // model group that served; "" where the request got to none
	Spend    decimal.Decimal
	Tokens   int64
	Failed   bool
	Error    string   // class of the error of a failed one
	CacheHit bool     // answered by LiteLLM's own cache, at no cost
	User     string   // end user, or else the user; never shown in public
	Tags     []string // that the caller gave it; never shown in public
}

// Policy is how a key's spend is judged. The zero value judges that the budget is spent, and what needs no limit of ours.
type Policy struct {
	Thresholds []decimal.Decimal // percentages of Limit, e.g. 50, 80, 95

	Spend       decimal.NullDecimal        // USD in the window
	DailySpend  decimal.NullDecimal        // USD in a UTC day
	ModelSpend  map[string]decimal.Decimal // :: model group → USD in the window; without a window in the days known
	RequestCost decimal.NullDecimal        // USD of a single request
	FailureRate decimal.NullDecimal        // percentage of requests that failed; invalid: not judged
	Forecast    decimal.NullDecimal        // percentage of Limit at the window's end; invalid: not judged
	BurnRate    bool

	RotationInterval time.Duration // 0: age is not judged
}
