// Package docs holds what is written about the code against the code: paths that
// guides name, the way of a request, DESIGN.md's map, and doc comments.
package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// root is the repository's folder.
const root = "../../.."

// read returns a file of the repository.
func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// walk calls f with the path of every file of the repository's folders that it is
// given, apart from what tests and builds leave there.
func walk(t *testing.T, f func(path string), folders ...string) {
	t.Helper()
	for _, folder := range folders {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && slices.Contains([]string{"node_modules", "testdata"}, d.Name()):
				return filepath.SkipDir
			case d.IsDir():
				return nil
			}
			path, err = filepath.Rel(root, path)
			f(filepath.ToSlash(path))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// pathPattern matches what looks like a path of this repository.
var pathPattern = regexp.MustCompile(`\b(?:pkg|services|schemas|deploy|docs|\.ci)/[A-Za-z0-9_./*-]*[A-Za-z0-9_*/]`)

// TestPaths: every path of this repository that a guide, a Makefile or a script
// names is there.
func TestPaths(t *testing.T) {
	t.Parallel()
	var files []string
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !e.IsDir() && (strings.HasSuffix(e.Name(), ".md") || e.Name() == "Makefile" || e.Name() == "Dockerfile" || e.Name() == "docker-compose.yml") && e.Name() != "CHANGELOG.md" {
			files = append(files, e.Name())
		}
	}
	walk(t, func(path string) { files = append(files, path) }, ".ci", "deploy", "docs")
	named := 0
	for _, file := range files {
		if strings.HasPrefix(file, "docs/adr/") { // what was so when it was decided
			continue
		}
		for i, line := range strings.Split(read(t, file), "\n") {
			for _, at := range pathPattern.FindAllStringIndex(line, -1) {
				path := line[at[0]:at[1]]
				if at[0] > 0 && strings.ContainsAny(line[at[0]-1:at[0]], "/@.-:_") && !strings.HasSuffix(line[:at[0]], "./") { // a part of another name
					continue
				}
				named++
				if !exists(path) && !made(path) {
					t.Errorf("%s:%d names %s, which is not there", file, i+1, path)
				}
			}
		}
	}
	if named < 100 {
		t.Fatalf("%d paths only: the pattern finds too little", named)
	}
}

// made reports whether a path is of a file that a command makes, or of no file but of
// a folder whose name the reader chooses.
func made(path string) bool {
	return strings.HasPrefix(path, "deploy/compose/secret/") || strings.Contains(path, "NAME")
}

// exists reports whether a path, which may be a pattern, is in the repository.
func exists(path string) bool {
	path = strings.TrimSuffix(strings.TrimSuffix(path, "/..."), "/")
	found, err := filepath.Glob(filepath.Join(root, path))
	return err == nil && len(found) > 0
}

// functions returns the functions of a Go file, methods as Type.Name.
func functions(t *testing.T, path string) map[string]*ast.FuncDecl {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, path), nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]*ast.FuncDecl{}
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok {
			all[receiver(fn)+fn.Name.Name] = fn
		}
	}
	return all
}

// receiver returns "Type." for a method, and "" for a function.
func receiver(fn *ast.FuncDecl) string {
	if fn.Recv == nil {
		return ""
	}
	typ := fn.Recv.List[0].Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	switch generic := typ.(type) {
	case *ast.IndexExpr:
		typ = generic.X
	case *ast.IndexListExpr:
		typ = generic.X
	}
	return typ.(*ast.Ident).Name + "."
}

// TestWay: docs/way.md names files, in links, and functions in code followed by
// (), each of which is in the file that was named last before it.
func TestWay(t *testing.T) {
	t.Parallel()
	pattern := regexp.MustCompile("\\]\\(\\.\\./([a-z0-9_./]+\\.go)\\)|`([A-Za-z]+(?:\\.[A-Za-z]+)?)\\(\\)`")
	file, known, named := "", map[string]*ast.FuncDecl{}, 0
	for i, line := range strings.Split(read(t, "docs/way.md"), "\n") {
		for _, m := range pattern.FindAllStringSubmatch(line, -1) {
			if m[1] != "" {
				file, known = m[1], functions(t, m[1])
				continue
			}
			named++
			if known[m[2]] == nil {
				t.Errorf("docs/way.md:%d: %s has no %s", i+1, file, m[2])
			}
		}
	}
	if named < 30 {
		t.Errorf("docs/way.md names %d functions only", named)
	}
}

// TestMap: DESIGN.md's map has a row for every folder of services and of pkg, and
// for every folder of services/internal.
func TestMap(t *testing.T) {
	t.Parallel()
	design := read(t, "DESIGN.md")
	for _, folder := range []string{"pkg", "services", "services/internal"} {
		entries, err := os.ReadDir(filepath.Join(root, folder))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if path := folder + "/" + e.Name(); e.IsDir() && path != "services/internal" && !strings.Contains(design, "`"+path+"`") {
				t.Errorf("DESIGN.md's map has no row for %s", path)
			}
		}
	}
}

// TestLinks: every link of a guide to a file or a heading of this repository leads
// somewhere.
func TestLinks(t *testing.T) {
	t.Parallel()
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	var guides []string
	for _, pattern := range []string{"*.md", ".github/*.md"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range found {
			guides = append(guides, strings.TrimPrefix(filepath.ToSlash(path), root+"/"))
		}
	}
	walk(t, func(path string) {
		if strings.HasSuffix(path, ".md") {
			guides = append(guides, path)
		}
	}, "docs")
	links := 0
	for _, guide := range guides {
		for _, m := range link.FindAllStringSubmatch(read(t, guide), -1) {
			target, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, ":") { // elsewhere on the web
				continue
			}
			links++
			to := guide
			if target != "" {
				to = filepath.ToSlash(filepath.Join(filepath.Dir(guide), target))
			}
			if !exists(to) {
				t.Errorf("%s links to %s, which is not there", guide, m[1])
				continue
			}
			if anchor != "" && !slices.Contains(headings(read(t, to)), anchor) {
				t.Errorf("%s links to %s: there is no such heading", guide, m[1])
			}
		}
	}
	if links < 50 {
		t.Errorf("%d links only", links)
	}
}

// headings returns the anchors of a guide's headings, as forges make them: in lower
// case, without marks, with hyphens for blanks.
func headings(text string) (anchors []string) {
	marks := regexp.MustCompile(`[^\p{L}\p{N} _-]`)
	for _, line := range strings.Split(text, "\n") {
		if title, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); ok && strings.HasPrefix(line, "#") {
			anchors = append(anchors, strings.ReplaceAll(marks.ReplaceAllString(strings.ToLower(title), ""), " ", "-"))
		}
	}
	return anchors
}
