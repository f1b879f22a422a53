package repo

import (
	"go/ast"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// ofTheProcess are the ways to the clock, the environment, the standard streams and the end of the process. Only
// cmd/bot takes them; everything else is handed what it needs.
func ofTheProcess() map[string][]string {
	return map[string][]string{
		"time": {"Now", "Since", "Until", "Sleep"},
		"os": {"Getenv", "LookupEnv", "Environ", "ExpandEnv", "Setenv", "Exit", "Args", "Stdin", "Stdout", "Stderr",
			"Getwd", "Chdir"},
		"net/http": {"DefaultClient", "DefaultTransport", "Get", "Head", "Post", "PostForm", "Handle", "HandleFunc",
			"DefaultServeMux"},
		"fmt":      {"Print", "Printf", "Println"},
		"log":      {"*"},
		"log/slog": {"Default", "SetDefault", "Debug", "Info", "Warn", "Error", "Log"},
	}
}

// defaults lists where a nil clock or transport of a struct with a useful zero value becomes the real one: how often
// each name occurs in a file.
func defaults() map[string]map[string]int {
	return map[string]map[string]int{
		"daemon/clock.go":              {"time.Now": 1},
		"github/client.go":             {"time.Now": 1},
		"github/githubtest/server.go":  {"time.Now": 1},
		"github/transport.go":          {"net/http.DefaultTransport": 1},
		"internal/netx/run.go":         {"time.Now": 1},
		"litellm/client.go":            {"time.Now": 1},
		"litellm/litellmtest/proxy.go": {"time.Now": 1},
		"slack/slacktest/server.go":    {"time.Now": 1},
	}
}

func TestOnlyMainTouchesTheProcess(t *testing.T) {
	defaults := defaults()
	for _, f := range product(t) {
		if f.pkg == "cmd/bot" || f.pkg == "internal/fakes" {
			continue
		}
		for _, use := range usesOf(f, ofTheProcess()) {
			if defaults[f.name][use.name] > 0 {
				defaults[f.name][use.name]--
				continue
			}
			t.Errorf("%s: %s is for cmd/bot; take it as an argument or a field", at(use.node), use.name)
		}
	}
	for name, uses := range defaults {
		for use, left := range uses {
			if left > 0 {
				t.Errorf("%s: %s is listed %d times too often; shorten the list", name, use, left)
			}
		}
	}
}

// use is one mention of a package's member.
type use struct {
	name string // "time.Now"
	node ast.Node
}

// usesOf finds the members of packages that a file mentions, whatever the import is called. A member "*" is any.
func usesOf(f file, members map[string][]string) []use {
	local := map[string]string{} // what the file calls a package: its path
	for _, spec := range f.tree.Imports {
		name := importPath(spec)
		if _, wanted := members[name]; !wanted {
			continue
		}
		called := name[strings.LastIndex(name, "/")+1:]
		if spec.Name != nil {
			called = spec.Name.Name
		}
		local[called] = name
	}
	var uses []use
	ast.Inspect(f.tree, func(n ast.Node) bool {
		s, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		x, ok := s.X.(*ast.Ident)
		if !ok || x.Obj != nil { // an object: some variable of that name
			return true
		}
		wanted := members[local[x.Name]]
		if slices.Contains(wanted, s.Sel.Name) || slices.Contains(wanted, "*") {
			uses = append(uses, use{local[x.Name] + "." + s.Sel.Name, s})
		}
		return true
	})
	return uses
}

// revealed lists every mention of secret.Value.Reveal outside of tests: the places where a plaintext leaves its type.
// Each is "file function" and how often.
func revealed() map[string]int {
	return map[string]int{
		// Senders, at the last moment.
		"github/transport.go send":       1,
		"github/app.go NewApp":           1, // an App's private key is read
		"litellm/do.go request":          1,
		"litellm/keys.go GenerateKey":    1, // a new key's value is in the body
		"slack/bot.go do":                1,
		"slack/webhook.go Post":          1,
		"slack/webhook.go once":          1,
		"slack/webhook.go parts":         1, // split, to be taken out of errors
		"cmd/bot/heartbeat.go heartbeat": 1, // the address that is pinged
		"cmd/bot/masks.go mask":          1, // the line that masks it, in Actions
		// Where a key is placed.
		"github/secret.go seal":       1,
		"github/target.go checkValue": 1, // its length
		"openclaw/write.go fill":      1,
		"openclaw/write.go write":     1,
		// What takes secrets out of text, and never gives them away.
		"secret/secret.go Equal":  2,
		"secret/secret.go SHA256": 1,
		"secret/secret.go MAC":    1,
		"secret/secret.go Derive": 1,
		"secret/set.go AddUntil":  1,
		"slack/exchange.go quote": 1,
		// What kind of token it is.
		"github/viewer.go Viewer": 1,
		// In memory.
		"litellm/litellmtest/control.go admits": 1,
		"slack/slacktest/webhook.go webhook":    1,
		"internal/fakes/main.go assignments":    3,
		"internal/fakes/main.go showSecret":     1,
	}
}

func TestEveryRevealIsListed(t *testing.T) {
	found := map[string]int{}
	for _, f := range product(t) {
		for _, decl := range f.tree.Decls {
			where := f.name + " (top level)"
			if fn, ok := decl.(*ast.FuncDecl); ok {
				where = f.name + " " + fn.Name.Name
			}
			ast.Inspect(decl, func(n ast.Node) bool {
				if s, ok := n.(*ast.SelectorExpr); ok && s.Sel.Name == "Reveal" {
					found[where]++
				}
				return true
			})
		}
	}
	for where, n := range found {
		if listed := revealed()[where]; listed != n {
			t.Errorf("%s reveals a secret %d times, %d are listed: add `%s: %d,` if each must be", where, n, listed, strconv.Quote(where), n)
		}
	}
	for where := range revealed() {
		if found[where] == 0 {
			t.Errorf("%s reveals nothing; take it off the list", where)
		}
	}
}
