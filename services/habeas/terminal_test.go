package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// TestEverythingIsSaidByTerminal: no command writes text but by terminal.Printf, so that
// nothing that a journal or a stranger holds forges a line or moves the cursor.
func TestEverythingIsSaidByTerminal(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	files = append(files, "../internal/timeline/text.go")
	fset, said := token.NewFileSet(), 0
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(fset, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			s, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			from, _ := s.X.(*ast.Ident)
			switch {
			case from == nil:
			case from.Name == "fmt" && (strings.HasPrefix(s.Sel.Name, "Print") || strings.HasPrefix(s.Sel.Name, "Fprint")):
				t.Errorf("%s: fmt.%s writes what it is given as it is: terminal.Printf", fset.Position(s.Pos()), s.Sel.Name)
			case from.Name == "terminal" && s.Sel.Name == "Printf":
				said++
			}
			return true
		})
	}
	if said < 100 {
		t.Errorf("only %d places say anything: they aren't where this looks", said)
	}
}
