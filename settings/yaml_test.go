package settings

import (
	"strings"
	"testing"
)

func contains(text, part string) bool { return strings.Contains(text, part) }

func TestFileFaults(t *testing.T) {
	const f = "openclaw-litellm.yml:"
	const top = "; use defaults, failover, keys, litellm, owner, report, schedule"
	deep := "keys:\n- name: a\n  targets: [{file: k}]\n  key_options: {x: "
	for _, tt := range []struct {
		name, content string
		want          []string
	}{
		{"unknown fields, all of them", "kesy: 1\nlitellm: {url: x}\nreport: {slack: {chanel: C}}\n", []string{
			f + `1:1: unknown field "kesy" in the file` + top,
			f + `2:11: unknown field "url" in litellm; use base_url, timezone`,
			f + `3:18: unknown field "chanel" in report.slack; use channel, critical_channel`}},
		{"not yet: database", "database_url: x\n", []string{f + `1:1: unknown field "database_url" in the file` + top}},
		{"a field twice", "owner: a\nowner: b\n", []string{f + `2:1: mapping key "owner" already defined at [1:1]; write YAML`}},
		{"broken", "keys: [1\n", []string{f + "1:7: sequence end token ']' not found; write YAML"}},
		{"a tab", "litellm:\n\tbase_url: x\n", []string{f + "2:1: found character ' ' that cannot start any token; write YAML"}},
		{"two documents", "owner: a\n---\nowner: b\n", []string{f + "3:1: the file holds more than one YAML document; keep one document"}},
		{"a list", "- a\n", []string{f + "1:1: the file takes fields; write fields below it"}},
		{"a text", "hello\n", []string{f + "1:1: the file takes fields; write fields below it"}},
		{"fields for a value", "owner: {a: b}\n", []string{f + "1:8: owner takes one value; write a single value"}},
		{"a list for a value", "owner: [a]\n", []string{f + "1:8: owner takes one value; write a single value"}},
		{"a value for fields", "failover: 1h\n", []string{f + "1:11: failover takes fields; write fields below it"}},
		{"fields in a list", "defaults: {models: [{a: b}, c]}\n", []string{f + "1:21: an entry of models takes one value; write a single value"}},
		{"an empty entry", "defaults: {models: ['', c]}\n", []string{f + "1:21: the entry is empty; leave it out or fill it in"}},
		{"no such anchor", "owner: *me\n", []string{f + `1:8: alias "me" has no anchor; define it with &me`}},
		{"an anchor twice", "litellm: &a {}\nfailover: &a {}\n", []string{f + `2:11: anchor "a" is defined twice; name anchors differently`}},
		{"too large", strings.Repeat("# x\n", 1<<18+1), []string{"openclaw-litellm.yml: the file is too large; keep it below 1 MiB"}},
		{"too deep", "a: " + strings.Repeat("[", 500), []string{"openclaw-litellm.yml: the file is nested too deep; nest less"}},
		{"lists in lists", strings.Repeat("- ", 5000), []string{"openclaw-litellm.yml: the file is nested too deep; nest less"}},
		{"deep options", deep + strings.Repeat("[", 60) + strings.Repeat("]", 60) + "}\n",
			[]string{f + "4:71: the value is nested too deep; nest less"}},
		{"an alias of itself", deep + "&x [*x]}\n", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := loadFile(tt.content)
			if tt.want == nil {
				if err == nil || !strings.Contains(err.Error(), "nested too deep") {
					t.Errorf("error %v", err)
				}
				return
			}
			wantFaults(t, err, tt.want...)
		})
	}
}

