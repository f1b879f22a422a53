package report

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/org/openclaw-litellm-action/finding"
)

// Reason says why a notice is due.
type Reason string

// The reasons.
const (
	Firing    Reason = "firing"    // the story is new
	Escalated Reason = "escalated" // it is graver than when it was told, or reached a higher level
	Repeated  Reason = "repeated"  // it was told long ago and still is so
	Resolved  Reason = "resolved"  // it is so no more
	Done      Reason = "done"      // something was done that people should know of
)

// Notice is one piece of news. It holds the finding, or the event, as text, so that a sender that missed it can still tell
// it when the finding is gone.
type Notice struct {
	Reason   Reason           `json:"reason"`
	Key      string           `json:"key"` // of the story or the event
	Severity finding.Severity `json:"severity"`
	Level    string           `json:"level,omitempty"`
	Summary  string           `json:"summary"`
	Details  string           `json:"details,omitempty"`
	Advice   string           `json:"advice,omitempty"`
	Since    time.Time        `json:"since,omitzero"` // when the story was first told
	At       time.Time        `json:"at"`             // when this became news
}

// Event is something done that is told once: a rotation, a generation retired.
type Event struct {
	Key     string // the same for the same deed, so that a doubled run tells it once if it knows of the other
	Summary string
	Details string
}

// Policy says how stories are told.
type Policy struct {
	// Repeat is how long a warning or critical story that goes on stays silent before it is told again; 0: for ever.
	// Information is told once. The silence of a warning doubles with each repeat, so that nobody learns to ignore it.
	Repeat time.Duration
	// Judged reports whether this pass would have found the story if it were still so; nil: every one. A story that was
	// not judged stays as it was told.
	Judged func(Story) bool
}

// Notices compares what was told (previous) with what is so now (findings) and what was done, and returns the news, gravest
// first, and what is told once they are sent. It is pure and keeps nothing of its arguments. The rules, a story being
// identified by finding.Finding.Key:
//
//	not in memory                             firing
//	graver, or at a higher level than told    escalated
//	told Repeat ago or longer, and no info    repeated; a warning after twice as long each time
//	in memory, judged, and not found          resolved; silently dropped if a finding of the same rule and subject is
//	                                          there that is as grave, which is the same thing in a new window
//	anything else                             silence
//
// A time in the future was recorded by a clock that has since been set back. It counts as now, so no story stays silent
// until that time returns.
func Notices(previous Memory, findings []finding.Finding, done []Event, now time.Time, p Policy) ([]Notice, Memory) {
	previous = previous.asOf(now)
	next := previous.clone()
	next.Stories = nil
	var out []Notice
	seen, ongoing := map[string]bool{}, map[string]finding.Severity{}
	room := maxStories - len(previous.Stories)
	for _, f := range sortFindings(slices.Clone(findings)) {
		id := storyKey(f)
		if seen[id] {
			continue
		}
		seen[id] = true
		if same := sameThing(f.Rule, f.Subject.Kind, f.Subject.Name); f.Severity >= ongoing[same] {
			ongoing[same] = f.Severity
		}
		told, known := previous.story(id)
		if !known {
			if room--; room < 0 && !previous.yields(f.Severity, -room) {
				continue // it could not be remembered, and would come again each time
			}
		}
		reason, due := needsNotice(told, known, f, now, p)
		story := keep(told, known, f, now, due)
		if reason == Repeated {
			story.Again++
		}
		next.Stories = append(next.Stories, story)
		if due {
			out = append(out, noticeOf(reason, story, f, now))
		}
	}
	for _, s := range previous.Stories {
		severity, goesOn := ongoing[sameThing(s.Rule, s.Kind, s.Name)]
		switch {
		case seen[s.Key] || goesOn && severity >= s.peak():
		case p.Judged != nil && !p.Judged(s):
			next.Stories = append(next.Stories, s)
		default:
			out = append(out, resolved(s, now))
		}
	}
	for _, e := range done {
		if !slices.Contains(previous.Done, e.Key) {
			next.Done = append(next.Done, e.Key)
			out = append(out, Notice{Reason: Done, Key: e.Key, Summary: e.Summary, Details: e.Details, At: now})
		}
	}
	slices.SortStableFunc(next.Stories, func(a, b Story) int { // the gravest stay where there is no room
		return cmp.Or(cmp.Compare(b.Severity, a.Severity), cmp.Compare(a.Key, b.Key))
	})
	next.bound()
	sortNotices(out)
	return out, next
}

