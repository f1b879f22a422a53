package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/shopspring/decimal"

	"github.com/org/openclaw-litellm-action/github/githubtest"
	"github.com/org/openclaw-litellm-action/litellm/litellmtest"
	"github.com/org/openclaw-litellm-action/secret"
)

// scriptCommands are the commands that scripts have besides testscript's own.
func scriptCommands() map[string]func(*testscript.TestScript, bool, []string) {
	plain := func(do func(w *world, ts *testscript.TestScript, args []string)) func(*testscript.TestScript, bool, []string) {
		return func(ts *testscript.TestScript, neg bool, args []string) {
			if neg {
				ts.Fatalf("this command has no opposite")
			}
			do(worldOf(ts), ts, args)
		}
	}
	return map[string]func(*testscript.TestScript, bool, []string){
		"exits":        plain(exits),
		"quiet":        plain(quiet),
		"advance":      plain(advance),
		"works":        works,
		"remember":     plain(remember),
		"spend":        plain(spend),
		"proxy":        plain(callProxy),
		"crowd":        plain(addCrowd),
		"proxy-key":    plain(changeKey),
		"proxy-state":  plain(showProxy),
		"repository":   plain(addRepository),
		"step-outputs": plain(showOutputs),
		"token":        plain(setToken),
		"overwrite":    plain(overwrite),
		"retitle":      plain(retitle),
		"issues":       plain(showIssues),
		"slack":        plain(showSlack),
		"break-slack":  plain(breakSlack),
		"fault":        plain(injectFault),
		"model":        plain(addModel),
		"mend":         plain(func(w *world, _ *testscript.TestScript, _ []string) { w.mend() }),
	}
}

// exits CODE program arguments… runs a program, wants that exit code, and that nothing secret came out anywhere. What it
// printed is in the files `printed` and `logged`, what it sent in `requests`, less what differs from run to run.
func exits(w *world, ts *testscript.TestScript, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	w.forget()
	got := 0
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("running %s: %v", args[1], err)
	}
	stdout, stderr := ts.ReadFile("stdout"), ts.ReadFile("stderr")
	if got != want {
		ts.Fatalf("exit code %d, not %d", got, want)
	}
	inActions := ts.Getenv("GITHUB_ACTIONS") == "true"
	for _, fault := range append(w.leaks(stdout, stderr, inActions), strayCommands(stdout, stderr, inActions)...) {
		ts.Fatalf("%s", fault)
	}
	for name, text := range map[string]string{
		"printed": w.steady(stdout), "logged": w.steady(maskLine.ReplaceAllString(stderr, "")), "requests": w.requestLines(),
	} {
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(text), 0o644))
	}
}

// addModel NAME ABILITY… gives the proxy a model; its abilities are a mode, "vision", "reasoning" and "priced";
// "behind:WILDCARD" says that nobody named it.
func addModel(w *world, _ *testscript.TestScript, args []string) {
	spec := litellmtest.ModelSpec{Name: args[0], MaxInputTokens: 200_000, MaxOutputTokens: 64_000}
	for _, ability := range args[1:] {
		switch ability {
		case "vision":
			spec.Vision = true
		case "reasoning":
			spec.Reasoning = true
		case "priced":
			spec.InputCost, spec.OutputCost = decimal.New(5, -6), decimal.New(25, -6)
		default:
			if wildcard, ok := strings.CutPrefix(ability, "behind:"); ok {
				spec.Wildcard = wildcard
			} else {
				spec.Mode = ability
			}
		}
	}
	w.proxy.SetModel(spec)
}

// quiet N [SYSTEM…] wants that the last run wrote nothing and made at most N requests; only to those systems, if given.
func quiet(w *world, ts *testscript.TestScript, args []string) {
	most, err := strconv.Atoi(args[0])
	ts.Check(err)
	sent := slices.DeleteFunc(w.sent(), func(r request) bool { return len(args) > 1 && !slices.Contains(args[1:], r.system) })
	for _, r := range sent {
		if r.writes() {
			ts.Fatalf("the run wrote: %s %s %s", r.system, r.method, r.path)
		}
	}
	if len(sent) > most {
		ts.Fatalf("the run made %d requests, more than %d:\n%s", len(sent), most, w.requestLines())
	}
}

