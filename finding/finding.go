// Package finding is the vocabulary in which every judgement is told: a Finding is one judged fact (rule, severity,
// subject, observed, limit, since) with what a person needs next.
//
// It is pure: budget, failover and rotate make findings, report shows them, and none of those needs to know another.
package finding

import (
	"fmt"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// Severity orders findings: Info < Warning < Critical. The zero value is Info.
type Severity int

// The severities, least first.
const (
	Info Severity = iota
	Warning
	Critical
)

var severityNames = [...]string{"info", "warning", "critical"}

// String returns "info", "warning" or "critical".
func (s Severity) String() string {
	if s < Info || s > Critical {
		return fmt.Sprintf("severity(%d)", int(s))
	}
	return severityNames[s]
}

// MarshalText returns what String does.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText accepts what String returns.
func (s *Severity) UnmarshalText(text []byte) error {
	for i, name := range severityNames {
		if name == string(text) {
			*s = Severity(i)
			return nil
		}
	}
	return fmt.Errorf("unknown severity %q: use info, warning or critical", text)
}

// Evidence says how a failover was seen. The zero value is for findings that need no grade.
type Evidence string

// The grades of evidence, strongest first.
const (
	Recorded   Evidence = "recorded"   // the proxy wrote it into the request's own log row
	Probed     Evidence = "probed"     // a call of ours showed it
	Inferred   Evidence = "inferred"   // the log rows fit no other explanation, but do not say it
	Configured Evidence = "configured" // the configuration cannot work
)

// Subject is what a finding is about.
type Subject struct {
	Kind string `json:"kind"` // "key", "model", "proxy", "target" or "tool"
	Name string `json:"name"` // the key's name, the model group, …
}

// Quantity is an amount with its unit: "USD", "%", "requests", "seconds", …
type Quantity struct {
	Value decimal.Decimal `json:"value"`
	Unit  string          `json:"unit"`
}

// Finding is one judged fact. Summary, Cause, Level, Subject and Advice are shown to everybody: they hold words of this tool
// and names of its configuration, never a person's name, address or anything that an outside system made up. Those are for
// Who and Said.
type Finding struct {
	Rule     string   `json:"rule"` // stable, kebab-case: "budget-used", "served-by-fallback", …
	Severity Severity `json:"severity"`
	Subject  Subject  `json:"subject"`

	// Level names the step reached of a rule that has steps ("80%"); reaching another one is news, staying is not.
	Level string `json:"level,omitempty"`
	// Window identifies the budget window judged (its start, RFC 3339 UTC); empty where there is none. The same rule on
	// the same subject in a new window is a new story.
	Window string `json:"window,omitempty"`

	Summary  string    `json:"summary"`            // what is the matter, one line, no trailing period
	Observed *Quantity `json:"observed,omitempty"` // nil where the finding has no number
	Limit    *Quantity `json:"limit,omitempty"`
	Since    time.Time `json:"since,omitzero"` // zero: not known
	Cause    string    `json:"cause,omitempty"`
	Said     string    `json:"said,omitempty"` // what an outside system said, in its words; shown in private views alone
	Who      string    `json:"who,omitempty"`  // a person, user or address; shown in private views alone
	Advice   string    `json:"advice"`         // one sentence on what to do
	Evidence Evidence  `json:"evidence,omitempty"`
	Source   string    `json:"source,omitempty"` // where the figures came from, e.g. "GET /user/info"
}

// Why is the cause with what was said and who it is about, "" if none of them is known. A public view has emptied Said and
// Who before it.
func (f Finding) Why() string {
	var parts []string
	for _, part := range []string{f.Cause, f.Said, f.Who} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, "; ")
}

// Key identifies the story a finding belongs to: the same rule about the same subject in the same window.
func (f Finding) Key() string {
	return f.Rule + "|" + f.Subject.Kind + "|" + f.Subject.Name + "|" + f.Window
}
