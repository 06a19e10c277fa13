//go:build ignore

// Exported counts what the packages below a folder export: types, functions,
// constants and variables, methods of exported types, and fields of exported
// structs. Tests, generated files and internal packages aren't counted.
//
//	go run .ci/exported.go pkg
//
// It prints three numbers: names of packages, methods, fields.
package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"log"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	var all counts
	err := filepath.WalkDir(os.Args[1], func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "internal" || d.Name() == "testdata"):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.HasSuffix(path, ".gen.go"):
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		if f.Name.Name == "main" {
			return nil
		}
		all.add(f)
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(all.names, all.methods, all.fields)
}

// counts are exported names of packages, methods of exported types, and fields of
// exported structs.
type counts struct{ names, methods, fields int }

// add counts a file.
func (c *counts) add(f *ast.File) {
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			switch {
			case !d.Name.IsExported():
			case d.Recv == nil:
				c.names++
			case receiver(d.Recv.List[0].Type).IsExported():
				c.methods++
			}
		case *ast.GenDecl:
			for _, s := range d.Specs {
				c.spec(s)
			}
		}
	}
}

func (c *counts) spec(s ast.Spec) {
	switch s := s.(type) {
	case *ast.ValueSpec:
		c.names += exported(s.Names)
	case *ast.TypeSpec:
		if !s.Name.IsExported() {
			return
		}
		c.names++
		switch t := s.Type.(type) {
		case *ast.StructType:
			for _, f := range t.Fields.List {
				c.fields += exported(f.Names)
			}
		case *ast.InterfaceType:
			for _, f := range t.Methods.List {
				c.methods += exported(f.Names)
			}
		}
	}
}

// receiver returns the name of a method's type.
func receiver(e ast.Expr) *ast.Ident {
	for {
		switch t := e.(type) {
		case *ast.StarExpr:
			e = t.X
		case *ast.IndexExpr:
			e = t.X
		case *ast.IndexListExpr:
			e = t.X
		case *ast.Ident:
			return t
		default:
			return ast.NewIdent("_")
		}
	}
}

// exported returns how many of the names are.
func exported(names []*ast.Ident) (n int) {
	for _, name := range names {
		if name.IsExported() {
			n++
		}
	}
	return n
}
