package repo

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// allowed is what a package may import besides the standard library.
type allowed struct {
	own  []string // packages of ours; "*": any
	libs []string // modules of others; "*": any
}

const decimal = "github.com/shopspring/decimal"

// table is the one direction that imports take. A package that is missing here fails the test: say what it may know
// before it grows.
func table() map[string]allowed {
	return map[string]allowed{
		// The vocabulary.
		"finding": {libs: []string{decimal}},
		"secret":  {},

		// What every client of an outside system decides alike.
		"internal/netx": {},

		// Figures from outside, within bounds.
		"internal/figure": {libs: []string{decimal}},

		// How files of others are opened, and other programs run.
		"internal/files": {},
		"internal/child": {},

		// Outside systems. They know nothing of each other.
		"litellm": {own: []string{"secret", "internal/figure", "internal/netx", "internal/panics"}, libs: []string{
			decimal, "github.com/go-json-experiment/json",
		}},
		"github":   {own: []string{"secret", "internal/netx"}, libs: []string{"github.com/google/go-github/v62", "github.com/golang-jwt/jwt/v5", "golang.org/x/crypto"}},
		"slack":    {own: []string{"secret", "internal/netx"}, libs: []string{"github.com/slack-go/slack"}},
		"openclaw": {own: []string{"secret", "internal/figure", "finding", "internal/files", "internal/child"}, libs: []string{decimal}},

		// Pure judgement.
		"budget":   {own: []string{"internal/figure", "finding"}, libs: []string{decimal}},
		"failover": {own: []string{"internal/figure", "finding"}, libs: []string{decimal}},

		// Figures from a file.
		"spendlog": {own: []string{"internal/figure", "internal/panics"}, libs: []string{
			decimal, "github.com/klauspost/compress",
		}},

		"settings": {own: []string{"secret", "finding", "internal/files"}, libs: []string{
			decimal, "github.com/alecthomas/kong", "github.com/goccy/go-yaml", "github.com/robfig/cron/v3",
			"github.com/sethvargo/go-githubactions",
		}},
		"observe": {own: []string{"internal/figure", "litellm", "budget", "failover", "finding"}, libs: []string{decimal}},
		"rotate": {own: []string{"internal/figure", "internal/panics", "litellm", "secret", "finding"}, libs: []string{
			decimal,
		}},
		"report": {own: []string{"budget", "failover", "rotate", "finding", "internal/panics"}, libs: []string{
			decimal, "github.com/mattn/go-runewidth", "github.com/slack-go/slack",
		}},
		"store":  {own: []string{"internal/figure", "report"}, libs: []string{decimal, "modernc.org/sqlite"}},
		"daemon": {own: []string{"report"}, libs: []string{"github.com/robfig/cron/v3"}},

		// Outside systems in memory. They know nothing of the clients, so that neither hides the other's mistakes.
		"litellm/litellmtest": {own: []string{"secret"}, libs: []string{decimal}},
		"github/githubtest":   {own: []string{"secret"}, libs: []string{"golang.org/x/crypto"}},
		"slack/slacktest":     {own: []string{"secret"}},

		// What several packages need, below all of them.
		"internal/atomicfile":            {},
		"internal/panics":                {},
		"internal/workflow":              {libs: []string{"github.com/sethvargo/go-githubactions"}},
		"internal/workflow/workflowtest": {},

		"cmd/bot":        {own: []string{"*"}, libs: []string{"*"}},
		"internal/repo":  {},
		"internal/fakes": {own: []string{"secret", "github/githubtest", "slack/slacktest"}},
	}
}

func TestImportsPointOneWay(t *testing.T) {
	table := table()
	for _, f := range product(t) {
		row, ok := table[f.pkg]
		if !ok {
			t.Errorf("%s: package %s has no row in the table of imports", f.name, f.pkg)
			continue
		}
		for _, spec := range f.tree.Imports {
			if name := importPath(spec); !row.allows(name) {
				t.Errorf("%s: package %s may not import %s", at(spec), f.pkg, name)
			}
		}
	}
}

func (a allowed) allows(name string) bool {
	if own, ours := strings.CutPrefix(name, modulePath+"/"); ours {
		return slices.Contains(a.own, own) || slices.Contains(a.own, "*")
	}
	if host, _, _ := strings.Cut(name, "/"); !strings.Contains(host, ".") {
		return name != "testing" // the standard library
	}
	return slices.ContainsFunc(a.libs, func(lib string) bool {
		return lib == "*" || name == lib || strings.HasPrefix(name, lib+"/")
	})
}

// TestOnlyMainAndTestsImportFakes holds even where the table allows everything: what is in memory serves tests and the
// sandbox.
func TestOnlyMainAndTestsImportFakes(t *testing.T) {
	for _, f := range product(t) {
		for _, spec := range f.tree.Imports {
			name := importPath(spec)
			fake := strings.HasPrefix(name, modulePath) && strings.HasSuffix(name, "test")
			if fake && f.pkg != "cmd/bot" && f.pkg != "internal/fakes" {
				t.Errorf("%s: %s is for tests and the sandbox", at(spec), name)
			}
		}
	}
}

// TestJudgementIsPure looks through everything that the pure packages reach: no network, no process, no log. os itself is
// below fmt, so it is refused only where we would import it.
func TestJudgementIsPure(t *testing.T) {
	pure := []string{"budget", "failover", "finding"}
	args := []string{"list", "-deps"}
	for _, p := range pure {
		args = append(args, modulePath+"/"+p)
	}
	list := exec.Command("go", args...)
	list.Dir = root
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go %s: %v", strings.Join(args, " "), err)
	}
	for _, impure := range []string{"net", "net/http", "os/exec", "os/signal", "os/user", "database/sql", "crypto/tls", "log", "log/slog"} {
		if slices.Contains(strings.Fields(string(out)), impure) {
			t.Errorf("one of %v reaches %s", pure, impure)
		}
	}
	for _, f := range product(t) {
		for _, spec := range f.tree.Imports {
			if name := importPath(spec); slices.Contains(pure, f.pkg) && slices.Contains([]string{"os", "io", "io/fs", "syscall", "context"}, name) {
				t.Errorf("%s: package %s is pure and may not import %s", at(spec), f.pkg, name)
			}
		}
	}
}
