package report

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/org/openclaw-litellm-action/finding"
)

const issueTitle = "LiteLLM keys: budgets, rotation, failover"

// loadIssue looks for our issue and takes its memory; false if the tracker failed. The lowest number of ours stays.
func (s *session) loadIssue(ctx context.Context) bool {
	var all []Issue
	err := s.call(ctx, func(ctx context.Context) (err error) {
		all, err = s.Issues.Find(ctx)
		return err
	})
	if err != nil {
		s.issueErr = err
		s.fail(issueSender, "looking for the issue", err)
		return false
	}
	s.carrier = inIssue
	marked := slices.DeleteFunc(slices.Clone(all), func(i Issue) bool { return !strings.Contains(i.Body, Marker) })
	slices.SortFunc(marked, func(a, b Issue) int { return cmp.Compare(a.Number, b.Number) })
	for _, i := range marked {
		switch {
		case !i.Ours:
			s.note(fmt.Sprintf("issue #%d carries our marker but is not by us: ignored", i.Number))
		case s.issue.Number == 0:
			s.issue = i
		case i.Open:
			s.doubles = append(s.doubles, i)
		}
	}
	if s.issue.Number != 0 {
		s.res.Issue, s.res.URL = s.issue.Number, s.issue.URL
		s.remember(ExtractMemory(s.issue.Body, s.Sign))
	}
	return true
}

// saveIssue writes the body with the memory, opens or closes the issue as the state asks, and creates it if there is none;
// false if that failed. Where nothing was ever told it creates none.
func (s *session) saveIssue(ctx context.Context) bool {
	if s.issueFailed {
		return false
	}
	if s.issue.Number == 0 && s.pendingAnywhere() == 0 {
		return true
	}
	told := 0 // by the body of a new issue
	if s.issue.Number == 0 {
		told = s.tellByBody()
	}
	body := ""
	err := s.Catch.Do("rendering the issue", func() (err error) {
		body, err = s.body(s.issue.Body)
		return err
	})
	if err == nil && s.issue.Number == 0 {
		if err = s.createIssue(ctx, body); err == nil {
			s.accepted(issueSender, told)
		}
	} else if err == nil {
		err = s.editIssue(ctx, body)
	}
	if err != nil {
		s.issueFailed, s.issueErr, s.mem.Shown = true, err, s.loaded.Shown
		s.refuses(issueSender, err)
		s.fail(issueSender, "writing the issue", err)
		return false
	}
	return true
}

func (s *session) createIssue(ctx context.Context, body string) error {
	s.res.Writes++
	err := s.call(ctx, func(ctx context.Context) (err error) {
		s.issue, err = s.Issues.Create(ctx, cmp.Or(s.Title, issueTitle), body)
		return err
	})
	if err != nil {
		s.issue = Issue{}
		return err
	}
	s.issue.Body, s.issue.Open, s.issue.Ours = body, true, true
	s.res.Issue, s.res.URL = s.issue.Number, s.issue.URL
	return nil
}

// tellByBody drops the notices that a new issue's body tells by itself, and returns how many those are: what fires.
// What was done or is over it does not tell.
func (s *session) tellByBody() int {
	sm := s.mem.Senders[issueSender]
	before := len(sm.Pending)
	sm.Pending = slices.DeleteFunc(sm.Pending, func(n Notice) bool { return n.Reason != Done && n.Reason != Resolved })
	s.mem.Senders[issueSender] = sm
	return before - len(sm.Pending)
}

// editIssue changes the body if it differs, and opens or closes. It reopens only for news, so that a person who closed the
// issue is not overruled by every pass; it closes when all is well, after everything was told.
func (s *session) editIssue(ctx context.Context, body string) error {
	var change IssueChange
	if body != s.issue.Body {
		change.Body = &body
	}
	open := s.issue.Open && !s.mustClose() || !s.well() && s.grave()
	if open != s.issue.Open {
		change.Open = &open
	}
	if change == (IssueChange{}) {
		return nil
	}
	s.res.Writes++
	err := s.call(ctx, func(ctx context.Context) error { return s.Issues.Edit(ctx, s.issue.Number, change) })
	if err != nil {
		return err
	}
	s.issue.Body, s.issue.Open = body, open
	return nil
}

// mustClose reports whether the issue is open although all is well and everything was told.
func (s *session) mustClose() bool {
	return s.issue.Number != 0 && s.issue.Open && s.well() && s.pendingIn(issueSender) == 0
}

// grave reports whether there is news that people should act on.
func (s *session) grave() bool {
	return slices.ContainsFunc(s.publicNotices, func(n Notice) bool { return n.Reason != Resolved && n.Severity > finding.Info })
}

// body returns the issue's body with our part replaced, within GitHub's limit. People's own text stays; if it leaves us
// too little room, our part is cut, the memory never.
func (s *session) body(old string) (string, error) {
	const least = 4096
	others := len(ReplaceOurs(old, "")) - len(Marker) - len(markerEnd)
	mem, err := EmbedMemory("", fitMemory(s.mem, IssueLimit-others-least), s.Sign)
	if err != nil {
		return "", err
	}
	o := s.IssueView
	o.Limit = max(IssueLimit-others-len(mem)-cutRoom, 512)
	ours := markdown(s.public, o, true) + "\n" + strings.TrimSpace(mem)
	body := ReplaceOurs(old, ours)
	if len(body) > IssueLimit {
		return "", fmt.Errorf("the issue's body would have %d bytes, more than %d: shorten the text around our part", len(body), IssueLimit)
	}
	return body, nil
}

// fitMemory drops what can be done without, least grave first, until the memory takes at most room bytes in an issue.
func fitMemory(m Memory, room int) Memory {
	m = m.clone()
	size := func() int {
		data, err := m.Encode()
		if err != nil {
			return 0
		}
		return len(data)*4/3 + 128 // with the marks and the signature
	}
	for step := 0; size() > room && step < 4; step++ {
		switch step {
		case 0: // the words of resolved stories
			for i := range m.Stories {
				m.Stories[i].Summary = ""
			}
		case 1: // details of what senders missed
			for _, sm := range m.Senders {
				for i := range sm.Pending {
					sm.Pending[i].Details, sm.Pending[i].Advice = "", ""
				}
			}
		default:
			m.Stories = m.Stories[:len(m.Stories)/2]
		}
	}
	return m
}

func (s *session) pendingIn(sender string) int { return len(s.mem.Senders[sender].Pending) }

func (s *session) pendingAnywhere() int {
	n := 0
	for name := range s.mem.Senders {
		n += s.pendingIn(name)
	}
	return n
}

// closeDoubles closes further issues of ours with a link to the one that stays. Closing is repeated until it works.
func (s *session) closeDoubles(ctx context.Context) {
	for _, i := range s.doubles {
		text := fmt.Sprintf("This is told in #%d, which stays.", s.issue.Number)
		s.res.Writes += 2
		err := s.call(ctx, func(ctx context.Context) error {
			shut := false
			if err := s.Issues.Edit(ctx, i.Number, IssueChange{Open: &shut}); err != nil {
				return err
			}
			return s.Issues.Comment(ctx, i.Number, text)
		})
		if err != nil {
			s.fail(issueSender, fmt.Sprintf("closing issue #%d, which doubles #%d", i.Number, s.issue.Number), err)
			continue
		}
		s.note(fmt.Sprintf("issue #%d doubled #%d and was closed", i.Number, s.issue.Number))
	}
}
