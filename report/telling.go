package report

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/org/openclaw-litellm-action/finding"
)

// issueSender is the name under which the memory keeps what the living issue still has to tell.
const issueSender = "issue"

// Tell tells what is new in r and returns what it did; the error is Result.Err. A plan is not told.
//
// With nothing new it writes nothing, and asks for the issues, or else for the journal, once. Otherwise it first saves the
// memory with every notice pending (for the issue that is the edit of its body), then sends, then saves what was sent. So
// a crash or a lost answer in between costs a repeat of what was sent and not saved, once, and never a loss; and while the
// memory cannot be saved, only what is critical is sent. Each failure is named in the Result and stops nobody else.
func (t Telling) Tell(ctx context.Context, r Report) (Result, error) {
	if t.Pager != nil {
		t.Messengers = append(slices.Clone(t.Messengers), t.Pager)
	}
	if r.DryRun || t.Issues == nil && len(t.Messengers) == 0 {
		return Result{}, nil
	}
	if t.Sign == nil {
		t.Sign = signOnce()
	}
	res := t.attempt(ctx, r)
	return res, res.Err()
}

// tell is one Tell from its beginning.
func (s *session) tell(ctx context.Context) {
	end, ok := s.takeTurn(ctx)
	defer end()
	if ok {
		s.load(ctx)
	}
	s.judge()
	if !s.Near && s.pendingAnywhere() > 0 && s.loadNewer(ctx) {
		s.judge()
	}
	if s.due() {
		s.learn(ctx)
		if s.pendingAnywhere() > 0 {
			s.save(ctx)
		}
		s.ending = true
		s.send(ctx)
		s.save(ctx)
	}
	s.closeDoubles(ctx)
}

// takeTurn waits for other runs; false if that was in vain. Then nothing is known of what was told, since another run may be
// telling it now.
func (s *session) takeTurn(ctx context.Context) (end func(), ok bool) {
	if s.Turn == nil {
		return func() {}, true
	}
	waiting, cancel := context.WithTimeout(ctx, longestTurn)
	defer cancel()
	end, err := s.Turn(waiting)
	if err != nil {
		s.fail("journal", "reporting only what is critical", err)
		s.Issues, s.Journal = nil, nil
		return end, false
	}
	return end, true
}

// learn replaces what is assumed of the issue's readers by what is so.
func (s *session) learn(ctx context.Context) {
	if s.Learn == nil || s.Issues == nil {
		return
	}
	view := s.IssueView
	err := s.call(ctx, func(ctx context.Context) (err error) {
		view, err = s.Learn(ctx)
		return err
	})
	if err == nil {
		s.IssueView = view
		s.judge()
	}
}

// session is one Tell in progress.
type session struct {
	Telling
	report       Report // of the pass
	public, full Report // how things stand, as either audience may read it
	now          time.Time
	res          Result

	carrier carrier
	issue   Issue   // ours; Number 0: none yet
	doubles []Issue // open ones that are ours too
	loaded  Memory  // as it was kept
	mem     Memory  // as it will be

	publicNotices, fullNotices []Notice
	kept                       map[carrier]Memory // as last saved or loaded
	corrupt                    map[carrier]bool   // the memory kept there could not be read, and is to be replaced
	ending                     bool               // what could be sent was
	issueFailed                bool               // the issue could not be written
	issueErr                   error              // why the issue could not be found or written; nil: it could
}

// carrier is where the memory is kept in this session.
type carrier int

const (
	nowhere carrier = iota
	inIssue
	inJournal
)

// judge computes what is new, once for each audience: the reasons are the same, the words may differ.
func (s *session) judge() {
	s.public, s.full = s.IssueView.view(s.report), s.MessengerView.view(s.report)
	c := s.report.judged
	policy := Policy{Repeat: s.Repeat, Judged: func(story Story) bool { return c.judges(story.Rule, story.Kind, story.Name) }}
	if s.public.Proxy != nil && !s.public.Proxy.Ready || s.full.Proxy != nil && !s.full.Proxy.Ready {
		judged := policy.Judged
		policy.Judged = func(story Story) bool { return story.Rule != RuleFailed && judged(story) }
	}
	refused := s.refusals(s.loaded)
	s.publicNotices, s.mem = Notices(s.loaded, append(tellable(s.public), refused...), Events(s.public), s.now, policy)
	s.fullNotices, _ = Notices(s.loaded, append(tellable(s.full), refused...), Events(s.full), s.now, policy)
	if s.carrier == nowhere {
		s.publicNotices, s.fullNotices = criticalOnly(s.publicNotices), criticalOnly(s.fullNotices)
	}
	s.res.Notices = s.fullNotices
	senders := s.senders()
	for name := range s.mem.Senders {
		if !slices.Contains(senders, name) {
			delete(s.mem.Senders, name) // configured no more
		}
	}
	for _, name := range senders {
		sm := s.mem.Senders[name]
		sm.Pending = append(sm.Pending, s.meantFor(name)...)
		s.mem.Senders[name] = sm
	}
	if s.Issues != nil {
		s.refuses(issueSender, s.issueErr)
	}
	s.mem.bound()
	s.public, s.full = standing(s.public, s.mem), standing(s.full, s.mem)
}

