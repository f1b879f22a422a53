package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/org/openclaw-litellm-action/internal/workflow/workflowtest"
	"github.com/org/openclaw-litellm-action/rotate"
)

var (
	logTime  = regexp.MustCompile(`(?m)^time=\S+ `)
	hidden   = regexp.MustCompile(`(?s)<!--.*?-->`)
	counts   = regexp.MustCompile(`\b(github|litellm) [0-9]+\b`) // requests, in a report's last line
	hashes   = regexp.MustCompile(`\b[0-9a-f]{64}\b`)
	maskLine = regexp.MustCompile(`(?m)^::add-mask::.*\n`)
)

// steady takes out of a text what differs from run to run: ports, paths, tokens.
func (w *world) steady(text string) string {
	text = strings.ReplaceAll(text, strings.TrimPrefix(w.secrets["WEBHOOK"].Reveal(), w.urls["slack"]), "/WEBHOOK")
	for system, address := range w.urls {
		text = strings.ReplaceAll(text, address, "http://"+system)
		text = strings.ReplaceAll(text, strings.TrimPrefix(address, "http://"), system)
	}
	if w.dir != "" {
		text = strings.ReplaceAll(text, w.dir, "$WORK")
	}
	text = counts.ReplaceAllString(text, "$1 N")
	return hashes.ReplaceAllString(logTime.ReplaceAllString(text, ""), "TOKEN")
}

// requestLines shows what the last run sent, a request a line: to whom, what, and LiteLLM's fields.
func (w *world) requestLines() string {
	var b strings.Builder
	for _, r := range w.sent() {
		fmt.Fprintf(&b, "%s %s %s", r.system, r.method, r.path)
		if r.system == "litellm" {
			b.WriteString(subject(r.query) + fields(r.body))
		}
		if strings.HasPrefix(r.path, "/beat") {
			b.WriteString(" " + strings.ReplaceAll(strings.TrimSpace(r.body), "\n", " / "))
		}
		b.WriteByte('\n')
	}
	return w.steady(b.String())
}

// subject is what of a query says whom it is about.
func subject(query string) string {
	values, _ := url.ParseQuery(query)
	for _, name := range []string{"user_id", "key_alias"} {
		if v := values.Get(name); v != "" {
			return "?" + name + "=" + v
		}
	}
	return ""
}

// fields shows a JSON object with its keys taken out and metadata by name only.
func fields(body string) string {
	var object map[string]any
	if body == "" || json.Unmarshal([]byte(body), &object) != nil {
		return ""
	}
	if m, ok := object["metadata"].(map[string]any); ok {
		object["metadata"] = slices.Sorted(maps.Keys(m))
	}
	text, err := json.Marshal(object)
	if err != nil {
		return ""
	}
	return " " + plaintextKey.ReplaceAllString(string(text), "KEY")
}

// proxy-state NAME prints the holder of a logical key and its rows.
func showProxy(w *world, ts *testscript.TestScript, args []string) {
	holder := rotate.HolderID(args[0])
	u, ok := w.proxy.User(holder)
	if !ok {
		ts.Fatalf("there is no holder %s", holder)
	}
	fmt.Fprintf(ts.Stdout(), "holder %s limit %s each %s spent %s\n", u.ID, u.MaxBudget.Decimal, u.BudgetDuration, u.Spend)
	for _, k := range w.proxy.KeysOf(holder) {
		state := "live"
		if k.Blocked {
			state = "blocked"
		}
		fmt.Fprintf(ts.Stdout(), "key %s %s limit %s each %s models %s metadata %s\n", k.Alias, state,
			k.MaxBudget.Decimal, k.BudgetDuration, strings.Join(k.Models, ","), strings.Join(slices.Sorted(maps.Keys(k.Metadata)), ","))
	}
}

// step-outputs FILE prints the outputs of a step, read as GitHub's runner does (FileCommandManager.cs), one a line.
func showOutputs(_ *world, ts *testscript.TestScript, args []string) {
	lines := strings.Split(strings.TrimSuffix(ts.ReadFile(args[0]), "\n"), "\n")
	for len(lines) > 0 {
		name, delimiter, ok := strings.Cut(lines[0], "<<")
		end := slices.Index(lines[1:], delimiter)
		if !ok || end < 0 {
			ts.Fatalf("invalid format %q", lines[0])
		}
		fmt.Fprintf(ts.Stdout(), "%s=%s\n", name, strings.Join(lines[1:1+end], "\n"))
		lines = lines[2+end:]
	}
}

// issues OWNER/NAME prints the issues of a repository with their comments, less what is hidden in them.
func showIssues(w *world, ts *testscript.TestScript, args []string) {
	if len(w.github.Issues(args[0])) == 0 {
		fmt.Fprintln(ts.Stdout(), "no issues")
	}
	for _, i := range w.github.Issues(args[0]) {
		visible := strings.TrimSpace(hidden.ReplaceAllString(i.Body, ""))
		fmt.Fprintf(ts.Stdout(), "#%d %s %q by %s labels %s\n%s\n", i.Number, i.State, i.Title, i.Author, strings.Join(i.Labels, ","), w.steady(visible))
		for _, c := range w.github.Comments(args[0], i.Number) {
			fmt.Fprintf(ts.Stdout(), "-- comment by %s\n%s\n", c.Author, w.steady(c.Body))
		}
	}
}

