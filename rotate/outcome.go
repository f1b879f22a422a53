package rotate

import (
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/finding"
	"github.com/org/openclaw-litellm-action/litellm"
)

// State is where a generation stands.
type State string

// The states of a generation.
const (
	Current    State = "current"    // the highest that is in every target
	Retiring   State = "retiring"   // replaced, still working until its grace is over
	Unfinished State = "unfinished" // minted, but not in every target
	Blocked    State = "blocked"    // refused by the proxy, deleted a day later
	Deleted    State = "deleted"    // gone after this run
)

// Generation is one real virtual key that has carried a logical key's name.
type Generation struct {
	Number   int
	Token    string // SHA-256 of the plaintext, no secret
	Alias    string
	State    State
	Spend    decimal.Decimal // USD in its own window
	MintedAt time.Time
	DoneAt   time.Time // zero: not in every target
	RetireAt time.Time // when it is blocked, if nothing intervenes, or was, as its alias says; zero for others
}

// TargetState is what is known of one target after a run.
type TargetState struct {
	Name       string // for people
	Generation int    // that the target holds as far as known; -1: not known
	State      PlacementState
	Detail     string // the error of a failed write, else ""

	PublicDetail string // Detail in words for everybody
}

// PlacementState says how a target stands to the current generation.
type PlacementState string

// The states of a placement.
const (
	Placed    PlacementState = "placed"    // written and confirmed in this run
	Unchanged PlacementState = "unchanged" // holds the current generation since an earlier run
	Drifted   PlacementState = "drifted"   // changed by others since
	Failed    PlacementState = "failed"    // could not be written or read
	Pending   PlacementState = "pending"   // would be written: in plans only
)

// Later is a generation that some targets refused, which is tried again only after a while.
type Later struct {
	Generation int
	Targets    []string // for people
	At         time.Time
}

// Error implements error: until it is tried again it has failed.
func (l *Later) Error() string {
	return fmt.Sprintf("generation %d could not be written to every target; that is tried again from %s on, or at once by rotate --now",
		l.Generation, stamp(l.At))
}

// StepResult is one step of a plan and what became of it.
type StepResult struct {
	Step
	Done bool
	Err  error // nil while Done, or if the step was not reached
}

// NotDone is what a person asked for and did not get. It is an error, so that it is a failure in every report.
type NotDone struct {
	Asked string    // the request, as the command line has it: "rotate --compromised"
	Why   string    // "" where the other errors of the outcome say it
	Until time.Time // when a run can do it at the latest; zero: not known
}

// Error implements error.
func (n *NotDone) Error() string {
	text := "not done: " + n.Asked
	if n.Why != "" {
		text += ": " + n.Why
	}
	return text
}

// ToldToStop is what an outcome waits for if the program was told to stop before all that is due was done.
const ToldToStop = "the program was told to stop; the next run goes on"

// Outcome is what a run did, or would do, for one logical key.
type Outcome struct {
	Name    string
	Owner   string
	Steps   []StepResult // in order; empty: nothing was due
	Rotated bool         // a new generation is in every target
	Later   *Later       // an earlier rotation that failed and was not tried again in this run; nil: none
	Waiting string       // why nothing was touched although something may be due (another run is at work); "" otherwise
	// WaitUntil is when the claim of the run that Waiting names ends at the latest, UTC; zero: there is none.
	WaitUntil time.Time
	// Overtaken says that another run did what this one was asked for; "" otherwise.
	Overtaken string
	NotDone   *NotDone // what a person asked for and did not get; nil: nothing. Err says it too

	// What the last reading showed.
	Holder         *litellm.User // with all its key rows; nil: there is none, or it was not read
	Generations    []Generation  // by number
	Targets        []TargetState
	TargetsRead    bool            // every target was asked, whatever it answered
	Unread         bool            // the budget could not be read: neither Spend nor the limit in force is known
	Spend          decimal.Decimal // USD of the holder in its window, over all generations
	MaxBudget      decimal.NullDecimal
	BudgetDuration string
	ResetAt        time.Time // zero: no window
	NextRotation   time.Time // zero: not known
	CurrentNumber  int       // -1: none

	Findings []finding.Finding
	Err      error // what failed, joined over steps; nil if all went well
}

// fail notes why the target could not be read or written.
func (t *TargetState) fail(err error) {
	t.State, t.Detail, t.PublicDetail = Failed, err.Error(), finding.Public(err)
}