// standing returns r with the stories that go on although the pass did not look for them, as they were last told: a pass
// over rotation alone does not make the budgets well.
func standing(r Report, m Memory) Report {
	seen := map[string]bool{}
	for _, f := range tellable(r) {
		seen[storyKey(f)] = true
	}
	found := slices.Clone(r.Findings)
	for _, story := range m.Stories {
		if seen[story.Key] || story.Rule == RuleRefused || story.Summary == "" {
			continue
		}
		window, _ := strings.CutPrefix(story.Key, story.Rule+"|"+story.Kind+"|"+story.Name+"|")
		found = append(found, finding.Finding{
			Rule: story.Rule, Severity: story.Severity, Subject: finding.Subject{Kind: story.Kind, Name: story.Name}, Level: story.Level,
			Window: window, Summary: story.Summary, Cause: "not looked at in this pass; last told " + stamp(story.Told),
		})
	}
	if len(found) > len(r.Findings) {
		r.Findings = sortFindings(found)
		r.Totals = totals(r)
	}
	return r
}

// criticalOnly is what is told while nothing can be remembered: the gravest, what was done, and that the run was interrupted,
// which no later one tells.
func criticalOnly(notices []Notice) []Notice {
	return slices.DeleteFunc(notices, func(n Notice) bool {
		keep := n.Severity >= finding.Critical || n.Key == storyKey(interrupted(Report{}))
		return n.Reason != Done && (!keep || n.Reason == Resolved)
	})
}

// meantFor is the news that a sender has to hear: the pager what is critical, or was, and what is wrong with the others.
func (s *session) meantFor(sender string) []Notice {
	pager := s.Pager != nil && sender == s.Pager.Name()
	return slices.DeleteFunc(slices.Clone(s.publicNotices), func(n Notice) bool {
		grave := n.Reason != Done && n.Severity >= finding.Critical || aboutSender(n)
		return aboutItself(n, sender) || pager && !grave
	})
}

// senders lists who has to hear of notices.
func (s *session) senders() []string {
	var names []string
	if s.Issues != nil {
		names = append(names, issueSender)
	}
	for _, m := range s.Messengers {
		names = append(names, m.Name())
	}
	return names
}

// due reports whether anything at all is to be written.
func (s *session) due() bool {
	for _, name := range s.senders() {
		reachable := name != issueSender || s.carrier == inIssue
		if reachable && len(s.mem.Senders[name].Pending) > 0 {
			return true
		}
	}
	if s.corrupt[inIssue] || s.corrupt[inJournal] || !sameStories(s.mem.Stories, s.loaded.Stories) {
		return true
	}
	state := fingerprint(s.full)
	for _, m := range s.Messengers {
		if sm := s.mem.Senders[m.Name()]; m.Living() && sm.Anchor != "" && sm.Shown != state {
			return true
		}
	}
	return s.carrier == inIssue && s.issue.Number != 0 && s.loaded.Shown != fingerprint(s.public)
}

func sameStories(a, b []Story) bool {
	return slices.EqualFunc(a, b, func(x, y Story) bool {
		return x.Key == y.Key && x.Severity == y.Severity && x.Level == y.Level && x.Told.Equal(y.Told)
	})
}

// well reports whether nothing is so that people should act on.
func (s *session) well() bool {
	return !slices.ContainsFunc(s.mem.Stories, func(story Story) bool { return story.Severity >= finding.Warning })
}

// load finds the memory. The issue comes first, then the journal.
func (s *session) load(ctx context.Context) {
	if s.Issues != nil && s.loadIssue(ctx) {
		if s.Near {
			s.loadNewer(ctx)
		}
		return
	}
	if s.Journal == nil {
		if s.Issues == nil {
			s.note("nothing keeps what was told: only critical findings are sent, and they may repeat")
		}
		return
	}
	var data []byte
	err := s.call(ctx, func(ctx context.Context) (err error) {
		data, err = s.Journal.Load(ctx)
		return err
	})
	if err != nil {
		s.fail("journal", "loading the notice memory", err)
		return
	}
	s.carrier = inJournal
	s.remember(Decode(data))
}

