package repo

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
	"testing"
)

// The budgets of the code, in lines.
const (
	longestFile     = 400
	longestFunction = 80
	medianFunction  = 12 // of all functions
	mostFunctions   = 40 // nine of ten
)

// TestSizes holds files and functions to their budgets.
func TestSizes(t *testing.T) {
	var sizes []int
	for _, f := range product(t) {
		if f.lines > longestFile {
			t.Errorf("%s has %d lines; divide it (at most %d)", f.name, f.lines, longestFile)
		}
		for _, decl := range f.tree.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || fn.Body == nil {
				continue
			}
			size := fset.Position(fn.End()).Line - fset.Position(fn.Pos()).Line + 1
			sizes = append(sizes, size)
			if size > longestFunction {
				t.Errorf("%s: %s has %d lines (at most %d)", at(fn), fn.Name.Name, size, longestFunction)
			}
		}
	}
	slices.Sort(sizes)
	median, most := sizes[len(sizes)/2], sizes[len(sizes)*9/10]
	t.Logf("%d functions: median %d lines, nine of ten at most %d, longest %d", len(sizes), median, most, sizes[len(sizes)-1])
	if median > medianFunction || most > mostFunctions {
		t.Errorf("functions grow long: median %d lines (at most %d), nine of ten %d (at most %d)", median, medianFunction, most, mostFunctions)
	}
}

// TestNoHiddenControlFlow refuses init, goto, dot imports, and imports for side effects but where listed.
func TestNoHiddenControlFlow(t *testing.T) {
	blank := []string{"embed", "time/tzdata"}
	for _, f := range product(t) {
		for _, spec := range f.tree.Imports {
			if spec.Name == nil {
				continue
			}
			if spec.Name.Name == "." || spec.Name.Name == "_" && !slices.Contains(blank, importPath(spec)) {
				t.Errorf("%s: import %s %s acts from afar", at(spec), spec.Name.Name, spec.Path.Value)
			}
		}
		ast.Inspect(f.tree, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if n.Recv == nil && n.Name.Name == "init" {
					t.Errorf("%s: init runs unasked; make it a function that somebody calls", at(n))
				}
			case *ast.BranchStmt:
				if n.Tok == token.GOTO {
					t.Errorf("%s: goto", at(n))
				}
			}
			return true
		})
	}
}

// TestGlobalsAreNeverChanged refuses assignments to package-level variables, and the taking of their address.
func TestGlobalsAreNeverChanged(t *testing.T) {
	globals := map[string]map[string]bool{} // by package
	for _, f := range product(t) {
		for _, decl := range f.tree.Decls {
			for _, name := range variables(decl) {
				if globals[f.pkg] == nil {
					globals[f.pkg] = map[string]bool{}
				}
				globals[f.pkg][name.Name] = true
			}
		}
	}
	for _, f := range product(t) {
		ast.Inspect(f.tree, func(n ast.Node) bool {
			for _, changed := range changes(n) {
				if name := base(changed); name != nil && name.Name != "_" && globals[f.pkg][name.Name] && !local(name) {
					t.Errorf("%s: %s is a package's variable and is changed here", at(n), name.Name)
				}
			}
			return true
		})
	}
}

// variables returns the names that a declaration of package-level variables gives.
func variables(decl ast.Decl) []*ast.Ident {
	g, ok := decl.(*ast.GenDecl)
	if !ok || g.Tok != token.VAR {
		return nil
	}
	var names []*ast.Ident
	for _, spec := range g.Specs {
		names = append(names, spec.(*ast.ValueSpec).Names...)
	}
	return names
}

// changes returns the expressions that a node itself changes or lets others change.
func changes(n ast.Node) []ast.Expr {
	switch n := n.(type) {
	case *ast.AssignStmt:
		if n.Tok != token.DEFINE {
			return n.Lhs
		}
	case *ast.IncDecStmt:
		return []ast.Expr{n.X}
	case *ast.UnaryExpr:
		if n.Op == token.AND {
			return []ast.Expr{n.X}
		}
	}
	return nil
}

// base returns the variable of which an expression is a part: x of x.f[i]; nil if there is none.
func base(e ast.Expr) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x
		case *ast.SelectorExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		default:
			return nil
		}
	}
}

// local reports whether a name means something declared inside a function.
func local(name *ast.Ident) bool {
	if name.Obj == nil {
		return false // declared in another file of the package
	}
	spec, ok := name.Obj.Decl.(*ast.ValueSpec)
	if !ok {
		return true // a parameter, or by :=
	}
	for _, f := range goFilesParsed() {
		for _, decl := range f.tree.Decls {
			if g, ok := decl.(*ast.GenDecl); ok && slices.Contains(g.Specs, ast.Spec(spec)) {
				return false
			}
		}
	}
	return true
}

func goFilesParsed() []file {
	files, _ := parseAll()
	return files
}

// TestEverythingExportedIsDocumented wants a comment on every exported name, starting with that name where it is about
// one, and one package comment a package.
func TestEverythingExportedIsDocumented(t *testing.T) {
	packages := map[string]int{} // package comments
	for _, f := range product(t) {
		packages[f.pkg] += 0
		if f.tree.Doc != nil {
			packages[f.pkg]++
		}
		for _, decl := range f.tree.Decls {
			for _, name := range undocumented(decl) {
				t.Errorf("%s: exported %s has no comment", at(name), name.Name)
			}
		}
	}
	for name, comments := range packages {
		if comments != 1 {
			t.Errorf("package %s has %d package comments, not 1", name, comments)
		}
	}
}

// undocumented returns the exported names of a declaration that nothing is said about.
func undocumented(decl ast.Decl) []*ast.Ident {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Name.IsExported() && d.Doc == nil && (d.Recv == nil || ast.IsExported(receiver(d))) {
			return []*ast.Ident{d.Name}
		}
	case *ast.GenDecl:
		var names []*ast.Ident
		for _, spec := range d.Specs {
			names = append(names, undocumentedSpec(d, spec)...)
		}
		return names
	}
	return nil
}

// undocumentedSpec does so for one line of a group. A comment on the group speaks for its constants and variables.
func undocumentedSpec(group *ast.GenDecl, spec ast.Spec) []*ast.Ident {
	switch s := spec.(type) {
	case *ast.TypeSpec:
		if s.Name.IsExported() && group.Doc == nil && s.Doc == nil {
			return []*ast.Ident{s.Name}
		}
	case *ast.ValueSpec:
		if group.Doc == nil && s.Doc == nil && s.Comment == nil {
			return slices.DeleteFunc(slices.Clone(s.Names), func(n *ast.Ident) bool { return !n.IsExported() })
		}
	}
	return nil
}

// receiver returns the name of a method's type.
func receiver(fn *ast.FuncDecl) string {
	switch r := fn.Recv.List[0].Type.(type) {
	case *ast.StarExpr:
		if name := base(r.X); name != nil {
			return name.Name
		}
	default:
		if name := base(r); name != nil {
			return name.Name
		}
	}
	return ""
}

// TestErrorsSayWhatWasDone refuses the phrase that says nothing. What imitates others has their words.
func TestErrorsSayWhatWasDone(t *testing.T) {
	for _, f := range product(t) {
		if strings.HasSuffix(f.pkg, "test") {
			continue
		}
		ast.Inspect(f.tree, func(n ast.Node) bool {
			if s, ok := n.(*ast.BasicLit); ok && s.Kind == token.STRING && strings.Contains(strings.ToLower(s.Value), "failed "+"to ") {
				t.Errorf("%s: say what was being done (\"reading x: …\") rather than that it failed", at(s))
			}
			return true
		})
	}
}
