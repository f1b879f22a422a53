package rotate

// Kind names a step of the rotation protocol.
type Kind string

// The steps, in the order in which one run takes them.
const (
	StepHolder  Kind = "holder"  // create the user that carries the budget
	StepUpdate  Kind = "update"  // change limits or options in place
	StepAdopt   Kind = "adopt"   // take over an existing key as generation 0
	StepMint    Kind = "mint"    // make the new generation
	StepVerify  Kind = "verify"  // the new key answers
	StepPlace   Kind = "place"   // write it to a target
	StepFinish  Kind = "finish"  // journal that every target holds it
	StepAlias   Kind = "alias"   // give the plain alias to the current generation
	StepBlock   Kind = "block"   // end a generation's grace
	StepDelete  Kind = "delete"  // remove a generation blocked long ago
	StepUnblock Kind = "unblock" // reopen a retired generation
	StepCleanup Kind = "cleanup" // remove an expired claim
	// StepTakeOver ends the claim of another run, which stops at its next step: a compromised key does not wait.
	StepTakeOver Kind = "takeover"
	StepWait     Kind = "wait" // give another run a moment to finish; in progress only, never in a plan
)

// Step is one planned act, with what a person needs to judge it.
type Step struct {
	Kind   Kind
	Gen    int    // the generation acted on
	Token  string // its row, where one exists; "" for a mint
	Target string // for a place step
	Reason string // why it is due, for everybody
	Who    string // people and made-up words that belong to the reason; shown in private views alone
}
