package rotate

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/org/openclaw-litellm-action/finding"
)

// Options are what one run was asked to do.
type Options struct {
	Run string // this run's random id, as its claim and generations carry it
	// Started, if not zero, is when the run began by the proxy's clock: a generation minted since then is what it asked for.
	// Zero: every generation that the run's first reading does not show is.
	Started time.Time
	Now     bool // rotate although the interval has not passed, and although a person blocked the current key
	// Compromised is Now, and ends the grace of every older generation as soon as each target was tried.
	Compromised bool
	// Unblock reopens the newest generation that was retired, for those who still hold it, and does nothing else.
	Unblock bool
	// CheckTargets asks for the targets' stamps even if nothing else is due: how drift is found.
	CheckTargets bool

	upkeep    bool            // the run has rotated already: plan what follows alone
	seen      map[string]bool // tokens of the generations that the first reading showed; nil: Started tells
	reopening string          // token of the generation that this run is reopening; "" none yet
	takeOver  []string        // tokens of other runs' claims that this run ends
	takeAny   bool            // it ends all of them
}

// asked reports whether a person asked for something now, as against upkeep.
func (o Options) asked() bool { return o.Now || o.Compromised || o.Unblock }

// since reports whether a generation was minted after the run began.
func (o Options) since(g row) bool {
	if !o.Started.IsZero() {
		return !g.MintedAt.Before(o.Started)
	}
	return o.seen != nil && !o.seen[g.Token]
}

// takesOver reports whether this run ends the claim. Only a compromised key does not wait.
func (o Options) takesOver(claim row) bool {
	return o.Compromised && (o.takeAny || slices.Contains(o.takeOver, claim.Token))
}

// Plan is what one reading concludes. It is a value: printing it and executing it are the same plan.
type Plan struct {
	Steps []Step
	// Waiting says why nothing may be written now although that is no failure: another run is at work.
	Waiting   string
	WaitUntil time.Time // when that claim ends at the latest, UTC; zero if nobody is waited for
	// Stopped says why nothing may be written until a person acts: a stop order. It has a critical finding.
	Stopped string
	// Refused is a conflict with the settings that a person must resolve; nothing was touched.
	Refused error
	// Later is a rotation that some target refused and that is tried again later; nil: there is none.
	Later *Later
	// Wants names what must be read before the plan is complete; empty: it is.
	Wants    Wants
	Findings []finding.Finding

	next    int  // the number a claim or a new generation takes
	rotate  bool // a new generation is due
	current int  // index into rows.generations, -1: none
	resume  *row // an unfinished generation to go on with instead of minting
	drifted []Target
	rows    rows
	others  []row // claims of other runs that stand in the way

	ownLimit bool   // a new generation carries the policy's limit itself,
	window   string // with this window
}

// Wants names the parts of a Reading that a plan still needs.
type Wants struct {
	Alias  bool
	Stamps bool
	Uses   []UseQuery
}

// UseQuery asks for the newest spend row of a generation since a moment.
type UseQuery struct {
	Token string
	Since time.Time
}

func (w Wants) any() bool { return w.Alias || w.Stamps || len(w.Uses) > 0 }

// Conflict is a refusal that only a person can resolve, because it is between the settings and what is there. Callers
// exit with 2: nothing was touched.
type Conflict struct{ Why string } // of the key that the error around it names

// Error implements error.
func (c *Conflict) Error() string { return c.Why }

// NewPlan concludes from one reading what is due. It is pure.
func NewPlan(p Policy, r Reading, o Options) Plan {
	plan := newPlan(p, r, o)
	plan.addNonce(r)
	plan.checkClocks(r)
	return plan
}

