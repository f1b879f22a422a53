package rotate

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/finding"
	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/secret"
)

// Reading is what one look at the proxy and the targets showed. The parts that cost requests of their own are nil until
// a plan wants them.
type Reading struct {
	Now time.Time // the proxy's time, UTC
	// Expected is the proxy's time as the run's first reading told it, carried on by our clock, UTC; zero: as Now. A proxy's
	// clock that jumps in the middle of a run is told by it.
	Expected time.Time
	Clock    time.Time     // our own time at that moment, UTC; zero: as Now
	Self     string        // created_by of the rows that our management key makes
	Holder   *litellm.User // with all its key rows; nil: there is none
	Member   *litellm.TeamMember

	budget bool // what carries the budget was read, or is known not to be there
	// Old: LiteLLM before 1.93. It has no window for a member's budget in a team, and forgets what it has not yet written of
	// a user's spend when the user is updated. False also where nobody had to know.
	Old bool

	Alias  []litellm.Key      // key rows with the plain alias, whoever's; nil: not asked, empty: none
	Stamps map[string]Stamp   // by target fingerprint; nil: not asked
	Uses   map[string]LastUse // by token, of generations about to be blocked; nil entries: not asked
}

// keys are the holder's rows; none without a holder.
func (r Reading) keys() []litellm.Key {
	if r.Holder == nil {
		return nil
	}
	return r.Holder.Keys
}

// spend is what the budget that binds has counted in its window.
func (r Reading) spend() decimal.Decimal {
	switch {
	case r.Member != nil:
		return r.Member.Spend
	case r.Holder != nil:
		return r.Holder.Spend
	}
	return decimal.Zero
}

// Stamp is what a target told of its content, or why it did not.
type Stamp struct {
	Value string // "" without an error: the target holds nothing
	Err   error
}

// LastUse is the newest spend row of a generation in the period asked about.
type LastUse struct {
	At   time.Time // zero: no row
	From string    // who used it, as well as the row tells; "" unknown
}

// rows is a reading of one holder sorted into what the protocol knows.
type rows struct {
	holder      *journal // nil: no holder, or not ours
	generations []row    // ours, in order (number, token), blocked ones included
	claims      []row    // ours
	foreign     []finding.Finding
	highest     int // the highest number on any of our rows
}

// sortRows tells our rows from others'. A row is ours if its journal names this key and our identity made it, or the
// holder's journal says that it was adopted; everything else is reported and left alone.
func sortRows(p Policy, r Reading) rows {
	var out rows
	if r.Holder == nil {
		return out
	}
	if j, err := readJournal(r.Holder.Metadata); err == nil {
		out.holder = j
	}
	for _, k := range r.keys() {
		j, err := readJournal(k.Metadata)
		adopted := out.holder != nil && out.holder.Adopted == k.Token
		switch {
		case err != nil:
			out.foreign = append(out.foreign, foreignRow(p, k, "its journal cannot be read", err.Error()))
		case j == nil:
			out.foreign = append(out.foreign, foreignRow(p, k, "it has no journal", ""))
		case j.Name != p.Name:
			who := fmt.Sprintf("its journal names %q", j.Name)
			out.foreign = append(out.foreign, foreignRow(p, k, "its journal names another key", who))
		case k.CreatedBy != r.Self && !adopted:
			who := fmt.Sprintf("made by %q", k.CreatedBy)
			out.foreign = append(out.foreign, foreignRow(p, k, "it was not made by our management key", who))
		case j.Kind == kindGeneration:
			out.generations = append(out.generations, row{k, *j})
		case j.Kind == kindClaim: // whatever its value: earlier releases derived another one, and a taken one is avoided
			out.claims = append(out.claims, row{k, *j})
		default:
			who := fmt.Sprintf("the kind %q", j.Kind)
			out.foreign = append(out.foreign, foreignRow(p, k, "its journal has an unknown kind", who))
		}
	}
	slices.SortFunc(out.generations, compareRows)
	slices.SortFunc(out.claims, compareRows)
	for _, g := range slices.Concat(out.generations, out.claims) {
		out.highest = max(out.highest, g.Gen)
	}
	return out
}

// compareRows orders generations by (number, token): numbers can repeat after a claim was cleaned up.
func compareRows(a, b row) int {
	return cmp.Or(cmp.Compare(a.Gen, b.Gen), cmp.Compare(a.Token, b.Token))
}

// current returns the index of the highest generation that is in every target, or -1. It is never told by the alias.
func (rs rows) current() int {
	for i := len(rs.generations) - 1; i >= 0; i-- {
		if !rs.generations[i].DoneAt.IsZero() {
			return i
		}
	}
	return -1
}

// next is the number of a new claim or generation: the one that run has claimed already, else one above every number.
func (rs rows) next(run string) int {
	for _, c := range rs.claims {
		if c.Run == run {
			return c.Gen
		}
	}
	return rs.highest + 1
}

// nonce is the holder's, "" if there is none to use.
func (rs rows) nonce() string {
	if rs.holder == nil || !validNonce(rs.holder.Nonce) {
		return ""
	}
	return rs.holder.Nonce
}

// claimWith returns the claim of that value, or nil.
func (rs rows) claimWith(value secret.Value) *row {
	token := value.SHA256()
	for i, c := range rs.claims {
		if c.Token == token {
			return &rs.claims[i]
		}
	}
	return nil
}

// holdsClaim reports whether a claim's row is there.
func (rs rows) holdsClaim(token string) bool {
	return slices.ContainsFunc(rs.claims, func(c row) bool { return c.Token == token })
}

// claimedBy returns the unexpired claims of other runs, less those that this run takes over.
func (rs rows) claimedBy(o Options, now time.Time) []row {
	return slices.DeleteFunc(rs.othersClaims(o, now), func(c row) bool { return o.takesOver(c) })
}

// othersClaims returns the unexpired claims of other runs.
func (rs rows) othersClaims(o Options, now time.Time) []row {
	var out []row
	for _, c := range rs.claims {
		if c.Run != o.Run && !claimExpired(c, now) {
			out = append(out, c)
		}
	}
	return out
}

// claimExpired allows for skewed clocks. A claim without an expiry never was one of ours to wait for.
func claimExpired(c row, now time.Time) bool {
	return c.Expires.IsZero() || !now.Before(c.Expires.Add(clockSkew))
}

// foreignRow is the finding about a row of our holder that is not ours. who is what the row says that only insiders
// read.
func foreignRow(p Policy, k litellm.Key, why, who string) finding.Finding {
	if k.Alias != "" {
		who = strings.TrimSuffix("its alias is "+k.Alias+", "+who, ", ")
	}
	return finding.Finding{
		Rule: "foreign-row", Severity: finding.Warning, Subject: finding.Subject{Kind: "key", Name: p.Name + "/" + short(k.Token)},
		Summary: fmt.Sprintf("the key with hash %s belongs to the holder %s but is not ours: %s",
			short(k.Token), HolderID(p.Name), why),
		Who: who,
		Advice: "Find out who made it; it draws on this key's budget. It is neither obeyed nor changed: move it to another " +
			"user or delete it by hand.",
		Source: "GET /user/info",
	}
}

// short is enough of a token to find the row by, for people.
func short(token string) string {
	if len(token) > 12 {
		return token[:12]
	}
	return token
}
