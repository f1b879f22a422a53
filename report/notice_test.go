package report_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/org/openclaw-litellm-action/finding"
	"github.com/org/openclaw-litellm-action/report"
)

func used(severity finding.Severity, level, window string) finding.Finding {
	return finding.Finding{
		Rule: "budget-used", Severity: severity, Subject: finding.Subject{Kind: "key", Name: "openclaw"}, Level: level,
		Window: window, Summary: "openclaw has used " + level + " of its budget", Advice: "Raise it.",
	}
}

func fallback(severity finding.Severity) finding.Finding {
	return finding.Finding{
		Rule: "served-by-fallback", Severity: severity, Subject: finding.Subject{Kind: "model", Name: "claude"},
		Summary: "claude is served by its fallback", Evidence: finding.Recorded,
	}
}

// TestNoticesStory tells a week: what is so at each moment, and what is news of it.
func TestNoticesStory(t *testing.T) {
	t.Parallel()
	const nov, dec = "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"
	rotated := report.Event{Key: "rotated|openclaw|3", Summary: "openclaw was rotated"}
	steps := []struct {
		at    string // day hour
		so    []finding.Finding
		done  []report.Event
		blind string // a rule that was not judged
		want  string // reasons and severities
	}{
		{at: "0d0h", want: ""},
		{at: "0d1h", so: []finding.Finding{used(finding.Info, "50%", nov)}, want: "firing info 50%"},
		{at: "0d2h", so: []finding.Finding{used(finding.Info, "50%", nov)}, want: ""},
		{at: "1d2h", so: []finding.Finding{used(finding.Info, "50%", nov)}, want: ""}, // information is told once
		{at: "2d0h", so: []finding.Finding{used(finding.Info, "50%", nov)}, done: []report.Event{rotated}, want: "done"},
		{at: "2d1h", so: []finding.Finding{used(finding.Info, "50%", nov)}, done: []report.Event{rotated}, want: ""}, // a doubled run
		{at: "2d2h", so: []finding.Finding{used(finding.Warning, "80%", nov)}, want: "escalated warning 80%"},
		{at: "3d1h", so: []finding.Finding{used(finding.Warning, "80%", nov)}, want: ""},
		{at: "3d2h", so: []finding.Finding{used(finding.Warning, "80%", nov)}, want: "repeated warning 80%"},
		{at: "3d3h", so: []finding.Finding{used(finding.Warning, "80%", nov), fallback(finding.Warning)}, want: "firing warning"},
		{at: "3d4h", so: []finding.Finding{used(finding.Warning, "80%", nov), fallback(finding.Critical)}, want: "escalated critical"},
		{at: "3d5h", so: []finding.Finding{used(finding.Warning, "80%", nov), fallback(finding.Warning)}, want: ""}, // better is no news
		{at: "3d6h", so: []finding.Finding{fallback(finding.Critical)}, blind: "budget-used", want: "escalated critical"},
		{at: "3d7h", want: "resolved critical|resolved warning 80%"}, // both in one message
		{at: "4d0h", so: []finding.Finding{used(finding.Critical, "95%", nov)}, want: "firing critical 95%"},
		{at: "4d1h", so: []finding.Finding{used(finding.Warning, "80%", nov)}, want: ""}, // the limit was raised
		{at: "4d2h", so: []finding.Finding{used(finding.Critical, "95%", nov)}, want: "escalated critical 95%"},
		{at: "4d3h", so: []finding.Finding{used(finding.Critical, "100%", nov)}, want: "escalated critical 100%"},
		{at: "5d0h", so: []finding.Finding{used(finding.Info, "50%", dec)}, want: "firing info 50%|resolved critical 100%"}, // a new window, and agents can work again
		{at: "5d1h", so: []finding.Finding{used(finding.Info, "50%", nov)}, want: "firing info 50%"},                        // as grave in another one: the old story just ends
		{at: "6d0h", so: nil, want: "resolved info 50%"},
		{at: "6d1h", so: nil, want: ""},
	}
	var mem report.Memory
	for i, s := range steps {
		var days, hours int
		if _, err := fmt.Sscanf(s.at, "%dd%dh", &days, &hours); err != nil {
			t.Fatal(err)
		}
		now := monday.AddDate(0, 0, days).Add(time.Duration(hours) * time.Hour)
		policy := report.Policy{Repeat: 24 * time.Hour, Judged: func(story report.Story) bool { return story.Rule != s.blind }}
		var notices []report.Notice
		notices, mem = report.Notices(mem, s.so, s.done, now, policy)
		var got []string
		for _, n := range notices {
			words := string(n.Reason)
			if n.Reason != report.Done {
				words += " " + n.Severity.String() + " " + n.Level
			}
			got = append(got, strings.TrimSpace(words))
		}
		if strings.Join(got, "|") != s.want {
			t.Errorf("step %d at %s: %q, want %q", i, s.at, strings.Join(got, "|"), s.want)
		}
		data, err := mem.Encode()
		if err == nil {
			mem, err = report.Decode(data) // it survives being kept
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestNoticesPure(t *testing.T) {
	t.Parallel()
	so := []finding.Finding{used(finding.Info, "50%", "w"), fallback(finding.Critical)}
	_, mem := report.Notices(report.Memory{}, so, nil, monday, report.Policy{})
	before, err := mem.Encode()
	if err != nil {
		t.Fatal(err)
	}
	report.Notices(mem, nil, []report.Event{{Key: "x"}}, monday.Add(time.Hour), report.Policy{})
	after, err := mem.Encode()
	if err != nil || string(before) != string(after) {
		t.Errorf("the previous memory changed, error %v", err)
	}
	if so[0].Rule != "budget-used" {
		t.Error("the findings were reordered")
	}
}

// TestMemoryBounded: many long stories neither overflow the memory nor come again.
func TestMemoryBounded(t *testing.T) {
	t.Parallel()
	var so []finding.Finding
	for i := range 3000 {
		f := used(finding.Warning, "80%", "2026-11-01T00:00:00Z")
		f.Subject.Name = fmt.Sprintf("%d-%s", i, strings.Repeat("長", 400))
		so = append(so, f)
	}
	first, mem := report.Notices(report.Memory{}, so, nil, monday, report.Policy{})
	again, mem := report.Notices(mem, so, nil, monday.Add(time.Hour), report.Policy{})
	if len(first) == 0 || len(again) != 0 {
		t.Errorf("told %d and then %d again", len(first), len(again))
	}
	if data, err := mem.Encode(); err != nil || len(data) > 200_000 {
		t.Errorf("the memory takes %d bytes, error %v", len(data), err)
	}
}

// TestMemoryFull: where the memory is full of lesser things, what is grave is told all the same, once, and they do not come
// again for it.
func TestMemoryFull(t *testing.T) {
	t.Parallel()
	var so []finding.Finding
	for i := range 1000 {
		f := used(finding.Info, "50%", "2026-11-01T00:00:00Z")
		f.Subject.Name = fmt.Sprint(i)
		so = append(so, f)
	}
	_, mem := report.Notices(report.Memory{}, so, nil, monday, report.Policy{})
	grave := used(finding.Critical, "95%", "2026-11-01T00:00:00Z")
	told, mem := report.Notices(mem, append(so, grave), nil, monday, report.Policy{})
	if len(told) != 1 || told[0].Severity != finding.Critical {
		t.Errorf("told %+v", told)
	}
	if again, _ := report.Notices(mem, append(so, grave), nil, monday, report.Policy{}); len(again) != 0 {
		t.Errorf("told again: %+v", again)
	}
	if over, _ := report.Notices(mem, so, nil, monday, report.Policy{}); len(over) != 1 || over[0].Reason != report.Resolved {
		t.Errorf("its end: %+v", over)
	}
}

func TestDecodeCorrupt(t *testing.T) {
	t.Parallel()
	good, err := report.Memory{Shown: "x"}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if m, err := report.Decode(nil); err != nil || len(m.Stories) != 0 {
		t.Errorf("no data gives %+v, %v", m, err)
	}
	for name, data := range map[string][]byte{
		"text": []byte("hello"), "cut": good[:len(good)-3], "json": []byte(`{"v":1}`), "byte": {0},
	} {
		if m, err := report.Decode(data); err == nil || m.Shown != "" {
			t.Errorf("%s: gives %+v, %v", name, m, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	good, err := report.Memory{Shown: "x", Stories: []report.Story{{Key: "a"}}}.Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Fuzz(func(t *testing.T, data []byte) {
		if m, err := report.Decode(data); err != nil && len(m.Stories) > 0 {
			t.Errorf("an error and %d stories", len(m.Stories))
		}
	})
}

// FuzzExtractMemory: people edit the body in any way. What is read from it is within bounds, and writing into it what
// is remembered keeps what they wrote.
func FuzzExtractMemory(f *testing.F) {
	part, err := report.EmbedMemory("## state", report.Memory{Shown: "x", Stories: []report.Story{{Key: "a"}}}, sign)
	if err != nil {
		f.Fatal(err)
	}
	whole := report.ReplaceOurs("before\n", part)
	for _, body := range []string{"", whole, whole[:len(whole)-20], strings.ReplaceAll(whole, "\n", "\r\n"), report.Marker, report.Marker + report.Marker, whole + whole,
		"<!-- openclaw-litellm:memory:AAAA -->", "<!-- openclaw-litellm:end -->" + report.Marker} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		if m, err := report.ExtractMemory(body, sign); err != nil && (len(m.Stories) > 0 || m.Shown != "") {
			t.Errorf("an error and %+v", m)
		}
		written := report.ReplaceOurs(body, part)
		if m, err := report.ExtractMemory(written, sign); err != nil || m.Shown != "x" {
			t.Errorf("what was written reads as %+v, %v", m, err)
		}
		if again := report.ReplaceOurs(written, part); len(again) > len(written)+2 {
			t.Errorf("writing it again makes it longer, from %d to %d bytes", len(written), len(again))
		}
	})
}

func TestEmbed(t *testing.T) {
	t.Parallel()
	mem := report.Memory{Shown: "state one"}
	ours, err := report.EmbedMemory("## state one", mem, sign)
	if err != nil {
		t.Fatal(err)
	}
	fresh := report.ReplaceOurs("", ours)
	read := func(body, want string) {
		t.Helper()
		if m, err := report.ExtractMemory(body, sign); err != nil || m.Shown != want {
			t.Errorf("read %q, %v; want %q", m.Shown, err, want)
		}
	}
	read(fresh, "state one")

	people := "Please read the wiki first.\n\n" + strings.ReplaceAll(fresh, "\n", "\r\n") + "\r\ncc the team\n"
	read(people, "state one")
	next, err := report.EmbedMemory("## state two", report.Memory{Shown: "state two"}, sign)
	if err != nil {
		t.Fatal(err)
	}
	edited := report.ReplaceOurs(people, next)
	read(edited, "state two")
	if !strings.HasPrefix(edited, "Please read the wiki first.\n\n") || !strings.HasSuffix(edited, "\r\ncc the team\n") {
		t.Errorf("people's text changed:\n%s", edited)
	}
	if strings.Contains(edited, "state one") || strings.Count(edited, report.Marker) != 1 {
		t.Errorf("our old part is still there:\n%s", edited)
	}
	if twice := report.ReplaceOurs(edited, next); twice != edited {
		t.Errorf("replacing twice differs:\n%s", twice)
	}

	// The end mark was cut away.
	cut := strings.Replace(fresh, "<!-- openclaw-litellm:end -->", "", 1) + "more by people"
	read(cut, "state one")
	if got := report.ReplaceOurs(cut, next); !strings.Contains(got, "more by people") || strings.Contains(got, "state one") {
		t.Errorf("without an end mark:\n%s", got)
	}
	for name, body := range map[string]string{
		"nothing of ours": "hello", "memory outside our part": "x" + ours, "no memory": report.ReplaceOurs("", "state"),
		"rubbish": report.ReplaceOurs("", "<!-- openclaw-litellm:memory:AAAA -->"), "empty": report.ReplaceOurs("", "<!-- openclaw-litellm:memory: -->"),
	} {
		if m, err := report.ExtractMemory(body, sign); err == nil {
			t.Errorf("%s: read %+v", name, m)
		}
	}
}
