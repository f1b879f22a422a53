package report

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/finding"
)

// SchemaVersion is the version of the JSON form; docs/report.schema.json describes it. It grows when a field changes its
// meaning or goes; new fields do not change it.
const SchemaVersion = 1

// Report is what one pass did and found. Its zero value renders as a report of nothing. Money is USD; a null amount is
// one that is not known or not shown.
type Report struct {
	SchemaVersion int       `json:"schema_version"`
	GeneratedAt   time.Time `json:"generated_at"`
	Command       string    `json:"command"`
	DryRun        bool      `json:"dry_run"`
	ToolVersion   string    `json:"tool_version"`
	Period        *Period   `json:"period,omitempty"`
	Proxy         *Proxy    `json:"proxy,omitempty"` // nil: not asked

	Keys     []Key             `json:"keys"`     // worst first, then by name
	Totals   Totals            `json:"totals"`   // over Keys, Findings and Failures
	Findings []finding.Finding `json:"findings"` // worst first, then by rule and subject
	Failures []Failure         `json:"failures"` // what was tried and did not work
	Notes    []string          `json:"notes"`    // what a reader should know that is neither
	// PublicNotes are the Notes in words for everybody, which public views show in their place.
	PublicNotes []string `json:"-"`

	// Overview is what the period cost, over all keys; nil: not asked.
	Overview *Overview `json:"overview,omitempty"`
	// History is what past passes saw; nil: nothing keeps it.
	History *History `json:"history,omitempty"`
	// Logs is the export of spend logs that the report was made from; nil: none.
	Logs *Logs `json:"spend_logs,omitempty"`
	// Requests counts the requests made to each outside system ("litellm", "github", "slack").
	Requests map[string]int `json:"requests,omitempty"`
	// AmountsHidden tells that amounts of money were left out on purpose.
	AmountsHidden bool `json:"amounts_hidden,omitempty"`

	judged coverage
}

