package litellm

import (
	"encoding/json"
	"time"

	"github.com/org/openclaw-litellm-action/internal/figure"
	"github.com/org/openclaw-litellm-action/secret"
	"github.com/shopspring/decimal"
)

// Key is one row of LiteLLM's key table: a virtual key without its plaintext. Money is USD.
type Key struct {
	Token          string // lower-case hex SHA-256 of the plaintext; the row's primary key
	Alias          string // "" for none
	UserID         string
	TeamID         string
	Models         []string // empty: every model
	Spend          decimal.Decimal
	MaxBudget      decimal.NullDecimal
	BudgetDuration string
	BudgetResetAt  time.Time // zero: no window
	Expires        time.Time // zero: never
	Blocked        bool
	Metadata       map[string]json.RawMessage // what others put there included
	CreatedAt      time.Time
	UpdatedAt      time.Time
	CreatedBy      string                     // the caller's user id; "default_user_id" for the master key
	Raw            map[string]json.RawMessage // the whole row, for fields that have no place above
	AsOf           time.Time                  // the answer's Date header, UTC; zero but from FindKey
}

// User is one internal user: the holder of a logical key's budget.
type User struct {
	ID             string
	Role           string
	Spend          decimal.Decimal
	MaxBudget      decimal.NullDecimal
	BudgetDuration string
	BudgetResetAt  time.Time
	Metadata       map[string]json.RawMessage
	Teams          []string
	CreatedAt      time.Time // zero where the release does not tell
	Keys           []Key     // every key of the user, blocked ones included; nil from Users
	AsOf           time.Time // the answer's Date header, UTC
}

// TeamMember is one user's membership of a team, with the budget that binds the user's keys there.
type TeamMember struct {
	TeamID         string
	UserID         string
	Spend          decimal.Decimal
	MaxBudget      decimal.NullDecimal
	BudgetDuration string    // "": the budget never resets, as always before 1.93
	BudgetResetAt  time.Time // zero: no window
}

// Fields are named fields of a row in LiteLLM's own names, to be set. nil clears one. A decimal.Decimal is sent as a
// JSON number, a time.Duration never (LiteLLM takes texts such as "15m").
type Fields map[string]any

// NewKey is a virtual key to be made.
type NewKey struct {
	// Value is the plaintext, chosen by the caller: LiteLLM keeps the first row made with a value and answers 200 to
	// later ones without storing them, so that making the same key again is harmless and a derived value is a claim.
	// It starts with "sk-" and has at least 16 bytes.
	Value  secret.Value
	Fields Fields // "key_alias", "user_id", "models", "max_budget", "metadata", "duration", "blocked", …
}

// Identity is who the management key is, as far as the proxy tells.
type Identity struct {
	UserID string // what CreatedBy of rows made with the key says
	Master bool   // the key is the proxy's master key
	Routes []string
}

// Release is what the proxy says of itself. The zero value is a release that could not be learned.
type Release struct {
	Version             string // "1.106.10"
	Major, Minor, Patch int
}

// Known reports whether the proxy told its version.
func (r Release) Known() bool { return r.Version != "" }

// AtLeast reports whether r is known and not older than major.minor.
func (r Release) AtLeast(major, minor int) bool {
	return r.Known() && (r.Major > major || r.Major == major && r.Minor >= minor)
}

// Readiness is the answer of the proxy's health endpoint.
type Readiness struct {
	Release  Release
	Database string        // "connected", "disconnected", "Not connected", …
	Ready    bool          // the proxy answers and its database is connected
	Latency  time.Duration // from request to answer
}

// Model is one model group that the asking key may use.
type Model struct {
	Name      string
	Fallbacks []string // other groups that serve when this one fails, in order
}

// Deployment is one deployment behind a model group.
type Deployment struct {
	Group           string // model_name
	ID              string
	Model           string              // litellm_params.model
	InputCost       decimal.NullDecimal // USD a token; invalid where unknown (old releases say 0)
	OutputCost      decimal.NullDecimal
	CacheReadCost   decimal.NullDecimal // of a token that the provider's prompt cache gave
	CacheWriteCost  decimal.NullDecimal // of one that it kept
	MaxInputTokens  int64               // 0: unknown
	MaxOutputTokens int64
	Mode            string
	Raw             map[string]json.RawMessage // model_info
}

// HealthCheck is the latest background health check of a deployment.
type HealthCheck struct {
	Model, ModelID string
	Healthy        bool
	Error          string
	CheckedAt      time.Time
}

// SpendLog is one row of the spend log, without messages.
type SpendLog struct {
	RequestID          string
	Token              string // SHA-256 of the key
	KeyAlias           string
	Model              string // of the provider, e.g. "openai/gpt-4o"
	ModelGroup         string // that served
	Provider           string
	Status             string // "success" or "failure"
	Spend              decimal.Decimal
	PromptTokens       int64
	CompletionTokens   int64
	StartTime, EndTime time.Time
	User, EndUser      string
	TeamID             string
	Tags               []string
	IP                 string
	CacheHit           bool
	// AttemptedFallbacks is how many groups failed before the one that served; -1 where the release does not record it.
	AttemptedFallbacks int
	OriginalModelGroup string // that was asked for; "" where the release does not record it
	// FailedFallbacks names fallbacks that were tried and failed as well, so that nobody served the request.
	FailedFallbacks []string
	ErrorClass      string
	ErrorMessage    string
}

// Tokens returns the sum of prompt and completion tokens.
func (l SpendLog) Tokens() int64 { return figure.Add(l.PromptTokens, l.CompletionTokens) }

// LogQuery selects spend rows by start time, [From, To) in UTC to the second.
type LogQuery struct {
	From, To   time.Time
	Token      string // "" for all keys
	UserID     string // "" for all users; the row's own user, whatever the key is now
	Status     string // "", "success" or "failure"
	Descending bool
	BySpend    bool // in order of spend rather than of time
	CacheHits  bool // what LiteLLM's own cache answered; before 1.106, which cannot select that, all that was free
	Limit      int  // stop after as many rows; 0: no limit
}

// Activity is spend by day from the proxy's daily tables.
type Activity struct {
	Days      []DayActivity // in date order, only days with activity
	Truncated bool          // the proxy left keys out of the breakdown; totals are complete
}

// DayActivity is one UTC day.
type DayActivity struct {
	Date      string // YYYY-MM-DD
	Metrics   Metrics
	Models    map[string]Metrics // by model group where told, else by model
	Providers map[string]Metrics
	Keys      map[string]Metrics // by token
}

// Metrics are sums over requests.
type Metrics struct {
	Spend            decimal.Decimal
	PromptTokens     int64
	CompletionTokens int64
	Requests         int64
	Successful       int64
	Failed           int64
	CacheReadTokens  int64               // of PromptTokens: read from the provider's prompt cache
	CacheSaved       decimal.NullDecimal // what those saved, in USD; invalid where the release does not tell
}

// ActivityQuery selects days, both inclusive (YYYY-MM-DD).
type ActivityQuery struct {
	From, To string
	UserID   string // "" for all users
	Token    string // "" for all keys
}

// ChatResult is what one small chat call showed.
type ChatResult struct {
	ServedBy           string // model group that served
	AttemptedFallbacks int
	Cost               decimal.Decimal // USD as the response header tells; 0 if it does not
	CallID             string
}