// remember takes a memory that was loaded, or begins a new one and says so.
func (s *session) remember(m Memory, err error) {
	if err != nil {
		s.corrupt[s.carrier] = true
		why := clip(visible(err.Error()), textLimit)
		s.note("the memory of what was told is begun anew, so notices may repeat once: " + why)
	}
	s.loaded = m
	s.kept[s.carrier] = m
}

// loadNewer takes the journal's memory in place of the issue's if that is the later one, because the issue could not be
// written in an earlier pass. It is asked only when there is something to tell.
func (s *session) loadNewer(ctx context.Context) bool {
	if s.carrier != inIssue || s.Journal == nil {
		return false
	}
	var data []byte
	err := s.call(ctx, func(ctx context.Context) (err error) {
		data, err = s.Journal.Load(ctx)
		return err
	})
	if err != nil {
		return false
	}
	m, err := Decode(data)
	switch {
	case err == nil && len(data) > 0:
		s.kept[inJournal] = m
	case err != nil && s.Near:
		s.note("the journal's memory of what was told cannot be read and is replaced: " + clip(visible(err.Error()), nameLimit))
		s.corrupt[inJournal] = true
	}
	if err != nil || !m.Saved.After(s.loaded.Saved) {
		return false
	}
	m.Shown = s.loaded.Shown // that is about the issue
	s.loaded = m
	return true
}

// save keeps the memory, with the state in the issue, if anything changed since it was kept.
func (s *session) save(ctx context.Context) {
	if s.carrier == inIssue {
		s.mem.Shown = fingerprint(s.public)
		if s.keepIssue(ctx) {
			if s.Near {
				s.saveJournal(ctx) // a failure is named, and loses nothing while the issue remembers
			}
			return
		}
	}
	if s.Journal == nil || s.carrier == nowhere {
		s.lose()
		return
	}
	s.carrier = inJournal
	if !s.saveJournal(ctx) {
		s.lose()
	}
}

// keepIssue brings the issue and the memory in it up to date; false if that failed.
func (s *session) keepIssue(ctx context.Context) bool {
	if sameMemory(s.mem, s.kept[inIssue]) && !s.corrupt[inIssue] && !(s.ending && s.mustClose()) {
		return true
	}
	s.mem.Saved = s.saved()
	if !s.saveIssue(ctx) {
		return false
	}
	s.kept[inIssue], s.corrupt[inIssue] = s.mem.clone(), false
	return true
}

// saveJournal keeps the memory in the journal if it changed; false if that failed.
func (s *session) saveJournal(ctx context.Context) bool {
	if sameMemory(s.mem, s.kept[inJournal]) && !s.corrupt[inJournal] {
		return true
	}
	s.mem.Saved = s.saved()
	data, err := s.mem.Encode()
	if err == nil {
		s.res.Writes++
		err = s.call(ctx, func(ctx context.Context) error { return s.Journal.Save(ctx, data) })
	}
	if err != nil {
		s.fail("journal", "saving the notice memory", err)
		return false
	}
	s.kept[inJournal], s.corrupt[inJournal] = s.mem.clone(), false
	return true
}

// saved is the time to save the memory with. It is later than that of the loaded memory, whatever the clock says: the issue's
// and the journal's are compared by it, and the later one counts.
func (s *session) saved() time.Time {
	if s.now.After(s.loaded.Saved) {
		return s.now
	}
	return s.loaded.Saved.Add(time.Millisecond)
}

// sameMemory compares what a and b tell; when they were saved is no part of it.
func sameMemory(a, b Memory) bool {
	a.Saved, b.Saved = time.Time{}, time.Time{}
	x, errX := json.Marshal(a.clone())
	y, errY := json.Marshal(b.clone())
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

// lose goes on without a memory: what is not critical is not sent now, so that it can't repeat on every pass.
func (s *session) lose() {
	s.carrier = nowhere
	if s.ending {
		return
	}
	s.publicNotices, s.fullNotices = criticalOnly(s.publicNotices), criticalOnly(s.fullNotices)
	for name, sm := range s.mem.Senders {
		sm.Pending = criticalOnly(sm.Pending)
		s.mem.Senders[name] = sm
	}
}

func (s *session) note(text string) { s.res.Notes = append(s.res.Notes, text) }

func (s *session) fail(sender, doing string, err error) {
	s.res.Failures = append(s.res.Failures, FailureOf("tell", "", sender, fmt.Errorf("%s: %w", doing, err)))
}
