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

// testName matches a test as the page of threats names it.
var testName = regexp.MustCompile("`(Test[A-Za-z0-9_]+)`")

// TestThreats: each threat of docs/threats.md that is protected against names a test, and
// each test that it names is there.
func TestThreats(t *testing.T) {
	t.Parallel()
	tests := map[string]bool{}
	walk(t, func(path string) {
		if !strings.HasSuffix(path, "_test.go") {
			return
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, path), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil {
				tests[f.Name.Name] = true
			}
		}
	}, "pkg", "services")
	protected, _, ok := strings.Cut(read(t, "docs/threats.md"), "## Not protected against")
	if !ok {
		t.Fatal("docs/threats.md doesn't say what isn't protected against")
	}
	rows := 0
	for line := range strings.Lines(protected) {
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| somebody |") {
			continue
		}
		rows++
		named := testName.FindAllStringSubmatch(line, -1)
		if len(named) == 0 {
			t.Errorf("no test holds: %s", line)
		}
		for _, n := range named {
			if !tests[n[1]] {
				t.Errorf("docs/threats.md names %s, and there is no such test", n[1])
			}
		}
	}
	if rows < 10 {
		t.Errorf("%d threats were read", rows)
	}
}