func newPlan(p Policy, r Reading, o Options) Plan {
	rs := sortRows(p, r)
	plan := Plan{next: rs.next(o.Run), rows: rs, current: rs.current(), Findings: rs.foreign}
	if plan.Refused = checkHolder(p, r); plan.Refused != nil {
		return plan
	}
	if plan.others = rs.claimedBy(o, r.Now); len(plan.others) > 0 {
		plan.Waiting, plan.WaitUntil = waiting(p.Name, plan.others[0])
		return plan
	}
	plan.takeOverSteps(r, o)
	if o.Unblock {
		plan.unblockSteps(p, r, o)
		return plan
	}
	if stopOrder(p, &plan, o) {
		return plan
	}
	plan.ownLimit, plan.window = p.ownLimit(r), p.window(r)
	plan.holderSteps(p, r)
	plan.judgeFailures(p)
	if !o.upkeep {
		plan.rotationSteps(p, r, o)
	}
	plan.upkeepSteps(p, r, o)
	if len(plan.Steps) == 0 && !plan.Wants.any() && r.Stamps == nil && o.CheckTargets {
		plan.Wants.Stamps = true
	}
	return plan
}

// addNonce puts before every other step the one that gives the holder of an earlier release its nonce. It is never due by
// itself: without a claim nobody needs it.
func (plan *Plan) addNonce(r Reading) {
	if r.Holder == nil || len(plan.Steps) == 0 || plan.rows.nonce() != "" {
		return
	}
	plan.Steps = slices.Insert(plan.Steps, 0, Step{Kind: StepUpdate, Target: nonceStep,
		Reason: "claims are derived from it, and the release that made the holder had none"})
}

// takeOverSteps ends the claims of other runs that do not hold this one up.
func (plan *Plan) takeOverSteps(r Reading, o Options) {
	for _, c := range plan.rows.othersClaims(o, r.Now) {
		plan.Steps = append(plan.Steps, Step{Kind: StepTakeOver, Gen: c.Gen, Token: c.Token,
			Reason: fmt.Sprintf("a compromised key does not wait for run %s, which has not finished", c.Run)})
	}
}

// checkHolder refuses a holder that is not this configuration's.
func checkHolder(p Policy, r Reading) error {
	if r.Holder == nil {
		return nil
	}
	j, err := readJournal(r.Holder.Metadata)
	id := HolderID(p.Name)
	switch {
	case err != nil:
		why := fmt.Sprintf("LiteLLM user %s can't be used: its journal cannot be read; run the release that wrote it, or "+
			"remove the user by hand", id)
		return finding.Naming(&Conflict{why}, err.Error())
	case j == nil || j.Kind != kindHolder || j.Name != p.Name:
		return &Conflict{fmt.Sprintf("LiteLLM user %s exists and was not made by this tool; choose another key name, or remove the user by hand", id)}
	case !strings.EqualFold(j.Owner, p.Owner): // GitHub takes Acme/agents for acme/agents
		why := fmt.Sprintf("it belongs to another owner, not to %s; choose another key name here, or give that owner in "+
			"one configuration only", p.Owner)
		return finding.Naming(&Conflict{why}, "its owner is "+j.Owner)
	}
	return nil
}

// stopOrder honours a person who blocked the current generation.
func stopOrder(p Policy, plan *Plan, o Options) bool {
	if plan.current < 0 || o.Now || o.Compromised {
		return false
	}
	cur := plan.rows.generations[plan.current]
	if !cur.Blocked || replacesCompromised(plan.rows, plan.current) {
		return false
	}
	plan.Stopped = fmt.Sprintf("generation %d of key %q is current and somebody blocked it", cur.Gen, p.Name)
	plan.Findings = append(plan.Findings, finding.Finding{
		Rule: "key-blocked", Severity: finding.Critical, Subject: finding.Subject{Kind: "key", Name: p.Name},
		Summary: plan.Stopped + "; agents that use it are refused",
		Advice:  "If that was meant to stop the agents, leave it; to go on, unblock it in LiteLLM or rotate with --now.",
		Source:  "GET /user/info",
	})
	return true
}

// replacesCompromised reports whether a generation above current says that the older ones are compromised: then it was
// us who blocked current.
func replacesCompromised(rs rows, current int) bool {
	return slices.ContainsFunc(rs.generations[current+1:], func(g row) bool { return g.Compromised })
}

