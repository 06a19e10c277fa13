package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// isPattern matches comments by which a function "is" something.
var isPattern = regexp.MustCompile(`^\w+ (is|are) `)

// TestComments: a function's comment begins with its name and says what it does or
// returns. A function *is* nothing: "fingerprint is that of the identifier that
// another was found by" is "fingerprint returns the source identifier's
// fingerprint". Of types and values golangci checks the names (ST1021, ST1022).
func TestComments(t *testing.T) {
	t.Parallel()
	seen := 0
	walk(t, func(path string) {
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, ".gen.go") || strings.HasSuffix(path, "_test.go") {
			return
		}
		for name, fn := range functions(t, path) {
			text := strings.Join(strings.Fields(fn.Doc.Text()), " ")
			if text == "" {
				continue
			}
			seen++
			switch {
			case !strings.HasPrefix(text, fn.Name.Name):
				t.Errorf("%s: the comment of %s doesn't begin with its name: %.70s", path, name, text)
			case returnsSomething(fn) && isPattern.MatchString(text):
				t.Errorf("%s: the comment of %s says what it is, not what it does: %.70s", path, name, text)
			}
		}
	}, "pkg", "services", "schemas")
	if seen < 1000 {
		t.Errorf("%d comments only", seen)
	}
}

func returnsSomething(fn *ast.FuncDecl) bool {
	return fn.Type.Results != nil && len(fn.Type.Results.List) > 0
}

// namedTest matches a test or a fuzz target that a comment names; with … behind it, all
// whose names begin so.
var namedTest = regexp.MustCompile(`\b((?:Test|Fuzz)[A-Z]\w*)(…|\.\.\.)?`)

// TestNamedTests: a test that a comment names, as what holds a promise, is there.
func TestNamedTests(t *testing.T) {
	t.Parallel()
	there := map[string]bool{}
	named := map[string][]string{} // where, by what is named
	walk(t, func(path string) {
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, ".gen.go") {
			return
		}
		for name := range functions(t, path) {
			there[name] = true
		}
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, path), nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range f.Comments {
			for _, found := range namedTest.FindAllStringSubmatch(c.Text(), -1) {
				name := found[1]
				if found[2] != "" {
					name += "…"
				}
				named[name] = append(named[name], path)
			}
		}
	}, "pkg", "services", "schemas")
	begins := func(prefix string) bool {
		for name := range there {
			if strings.HasPrefix(name, prefix) {
				return true
			}
		}
		return false
	}
	for name, where := range named {
		prefix, some := strings.CutSuffix(name, "…")
		if !there[name] && !(some && begins(prefix)) {
			t.Errorf("%s names %s, which isn't there", strings.Join(where, ", "), name)
		}
	}
	if len(named) < 300 {
		t.Errorf("%d tests are named only: this one doesn't see them", len(named))
	}
}
