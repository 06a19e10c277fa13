package timeline

import (
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"habeas.dev/services/internal/words"
)

// TestEveryCodeHasACause reads the sources of the core, of the SDK and of all
// workers and services that end tasks: every code that they give is said in a
// sentence, and no sentence is of a code that nobody gives.
func TestEveryCodeHasACause(t *testing.T) {
	t.Parallel()
	const root = "../../.."
	dirs := []string{"pkg/dsar", "services/internal/core", "pkg/worker", "pkg/sqlsystem", "pkg/vendorapi", "services/internal/recipients", "services/internal/callbacks"}
	services, err := os.ReadDir(root + "/services")
	if err != nil {
		t.Fatal(err)
	}
	vendors, err := os.ReadDir(root + "/services/systems")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range vendors {
		if d.IsDir() {
			dirs = append(dirs, "services/systems/"+d.Name())
		}
	}
	for _, d := range services {
		// These end no task: stand-ins, pages, doors, commands.
		if d.IsDir() && !slices.Contains([]string{"sandbox", "console", "intake", "notify", "habeas", "internal", "systems"}, d.Name()) {
			dirs = append(dirs, "services/"+d.Name())
		}
	}
	common := constantsIn(t, filepath.Join(root, "pkg/dsar"))
	maps.Copy(common, constantsIn(t, filepath.Join(root, "services/internal/core")))
	maps.DeleteFunc(common, func(name, _ string) bool { return !strings.HasPrefix(name, "Code") && name != "LegalHold" })
	given := map[string]string{} // where, by code
	for _, dir := range dirs {
		maps.Copy(given, codesIn(t, filepath.Join(root, dir), common))
	}
	if len(given) < 50 {
		t.Fatalf("only %d codes were found", len(given))
	}
	for code, where := range given {
		if Cause(code) == "" {
			t.Errorf("no sentence for the code %q (%s)", code, where)
		}
	}
	for code := range words.English().Causes {
		_, ok := given[code]
		// Made of the name of a call, or where a report is mended.
		if !ok && !strings.HasSuffix(code, "-refused") && code != "unnamed" {
			t.Errorf("a sentence for the code %q, which nobody gives", code)
		}
	}
}

// codeAt is which argument of a call is a code.
var codeAt = map[string]int{"Final": 0, "Passing": 1, "Doubtful": 0, "Permanent": 0, "Transient": 0, "Unsure": 0, "RetryAt": 1, "RetryAfter": 1, "Again": 1, "fail": 2, "disbelieve": 2}

// constantsIn returns the constants of a package.
func constantsIn(t *testing.T, dir string) map[string]string {
	t.Helper()
	s := sources{constants: map[string]string{}}
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no sources in %s: %v", dir, err)
	}
	for _, path := range files {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		s.learn(file)
	}
	return s.constants
}

// codesIn returns the codes that a package's sources give, as text, by a constant of its own, or
// by a common one.
func codesIn(t *testing.T, dir string, common map[string]string) map[string]string {
	t.Helper()
	s := sources{constants: map[string]string{}, common: common, codes: map[string]string{}}
	var files []*ast.File
	names := map[*ast.File]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		// What was rejected is no task: operators read of it, not agents.
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || d.Name() == "rejected.go" {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err == nil {
			files, names[file] = append(files, file), path
			s.learn(file)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		s.where = names[file]
		ast.Inspect(file, s.look)
	}
	return s.codes
}

// sources are what was read of a package.
type sources struct {
	constants map[string]string
	common    map[string]string // those of other packages
	codes     map[string]string
	where     string
}

// learn notes a file's constants.
func (s *sources) learn(file *ast.File) {
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok {
			for i := range min(len(spec.Names), len(spec.Values)) {
				switch value := spec.Values[i].(type) {
				case *ast.BasicLit:
					if value.Kind == token.STRING {
						s.constants[spec.Names[i].Name] = constant.StringVal(constant.MakeFromLiteral(value.Value, value.Kind, 0))
					}
				case *ast.SelectorExpr: // another name of a common one
					if text := s.common[value.Sel.Name]; text != "" {
						s.constants[spec.Names[i].Name] = text
					}
				}
			}
		}
		return true
	})
}

// look takes in what a node gives as a code.
func (s *sources) look(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.CallExpr:
		if i, ok := codeAt[called(n)]; ok && len(n.Args) > i+1 {
			s.code(n.Args[i])
		}
	case *ast.KeyValueExpr:
		if key, ok := n.Key.(*ast.Ident); ok && strings.EqualFold(key.Name, "code") {
			s.code(n.Value)
		}
	case *ast.AssignStmt:
		for i := range min(len(n.Lhs), len(n.Rhs)) {
			if to, ok := n.Lhs[i].(*ast.SelectorExpr); ok && strings.EqualFold(to.Sel.Name, "code") {
				s.code(n.Rhs[i])
			}
		}
	case *ast.CompositeLit:
		if isReply(n.Type) {
			return false
		}
		s.table(n)
	case *ast.FuncDecl:
		if r := n.Type.Results; r != nil && len(r.List) > 0 && isReply(r.List[0].Type) {
			return false
		}
		s.returned(n)
	}
	return true
}

// isReply reports whether a type is vendorapi.Reply, whose code is the vendor's own.
func isReply(of ast.Expr) bool {
	s, ok := of.(*ast.SelectorExpr)
	return ok && s.Sel.Name == "Reply"
}

// table takes in a list of structs that have a field for a code, without names.
func (s *sources) table(list *ast.CompositeLit) {
	array, ok := list.Type.(*ast.ArrayType)
	if !ok {
		return
	}
	of, ok := array.Elt.(*ast.StructType)
	if !ok {
		return
	}
	at := place(of.Fields)
	for _, e := range list.Elts {
		if one, ok := e.(*ast.CompositeLit); ok && at >= 0 && at < len(one.Elts) {
			s.code(one.Elts[at])
		}
	}
}

// returned takes in what a function gives back that has a result for a code.
func (s *sources) returned(f *ast.FuncDecl) {
	if f.Type.Results == nil || f.Body == nil {
		return
	}
	at := place(f.Type.Results)
	ast.Inspect(f.Body, func(n ast.Node) bool {
		if r, ok := n.(*ast.ReturnStmt); ok && at >= 0 && at < len(r.Results) {
			s.code(r.Results[at])
		}
		return true
	})
}

// place returns which of some fields is a code; -1: none.
func place(fields *ast.FieldList) int {
	i := 0
	for _, f := range fields.List {
		for _, name := range f.Names {
			if name.Name == "code" {
				return i
			}
			i++
		}
	}
	return -1
}

// code takes in an expression that is a code, if it is one that stands there.
func (s *sources) code(e ast.Expr) {
	text := ""
	switch e := e.(type) {
	case *ast.BasicLit:
		text, _ = strconv.Unquote(e.Value)
	case *ast.Ident:
		text = s.constants[e.Name]
	case *ast.SelectorExpr:
		text = s.common[e.Sel.Name]
	}
	// A vendor's own codes are in capitals or digits.
	if text != "" && text == strings.ToLower(text) && !strings.ContainsAny(text[:1], "0123456789") {
		s.codes[text] = s.where
	}
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
