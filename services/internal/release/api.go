package main

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

// name is an exported name as others may use it: a function, a type, a field, a
// method, a constant or a variable.
type name struct {
	Package string // import path
	Symbol  string // Config, Config.Bucket, Vault.Close
	Decl    string // what others rely on: kind and type
	Stable  bool   // a release promises it
}

func (n name) String() string { return n.Package + " " + n.Symbol + " " + n.Decl }

// qualified returns the name as a person writes it: vault.Config.Bucket.
func (n name) qualified() string {
	return n.Package[strings.LastIndexByte(n.Package, '/')+1:] + "." + n.Symbol
}

// listAPI lists the exported names of a module's packages, in order, and the
// packages whose doc doesn't say how stable they are. Programs and internal
// packages have none that others can use.
func listAPI(dir string) (names []name, unsaid []string, err error) {
	pkgs, err := packages.Load(&packages.Config{
		Dir:  dir,
		Mode: packages.NeedName | packages.NeedImports | packages.NeedDeps | packages.NeedTypes | packages.NeedSyntax | packages.NeedFiles,
	}, "./...")
	if err != nil {
		return nil, nil, err
	}
	for _, p := range pkgs {
		if len(p.Errors) > 0 {
			return nil, nil, fmt.Errorf("%s: %w", p.PkgPath, p.Errors[0])
		}
		if p.Name == "main" || isInternal(p.PkgPath) {
			continue
		}
		stability := stabilityOf(p.Syntax)
		if stability == "" {
			unsaid = append(unsaid, p.PkgPath)
		}
		scope := p.Types.Scope()
		for _, n := range scope.Names() {
			if token.IsExported(n) {
				for _, one := range namesOf(p.PkgPath, scope.Lookup(n)) {
					one.Stable = strings.HasPrefix(stability, stable)
					names = append(names, one)
				}
			}
		}
	}
	slices.SortFunc(names, func(a, b name) int {
		return cmp.Or(cmp.Compare(a.Package, b.Package), cmp.Compare(a.Symbol, b.Symbol))
	})
	return names, unsaid, nil
}

// stable begins the stability of a package whose names are held to the changelog.
const stable = "Stability: stable"

func isInternal(path string) bool {
	return slices.Contains(strings.Split(path, "/"), "internal")
}

// stabilityOf returns the line of a package's doc that says its stability.
func stabilityOf(files []*ast.File) string {
	for _, f := range files {
		for line := range strings.Lines(f.Doc.Text()) {
			if strings.HasPrefix(line, "Stability: ") {
				return strings.TrimSpace(line)
			}
		}
	}
	return ""
}

func namesOf(pkg string, o types.Object) []name {
	q := types.RelativeTo(o.Pkg())
	one := func(symbol, decl string) name { return name{Package: pkg, Symbol: symbol, Decl: decl} }
	text := func(t types.Type) string { return types.TypeString(unnamed(t), q) }
	switch o := o.(type) {
	case *types.Const:
		return []name{one(o.Name(), "const "+text(o.Type())+" = "+o.Val().ExactString())}
	case *types.Var:
		return []name{one(o.Name(), "var "+text(o.Type()))}
	case *types.Func:
		return []name{one(o.Name(), text(o.Type()))}
	case *types.TypeName:
		if o.IsAlias() {
			return []name{one(o.Name(), "type = "+text(types.Unalias(o.Type())))}
		}
		return typeNames(o, one, text)
	default:
		return nil
	}
}

// typeNames lists a type, its exported fields and methods. An interface is one
// name: whoever implements it has to have all of its methods.
func typeNames(o *types.TypeName, one func(symbol, decl string) name, text func(types.Type) string) []name {
	t := o.Type().(*types.Named)
	var names []name
	switch u := t.Underlying().(type) {
	case *types.Struct:
		names = append(names, one(o.Name(), "type struct"))
		for f := range u.Fields() {
			if f.Exported() {
				names = append(names, one(o.Name()+"."+f.Name(), "field "+text(f.Type())))
			}
		}
	default:
		names = append(names, one(o.Name(), "type "+text(u)))
	}
	for m := range t.Methods() {
		if !m.Exported() {
			continue
		}
		kind := "method "
		if _, ok := m.Signature().Recv().Type().(*types.Pointer); ok {
			kind = "method of pointer "
		}
		names = append(names, one(o.Name()+"."+m.Name(), kind+text(m.Type())))
	}
	return names
}

// unnamed takes the names of parameters out of a function's type: nobody relies
// on them.
func unnamed(t types.Type) types.Type {
	s, ok := t.(*types.Signature)
	if !ok {
		return t
	}
	strip := func(tuple *types.Tuple) *types.Tuple {
		var vars []*types.Var
		for v := range tuple.Variables() {
			vars = append(vars, types.NewParam(token.NoPos, nil, "", unnamed(v.Type())))
		}
		return types.NewTuple(vars...)
	}
	params := make([]*types.TypeParam, 0, s.TypeParams().Len())
	for p := range s.TypeParams().TypeParams() {
		params = append(params, p)
	}
	if len(params) > 0 { // bound to their signature
		return t
	}
	return types.NewSignatureType(nil, nil, nil, strip(s.Params()), strip(s.Results()), s.Variadic())
}

// promises returns the names that a release promises.
func promises(names []name) []name {
	var out []name
	for _, n := range names {
		if n.Stable {
			out = append(out, n)
		}
	}
	return out
}

// broken lists the names of a release that are gone or changed now. What was
// added breaks nobody.
func broken(released, now []name) []name {
	is := make(map[string]string, len(now))
	for _, n := range now {
		is[n.Package+" "+n.Symbol] = n.Decl
	}
	var out []name
	for _, n := range released {
		if is[n.Package+" "+n.Symbol] != n.Decl {
			out = append(out, n)
		}
	}
	return out
}

// parseAPI reads what promised names print.
func parseAPI(text string) ([]name, error) {
	var names []name
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		pkg, rest, _ := strings.Cut(line, " ")
		symbol, decl, ok := strings.Cut(rest, " ")
		if !ok {
			return nil, fmt.Errorf("not a line of an API listing: %q", line)
		}
		names = append(names, name{pkg, symbol, decl, true})
	}
	return names, nil
}
