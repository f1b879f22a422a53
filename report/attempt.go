package report

import "context"

// attempt tells what is new in r. If that ends in a panic, so that what could be told of the pass is not known, people
// are told what failed.
func (t Telling) attempt(ctx context.Context, r Report) Result {
	s := newSession(t, r)
	err := t.Catch.Do("telling people", func() error {
		s.tell(ctx)
		return nil
	})
	if err == nil {
		return s.res
	}
	s.fail("", "telling people", err)
	reduced := newSession(t, r.Add(s.res.Failures...).onlyFailures())
	reduced.res = s.res
	err = t.Catch.Do("telling people what failed", func() error {
		reduced.tell(ctx)
		return nil
	})
	if err != nil {
		reduced.fail("", "telling people what failed", err)
	}
	return reduced.res
}

func newSession(t Telling, r Report) *session {
	return &session{
		Telling: t, report: r, now: r.GeneratedAt, kept: map[carrier]Memory{}, corrupt: map[carrier]bool{},
	}
}

// onlyFailures is what r says of what failed, and nothing that was judged.
func (r Report) onlyFailures() Report {
	return Report{
		SchemaVersion: r.SchemaVersion, GeneratedAt: r.GeneratedAt, Command: r.Command, ToolVersion: r.ToolVersion,
		Failures: r.Failures, Totals: Totals{Failures: len(r.Failures), Left: r.Totals.Left}, judged: coverage{known: true},
	}
}

// accepted notes that a sender took n notices.
func (s *session) accepted(sender string, n int) {
	if n == 0 {
		return
	}
	if s.res.Accepted == nil {
		s.res.Accepted = map[string]int{}
	}
	s.res.Accepted[sender] += n
}