// slack prints every message with its last text, and how often it was edited.
func showSlack(w *world, ts *testscript.TestScript, _ []string) {
	if len(w.slack.Messages()) == 0 {
		fmt.Fprintln(ts.Stdout(), "no messages")
	}
	for _, m := range w.slack.Messages() {
		kind := "message"
		switch {
		case m.Webhook:
			kind = "webhook"
		case m.ThreadTS != "":
			kind = "reply"
		}
		fmt.Fprintf(ts.Stdout(), "%s in %s, %d versions: %s\n", kind, m.Channel, len(m.Versions), strings.ReplaceAll(w.steady(m.Last().Text), "\n", " / "))
	}
}

// strayCommands returns what a GitHub runner would take for commands although the program did not mean any: on standard
// output there is none, and on standard error those that mask and annotate, in Actions alone.
func strayCommands(stdout, stderr string, inActions bool) []string {
	var stray []string
	for _, c := range append(workflowtest.Commands(stdout), workflowtest.CommandsByCulture(stdout)...) {
		stray = append(stray, fmt.Sprintf("standard output holds the command %s (%s)", c.Name, c.Data))
	}
	meant := []string{"add-mask", "error", "warning", "notice"}
	for _, c := range append(workflowtest.Commands(stderr), workflowtest.CommandsByCulture(stderr)...) {
		if !inActions || !slices.Contains(meant, c.Name) || strings.ContainsAny(c.Data, "\r\n") {
			stray = append(stray, fmt.Sprintf("standard error holds the command %s (%s)", c.Name, c.Data))
		}
	}
	return stray
}

// leaks looks for every secret in everything that came out: streams, files, issues, comments, messages, the proxy's rows.
// In Actions the mask lines are allowed, one a secret; elsewhere they are leaks as well. Key files hold keys, by design.
func (w *world) leaks(stdout, stderr string, inActions bool) []string {
	places := map[string]string{"standard error": stderr, "standard output": stdout}
	if inActions {
		places["standard error"] = maskLine.ReplaceAllString(stderr, "")
	}
	for path, content := range textFiles(w.dir) {
		name := strings.TrimPrefix(path, w.dir+"/")
		if !strings.HasSuffix(name, ".key") && !slices.Contains([]string{"printed", "logged", "requests"}, name) {
			places["file "+name] = content
		}
	}
	for i, m := range w.slack.Messages() {
		for _, v := range m.Versions {
			places[fmt.Sprintf("Slack message %d", i)] += v.Text + string(v.Blocks)
		}
	}
	for _, r := range w.sent() {
		if r.system == "github" {
			places["GitHub "+r.method+" "+r.path] += r.body
		}
		if r.system == "slack" {
			form, _ := url.ParseQuery(r.body)
			form.Del("token") // is how Slack's API takes the token
			places["Slack "+r.path] += form.Encode()
		}
	}
	w.proxyPlaces(places)
	for place, text := range places {
		for _, block := range encoded(text) {
			if raw, err := base64.StdEncoding.DecodeString(block); err == nil {
				places[place] += string(raw)
			}
		}
	}
	var found []string
	for what, v := range w.everySecret() {
		forms := formsOf(v.Reveal())
		for place, text := range places {
			if slices.ContainsFunc(forms, func(form string) bool { return strings.Contains(text, form) }) {
				found = append(found, what+" is in "+place)
			}
		}
	}
	slices.Sort(found)
	return found
}

// proxyPlaces adds what the proxy keeps and can show to others: metadata and aliases.
func (w *world) proxyPlaces(places map[string]string) {
	for _, k := range w.proxy.Keys() {
		text, _ := json.Marshal(k.Metadata)
		places["metadata of key "+k.Alias] = string(text) + k.Alias
	}
	for _, r := range w.proxy.Requests() { // holds no key in plaintext by itself; users have no other way out
		if strings.HasPrefix(r.Path, "/user/") {
			places["LiteLLM "+r.Method+" "+r.Path] += r.Body
		}
	}
}

// encoded returns what in text may be base64: 40 and more of its characters in a row, with the padding after them.
func encoded(text string) (blocks []string) {
	for {
		start := strings.IndexFunc(text, isBase64)
		if start < 0 {
			return blocks
		}
		text = text[start:]
		rest := strings.TrimLeftFunc(text, isBase64)
		long := len(text)-len(rest) >= 40
		rest = strings.TrimLeft(rest, "=")
		if long {
			blocks = append(blocks, text[:len(text)-len(rest)])
		}
		text = rest
	}
}

func isBase64(r rune) bool {
	return (r >= 'a' && r <= 'z') || (r >= 'A' && r <= 'Z') || (r >= '0' && r <= '9') || r == '+' || r == '/'
}

// formsOf returns what a secret looks like where it is shown: as it is, or escaped; of an address, the part that counts.
func formsOf(plain string) []string {
	quoted, _ := json.Marshal(plain)
	forms := []string{plain, url.QueryEscape(plain), url.PathEscape(plain), string(quoted[1 : len(quoted)-1])}
	if at := strings.LastIndex(plain, "/"); strings.Contains(plain, "://") {
		forms = append(forms, plain[at+1:])
	}
	slices.Sort(forms)
	return slices.Compact(forms)
}