// rotationSteps adds what a new generation takes, if one is due.
func (plan *Plan) rotationSteps(p Policy, r Reading, o Options) {
	if r.Stamps == nil && (o.CheckTargets || plan.current >= 0 && !plan.youngAndWhole(p, r, o)) {
		plan.Wants.Stamps = true
	}
	reason := plan.rotationReason(p, r, o)
	if reason == "" {
		return
	}
	if !plan.aliasFree(p, r) {
		return
	}
	plan.rotate = true
	if r.Stamps == nil {
		plan.Wants.Stamps = true
	}
	gen := plan.next
	if plan.resume = plan.resumable(p, r, o); plan.resume != nil {
		gen = plan.resume.Gen
	}
	add := func(k Kind, target, why string) {
		plan.Steps = append(plan.Steps, Step{Kind: k, Gen: gen, Target: target, Reason: why})
	}
	if plan.resume == nil {
		add(StepMint, "", reason)
		add(StepVerify, "", "no target gets a key that the proxy does not accept")
	} else {
		add(StepVerify, "", fmt.Sprintf("%s, but its plaintext is not lost: a key file holds it", reason))
	}
	for _, t := range p.Targets {
		add(StepPlace, t.String(), placeReason(gen, r, t))
	}
	add(StepFinish, "", "the journal says which targets hold it")
	plan.sayWhatEnds(o)
	plan.sayWhatIsLost(p)
}

// sayWhatEnds adds the ends of the older generations that follow a rotation for a leak. They are planned anew once every
// target was tried.
func (plan *Plan) sayWhatEnds(o Options) {
	for i, g := range plan.rows.generations {
		if o.Compromised && !g.Blocked && !plan.compromisedAbove(i) {
			plan.Steps = append(plan.Steps, Step{Kind: StepBlock, Gen: g.Gen, Token: g.Token, Reason: compromisedReason})
		}
	}
}

// sayWhatIsLost names limits of the current generation that LiteLLM counts on the key itself, so that they begin anew
// with the next one.
func (plan *Plan) sayWhatIsLost(p Policy) {
	if plan.current < 0 {
		return
	}
	cur := plan.rows.generations[plan.current]
	for _, field := range [...]string{"budget_limits", "model_max_budget"} {
		if empty(cur.Raw[field]) {
			continue
		}
		plan.Findings = append(plan.Findings, finding.Finding{
			Rule: "limit-begins-anew", Severity: finding.Warning, Subject: finding.Subject{Kind: "key", Name: p.Name}, Level: field,
			Summary: fmt.Sprintf("generation %d of key %q has %s, which LiteLLM counts for each generation by itself", cur.Gen, p.Name, field),
			Advice:  "The new generation carries the same limits, but their windows begin anew; put what must hold across rotations into max_budget.",
			Source:  "GET /user/info",
		})
	}
}

func placeReason(gen int, r Reading, t Target) string {
	if s, ok := r.Stamps[t.Fingerprint()]; ok && s.Err == nil && s.Value == "" {
		return "it holds no key yet"
	}
	return fmt.Sprintf("generation %d is to be in every target", gen)
}

// resumable returns the newest generation if it is unfinished and a key file still holds its plaintext: a key file's
// stamp is the SHA-256 of its content, and so is LiteLLM's token.
func (plan *Plan) resumable(p Policy, r Reading, o Options) *row {
	if len(plan.rows.generations) == 0 || o.Now || o.Compromised {
		return nil
	}
	g := plan.newest()
	if g.Blocked || !g.DoneAt.IsZero() {
		return nil
	}
	for _, t := range p.Targets {
		if _, readable := t.(Reader); readable && r.Stamps[t.Fingerprint()].Value == g.Token {
			return &g
		}
	}
	return nil
}

// youngAndWhole reports whether nothing short of drift can make a rotation due.
func (plan *Plan) youngAndWhole(p Policy, r Reading, o Options) bool {
	cur := plan.rows.generations[plan.current]
	return !o.Now && !o.Compromised && plan.current == len(plan.rows.generations)-1 && r.Now.Before(due(cur, p))
}

// age prints a duration for people: days from two days on.
func age(d time.Duration) string {
	if d >= 48*time.Hour {
		return fmt.Sprintf("%d days", int(d.Hours()/24))
	}
	return d.Truncate(time.Second).String()
}
