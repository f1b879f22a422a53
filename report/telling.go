package report

import (
	"context"
	"reflect"
	"slices"
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
	if r.DryRun || t.Issues == nil && len(t.Messengers) == 0 {
		return Result{}, nil
	}
	s := &session{
		Telling: t, public: t.IssueView.view(r), full: t.MessengerView.view(r), now: r.GeneratedAt,
	}
	s.load(ctx)
	s.judge(r.judged)
	if s.due() {
		s.save(ctx, false)
		s.send(ctx)
		s.save(ctx, true)
	}
	s.closeDoubles(ctx)
	return s.res, s.res.Err()
}

// session is one Tell in progress.
type session struct {
	Telling
	public, full Report
	now          time.Time
	res          Result

	carrier carrier
	issue   Issue   // ours; Number 0: none yet
	doubles []Issue // open ones that are ours too
	loaded  Memory  // as it was kept
	mem     Memory  // as it will be

	publicNotices, fullNotices []Notice
	saved                      Memory // as last saved in this session
	wroteBody                  bool   // the issue's body shows the state of now
}

// carrier is where the memory is kept in this session.
type carrier int

const (
	nowhere carrier = iota
	inIssue
	inJournal
)

// judge computes what is new, once for each audience: the reasons are the same, the words may differ.
func (s *session) judge(c coverage) {
	policy := Policy{Repeat: s.Repeat, Judged: func(story Story) bool { return c.judges(story.Rule, story.Kind, story.Name) }}
	if s.public.Proxy != nil && !s.public.Proxy.Ready || s.full.Proxy != nil && !s.full.Proxy.Ready {
		judged := policy.Judged
		policy.Judged = func(story Story) bool { return story.Rule != RuleFailed && judged(story) }
	}
	s.publicNotices, s.mem = Notices(s.loaded, tellable(s.public), Events(s.public), s.now, policy)
	s.fullNotices, _ = Notices(s.loaded, tellable(s.full), Events(s.full), s.now, policy)
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
		sm.Pending = append(sm.Pending, s.publicNotices...)
		s.mem.Senders[name] = sm
	}
	s.mem.bound()
}

// criticalOnly is what is told while nothing can be remembered: the gravest, and what was done.
func criticalOnly(notices []Notice) []Notice {
	return slices.DeleteFunc(notices, func(n Notice) bool {
		return n.Reason != Done && (n.Severity < finding.Critical || n.Reason == Resolved)
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
		if len(s.mem.Senders[name].Pending) > 0 {
			return true
		}
	}
	if !sameStories(s.mem.Stories, s.loaded.Stories) {
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
		s.note("the memory of what was told is begun anew, so notices may repeat once: " + clip(visible(err.Error()), nameLimit))
	}
	s.loaded = m
	s.saved = m
}

// save keeps the memory, and shows the state in the issue. In the end, only if it changed since.
func (s *session) save(ctx context.Context, last bool) {
	s.mem.Saved = s.now
	if last && reflect.DeepEqual(s.mem, s.saved) {
		return
	}
	if s.carrier == inIssue && s.saveIssue(ctx, last) {
		s.saved = s.mem.clone()
		return
	}
	if s.Journal == nil || s.carrier == nowhere {
		s.lose(last)
		return
	}
	s.carrier = inJournal
	data, err := s.mem.Encode()
	if err == nil {
		s.res.Writes++
		err = s.call(ctx, func(ctx context.Context) error { return s.Journal.Save(ctx, data) })
	}
	if err != nil {
		s.fail("journal", "saving the notice memory", err)
		s.lose(last)
		return
	}
	s.saved = s.mem.clone()
}

// lose goes on without a memory: what is not critical is not sent now, so that it can't repeat on every pass.
func (s *session) lose(last bool) {
	s.carrier = nowhere
	if last {
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
	s.res.Failures = append(s.res.Failures, Failure{Step: "tell", Target: sender, Message: doing + ": " + err.Error()})
}
