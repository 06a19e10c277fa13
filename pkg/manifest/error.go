package manifest

import (
	"fmt"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// Error is what is wrong with a manifest, in one line: where, what, and what to
// do about it. A manifest holds no personal data, and neither does its error.
type Error struct {
	File string // as given to [Parse]; empty where the manifest wasn't read from a file
	Line int    // from 1; 0 where it isn't known
	What string
	Cure string
	// More is how many further problems there are; [Error.All] lists them.
	More int

	rest []*Error
}

// All returns every problem of the file, in the order of its lines, each as an
// error of its own.
func (e *Error) All() []*Error {
	first := *e
	first.More, first.rest = 0, nil
	return append([]*Error{&first}, e.rest...)
}

// Error returns "file:line: what; cure".
func (e *Error) Error() string {
	s := "manifest"
	if e.File != "" {
		s = e.File
	}
	if e.Line > 0 {
		s += ":" + strconv.Itoa(e.Line)
	}
	s += ": " + e.What
	if e.Cure != "" {
		s += "; " + e.Cure
	}
	if e.More > 0 {
		s += fmt.Sprintf(" (and %d more)", e.More)
	}
	return s
}

// positions maps each part of a document to its file and line.
type positions struct {
	file  string
	of    document
	lines map[string]int // by path: datasets[2].columns[0].name
	// files are those of parts that stand in a file of their own, by path.
	files map[string]string
	from  map[*yaml.Node]string
	long  bool // it has short forms, which are written out
}

// document is what errors say of a kind of document.
type document struct {
	name  string // what it is called
	begin string // what to do where it is empty
	form  string // where its form is written
}

// At returns the place of a part of the manifest, as file:line, for errors that
// only show later: a column that the database doesn't have. Path is such as
// datasets[2].sql.table; of a part that isn't written, it is the part around it.
func (m *Manifest) At(path string) string {
	e := m.problem(path, "", "")
	switch {
	case e.File == "":
		return m.System + " " + path
	case e.Line == 0:
		return e.File
	default:
		return e.File + ":" + strconv.Itoa(e.Line)
	}
}

func (m *Manifest) problem(path, what, cure string) *Error { return m.at.problem(path, what, cure) }

func (at *positions) problem(path, what, cure string) *Error {
	e := &Error{File: at.file, What: what, Cure: cure}
	for p := path; ; p = parent(p) {
		if line, ok := at.lines[p]; ok {
			e.Line = line
			if file := at.files[p]; file != "" {
				e.File = file
			}
			return e
		}
		if p == "" {
			return e
		}
	}
}

// parent returns the path of the part around a part.
func parent(path string) string {
	for i := len(path) - 1; i > 0; i-- {
		if path[i] == '.' || path[i] == '[' {
			return path[:i]
		}
	}
	return ""
}
