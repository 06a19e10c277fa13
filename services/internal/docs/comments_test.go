package docs

import (
	"go/ast"
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
