package console

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"habeas.dev/pkg/vendorapi"
	"habeas.dev/services/internal/words"
)

// TestEveryLanguageHasEveryText reads the templates and the sources, those of the
// trace's sentences too: every text that a page shows is in every language, and no
// text is there that nobody shows. That placeholders are the same is words' test.
func TestEveryLanguageHasEveryText(t *testing.T) {
	t.Parallel()
	texts := map[string]string{} // where they are, by text
	maps.Copy(texts, inTemplates(t))
	for _, dir := range []string{".", "../internal/timeline", "../internal/figures"} {
		maps.Copy(texts, inSources(t, dir))
	}
	for word := range looks { // beside the journal's words
		if words.English().Journal[word] == "" {
			texts[word] = "what has a look of its own"
		}
	}
	for _, state := range []vendorapi.Circuit{vendorapi.Open, vendorapi.HalfOpen} {
		texts["circuit "+string(state)] = "the state of a circuit"
	}
	for code, cause := range words.English().Causes {
		texts[cause] = "the code " + code
	}
	for code, refusal := range words.English().Refusals {
		texts[refusal] = "the refusal " + code
	}
	for _, l := range words.All() {
		if l == words.English() {
			continue
		}
		for text, where := range texts {
			if text != "" && l.Sentences[text] == "" {
				t.Errorf("%s: nothing for %q (%s)", l.Tag, text, where)
			}
		}
		for text := range l.Sentences {
			if _, ok := texts[text]; !ok {
				t.Errorf("%s: a sentence for %q, which no page shows", l.Tag, text)
			}
		}
	}
}

// TestTemplatesHaveNoMarks: a colon or a semicolon behind something that is said is said as
// well, since languages differ in what stands before it.
func TestTemplatesHaveNoMarks(t *testing.T) {
	t.Parallel()
	mark := regexp.MustCompile(`(\}\}|</code>|</b>)[:;?!]\s?(\{\{|<|\s)`)
	files, err := fs.Glob(sources, "templates/*.html")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	for _, file := range files {
		source, err := sources.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range mark.FindAllIndex(source, -1) {
			t.Errorf("%s: %s", file, source[max(0, found[0]-40):found[1]])
		}
	}
}

// inTemplates returns the texts that templates have said.
func inTemplates(t *testing.T) map[string]string {
	t.Helper()
	said := regexp.MustCompile(`\bt "([^"]*)"|\{\{(?:status|template "pill"|template "icon") "([^"]*)"`)
	texts := map[string]string{}
	files, err := fs.Glob(sources, "templates/*.html")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	for _, file := range files {
		source, err := sources.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range said.FindAllStringSubmatch(string(source), -1) {
			if found[1] != "" {
				texts[found[1]] = file
			} else if words.English().Journal[found[2]] == "" {
				texts[found[2]] = file
			}
		}
	}
	return texts
}

// saying are the functions whose arguments are texts, and fields the fields that
// hold one.
var (
	saying = []string{"say", "Say", "f", "plural", "fail", "explain"}
	fields = []string{"Title", "Label", "Hint", "Person"}
	// tables are the functions that answer with a text of a table or a switch.
	tables = []string{"explain", "done", "didMany", "reminder", "judged", "sent"}
)

// inSources returns the texts of a package's sources.
func inSources(t *testing.T, dir string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for _, file := range files {
		// The sentences of the trace are in words.go; text.go is the terminal's.
		if strings.HasSuffix(file, "_test.go") || filepath.Base(file) == "text.go" {
			continue
		}
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		tree, err := parser.ParseFile(token.NewFileSet(), file, source, 0)
		if err != nil {
			t.Fatal(err)
		}
		add := func(e ast.Node) {
			if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if text, err := strconv.Unquote(lit.Value); err == nil && readable(text) {
					texts[text] = file
				}
			}
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				if name := called(n); slices.Contains(saying, name) || name == "New" && strings.HasPrefix(file, "act") {
					for _, arg := range n.Args {
						add(arg)
					}
				}
			case *ast.KeyValueExpr:
				if key, ok := n.Key.(*ast.Ident); ok && slices.Contains(fields, key.Name) {
					add(n.Value)
				}
			case *ast.FuncDecl:
				if slices.Contains(tables, n.Name.Name) {
					for _, e := range answers(n) {
						add(e)
					}
				}
			}
			return true
		})
	}
	return texts
}

// readable reports whether a text is for people: other literals are ids, paths and
// separators.
func readable(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }) && !strings.ContainsAny(text, "/<{") && text != "%s%s" &&
		!slices.Contains([]string{"to", "label", "%d ms"}, text)
}

func called(c *ast.CallExpr) string {
	switch f := c.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	default:
		return ""
	}
}

// answers returns the literals that a function returns or picks from, or a table
// holds.
func answers(f ast.Node) (out []ast.Node) {
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ReturnStmt:
			for _, r := range n.Results {
				out = append(out, r)
			}
		case *ast.KeyValueExpr:
			out = append(out, n.Value)
			if list, ok := n.Value.(*ast.CompositeLit); ok {
				for _, e := range list.Elts {
					out = append(out, e)
				}
			}
		case *ast.AssignStmt:
			for _, r := range n.Rhs {
				out = append(out, r)
			}
		}
		return true
	})
	return out
}
