package settings

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/org/openclaw-litellm-action/secret"
)

// Layer is where a setting can come from. A higher one beats a lower one.
type Layer int

// The layers, weakest first. Unset is the zero value: nobody gave the setting and it has no default.
const (
	Unset Layer = iota
	Default
	File
	Environment
	Input
	Flag
	Argument
)

// Source says where one value came from, for people. The zero Source is for a setting that nobody gave.
type Source struct {
	Layer Layer
	Name  string // the flag, input or variable without decoration; the file's path
	Line  int    // in a file, from 1; 0 elsewhere
	Col   int    // in a file, in characters from 1; 0 elsewhere
}

// String names the source: "flag --max-budget", "input max-budget", "environment LITELLM_BASE_URL",
// "openclaw-litellm.yml:12:5", "setting max-budget" for a default, or the bare name of what nobody gave.
func (s Source) String() string {
	switch s.Layer {
	case Flag:
		return "flag --" + s.Name
	case Input:
		return "input " + s.Name
	case Environment:
		return "environment " + s.Name
	case Argument:
		return "arguments"
	case File:
		if s.Line == 0 {
			return s.Name
		}
		return fmt.Sprintf("%s:%d:%d", s.Name, s.Line, s.Col)
	case Default:
		return "setting " + s.Name
	default:
		return s.Name
	}
}

// Given reports whether a person gave the value, rather than the tool's own default.
func (s Source) Given() bool { return s.Layer > Default }

// Fault is one thing wrong with the settings.
type Fault struct {
	Where  Source
	What   string // what is wrong
	Remedy string // what would be right
}

// String is one line: where, what is wrong, what would be right.
func (f Fault) String() string { return fmt.Sprintf("%s: %s; %s", f.Where, f.What, f.Remedy) }

// Faults is everything wrong with the settings, or with the command line alone if that could not be understood. It is
// never empty. The caller exits with 2.
type Faults []Fault

// Error is one line a fault.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, one := range f {
		lines[i] = one.String()
	}
	return strings.Join(lines, "\n")
}

// Help is returned as an error by Load when help was asked for. It is no fault: the caller prints Text to standard
// output and exits with 0.
type Help struct{ Text string }

// Error returns the help text.
func (h *Help) Error() string { return h.Text }

// problem is what a parser or a rule has to say about one value; the loader adds where it came from.
type problem struct{ what, remedy string }

// bad makes a problem. The remedy comes first because what is a format.
func bad(remedy, what string, args ...any) *problem {
	return &problem{fmt.Sprintf(what, args...), remedy}
}

// faults collects. The zero value is empty and ready.
type faults struct{ list Faults }

func (f *faults) add(where Source, p *problem) {
	if p == nil {
		return
	}
	one := Fault{where, secret.Scrub(p.what), p.remedy}
	if !slices.Contains(f.list, one) {
		f.list = append(f.list, one)
	}
}

// err returns what was collected as an error, those of a file in the order of its lines and after all others, or nil.
func (f *faults) err() error {
	if len(f.list) == 0 {
		return nil
	}
	slices.SortStableFunc(f.list, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Where.Line, b.Where.Line), cmp.Compare(a.Where.Col, b.Where.Col))
	})
	return f.list
}

// quote shows a value in a fault: in quotes, shortened, and not at all if it looks like a credential put in the wrong
// place.
func quote(text string) string {
	if credentialLike(text) {
		return "the given value"
	}
	const most = 60
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most]) + "…"
	}
	return fmt.Sprintf("%q", text)
}

// credentialLike reports whether a text may hold a credential, or an address that holds one.
func credentialLike(text string) bool {
	marks := []string{"sk-", "ghp_", "gho_", "ghs_", "ghu_", "ghr_", "github_pat_", "xox", "xapp-", "-----BEGIN", "://"}
	marked := slices.ContainsFunc(marks, func(mark string) bool { return strings.Contains(text, mark) })
	return marked || secret.Scrub(text) != text || slices.ContainsFunc(longWord.FindAllString(text, -1), mixed)
}

// longWord is as long as keys are, and as hardly a name is without a sign in it.
var longWord = regexp.MustCompile(`[A-Za-z0-9]{20,}`)

// mixed reports whether a word has both letters and digits.
func mixed(word string) bool {
	return strings.ContainsAny(word, "0123456789") && strings.Trim(word, "0123456789") != ""
}