// advance DURATION moves time on; days are written 7d.
func advance(w *world, ts *testscript.TestScript, args []string) {
	text := args[0]
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.Atoi(days)
		ts.Check(err)
		text = strconv.Itoa(24*n) + "h"
	}
	d, err := time.ParseDuration(text)
	ts.Check(err)
	w.clock.mu.Lock()
	w.clock.at = w.clock.at.Add(d)
	w.clock.mu.Unlock()
	ts.Setenv(clockVariable, w.clock.now().Format(time.RFC3339))
}

// find returns the plaintext at a place: secret:OWNER/NAME/SECRET, environment:OWNER/NAME/ENVIRONMENT/SECRET,
// organization:LOGIN/SECRET, STORE:OWNER/NAME/SECRET, file:PATH, or a name given by remember.
func find(w *world, ts *testscript.TestScript, place string) (secret.Value, bool) {
	kind, path, _ := strings.Cut(place, ":")
	parts := strings.Split(path, "/")
	name := parts[len(parts)-1]
	switch kind {
	case "file":
		content, err := os.ReadFile(ts.MkAbs(path))
		return secret.New(strings.TrimSpace(string(content))), err == nil
	case "environment":
		return w.github.Secret(githubtest.Scope{Repository: parts[0] + "/" + parts[1], Environment: parts[2]}, name)
	case "organization":
		return w.github.Secret(githubtest.Scope{Organization: parts[0]}, name)
	case "secret":
		return w.github.Secret(githubtest.Scope{Repository: parts[0] + "/" + parts[1]}, name)
	case "dependabot", "codespaces":
		return w.github.Secret(githubtest.Scope{Repository: parts[0] + "/" + parts[1], Store: kind}, name)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	v, ok := w.secrets[place]
	return v, ok
}

// works PLACE wants that the key there answers a chat call; ! works, that there is none or that it is refused.
func works(ts *testscript.TestScript, neg bool, args []string) {
	w := worldOf(ts)
	key, ok := find(w, ts, args[0])
	if !ok {
		if !neg {
			ts.Fatalf("there is nothing in %s", args[0])
		}
		return
	}
	status, kind := w.proxy.Works(key, "backup")
	if (status == http.StatusOK) == neg {
		ts.Fatalf("the key in %s is answered %d %s", args[0], status, kind)
	}
}

// remember NAME PLACE keeps the plaintext that is there now for later.
func remember(w *world, ts *testscript.TestScript, args []string) {
	key, ok := find(w, ts, args[1])
	if !ok {
		ts.Fatalf("there is nothing in %s", args[1])
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.secrets[args[0]] = key
}

// spend PLACE USD [MODEL [SERVED]] books a call of the key there.
func spend(w *world, ts *testscript.TestScript, args []string) {
	key, ok := find(w, ts, args[0])
	if !ok {
		ts.Fatalf("there is nothing in %s", args[0])
	}
	amount, err := decimal.NewFromString(args[1])
	ts.Check(err)
	use := litellmtest.Usage{Token: key.SHA256(), Model: "backup", Spend: amount, PromptTokens: 1000, CompletionTokens: 100}
	for i, text := range args[2:] {
		what, name, named := strings.Cut(text, "=")
		switch {
		case what == "cached":
			use.CacheHit = true
		case what == "tag" && named:
			use.Tags = append(use.Tags, name)
		case what == "user" && named:
			use.EndUser = name
		case i == 0:
			use.Model = text
		default:
			use.Served = text
		}
	}
	w.proxy.Record(use)
}

// proxy METHOD PATH [JSON] sends a request of a person with the master key and prints the answer. A key in it goes into
// the variable KEY and is remembered as KEY.
func callProxy(w *world, ts *testscript.TestScript, args []string) {
	body := ""
	if len(args) > 2 {
		body = args[2]
	}
	in, err := http.NewRequest(args[0], "http://proxy"+args[1], strings.NewReader(body))
	ts.Check(err)
	in.Header.Set("Authorization", "Bearer "+w.proxy.MasterKey().Reveal())
	answer, err := w.proxy.Client().Do(in)
	ts.Check(err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	ts.Check(err)
	if answer.StatusCode != http.StatusOK {
		ts.Fatalf("%s: %s", answer.Status, text)
	}
	if key := plaintextKey.FindString(string(text)); key != "" {
		w.mu.Lock()
		w.secrets["KEY"] = secret.New(key)
		w.mu.Unlock()
		ts.Setenv("KEY", key)
	}
	fmt.Fprintln(ts.Stdout(), string(text))
}

// crowd N gives the proxy N keys of others.
func addCrowd(w *world, ts *testscript.TestScript, args []string) {
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	w.proxy.AddKeys(n)
}

// proxy-key ALIAS JSON is a person who changes a key; "metadata+" is added to its metadata.
func changeKey(w *world, ts *testscript.TestScript, args []string) {
	var change map[string]any
	ts.Check(json.Unmarshal([]byte(args[1]), &change))
	for _, k := range w.proxy.Keys() {
		if k.Alias != args[0] {
			continue
		}
		change["key"] = k.Token
		if more, ok := change["metadata+"].(map[string]any); ok {
			for name, value := range k.Metadata {
				more[name] = value
			}
			change["metadata"] = more
			delete(change, "metadata+")
		}
		body, err := json.Marshal(change)
		ts.Check(err)
		callProxy(w, ts, []string{"POST", "/key/update", string(body)})
		return
	}
	ts.Fatalf("there is no key %s", args[0])
}

// repository OWNER/NAME [public] [archived] [ENVIRONMENT…] adds one.
func addRepository(w *world, _ *testscript.TestScript, args []string) {
	r := githubtest.Repository{Name: args[0]}
	for _, a := range args[1:] {
		switch a {
		case "public":
			r.Visibility = a
		case "archived":
			r.Archived = true
		default:
			r.Environments = append(r.Environments, a)
		}
	}
	w.github.AddRepository(r)
}

// token VARIABLE [app] [in=OWNER/NAME]… [PERMISSION=LEVEL]… says what a token may do from now on; with none, everything.
// token VARIABLE revoked makes GitHub refuse it.
func setToken(w *world, ts *testscript.TestScript, args []string) {
	value, ok := w.secrets[args[0]]
	if !ok {
		ts.Fatalf("there is no token %s", args[0])
	}
	var t githubtest.Token
	for _, a := range args[1:] {
		switch {
		case a == "revoked":
			w.github.RevokeToken(value)
			return
		case a == "app":
			t.App = true
		case strings.HasPrefix(a, "in="):
			t.Repositories = append(t.Repositories, strings.TrimPrefix(a, "in="))
		default:
			t.Permissions = append(t.Permissions, a)
		}
	}
	w.github.AddToken(value, t)
}

// overwrite OWNER/NAME SECRET is somebody else who puts another value there.
func overwrite(w *world, _ *testscript.TestScript, args []string) {
	w.github.Touch(githubtest.Scope{Repository: args[0]}, args[1], secret.New("somebody else's"))
}

// retitle OWNER/NAME NUMBER TITLE is a person who edits an issue's title.
func retitle(w *world, ts *testscript.TestScript, args []string) {
	number, err := strconv.Atoi(args[1])
	ts.Check(err)
	w.github.EditIssue(args[0], number, func(i *githubtest.Issue) { i.Title = args[2] })
}

// break-slack WHAT takes something away: channel, archive, bot, token or webhook.
func breakSlack(w *world, ts *testscript.TestScript, args []string) {
	switch args[0] {
	case "channel":
		w.slack.Remove(slackChannel)
	case "archive":
		w.slack.Archive(slackChannel)
	case "bot":
		w.slack.Kick(slackChannel)
	case "token":
		w.slack.Revoke()
	case "webhook":
		w.slack.RemoveWebhook()
	default:
		ts.Fatalf("%q is no part of Slack", args[0])
	}
}

// fault SYSTEM METHOD PATH WHAT [skip=N] [times=N] [header=NAME:VALUE] [body=TEXT] makes requests go wrong; see strike.
func injectFault(w *world, ts *testscript.TestScript, args []string) {
	f := fault{system: args[0], method: args[1], path: args[2], do: args[3], header: http.Header{}}
	for _, a := range args[4:] {
		name, value, _ := strings.Cut(a, "=")
		var err error
		switch name {
		case "skip":
			f.skip, err = strconv.Atoi(value)
		case "times":
			f.times, err = strconv.Atoi(value)
		case "body":
			f.body = value
		case "header":
			field, text, _ := strings.Cut(value, ":")
			f.header.Set(field, text)
		default:
			err = fmt.Errorf("what is %q?", a)
		}
		ts.Check(err)
	}
	w.inject(f)
}

// textFiles returns the content of every file below the script's directory, by path.
func textFiles(dir string) map[string]string {
	files := map[string]string{}
	_ = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil
		}
		if content, err := os.ReadFile(path); err == nil {
			files[path] = string(content)
		}
		return nil
	})
	return files
}