func TestFileForms(t *testing.T) {
	plain := "owner: me\nfailover:\n  window: 2h\nreport:\n  issue:\n    labels:\n    - a\n    - b\n"
	for name, content := range map[string]string{
		"plain":         plain,
		"Windows lines": strings.ReplaceAll(plain, "\n", "\r\n"),
		"a mark first":  "\xef\xbb\xbf" + plain,
		"a document":    "---\n" + plain + "...\n",
		"flow":          `{"owner": "me", "failover": {"window": "2h"}, "report": {"issue": {"labels": ["a", "b"]}}}`,
		"anchors":       "owner: &o me\nfailover: {window: &w 2h}\nreport: {issue: {labels: &l [a, b]}}\nlitellm: {}\n",
		"comma list":    "owner: !!str me # I\nfailover: {window: 2h}\nreport: {issue: {labels: 'a, b'}}\n",
		"block list":    "owner: |\n  me\nfailover: {window: 2h}\nreport: {issue: {labels: \"a\\nb\"}}\n",
	} {
		s, err := loadFile(content)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if s.Owner != "me" || s.Failover.Window.Hours() != 2 || strings.Join(s.Report.IssueLabels, "|") != "a|b" {
			t.Errorf("%s: owner %q, window %v, labels %q", name, s.Owner, s.Failover.Window, s.Report.IssueLabels)
		}
	}
	if s, err := loadFile("owner:\nlitellm:\ndefaults: ~\n"); err != nil || s.Owner != "acme/agents" {
		t.Errorf("null fields: %v, owner %q", err, s.Owner)
	}
	for name, content := range map[string]string{"empty": "", "a comment": "# nothing\n", "null": "~\n"} {
		if _, err := loadFile(content); err == nil || !strings.HasSuffix(err.Error(), ": the file is empty; write settings into it, such as keys, or remove it") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestMerge(t *testing.T) {
	s, err := loadFile(`
keys:
- &base
  name: a
  max_budget: &five 5
  models: [m]
  targets: [{file: a}]
- <<: *base
  name: b
  targets: [{file: b}]
- <<: [{max_budget: 7}, *base]
  name: c
  targets: &t [{file: c}]
`)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"a 5 a", "b 5 b", "c 7 c"} {
		k := s.Keys[i]
		if got := k.Name + " " + k.MaxBudget.Decimal.String() + " " + k.Targets[0].File; got != want || k.Models[0] != "m" {
			t.Errorf("key %d is %q, models %q; want %q", i, got, k.Models, want)
		}
	}
}

// TestAliasesEnd wants a file of a few hundred bytes not to become gigabytes.
func TestAliasesEnd(t *testing.T) {
	var b strings.Builder
	b.WriteString("keys:\n- name: a\n  targets: [{file: k}]\n  key_options:\n    x0: &x0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n")
	for i := range 9 {
		from := "*x" + string(rune('0'+i))
		b.WriteString("    x" + string(rune('1'+i)) + ": &x" + string(rune('1'+i)) + " [" + strings.Repeat(from+", ", 9) + from + "]\n")
	}
	_, err := loadFile(b.String())
	if err == nil || !strings.Contains(err.Error(), "the file's aliases make it too large; use fewer aliases") {
		t.Errorf("error %v", err)
	}
}

// FuzzFile wants any file to end in settings or faults, quickly, with faults of one line each that name the file.
func FuzzFile(f *testing.F) {
	f.Add("keys:\n- name: a\n  max_budget: 0.10\n  targets: [{repository: a/b, secret: A}]\n")
	f.Add("defaults: &d {models: [a], key_options: {x: [1, .5, ~, *d]}}\nkeys: [{<<: *d}]\n")
	f.Add("\xef\xbb\xbfa:\r\n\t- |\n ? b\n : !!str c\n--- &a *a\n")
	f.Add("schedule: {run: 'TZ=', timezone: Local}\nfailover: {window: 1w, fallback_rate: 5%}\n")
	f.Fuzz(func(t *testing.T, content string) {
		s, err := loadFile(content)
		if err == nil {
			if len(s.Keys) == 0 {
				t.Error("no keys and no fault")
			}
			return
		}
		for _, line := range strings.Split(err.Error(), "\n") {
			if !strings.Contains(line, ": ") || !strings.Contains(line, "; ") {
				t.Errorf("fault %q does not say where, what and the remedy", line)
			}
		}
	})
}
