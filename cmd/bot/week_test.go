package main

import (
	"context"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/github/githubtest"
	"github.com/org/openclaw-litellm-action/litellm/litellmtest"
	"github.com/org/openclaw-litellm-action/settings"
	"github.com/org/openclaw-litellm-action/store"
)

var updateWeek = flag.Bool("update-week", false, "rewrite the golden story of the week")

// The week begins on a Monday and ends with the Sunday on which the month begins, and the budget's window with it.
var weekMonday = time.Date(2026, 10, 26, 0, 0, 0, 0, time.UTC)

// on returns a moment of the week: on("Tue 10:10").
func on(moment string) time.Time {
	name, clock, _ := strings.Cut(moment, " ")
	at, err := time.Parse("15:04", clock)
	if err != nil {
		panic(err)
	}
	days := slices.Index([]string{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"}, name)
	return weekMonday.AddDate(0, 0, days).Add(time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute)
}

func within(at time.Time, from, to string) bool { return !at.Before(on(from)) && at.Before(on(to)) }

// weekCalls are the agents' calls, in order of time: of each, when, what it cost, and who served it.
func weekCalls() []litellmtest.Usage {
	var calls []litellmtest.Usage
	call := func(at time.Time, cost, served string) {
		calls = append(calls, litellmtest.Usage{At: at, Model: "claude", Served: served, Spend: decimal.RequireFromString(cost), PromptTokens: 4000, CompletionTokens: 300})
	}
	call(weekMonday.AddDate(0, 0, -25).Add(12*time.Hour), "9.00", "claude") // the first of the month
	for _, weeks := range []int{3, 2, 1} {
		call(weekMonday.AddDate(0, 0, -7*weeks).Add(11*time.Hour), "4.80", "claude") // 23.40
	}
	call(on("Mon 09:05"), "1.61", "claude") // 25.01: half of it
	for at := on("Tue 09:23"); at.Before(on("Tue 14:00")); at = at.Add(15 * time.Minute) {
		call(at, "0.27", "claude") // five hours, until somebody stops it: 30.14
	}
	for _, moment := range []string{"Wed 02:07", "Wed 05:07", "Wed 08:07", "Wed 12:07", "Wed 16:07"} {
		call(on(moment), "1.98", "claude") // 40.04
	}
	for at := on("Thu 09:31"); !at.After(on("Thu 13:09")); at = at.Add(time.Minute) {
		served := "claude"
		if at.Minute()%5 < 2 {
			served = "gpt-4o"
		}
		call(at, "0.001", served) // 40.26
	}
	for at := on("Thu 15:20"); at.Before(on("Sat 11:00")); at = at.Add(4 * time.Hour) {
		call(at, "0.55", "claude") // 46.31
	}
	call(on("Sat 11:05"), "1.21", "claude") // 47.52
	call(on("Sat 20:00"), "0.60", "claude") // 48.12
	call(on("Sun 03:00"), "0.20", "claude")
	slices.SortStableFunc(calls, func(a, b litellmtest.Usage) int { return a.At.Compare(b.At) })
	return calls
}

// week is the week as people hear of it, told by the program itself: every pass is a run of it against a proxy, a GitHub
// and a Slack in memory, on a clock that the test sets.
type week struct {
	*inside
	pass  func()
	calls []litellmtest.Usage
	story strings.Builder

	comments, messages int // told so far
	open               map[int]bool
	quiet              int
}

func newWeek(t *testing.T) *week {
	w := &week{inside: newInside(t), calls: weekCalls(), open: map[int]bool{}}
	w.proxy.SetModel(litellmtest.ModelSpec{Name: "claude", Deployment: "anthropic/claude", Fallbacks: []string{"gpt-4o"}})
	w.proxy.SetModel(litellmtest.ModelSpec{Name: "gpt-4o"})
	// The key is due on Wednesday at 14:10. Nobody is told of how it came: that is another story.
	w.set(on("Wed 14:10").Add(-30*day + 12*time.Hour))
	w.run(exitOK, "rotate")
	return w
}

func (w *week) set(at time.Time) {
	w.clock.mu.Lock()
	defer w.clock.mu.Unlock()
	w.clock.at = at
}

// agents makes the calls that are due.
func (w *week) agents(at time.Time) {
	for len(w.calls) > 0 && !w.calls[0].At.After(at) {
		key, _ := w.github.Secret(githubtest.Scope{Repository: home}, "LITELLM_API_KEY")
		w.calls[0].Token = key.SHA256()
		w.proxy.Record(w.calls[0])
		w.calls = w.calls[1:]
	}
}

// outside is what happens to the systems that the tool asks and tells.
func (w *week) outside(at time.Time) {
	w.proxy.SetHealth("claude", true, "")
	if w.mend(); within(at, "Wed 13:00", "Wed 19:00") {
		w.inject(fault{system: "slack", method: "*", path: "/*", do: "503", body: "upstream"})
	}
	sick := within(at, "Thu 11:02", "Thu 14:05")
	w.proxy.SetHealth("gpt-4o", !sick, map[bool]string{true: "RateLimitError: quota exceeded"}[sick])
}

// check makes a pass, or two at once, and writes down what people heard.
func (w *week) check(at time.Time, passes int) {
	w.set(at)
	w.agents(at)
	w.outside(at)
	var both sync.WaitGroup
	for range passes {
		both.Go(w.pass)
	}
	both.Wait()
	told := w.told()
	if len(told) == 0 {
		w.quiet += passes
		return
	}
	fmt.Fprintf(&w.story, "%s\n", at.Format("Monday 15:04"))
	for _, line := range told {
		w.story.WriteString("  " + line + "\n")
	}
}

// told returns what is new in the issues and in Slack.
func (w *week) told() []string {
	var told []string
	n := 0
	for _, i := range w.github.Issues(home) {
		was, known := w.open[i.Number]
		if !known {
			told = append(told, fmt.Sprintf("issue    #%d is made: %s", i.Number, i.Title))
		}
		for _, c := range w.github.Comments(home, i.Number) {
			if n++; n > w.comments {
				told = append(told, comment(w.steady(c.Body))...)
			}
		}
		if open := i.State == "open"; open != was || !known {
			told = append(told, fmt.Sprintf("issue    #%d is %s", i.Number, i.State))
			w.open[i.Number] = open
		}
	}
	w.comments = n
	all := w.slack.Messages()
	for _, m := range all[w.messages:] {
		kind := "Slack"
		if m.ThreadTS != "" {
			kind = "thread"
		}
		if m.Broadcast {
			kind = "to all"
		}
		for _, line := range strings.Split(m.Versions[0].Text, " | ") {
			told = append(told, fmt.Sprintf("%-9s%s", kind, line))
			kind = ""
		}
	}
	w.messages = len(all)
	return told
}

// comment is a comment as lines of the story.
func comment(body string) (lines []string) {
	lead := "comment"
	for line := range strings.Lines(strings.ReplaceAll(strings.TrimSpace(body), "<br>", "\n")) {
		lines = append(lines, fmt.Sprintf("%-9s%s", lead, strings.TrimSpace(line)))
		lead = ""
	}
	return lines
}

// live lives through the week. On Friday the service is begun anew, and two passes overlap.
func (w *week) live(restart func()) string {
	days := []string{
		"Monday: half of the budget is used", "Tuesday: the budget burns too fast, until somebody stops what runs away",
		"Wednesday: the key is rotated, 80 % are used; Slack is out from 13:00 to 19:00", "Thursday: claude is served by its fallback, which then fails too",
		"Friday: the service restarts, and two passes overlap", "Saturday: 95 %", "Sunday: the month, and with it the budget, begins anew",
	}
	for n, title := range days {
		fmt.Fprintf(&w.story, "\n# %s #\n\n", title)
		before := w.story.Len()
		for at := weekMonday.AddDate(0, 0, n).Add(10 * time.Minute); at.Before(weekMonday.AddDate(0, 0, n+1)); at = at.Add(15 * time.Minute) {
			passes := 1
			if at.Equal(on("Fri 10:10")) {
				restart()
			}
			if at.Equal(on("Fri 12:10")) {
				passes = 2
			}
			w.check(at, passes)
		}
		if w.story.Len() == before {
			w.story.WriteString("(nothing)\n")
		}
	}
	fmt.Fprintf(&w.story, "\n%d passes had nothing to tell.\n", w.quiet)
	return w.story.String()
}

// service returns what makes one scheduled pass of the service with these settings, and what ends its process.
func (w *week) service(stateFile string, more map[string]string) (pass, stop func()) {
	env := w.environment()
	maps.Copy(env, more)
	getenv := func(name string) string { return env[name] }
	args := []string{"serve", "--log-level", "error"}
	if stateFile != "" {
		args = append(args, "--state-file", stateFile)
	}
	missing := func(name string) ([]byte, error) { return nil, fmt.Errorf("%s: %w", name, fs.ErrNotExist) }
	set, err := settings.Load(args, getenv, missing, nil)
	if err != nil {
		w.Fatal(err)
	}
	var out safeBuffer
	b := newBot(process{args: args, getenv: getenv, dir: w.TempDir(), now: w.clock.now, sleep: w.clock.sleep,
		readFile: missing, stop: context.Background().Done(), stdout: &out, stderr: &out}, set)
	if stateFile != "" {
		if b.state, err = store.Open(w.Context(), stateFile); err != nil {
			w.Fatal(err)
		}
	}
	return func() {
			err := b.scheduled(settings.CommandRun)(context.Background())
			if down := within(w.clock.now(), "Wed 13:00", "Wed 19:00"); err != nil && !down {
				w.Errorf("%s: %v", w.clock.now(), err)
			}
		}, func() {
			if b.state != nil {
				b.state.Close()
			}
		}
}

// lived returns the story of a week of the service with one kind of memory.
func lived(t *testing.T, stateFile string, more map[string]string) string {
	w := newWeek(t)
	var stop func()
	w.pass, stop = w.service(stateFile, more)
	defer func() { stop() }()
	return w.live(func() {
		stop()
		w.pass, stop = w.service(stateFile, more)
	})
}

// TestWeek: what people hear in a week of checks every 15 minutes, to the letter, and that it is the same in Slack
// wherever the memory is kept.
func TestWeek(t *testing.T) {
	t.Parallel()
	noIssue := map[string]string{"OPENCLAW_LITELLM_ISSUE_REPOSITORY": ""}
	path := filepath.Join("testdata", "week.golden")
	content, err := os.ReadFile(path)
	if err != nil && !*updateWeek {
		t.Fatal(err)
	}
	want := string(content)
	for _, memory := range []struct {
		name, stateFile string
		env             map[string]string
	}{
		{"issue", "", nil},
		{"database", filepath.Join(t.TempDir(), "state.db"), noIssue},
		{"journal", "", noIssue},
	} {
		t.Run(memory.name, func(t *testing.T) {
			t.Parallel()
			got := lived(t, memory.stateFile, memory.env)
			if memory.name == "issue" && *updateWeek {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want := want
			if memory.name != "issue" {
				want, got = inSlack(want), inSlack(got)
			}
			if diff := gocmp.Diff(want, got); diff != "" {
				t.Errorf("the week differs (-want +got), rewrite with -update-week if that is right:\n%s", diff)
			}
		})
	}
}

// inSlack is the part of a story that is told in Slack, with the moments at which it was told.
func inSlack(story string) string {
	var b strings.Builder
	moment, inChat := "", false
	for line := range strings.Lines(story) {
		switch {
		case inChat && strings.HasPrefix(line, "           "), strings.HasPrefix(line, "  Slack"), strings.HasPrefix(line, "  thread"), strings.HasPrefix(line, "  to all"):
			inChat = true
			b.WriteString(moment + line)
			moment = ""
		case !strings.HasPrefix(line, "  "):
			moment, inChat = line, false
		default:
			inChat = false
		}
	}
	return b.String()
}
