package report_test

import (
	"strings"
	"testing"
	"time"

	"github.com/org/openclaw-litellm-action/finding"
	"github.com/org/openclaw-litellm-action/report"
)

// TestNoticesAfterSetBack: a warning sent while the clock was ahead is repeated a day after the clock was set right,
// not when that time returns. Clocks that differ by minutes change nothing.
func TestNoticesAfterSetBack(t *testing.T) {
	t.Parallel()
	policy := report.Policy{Repeat: 24 * time.Hour}
	so := []finding.Finding{fallback(finding.Warning)}
	for name, tt := range map[string]struct {
		ahead    time.Duration
		repeated int // hours after the clock was set right
	}{
		"a year":      {365 * 24 * time.Hour, 24},
		"an hour":     {time.Hour, 24},
		"two minutes": {2 * time.Minute, 25}, // nothing was set
		"not at all":  {0, 24},
	} {
		_, mem := report.Notices(report.Memory{}, so, nil, monday.Add(tt.ahead), policy)
		for hour := range 30 {
			var notices []report.Notice
			notices, mem = report.Notices(mem, so, nil, monday.Add(time.Duration(hour)*time.Hour), policy)
			if told := len(notices) > 0; told != (hour == tt.repeated) {
				t.Errorf("%s ahead: after %d hours: told %t", name, hour, told)
			}
			if first := mem.Stories[0].First; first.After(monday.Add(5 * time.Minute)) {
				t.Errorf("%s ahead: it is said to have begun at %s", name, first)
			}
			if hour == tt.repeated {
				break
			}
		}
	}
}

// TestTellAfterSetBack: of two saved memories the one that was written last counts, also if the other was written while
// the clock was ahead.
func TestTellAfterSetBack(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.telling.Journal, s.telling.Messengers = s.journal, []report.Messenger{s.hook}
	s.issues.fails["find"] = true
	s.tell(pass(hours(5*24), "41", 0)) // the clock is five days ahead, and the issue is not to be had
	s.issues.fails["find"] = false
	s.tell(pass(hours(1), "41", 0)) // set right
	s.tell(pass(hours(2), "48", 0))
	_, log := s.tell(pass(hours(3), "48", 3))
	if strings.Contains(log, "critical: openclaw has used") || !strings.Contains(log, "hook: post: done:") {
		t.Errorf("what was told is told again, or news is not:\n%s", log)
	}
}

// TestTellNotUnderTheFuture: nothing new is added to a message that was posted in the future.
func TestTellNotUnderTheFuture(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.telling.Issues, s.telling.Journal, s.telling.Messengers = nil, s.journal, []report.Messenger{s.bot}
	s.tell(pass(hours(5*24), "1", 3)) // the clock is five days ahead
	s.tell(pass(hours(1), "41", 0))   // set right
	if len(s.bot.log) != 1 || !strings.HasPrefix(s.bot.log[0], "post: warning") {
		t.Errorf("told %q", s.bot.log)
	}
}
