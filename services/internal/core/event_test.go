package core_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"habeas.dev/services/internal/core"
)

// TestEveryFactIsListed: every type of this package that is a fact can be written to
// the journal and read from it, has a name of its own, and says when it happened.
func TestEveryFactIsListed(t *testing.T) {
	t.Parallel()
	listed := core.FactTypes()
	var names []string
	for name, typ := range listed {
		e := reflect.New(typ)
		stamp(e.Elem())
		fact, ok := e.Elem().Interface().(core.Event)
		if !ok {
			t.Fatalf("%s is no fact", typ)
		}
		if got, _, err := core.Encode(fact); err != nil || got != name || core.TypeOf(fact) != name {
			t.Errorf("%s is written as %q, %v", name, got, err)
		}
		if !fact.When().Equal(start) {
			t.Errorf("%s happened at %s", name, fact.When())
		}
		names = append(names, typ.Name())
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Recv == nil || f.Name.Name != "evolve" {
				continue
			}
			typ := f.Recv.List[0].Type.(*ast.Ident).Name
			if !slices.Contains(names, typ) {
				t.Errorf("%s isn't listed in its file of facts", typ)
			}
		}
	}
}

// stamp sets every time of a fact.
func stamp(v reflect.Value) {
	for i := range v.NumField() {
		switch f := v.Field(i); {
		case f.Type() == reflect.TypeFor[time.Time]():
			f.Set(reflect.ValueOf(start))
		case f.Kind() == reflect.Struct:
			stamp(f)
		}
	}
}
