package settings

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// mostRepositories is how many repositories a for_each takes where the file does not say.
const mostRepositories = 50

// ForEach finds the repositories that get a key each.
type ForEach struct {
	Owner        string
	Organization bool   // Owner is an organization, not a person
	Topic        string // "": any
	Pattern      string // of the name, as path.Match has it; "": any
	Max          int    // more repositories than this are a mistake, and none gets a key
	From         Source
}

// Takes reports whether a repository, by its name without the owner, is one of those meant.
func (f *ForEach) Takes(name string, topics []string) bool {
	if f.Topic != "" && !slices.ContainsFunc(topics, func(t string) bool { return strings.EqualFold(t, f.Topic) }) {
		return false
	}
	matches, err := path.Match(strings.ToLower(f.Pattern), strings.ToLower(name))
	return f.Pattern == "" || err == nil && matches
}

// placeholders is what stands for a part of a repository's name, and what looks like it.
var placeholders = regexp.MustCompile(`\{[a-z_]*\}`)

// Repository is one that a key is for.
type Repository struct {
	Owner, Name string
	ID          int64
}

func (r Repository) fill(text string) string {
	return strings.NewReplacer("{owner}", r.Owner, "{name}", r.Name).Replace(text)
}

// For returns the key of one repository that k, which has a ForEach, describes. The error says what GitHub, LiteLLM or
// the file system would not take.
func (k Key) For(r Repository) (Key, error) {
	if !repository.MatchString(r.Owner+"/"+r.Name) || strings.Trim(r.Name, ".") == "" {
		return Key{}, fmt.Errorf("repository %q has a name that is none", r.Owner+"/"+r.Name)
	}
	var errs []error
	fill := func(text string, parse func(string) (string, *problem)) string {
		if text == "" {
			return ""
		}
		filled, p := parse(r.fill(text))
		if p != nil {
			errs = append(errs, fmt.Errorf("%s; %s", p.what, p.remedy))
		}
		return filled
	}
	out := k
	out.ForEach, out.Template, out.RepositoryID = nil, k.ForEach.Owner+"/"+k.Name, r.ID
	out.Name, out.Dispatch = fill(k.Name, parseKeyName), fill(k.Dispatch, parseRepository)
	out.Targets = slices.Clone(k.Targets)
	for i := range out.Targets {
		t := &out.Targets[i]
		t.Repository, t.Environment = fill(t.Repository, parseRepository), fill(t.Environment, parseEnvironment)
		t.Organization, t.Secret = fill(t.Organization, parseOrganization), fill(t.Secret, parseSecretName)
		t.File = fill(t.File, parsePath)
		if strings.EqualFold(t.Repository, r.Owner+"/"+r.Name) {
			t.RepositoryID = r.ID
		}
	}
	return out, errors.Join(errs...)
}

// Place tells one place from another, as GitHub and file systems do.
func (t Target) Place() string { return t.same() }

// forEachFields are the fields of for_each.
func forEachFields() []string {
	return []string{"organization", "owner", "topic", "pattern", "max_repositories"}
}

func (c *file) readForEach(e entry) *forEachNode {
	n := &forEachNode{values: map[string]value{}, at: e.at}
	for _, field := range c.doc.fields(e.value, "for_each") {
		if !slices.Contains(forEachFields(), field.name) {
			c.unknown(field, "for_each", forEachFields())
			continue
		}
		if v := c.leaf(text, field); v.src.Given() {
			n.values[field.name] = v
		}
	}
	return n
}

// templateKey builds a key for each of many repositories: it is checked as the key of one of them, and keeps its
// placeholders.
func (l *loader) templateKey(n keyNode) Key {
	l.checkPlaceholders(n)
	sample := Repository{Owner: "owner", Name: "name"}
	filled := n
	filled.forEach, filled.name, filled.dispatch = nil, sample.value(n.name), sample.value(n.dispatch)
	filled.targets = nil
	for _, t := range n.targets {
		values := map[string]value{}
		for field, v := range t.values {
			values[field] = sample.value(v)
		}
		t.values = values
		filled.targets = append(filled.targets, t)
	}
	key := l.fleetKey(filled)
	key.ForEach = l.forEach(n.forEach)
	key.Name, key.Dispatch = n.name.text, n.dispatch.text
	for i, t := range n.targets {
		to := &key.Targets[i]
		to.Repository, to.Environment = t.values["repository"].text, t.values["environment"].text
		to.Organization, to.Secret, to.File = t.values["organization"].text, t.values["secret"].text, t.values["file"].text
	}
	return key
}

func (r Repository) value(v value) value {
	v.text = r.fill(v.text)
	return v
}

// checkPlaceholders wants every key and every place to be another for another repository.
func (l *loader) checkPlaceholders(n keyNode) {
	if n.name.text != "" && !strings.Contains(n.name.text, "{name}") {
		l.add(n.name.src, bad("write a name such as openclaw-{name}", "every repository would get the key %s", quote(n.name.text)))
	}
	all := []value{n.name, n.dispatch}
	for _, t := range n.targets {
		different := false
		for _, field := range targetFields() {
			different = different || strings.Contains(t.values[field].text, "{name}")
			all = append(all, t.values[field])
		}
		if !different {
			l.add(t.at, bad(`write a place such as repository: "{owner}/{name}"`, "every repository's key would go to the same place"))
		}
	}
	for _, v := range all {
		for _, found := range placeholders.FindAllString(v.text, -1) {
			if found != "{owner}" && found != "{name}" {
				l.add(v.src, bad("use {owner} and {name}", "unknown placeholder %s", quote(found)))
			}
		}
	}
}

// forEach reads which repositories are meant.
func (l *loader) forEach(n *forEachNode) *ForEach {
	v := n.values
	f := &ForEach{
		Owner: read(l, v["organization"], parseOrganization), Organization: v["organization"].text != "",
		Topic: read(l, v["topic"], parseText), Pattern: read(l, v["pattern"], parsePattern),
		Max: mostRepositories, From: n.at,
	}
	if f.Owner == "" {
		f.Owner = read(l, v["owner"], parseOrganization)
	}
	if (v["organization"].text == "") == (v["owner"].text == "") {
		l.add(n.at, bad("give organization, or owner for a person's repositories", "for_each names no owner, or two"))
	}
	if v["topic"].text == "" && v["pattern"].text == "" {
		l.add(n.at, bad(`give topic or pattern; pattern: "*" takes all`, "for_each does not say which repositories"))
	}
	if v["max_repositories"].text != "" {
		f.Max = read(l, v["max_repositories"], parseCount)
	}
	return f
}

// parsePattern takes what path.Match takes.
func parsePattern(text string) (string, *problem) {
	if _, err := path.Match(text, ""); err != nil || strings.Contains(text, "/") || hasControl(text) {
		return "", bad("write a pattern of the name such as agent-*", "%s is no pattern", quote(text))
	}
	return text, nil
}

// parseCount takes a number of repositories.
func parseCount(text string) (int, *problem) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > 10000 {
		return 0, bad("write a number from 1 to 10000", "%s is no number of repositories", quote(text))
	}
	return n, nil
}