// needsNotice decides about one finding.
func needsNotice(told Story, known bool, f finding.Finding, now time.Time, p Policy) (Reason, bool) {
	switch {
	case !known:
		return Firing, true
	case f.Severity > told.Severity || f.Severity == told.Severity && higher(f.Level, told.Level):
		return Escalated, true
	case p.Repeat > 0 && f.Severity > finding.Info && !now.Before(told.Told.Add(silence(told, f, p))):
		return Repeated, true
	}
	return "", false
}

// silence is how long a story that was told stays untold: what is critical is worth a word each time, a warning less often.
func silence(told Story, f finding.Finding, p Policy) time.Duration {
	const longest = 5 // doublings, a month where Repeat is a day
	if f.Severity >= finding.Critical {
		return p.Repeat
	}
	return p.Repeat << min(told.Again, longest)
}

// higher reports whether level a is above b. Levels are percentages; of others it is not known, and any change is news.
func higher(a, b string) bool {
	x, errX := strconv.ParseFloat(strings.TrimSuffix(a, "%"), 64)
	y, errY := strconv.ParseFloat(strings.TrimSuffix(b, "%"), 64)
	if errX != nil || errY != nil {
		return a != b
	}
	return x > y
}

// keep returns the story as it is after this pass. Level and severity fall silently: a limit that was raised is no news,
// but reaching the level again is.
func keep(told Story, known bool, f finding.Finding, now time.Time, due bool) Story {
	s := Story{
		Key: storyKey(f), Rule: f.Rule, Kind: f.Subject.Kind, Name: clip(f.Subject.Name, nameLimit),
		Severity: f.Severity, Peak: f.Severity, Level: f.Level, First: now, Told: now, Summary: clip(f.Summary, nameLimit),
	}
	if known {
		s.First, s.Peak = told.First, max(f.Severity, told.peak())
		if !due {
			s.Told, s.Summary = told.Told, told.Summary
		}
		if f.Severity == told.Severity && !higher(f.Level, told.Level) {
			s.Again = told.Again
		}
	}
	return s
}

func noticeOf(reason Reason, s Story, f finding.Finding, now time.Time) Notice {
	parts := []string{details(f, Report{})}
	if why := f.Why(); why != "" {
		parts = append(parts, "cause: "+clip(why, textLimit/2))
	}
	return Notice{
		Reason: reason, Key: s.Key, Severity: f.Severity, Level: f.Level, Summary: clip(f.Summary, textLimit/2),
		Details: strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), "; "),
		Advice:  clip(f.Advice, textLimit/2), Since: s.First, At: now,
	}
}

// peak is the gravest that the story was told at, so that whoever heard of that hears of the end.
func (s Story) peak() finding.Severity { return max(s.Peak, s.Severity) }

func resolved(s Story, now time.Time) Notice {
	return Notice{
		Reason: Resolved, Key: s.Key, Severity: s.peak(), Level: s.Level, Since: s.First, At: now,
		Summary: cmp.Or(s.Summary, fmt.Sprintf("%s of %s %s", s.Rule, s.Kind, s.Name)),
		Details: "first told " + stamp(s.First),
	}
}

func sameThing(rule, kind, name string) string {
	return rule + "|" + kind + "|" + clip(name, nameLimit)
}

func sortNotices(out []Notice) {
	order := []Reason{Escalated, Firing, Repeated, Resolved, Done}
	slices.SortStableFunc(out, func(a, b Notice) int {
		return cmp.Or(
			cmp.Compare(slices.Index(order, a.Reason)/3, slices.Index(order, b.Reason)/3),
			cmp.Compare(b.Severity, a.Severity),
			cmp.Compare(slices.Index(order, a.Reason), slices.Index(order, b.Reason)),
			cmp.Compare(a.Key, b.Key))
	})
}
