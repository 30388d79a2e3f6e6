package arch

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// clock is what pure code does not ask: it takes the time as a value.
var clock = []string{"Now", "Since", "Until", "After", "AfterFunc", "Sleep", "NewTimer", "NewTicker", "Tick"}

// resultTypes are controller-runtime's answer of a reconcile, under its two names.
var resultTypes = []string{"sigs.k8s.io/controller-runtime", "sigs.k8s.io/controller-runtime/pkg/reconcile"}

// source is one file with what its imports are called in it.
type source struct {
	files   *token.FileSet
	file    *ast.File
	imports map[string]string // name in the file to import path
}

func parse(t *testing.T, name string, text any) source {
	t.Helper()
	s := source{files: token.NewFileSet(), imports: make(map[string]string)}
	var err error
	if s.file, err = parser.ParseFile(s.files, name, text, parser.SkipObjectResolution); err != nil {
		t.Fatal(err)
	}
	for _, spec := range s.file.Imports {
		path := strings.Trim(spec.Path.Value, `"`)
		name := path[strings.LastIndex(path, "/")+1:]
		if path == "sigs.k8s.io/controller-runtime" {
			name = "controllerruntime"
		}
		if spec.Name != nil {
			name = spec.Name.Name
		}
		s.imports[name] = path
	}
	return s
}

// is says whether an expression is a name of a package: is(e, "time") for time.Now gives Now.
func (s source) is(e ast.Expr, paths ...string) string {
	selector, ok := e.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	name, ok := selector.X.(*ast.Ident)
	if !ok || !slices.Contains(paths, s.imports[name.Name]) {
		return ""
	}
	return selector.Sel.Name
}

// find calls see for every node of the file and collects what it says, each with its place.
func (s source) find(see func(n ast.Node) string) []string {
	var found []string
	ast.Inspect(s.file, func(n ast.Node) bool {
		if n == nil {
			return true
		}
		if what := see(n); what != "" {
			at := s.files.Position(n.Pos())
			found = append(found, fmt.Sprintf("%s:%d: %s", filepath.Base(at.Filename), at.Line, what))
		}
		return true
	})
	return found
}

// asksTheClock finds uses of the clock, also as a value (f := time.Now).
func asksTheClock(s source) []string {
	return s.find(func(n ast.Node) string {
		e, ok := n.(ast.Expr)
		if !ok {
			return ""
		}
		if name := s.is(e, "time"); slices.Contains(clock, name) {
			return "time." + name + ": pure code takes the time as a value"
		}
		if name := s.is(e, "k8s.io/apimachinery/pkg/apis/meta/v1"); name == "Now" || name == "NowMicro" {
			return "metav1." + name + ": pure code takes the time as a value"
		}
		return ""
	})
}

// buildsAResult finds results that say something: composite literals with fields, and fields that are set later.
func buildsAResult(s source) []string {
	return s.find(func(n ast.Node) string {
		switch n := n.(type) {
		case *ast.CompositeLit:
			if s.is(n.Type, resultTypes...) == "Result" && len(n.Elts) > 0 {
				return "only internal/outcome builds a ctrl.Result: use Done, Wait, Refuse or Retry"
			}
		case *ast.AssignStmt:
			for _, left := range n.Lhs {
				if field, ok := left.(*ast.SelectorExpr); ok && (field.Sel.Name == "RequeueAfter" || field.Sel.Name == "Requeue") {
					return "only internal/outcome builds a ctrl.Result: it sets " + field.Sel.Name
				}
			}
		}
		return ""
	})
}

func eachFile(t *testing.T, packages func(short string) bool, check func(s source) []string) {
	t.Helper()
	g := loaded(t)
	files := 0
	for _, short := range g.ours() {
		if !packages(short) {
			continue
		}
		n := g[module+"/"+short]
		for _, name := range n.GoFiles {
			files++
			for _, fault := range check(parse(t, filepath.Join(n.Dir, name), nil)) {
				t.Errorf("%s/%s", short, fault)
			}
		}
	}
	if files == 0 {
		t.Error("no file was looked at")
	}
}

func TestPureCodeAsksNoClock(t *testing.T) {
	eachFile(t, func(short string) bool { return matches(short, pure) }, asksTheClock)
}

func TestOnlyOutcomeBuildsAResult(t *testing.T) {
	eachFile(t, func(short string) bool {
		return short != "internal/outcome" && !matches(short, []string{"hack/...", "test/..."})
	}, buildsAResult)
}

func TestTheSourceChecksBite(t *testing.T) {
	const head = `package p
import (
	"time"
	clock "time"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"example.org/other"
)
`
	tests := map[string]struct {
		check func(source) []string
		code  string
		found int
	}{
		"now":                        {asksTheClock, "var a = time.Now()", 1},
		"now, by another name":       {asksTheClock, "var a = clock.Now()", 1},
		"now, as a value":            {asksTheClock, "var a = time.Now", 1},
		"since and sleep":            {asksTheClock, "func f(a time.Time) { time.Sleep(time.Since(a)) }", 2},
		"metav1.Now":                 {asksTheClock, "var a = metav1.Now()", 1},
		"durations and values":       {asksTheClock, "func f(now time.Time) time.Duration { return now.Sub(time.Unix(0, 0)) + time.Second }", 0},
		"somebody else's Now":        {asksTheClock, "var a = other.Now()", 0},
		"a result":                   {buildsAResult, "var a = ctrl.Result{RequeueAfter: 1}", 1},
		"a result, by its home":      {buildsAResult, "var a = reconcile.Result{RequeueAfter: 1}", 1},
		"a pointer to a result":      {buildsAResult, "var a = &ctrl.Result{Requeue: true}", 1},
		"a result that is set later": {buildsAResult, "func f() (r ctrl.Result) { r.RequeueAfter = 1; return }", 1},
		"a zero result":              {buildsAResult, "var a = ctrl.Result{}", 0},
		"another result":             {buildsAResult, "var a = other.Result{A: 1}", 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := tt.check(parse(t, "p.go", head+tt.code)); len(got) != tt.found {
				t.Errorf("found %q, want %d", got, tt.found)
			}
		})
	}
}
