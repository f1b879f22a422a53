package report

import (
	"context"
	"errors"
	"slices"
	"time"
)

// send delivers what is pending, sender by sender: messages first, so that the comment can tell who takes none.
func (s *session) send(ctx context.Context) {
	s.hearsay() // what became of the issue is known
	for _, m := range s.Messengers {
		s.message(ctx, m)
	}
	if s.hearsay() {
		for _, m := range s.Messengers {
			if s.mem.Senders[m.Name()].Refused == "" && !s.failed(m.Name()) {
				s.message(ctx, m)
			}
		}
	}
	if s.carrier == inIssue && s.issue.Number != 0 {
		s.comment(ctx)
	}
}

// failed reports whether a sender failed in this pass: it is not tried again in the same one.
func (s *session) failed(sender string) bool {
	return slices.ContainsFunc(s.res.Failures, func(f Failure) bool { return f.Target == sender })
}

func (s *session) comment(ctx context.Context) {
	sm := s.mem.Senders[issueSender]
	if len(sm.Pending) == 0 {
		return
	}
	err := s.call(ctx, func(ctx context.Context) error {
		text := commentText(sm.Pending, sm.Dropped, s.public)
		s.res.Writes++
		return s.Issues.Comment(ctx, s.issue.Number, text)
	})
	if err != nil {
		s.fail(issueSender, "commenting on the issue", err)
		return
	}
	s.accepted(issueSender, len(sm.Pending))
	sm.Pending, sm.Dropped = nil, 0
	s.mem.Senders[issueSender] = sm
}

// message brings one messenger up to date. What goes wrong with it is its own failure.
func (s *session) message(ctx context.Context, m Messenger) {
	doing := "sending to " + m.Name()
	if err := s.Catch.Do(doing, func() error { s.deliver(ctx, m); return nil }); err != nil {
		s.fail(m.Name(), doing, err)
	}
}

func (s *session) deliver(ctx context.Context, m Messenger) {
	sm := s.mem.Senders[m.Name()]
	state := fingerprint(s.full)
	notices := s.worded(sm.Pending)
	if len(notices) > 0 && s.stale(sm) {
		sm.Anchor = ""
	}
	var err error
	switch {
	case m.Living() && sm.Anchor != "":
		err = s.live(ctx, m, &sm, notices, state)
	case len(notices) == 0:
		return
	case m.Living():
		err = s.post(ctx, m, &sm, opening(notices, sm.Dropped, s.full), state)
	default:
		err = s.post(ctx, m, &sm, transition(notices, sm.Dropped, s.full), state)
	}
	if err != nil {
		s.fail(m.Name(), "sending to "+m.Name(), err)
	} else {
		s.accepted(m.Name(), len(notices))
		sm.Pending, sm.Dropped = nil, 0
		over := slices.ContainsFunc(notices, func(n Notice) bool { return n.Reason == Resolved })
		if over && len(s.mem.Stories) == 0 {
			sm.Anchor, sm.Posted, sm.Shown = "", time.Time{}, "" // what comes next gets a message of its own
		}
	}
	s.mem.Senders[m.Name()] = sm
	s.refuses(m.Name(), err)
}

// stale reports whether the living message is too old to carry news: nobody looks for them in the thread of a message that
// told of something done long ago. One that was posted in the future is too old as well. While a story goes on the message
// stays.
func (s *session) stale(sm SenderMemory) bool {
	return len(s.loaded.Stories) == 0 && (s.now.Sub(sm.Posted) > staleAfter || ahead(sm.Posted, s.now))
}

const staleAfter = 24 * time.Hour

// worded returns the pending notices in the words that messengers may use. Those of earlier passes were kept in the words
// of the memory.
func (s *session) worded(pending []Notice) []Notice {
	return mapNotices(pending, s.fullNotices)
}

func mapNotices(pending, fresh []Notice) []Notice {
	out := slices.Clone(pending)
	for i, n := range out {
		j := slices.IndexFunc(fresh, func(f Notice) bool { return f.Key == n.Key && f.Reason == n.Reason && f.At.Equal(n.At) })
		if j >= 0 {
			out[i] = fresh[j]
		}
	}
	return out
}

// live edits the living message and answers it with the news; a message that is gone is replaced by a new one.
func (s *session) live(ctx context.Context, m Messenger, sm *SenderMemory, notices []Notice, state string) error {
	var err error
	if sm.Shown != state || len(notices) > 0 {
		s.res.Writes++
		err = s.call(ctx, func(ctx context.Context) error { return m.Update(ctx, sm.Anchor, Slack(s.full, Options{})) })
	}
	if err == nil && len(notices) > 0 {
		sm.Shown = state
		s.res.Writes++
		reply := transition(notices, sm.Dropped, s.full)
		err = s.call(ctx, func(ctx context.Context) error { return m.Reply(ctx, sm.Anchor, reply) })
	}
	if errors.Is(err, ErrGone) {
		sm.Anchor = ""
		if len(notices) == 0 {
			return nil
		}
		return s.post(ctx, m, sm, opening(notices, sm.Dropped, s.full), state)
	}
	if err == nil {
		sm.Shown = state
	}
	return err
}

func (s *session) post(ctx context.Context, m Messenger, sm *SenderMemory, message Message, state string) error {
	s.res.Writes++
	err := s.call(ctx, func(ctx context.Context) (err error) {
		sm.Anchor, err = m.Post(ctx, message)
		return err
	})
	if err != nil {
		sm.Anchor = ""
		return err
	}
	if m.Living() {
		sm.Shown, sm.Posted = state, s.now
	} else {
		sm.Anchor = ""
	}
	return nil
}