// Period is the stretch of time a spend report covers, [From, To).
type Period struct {
	Name string    `json:"name"` // "day", "month", "7d", …
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// Proxy is what is known of the proxy and its models.
type Proxy struct {
	URL       string `json:"url,omitempty"` // without credentials
	Release   string `json:"release,omitempty"`
	Ready     bool   `json:"ready"`
	Database  string `json:"database,omitempty"`
	LatencyMS int64  `json:"latency_ms,omitempty"`
	Trouble   string `json:"trouble,omitempty"` // why it is not ready

	PublicTrouble string   `json:"-"` // Trouble in words for everybody
	PublicGaps    []string `json:"-"` // Gaps in words for everybody

	Cause     string      `json:"cause,omitempty"` // "network", "tls", "auth", "database", "not-litellm"
	Requests  int64       `json:"requests,omitempty"`
	Window    string      `json:"window,omitempty"` // how far back Requests and Served look: "1h"
	Unhealthy []Unhealthy `json:"unhealthy,omitempty"`
	Served    []Served    `json:"served_by_fallback,omitempty"`
	Unserved  []Served    `json:"unserved,omitempty"` // requests that nobody served; By names the fallbacks that failed as well
	Gaps      []string    `json:"gaps,omitempty"`     // what could not be learned, one sentence each
}

// Unhealthy is a deployment whose latest health check failed.
type Unhealthy struct {
	Model     string    `json:"model"`
	ID        string    `json:"id,omitempty"`
	Error     string    `json:"error,omitempty"`
	CheckedAt time.Time `json:"checked_at,omitzero"`
}

// Served counts requests for Primary that another model group served.
type Served struct {
	Primary  string           `json:"primary"`
	By       string           `json:"by"`
	Requests int64            `json:"requests"`
	First    time.Time        `json:"first,omitzero"`
	Last     time.Time        `json:"last,omitzero"`
	Evidence finding.Evidence `json:"evidence"`
	Keys     []string         `json:"keys,omitempty"`
}

// Key is one logical key.
type Key struct {
	Name       string `json:"name"`
	Owner      string `json:"owner,omitempty"`
	Generation int    `json:"generation"`        // current; -1: none, or not known
	Rotated    bool   `json:"rotated"`           // in this pass
	Waiting    string `json:"waiting,omitempty"` // why nothing was touched although something may be due
	// WaitUntil is when the claim of the run that Waiting names ends at the latest, UTC; zero: nobody is waited for.
	WaitUntil time.Time `json:"waiting_until,omitzero"`
	NotDone   *NotDone  `json:"not_done,omitempty"` // what a person asked for and did not get; nil: nothing

	Generations []Generation `json:"generations,omitempty"`
	Targets     []Target     `json:"targets,omitempty"`
	Actions     []Action     `json:"actions,omitempty"` // in order

	Spend          decimal.NullDecimal `json:"spend"`           // in the current window, over all generations
	MaxBudget      decimal.NullDecimal `json:"max_budget"`      // a window; null: no limit
	UsedPercent    decimal.NullDecimal `json:"used_percent"`    // of MaxBudget, to a tenth; null without a limit
	BudgetDuration string              `json:"budget_duration"` // "" without a window
	WindowStart    time.Time           `json:"window_start,omitzero"`
	ResetAt        time.Time           `json:"reset_at,omitzero"`
	SpendSource    string              `json:"spend_source,omitempty"`
	NextRotation   time.Time           `json:"next_rotation,omitzero"`

	Days       []Day   `json:"days,omitempty"`
	Models     []Model `json:"models,omitempty"` // dearest first
	DaysSource string  `json:"days_source,omitempty"`

	Worst  string `json:"worst,omitempty"` // severity of its worst finding; "" for none
	Failed bool   `json:"failed"`          // something about it is among Failures

	unlimited bool // it has no limit, as against one that is not known or not shown
	heldUp    bool // another run is, or was, in the way
}

// NotDone is what a person asked for and did not get.
type NotDone struct {
	Asked string    `json:"asked"`          // the request, as the command line has it: "rotate --compromised"
	Until time.Time `json:"until,omitzero"` // when a run can do it at the latest; zero: not known
}

// Generation is one real virtual key that has carried the logical key's name.
type Generation struct {
	Number   int                 `json:"number"`
	State    string              `json:"state"` // "current", "retiring", "unfinished", "blocked", "deleted"
	Alias    string              `json:"alias,omitempty"`
	Spend    decimal.NullDecimal `json:"spend"`
	MintedAt time.Time           `json:"minted_at,omitzero"`
	DoneAt   time.Time           `json:"done_at,omitzero"`
	RetireAt time.Time           `json:"retire_at,omitzero"`
}

// Target is one place the key is written to.
type Target struct {
	Name       string `json:"name"`
	Generation int    `json:"generation"` // -1: not known
	State      string `json:"state"`      // "placed", "unchanged", "drifted", "failed", "pending"
	Detail     string `json:"detail,omitempty"`

	PublicDetail string `json:"-"` // Detail in words for everybody
}

// Action is one step that was, or would be, taken.
type Action struct {
	Step       string `json:"step"`
	Generation int    `json:"generation"`
	Target     string `json:"target,omitempty"`
	Reason     string `json:"reason,omitempty"`
	Who        string `json:"who,omitempty"`   // people and made-up words that belong to the reason; in private views alone
	Done       bool   `json:"done"`            // false in a plan, after a failure, and if it was not reached
	Error      string `json:"error,omitempty"` // why it failed

	PublicError string `json:"-"` // Error in words for everybody
}

// why is the reason with whom it is about, "" for neither.
func (a Action) why() string {
	if a.Who == "" {
		return a.Reason
	}
	return strings.TrimPrefix(a.Reason+"; "+a.Who, "; ")
}

// Day is the activity of one UTC day.
type Day struct {
	Date     string              `json:"date"`
	Spend    decimal.NullDecimal `json:"spend"`
	Requests int64               `json:"requests"`
	Failed   int64               `json:"failed"`
	Models   []Model             `json:"models,omitempty"` // of the day, dearest first; empty: not told by model
}

// Model is one model group's part in Days, or in one of them.
type Model struct {
	Name     string              `json:"name"`
	Spend    decimal.NullDecimal `json:"spend"`
	Requests int64               `json:"requests"`
	Tokens   int64               `json:"tokens"`
	// Answered says that it answered a request, so that it is a model. The name of another one may be anybody's, and is
	// left out of public views.
	Answered bool `json:"-"`
}

// Totals are sums over the report.
type Totals struct {
	Keys      int                 `json:"keys"`
	Rotated   int                 `json:"rotated"`
	Left      int                 `json:"left,omitempty"` // keys not looked after, because the program was told to stop
	Spend     decimal.NullDecimal `json:"spend"`          // of the keys whose spend is known
	MaxBudget decimal.NullDecimal `json:"max_budget"`     // of the same keys; null if one has no limit
	Info      int                 `json:"info"`
	Warnings  int                 `json:"warnings"`
	Criticals int                 `json:"criticals"`
	Failures  int                 `json:"failures"`
}

// Failure is one thing that was tried and did not work; the rest was done.
type Failure struct {
	Step    string   `json:"step,omitempty"` // of the rotation, or "observe", "tell"
	Key     string   `json:"key,omitempty"`
	Keys    []string `json:"keys,omitempty"`   // of a failure that stopped more than itself: the keys that nothing was read of
	Target  string   `json:"target,omitempty"` // the place written to, or the sender
	Message string   `json:"message"`

	// Public is Message in words for everybody. Where it is empty, public views leave the reason out.
	Public string `json:"-"`
}

// FailureOf returns the failure that err is, in words for insiders and for everybody.
func FailureOf(step, key, target string, err error) Failure {
	return Failure{Step: step, Key: key, Target: target, Message: err.Error(), Public: finding.Public(err)}
}

// Err returns f as an error, whose text is Message, and in public Public.
func (f Failure) Err() error { return &failed{f} }

// failed is a failure as an error.
type failed struct{ failure Failure }

// Error returns the whole message.
func (f *failed) Error() string { return f.failure.Message }

// Public returns the words for everybody.
func (f *failed) Public() string { return cmp.Or(f.failure.Public, leftOut) }

// concerns reports whether the failure is one of the key.
func (f Failure) concerns(key string) bool { return f.Key == key || slices.Contains(f.Keys, key) }

// Worst returns the severity of the worst finding, and false if there is none.
func (r Report) Worst() (finding.Severity, bool) {
	if len(r.Findings) == 0 {
		return finding.Info, false
	}
	return r.Findings[0].Severity, true
}

// RotatedKeys returns the names of the keys that were rotated, never nil, in the report's order.
func (r Report) RotatedKeys() []string {
	names := []string{}
	for _, k := range r.Keys {
		if k.Rotated {
			names = append(names, k.Name)
		}
	}
	return names
}

// Add returns r with more failures, which is how a sender that failed gets into the surfaces rendered after it.
func (r Report) Add(failures ...Failure) Report {
	r.Failures = append(append([]Failure{}, r.Failures...), failures...)
	r.Totals.Failures = len(r.Failures)
	return r
}
