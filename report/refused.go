package report

import (
	"errors"
	"slices"
	"strings"

	"github.com/org/openclaw-litellm-action/finding"
)

// RuleRefused is the rule that a sender takes nothing any more, and that trying again will not mend it.
const RuleRefused = "sender-refused"

// refusal is the finding that a sender refuses, for the other ones to tell.
func refusal(sender, why string) finding.Finding {
	f := finding.Finding{
		Rule: RuleRefused, Severity: finding.Warning, Subject: finding.Subject{Kind: "tool", Name: sender},
		Summary: sender + " takes no messages: nobody hears of anything there", Cause: why,
		Advice: "Mend what the cause names; what was missed arrives then, once.",
	}
	if sender == issueSender {
		f.Summary = "the issue cannot be written: nobody hears of anything there"
	}
	return f
}

// aboutItself reports whether the news is that this very sender refuses, or does no more: it is the others who tell that.
func aboutItself(n Notice, sender string) bool {
	return n.Key == storyKey(refusal(sender, ""))
}

// aboutSender reports whether the news is that some sender refuses, or does no more.
func aboutSender(n Notice) bool { return strings.HasPrefix(n.Key, RuleRefused+"|") }

// refusals are the findings of the senders that refuse, as far as a memory knows.
func (s *session) refusals(m Memory) []finding.Finding {
	var found []finding.Finding
	for _, name := range s.senders() {
		if why := m.Senders[name].Refused; why != "" {
			found = append(found, refusal(name, why))
		}
	}
	return found
}

// refuses notes whether a sender refuses: err is what it last said, nil if it took what it was sent. An outage says
// nothing about it.
func (s *session) refuses(sender string, err error) {
	sm := s.mem.Senders[sender]
	switch {
	case err == nil:
		sm.Refused = ""
	case errors.Is(err, ErrRefused):
		sm.Refused = clip(visible(finding.Public(err)), textLimit/2)
	}
	s.mem.Senders[sender] = sm
}

// hearsay makes news of the senders that began to refuse in this very pass, or ceased to, and gives it to the others to
// tell; false if there is none. The next pass may be a week away, and its job may be the one that nobody watches.
func (s *session) hearsay() bool {
	if s.carrier == nowhere {
		return false
	}
	before := s.mem
	policy := Policy{Judged: func(story Story) bool { return story.Rule == RuleRefused }}
	fresh, next := Notices(before, s.refusals(before), nil, s.now, policy)
	if len(fresh) == 0 {
		return false
	}
	s.mem = next
	s.publicNotices, s.fullNotices = append(s.publicNotices, fresh...), append(s.fullNotices, fresh...)
	s.res.Notices = s.fullNotices
	for _, name := range s.senders() {
		sm := s.mem.Senders[name]
		sm.Pending = append(sm.Pending, slices.DeleteFunc(slices.Clone(fresh), func(n Notice) bool { return aboutItself(n, name) })...)
		s.mem.Senders[name] = sm
	}
	s.mem.bound()
	return true
}
