package main

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/exp/apidiff"
	"golang.org/x/tools/go/packages"
)

// public are a module's packages that others can import, by path. Programs and
// internal packages have no names for others.
type public map[string]*packages.Package

// load reads the packages of the module in a folder.
func load(dir string) (public, error) {
	pkgs, err := packages.Load(&packages.Config{
		Dir:  dir,
		Mode: packages.NeedName | packages.NeedImports | packages.NeedDeps | packages.NeedTypes | packages.NeedSyntax | packages.NeedFiles,
	}, "./...")
	if err != nil {
		return nil, err
	}
	out := public{}
	for _, p := range pkgs {
		if len(p.Errors) > 0 {
			return nil, fmt.Errorf("%s: %w", p.PkgPath, p.Errors[0])
		}
		if p.Name != "main" && !slices.Contains(strings.Split(p.PkgPath, "/"), "internal") {
			out[p.PkgPath] = p
		}
	}
	return out, nil
}

// stable begins the stability of a package whose names are held to the changelog.
const stable = "Stability: stable"

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

// unsaid lists the packages whose doc doesn't say how stable they are.
func unsaid(now public) []string {
	var out []string
	for path, p := range now {
		if stabilityOf(p.Syntax) == "" {
			out = append(out, path)
		}
	}
	slices.Sort(out)
	return out
}

// change is one that can break who imports a package.
type change struct {
	Package string // import path
	Symbol  string // Config, Config.Bucket, Vault.Close; empty: the whole package
	What    string // what became of it
}

// qualified returns the name as a person writes it: vault.Config.Bucket.
func (c change) qualified() string {
	if c.Symbol == "" {
		return c.Package
	}
	return c.Package[strings.LastIndexByte(c.Package, '/')+1:] + "." + c.Symbol
}

// broken lists what of the released stable packages is gone or has changed so that
// others no longer compile, by the rules of golang.org/x/exp/apidiff: what was added
// breaks nobody.
func broken(released, now public) []change {
	var out []change
	for path, before := range released {
		if !strings.HasPrefix(stabilityOf(before.Syntax), stable) {
			continue
		}
		after, ok := now[path]
		if !ok {
			out = append(out, change{Package: path, What: "removed"})
			continue
		}
		for _, c := range apidiff.Changes(before.Types, after.Types).Changes {
			if !c.Compatible {
				symbol, what, _ := strings.Cut(c.Message, ": ")
				out = append(out, change{path, symbolOf(symbol), what})
			}
		}
	}
	slices.SortFunc(out, func(a, b change) int {
		return cmp.Or(cmp.Compare(a.Package, b.Package), cmp.Compare(a.Symbol, b.Symbol), cmp.Compare(a.What, b.What))
	})
	return out
}

// symbolOf returns the name that apidiff speaks of: Vault.Close for "(*Vault).Close",
// Store for "Store, method set of *Store".
func symbolOf(said string) string {
	said, _, _ = strings.Cut(said, ",")
	return strings.NewReplacer("(*", "", ")", "").Replace(said)
}

// count returns how many names a package exports, and how many with the fields and
// methods of its types.
func count(p *types.Package) (names, all int) {
	for _, n := range p.Scope().Names() {
		if !token.IsExported(n) {
			continue
		}
		names++
		t, ok := p.Scope().Lookup(n).(*types.TypeName)
		if !ok || t.IsAlias() {
			continue
		}
		named := t.Type().(*types.Named)
		for m := range named.Methods() {
			if m.Exported() {
				all++
			}
		}
		if s, ok := named.Underlying().(*types.Struct); ok {
			for f := range s.Fields() {
				if f.Exported() {
					all++
				}
			}
		}
	}
	return names, names + all
}
