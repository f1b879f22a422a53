package report_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/org/openclaw-litellm-action/finding"
	"github.com/org/openclaw-litellm-action/internal/panics"
	"github.com/org/openclaw-litellm-action/report"
)

// surfaces are an issue, a living message, a webhook and a pager, with a report that has something for each.
type surfaces struct {
	issues                *tracker
	living, webhook, page *messenger
	telling               report.Telling
}

func newSurfaces() *surfaces {
	s := &surfaces{
		issues: &tracker{fails: map[string]bool{}, lost: map[string]bool{}},
		living: &messenger{name: "slack", living: true}, webhook: &messenger{name: "slack-webhook"},
		page: &messenger{name: "slack-critical", living: true},
	}
	s.telling = report.Telling{Issues: s.issues, Messengers: []report.Messenger{s.living, s.webhook}, Pager: s.page}
	return s
}

func (s *surfaces) tell(t *testing.T) report.Result {
	t.Helper()
	found := []finding.Finding{used(finding.Critical, "95%", "w"), fallback(finding.Warning)}
	r := report.New(report.Input{Now: monday, Command: "run", Findings: found})
	res, _ := s.telling.Tell(t.Context(), r)
	return res
}

// told returns who took a message with that text.
func (s *surfaces) told(text string) []string {
	var names []string
	for _, m := range []*messenger{s.living, s.webhook, s.page} {
		if strings.Contains(strings.Join(m.log, "\n"), text) {
			names = append(names, m.name)
		}
	}
	for _, i := range s.issues.issues {
		if strings.Contains(i.Body, text) {
			names = append(names, "issue")
		}
	}
	slices.Sort(names)
	return names
}

// TestAPanicOnOneSurfaceStopsNoOther: each thing that is done for a surface panics in turn. The others hear everything,
// and the failure says whose it was.
func TestAPanicOnOneSurfaceStopsNoOther(t *testing.T) {
	t.Parallel()
	everybody := []string{"issue", "slack", "slack-critical", "slack-webhook"}
	for doing, without := range map[string]string{
		"sending to slack": "slack", "sending to slack-webhook": "slack-webhook",
		"sending to slack-critical": "slack-critical", "rendering the issue": "issue",
	} {
		s := newSurfaces()
		s.telling.Catch = func(what string, f func() error) error {
			return panics.Catch(what, func() error {
				if what == doing {
					panic("a mistake of ours")
				}
				return f()
			})
		}
		res := s.tell(t)
		want := slices.DeleteFunc(slices.Clone(everybody), func(name string) bool { return name == without })
		if got := s.told("has used 95%"); !slices.Equal(got, want) {
			t.Errorf("%s panics: told %q, want %q", doing, got, want)
		}
		if got := slices.Sorted(maps.Keys(res.Accepted)); !slices.Equal(got, want) {
			t.Errorf("%s panics: accepted by %q, want %q", doing, got, want)
		}
		first := append(res.Failures, report.Failure{})[0]
		if first.Target != without || !strings.Contains(first.Message, "internal error: a mistake of ours") {
			t.Errorf("%s panics: failures %+v", doing, res.Failures)
		}
		s.telling.Catch = nil
		s.tell(t) // what was missed arrives later
		if got := s.told("has used 95%"); !slices.Equal(got, everybody) {
			t.Errorf("after %s: told %q", doing, got)
		}
	}
}

// panicking is a messenger every method of which panics.
type panicking struct{ report.Messenger }

func (panicking) Post(context.Context, report.Message) (string, error)         { panic("post") }
func (panicking) Update(context.Context, string, report.Message) error         { panic("update") }
func (panicking) Reply(context.Context, string, report.Message) error          { panic("reply") }
func (panicking) Find(context.Context) ([]report.Issue, error)                 { panic("find") }
func (panicking) Create(context.Context, string, string) (report.Issue, error) { panic("create") }
func (panicking) Edit(context.Context, int, report.IssueChange) error          { panic("edit") }
func (panicking) Comment(context.Context, int, string) error                   { panic("comment") }
func (panicking) Load(context.Context) ([]byte, error)                         { panic("load") }
func (panicking) Save(context.Context, []byte) error                           { panic("save") }

func TestAPanicInASenderIsItsFailure(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*surfaces){
		"messenger": func(s *surfaces) { s.telling.Messengers[0] = panicking{s.living} },
		"issues":    func(s *surfaces) { s.telling.Issues, s.telling.Journal = panicking{}, &journal{} },
		"journal":   func(s *surfaces) { s.telling.Issues, s.telling.Journal = nil, panicking{} },
	} {
		s := newSurfaces()
		change(s)
		res := s.tell(t)
		if len(res.Failures) == 0 || !strings.Contains(fmt.Sprint(res.Failures), "internal error: ") {
			t.Errorf("%s: failures %+v", name, res.Failures)
		}
		if got := s.told("has used 95%"); !slices.Contains(got, "slack-critical") || !slices.Contains(got, "slack-webhook") {
			t.Errorf("%s: told %q", name, got)
		}
	}
}

// TestAPanicBeforeAnySurfaceIsTold: where not even what is new can be worked out, people are told that much.
func TestAPanicBeforeAnySurfaceIsTold(t *testing.T) {
	t.Parallel()
	s := newSurfaces()
	s.telling.Catch = func(what string, f func() error) error {
		return panics.Catch(what, func() error {
			if what == "telling people" {
				panic("a mistake of ours")
			}
			return f()
		})
	}
	res := s.tell(t)
	got := s.told("not everything could be done")
	if !slices.Equal(got, []string{"slack", "slack-webhook"}) { // no page: it is a warning
		t.Errorf("told %q", got)
	}
	if got := s.told("a mistake of ours"); !slices.Equal(got, []string{"issue"}) {
		t.Errorf("what went wrong is told in %q", got)
	}
	if len(res.Failures) != 1 || !strings.Contains(res.Failures[0].Message, "internal error: a mistake of ours") {
		t.Errorf("failures %+v", res.Failures)
	}
}

// TestAcceptedIsWhatWasTaken: who failed, or whose answer was lost, is not named as having been told, and a pager takes
// what is critical alone.
func TestAcceptedIsWhatWasTaken(t *testing.T) {
	t.Parallel()
	const criticalToSlack = "map[slack:1 slack-critical:1 slack-webhook:1]"
	for name, c := range map[string]struct {
		change func(*surfaces)
		want   string
	}{
		"all":                {func(*surfaces) {}, "map[issue:2 slack:2 slack-critical:1 slack-webhook:2]"},
		"slack fails":        {func(s *surfaces) { s.living.fails = true }, "map[issue:2 slack-critical:1 slack-webhook:2]"},
		"webhook fails":      {func(s *surfaces) { s.webhook.fails = true }, "map[issue:2 slack:2 slack-critical:1]"},
		"issue fails":        {func(s *surfaces) { s.issues.fails["create"] = true }, criticalToSlack},
		"the answer is lost": {func(s *surfaces) { s.issues.lost["create"] = true }, criticalToSlack},
		"everything fails": {func(s *surfaces) {
			s.living.fails, s.webhook.fails, s.page.fails, s.issues.fails["create"] = true, true, true, true
		}, "map[]"},
	} {
		s := newSurfaces()
		c.change(s)
		if got := fmt.Sprint(s.tell(t).Accepted); got != c.want {
			t.Errorf("%s: accepted %s, want %s", name, got, c.want)
		}
	}
}
