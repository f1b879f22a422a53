package rotate

import (
	"fmt"
	"slices"
	"time"
)

// due is when a generation's age reaches the interval less a tenth of it, at most 12 hours: late or weekly runs must
// not skip a period. The first generation of a fleet's key is due earlier by the policy's share.
func due(g row, p Policy) time.Time {
	at := g.MintedAt.Add(p.Interval - min(p.Interval/10, 12*time.Hour))
	if g.Gen <= 1 {
		at = at.Add(-p.Early)
	}
	return at
}

// rotationReason returns why a new generation is due, or "".
func (plan *Plan) rotationReason(p Policy, r Reading, o Options) string {
	if plan.current < 0 {
		if reason, wait := plan.unfinishedReason(p, r, o, -1); reason != "" || wait {
			return reason
		}
		return "there is no key yet"
	}
	cur := plan.rows.generations[plan.current]
	switch {
	case o.Compromised && !plan.replacedSince(o):
		return "the older generations are compromised (--compromised)"
	case o.Now && !o.since(cur):
		return "rotation was asked for (--now)"
	}
	if reason, wait := plan.unfinishedReason(p, r, o, plan.current); reason != "" || wait {
		return reason
	}
	if plan.drifted = driftedTargets(p, r, cur); len(plan.drifted) > 0 {
		return plan.driftReason(cur)
	}
	if at := due(cur, p); !r.Now.Before(at) {
		return fmt.Sprintf("generation %d is %s old, the interval is %s", cur.Gen, age(r.Now.Sub(cur.MintedAt)), age(p.Interval))
	}
	const ahead = 24 * time.Hour // more than clocks differ by
	if cur.MintedAt.After(r.latest().Add(ahead)) {
		return fmt.Sprintf("generation %d was minted at %s, which is in the future: a clock was wrong", cur.Gen, stamp(cur.MintedAt))
	}
	return ""
}

// replacedSince reports whether a generation that says that the older ones are compromised was minted since the run began.
func (plan *Plan) replacedSince(o Options) bool {
	return slices.ContainsFunc(plan.rows.generations, func(g row) bool { return g.Compromised && o.since(g) })
}

// newest is the last generation in the order, current or not.
func (plan *Plan) newest() row { return plan.rows.generations[len(plan.rows.generations)-1] }

func (plan *Plan) driftReason(cur row) string {
	if cur.Gen == 0 && len(cur.Placed) == 0 {
		return "the adopted key's plaintext is not known to be in any target"
	}
	t := plan.drifted[0]
	more := ""
	if n := len(plan.drifted) - 1; n > 0 {
		more = fmt.Sprintf(" (and %d more)", n)
	}
	if _, known := cur.Placed[t.Fingerprint()]; !known {
		return fmt.Sprintf("%s%s does not hold generation %d: it is a new target", t, more, cur.Gen)
	}
	return fmt.Sprintf("%s%s was changed by others since generation %d was placed", t, more, cur.Gen)
}

// driftedTargets returns the targets that do not hold what current's run left in them. A target that could not be read
// is not drift; nothing is concluded from it.
func driftedTargets(p Policy, r Reading, cur row) []Target {
	var out []Target
	for _, t := range p.Targets {
		if s, read := r.Stamps[t.Fingerprint()]; read && s.Err == nil && !holds(cur, t, s) {
			out = append(out, t)
		}
	}
	return out
}

// holds reports whether the target is as the run that made g left it.
func holds(g row, t Target, s Stamp) bool {
	placed, ok := g.Placed[t.Fingerprint()]
	return ok && placed == s.Value
}

// unreadTargets returns the targets whose stamp could not be read.
func unreadTargets(p Policy, r Reading) []Target {
	var out []Target
	for _, t := range p.Targets {
		if s, read := r.Stamps[t.Fingerprint()]; !read || s.Err != nil {
			out = append(out, t)
		}
	}
	return out
}
