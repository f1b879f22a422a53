package repo

import (
	"go/ast"
	"slices"
	"testing"
)

// rawStreams lists the functions of cmd/bot that hold the process's own streams: the one that hands them over, the one
// that wraps them, and the two that write what went through the wrapper's rules.
func rawStreams() map[string][]string {
	return map[string][]string{
		"os.Stdout/Stderr":         {"main.go main"},
		"the process's stream":     {"run.go newBot"},
		"the stream below":         {"stream.go newStream", "stream.go Write", "stream.go command"},
		"a command for the runner": {"masks.go mask", "actions.go annotate"},
	}
}

// TestEverythingPrintedGoesThroughAStream: what the program prints passes the type stream, which takes secrets out and
// makes it inert for a GitHub runner. So nothing but a stream may reach the process's output, and commands for the
// runner are given where masks and annotations are made.
func TestEverythingPrintedGoesThroughAStream(t *testing.T) {
	used := map[string]bool{}
	for _, f := range product(t) {
		if f.pkg == "internal/fakes" {
			continue // a program of its own, for tests
		}
		for _, decl := range f.tree.Decls {
			where := f.name[len(f.pkg)+1:]
			fn, _ := decl.(*ast.FuncDecl)
			if fn != nil {
				where += " " + fn.Name.Name
			}
			ast.Inspect(decl, func(n ast.Node) bool {
				what := printsPast(f, fn, n)
				if what == "" {
					return true
				}
				if f.pkg != "cmd/bot" || !slices.Contains(rawStreams()[what], where) {
					t.Errorf("%s: %s uses %s; print to a stream instead", at(n), where, what)
				}
				used[what+" in "+where] = true
				return true
			})
		}
	}
	for what, list := range rawStreams() {
		for _, where := range list {
			if !used[what+" in "+where] {
				t.Errorf("%s does not use %s; take it off the list", where, what)
			}
		}
	}
}

// printsPast says what in n reaches the process's output other than through a stream; "" for nothing.
func printsPast(f file, fn *ast.FuncDecl, n ast.Node) string {
	switch n := n.(type) {
	case *ast.CallExpr:
		if name, ok := n.Fun.(*ast.Ident); ok && name.Obj == nil && (name.Name == "print" || name.Name == "println") {
			return "the builtin " + name.Name
		}
	case *ast.SelectorExpr:
		x, _ := n.X.(*ast.Ident)
		switch name := n.Sel.Name; {
		case x != nil && x.Name == "os" && (name == "Stdout" || name == "Stderr"):
			return "os.Stdout/Stderr"
		case x != nil && x.Name == "os" && name == "NewFile", x != nil && x.Name == "syscall" && name == "Write":
			return "a file descriptor"
		case x != nil && x.Name == "fmt" && slices.Contains([]string{"Print", "Printf", "Println"}, name):
			return "fmt." + name
		case x != nil && x.Name == "log" && x.Obj == nil:
			return "the package log"
		case (name == "stdout" || name == "stderr") && ofProcess(fn, n.X):
			return "the process's stream"
		case name == "to" && f.pkg == "cmd/bot" && f.name == "cmd/bot/stream.go":
			return "the stream below"
		case x != nil && x.Name == "workflow" && (name == "Command" || name == "Masks"),
			name == "command" && f.pkg == "cmd/bot":
			return "a command for the runner"
		}
	case *ast.KeyValueExpr:
		if key, ok := n.Key.(*ast.Ident); ok && key.Name == "to" && f.name == "cmd/bot/stream.go" {
			return "the stream below"
		}
	}
	return ""
}

// ofProcess reports whether x is a value of type process: a parameter declared so, or the field of that name.
func ofProcess(fn *ast.FuncDecl, x ast.Expr) bool {
	switch x := x.(type) {
	case *ast.SelectorExpr:
		return x.Sel.Name == "process"
	case *ast.Ident:
		if fn == nil {
			return false
		}
		for _, param := range fn.Type.Params.List {
			declared, ok := param.Type.(*ast.Ident)
			named := func(n *ast.Ident) bool { return n.Name == x.Name }
			if ok && declared.Name == "process" && slices.ContainsFunc(param.Names, named) {
				return true
			}
		}
	}
	return false
}
