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

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/vendorapi"
	"habeas.dev/services/internal/core"
)

// same are the texts that French spells as English does.
var same = []string{"agent", "code", "gap", "portal", "Habeas", "Observation"}

// TestEveryTextIsFrench reads the templates and the sources, those of the
// trace's sentences too: every text that a page shows has French, with the same
// verbs in the same order, and no French is of a text that nobody shows.
func TestEveryTextIsFrench(t *testing.T) {
	t.Parallel()
	texts := map[string]string{} // where they are, by text
	for text, where := range inTemplates(t) {
		texts[text] = where
	}
	for _, dir := range []string{".", "../internal/timeline"} {
		for text, where := range inSources(t, dir) {
			texts[text] = where
		}
	}
	for _, word := range journalWords() {
		texts[label(word)] = "the journal's word " + word
	}
	all := maps.Clone(french)
	for text, fr := range frenchCauses {
		if _, twice := all[text]; twice {
			t.Errorf("French for %q, twice", text)
		}
		all[text] = fr
	}
	for text, where := range texts {
		fr, ok := all[text]
		switch {
		case text == "" || slices.Contains(same, text):
		case !ok:
			t.Errorf("no French for %q (%s)", text, where)
		case !slices.Equal(verbs(text), verbs(fr)):
			t.Errorf("the French for %q has other verbs, or another order: %q", text, fr)
		}
	}
	for text := range all {
		if _, ok := texts[text]; !ok {
			t.Errorf("French for %q, which no page shows", text)
		}
	}
}

// verbs returns a format's.
func verbs(text string) []string { return regexp.MustCompile(`%[ds]`).FindAllString(text, -1) }

// inTemplates returns the texts that templates have said.
func inTemplates(t *testing.T) map[string]string {
	t.Helper()
	said := regexp.MustCompile(`(?:\bt|"label"|"hint") "([^"]*)"|\{\{(?:status|template "pill"|template "icon") "([^"]*)"`)
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
			} else {
				texts[label(found[2])] = file
			}
		}
	}
	return texts
}

// saying are the functions whose arguments are texts, and fields the fields that
// hold one.
var (
	saying = []string{"say", "f", "plural", "fail", "explain"}
	fields = []string{"Title", "Label"}
	// tables are the functions that answer with a text of a table or a switch.
	tables = []string{"explain", "done", "didMany", "reminder", "judged", "sent", "label", "roleName"}
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
		if strings.HasSuffix(file, "_test.go") || strings.HasPrefix(filepath.Base(file), "french") || filepath.Base(file) == "text.go" {
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
			case *ast.ValueSpec:
				if n.Names[0].Name == "causes" {
					for _, e := range answers(n) {
						add(e)
					}
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

// journalWords returns all words that facts have, and pages say.
func journalWords() []string {
	list := words(core.Statuses())
	list = append(list, words(dsar.Rights())...)
	for word := range labels {
		list = append(list, word)
	}
	for word := range looks {
		list = append(list, word)
	}
	for _, c := range []dsar.Check{dsar.CheckIdentity, dsar.CheckAgent, dsar.CheckOrganisation, dsar.CheckGuardian} {
		list = append(list, string(c))
	}
	return append(list, Viewer.String(), Agent.String(), Officer.String(), "fr", "en", "smtp", "outbox", "circuit "+string(vendorapi.Open), "circuit "+string(vendorapi.HalfOpen))
}
