package manifest

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

var (
	durationShape = reflect.TypeFor[time.Duration]()
	workerShape   = reflect.TypeFor[yaml.Node]()
	// A part of what a worker of its own reads.
	anythingShape = reflect.TypeFor[anything]()
	secretShape   = reflect.TypeFor[Secret]()
)

type anything any

// check checks a node of YAML against the Go type that it is for, and records the
// line of each part.
func (at *positions) check(n *yaml.Node, t reflect.Type, path string) *Error {
	if _, known := at.lines[path]; !known {
		at.note(path, n)
	}
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		return at.fail(n, path, "anchors and aliases aren't read", "write it out")
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == workerShape {
		return at.checkWorker(n, path)
	}
	if t == secretShape && n.Kind == yaml.ScalarNode {
		switch s := Secret(n.Value); {
		case n.ShortTag() == "!!bool":
			return nil
		case s == OtherSecret || s == NoSecret:
			return at.fail(n, path, label(path)+" is true or false as a text", "write it without quotes")
		}
	}
	if t == conditionShape {
		return at.checkCondition(n, path)
	}
	if t == anythingShape && n.Kind != yaml.ScalarNode {
		return at.checkAnything(n, path)
	}
	switch t.Kind() {
	case reflect.Struct:
		return at.checkStruct(n, t, path)
	case reflect.Map:
		return at.checkMap(n, t, path)
	case reflect.Slice:
		if n.Kind != yaml.SequenceNode {
			return at.fail(n, path, label(path)+" must be a list", "write it as [a, b], or one entry a line, each after a hyphen")
		}
		for i, entry := range n.Content {
			if e := at.check(entry, t.Elem(), path+"["+strconv.Itoa(i)+"]"); e != nil {
				return e
			}
		}
		return nil
	case reflect.Interface: // a constant that a database column gets
		if n.Kind != yaml.ScalarNode || !slices.Contains([]string{"!!null", "!!str", "!!int", "!!float", "!!bool"}, n.ShortTag()) {
			return at.fail(n, path, label(path)+" must be null, a text, a number, true or false", "quote a date")
		}
		return nil
	default:
		return at.checkScalar(n, t, path)
	}
}

func (at *positions) checkStruct(n *yaml.Node, t reflect.Type, path string) *Error {
	if n.Kind != yaml.MappingNode {
		return at.fail(n, path, at.label(path)+" must be fields and values", at.of.form)
	}
	fields := map[string]reflect.Type{}
	var names []string
	for f := range t.Fields() {
		if name, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); name != "" {
			fields[name] = f.Type
			names = append(names, name)
		}
	}
	return at.checkFields(n, path, func(key *yaml.Node) (reflect.Type, *Error) {
		if f, ok := fields[key.Value]; ok && key.Kind == yaml.ScalarNode {
			return f, nil
		}
		return nil, at.fail(key, path, fmt.Sprintf("unknown field %q", key.Value), "allowed here: "+strings.Join(names, ", "))
	})
}

// checkWorker checks what a worker of its own reads: names and values, whatever
// they are.
func (at *positions) checkWorker(n *yaml.Node, path string) *Error {
	if n.Kind != yaml.MappingNode {
		return at.fail(n, path, label(path)+" must be names and values", "see the worker's documentation for what it takes here")
	}
	return at.checkAnything(n, path)
}

func (at *positions) checkAnything(n *yaml.Node, path string) *Error {
	if n.Kind == yaml.SequenceNode {
		return at.check(n, reflect.SliceOf(anythingShape), path)
	}
	return at.checkMap(n, reflect.MapOf(reflect.TypeFor[string](), anythingShape), path)
}

func (at *positions) checkMap(n *yaml.Node, t reflect.Type, path string) *Error {
	if n.Kind != yaml.MappingNode {
		return at.fail(n, path, label(path)+" must be names and values", "write it as {name: value}")
	}
	return at.checkFields(n, path, func(key *yaml.Node) (reflect.Type, *Error) {
		if e := at.checkScalar(key, t.Key(), path); e != nil {
			return nil, e
		}
		return t.Elem(), nil
	})
}

// checkFields checks a mapping's values, each by the type that its key has.
func (at *positions) checkFields(n *yaml.Node, path string, typeOf func(*yaml.Node) (reflect.Type, *Error)) *Error {
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Value == "<<" || key.Kind == yaml.AliasNode || key.Anchor != "" {
			return at.fail(key, path, "anchors and aliases aren't read", "write it out")
		}
		t, e := typeOf(key)
		if e != nil {
			return e
		}
		if seen[key.Value] {
			return at.fail(key, path, fmt.Sprintf("%q stands twice", key.Value), "leave one")
		}
		seen[key.Value] = true
		sub := strings.TrimPrefix(path+"."+key.Value, ".")
		at.note(sub, key)
		if e := at.check(value, t, sub); e != nil {
			return e
		}
	}
	return nil
}

func (at *positions) checkScalar(n *yaml.Node, t reflect.Type, path string) *Error {
	want, tag := "a text", "!!str"
	if t.Kind() == reflect.Int64 && t != durationShape {
		want, tag = "a whole number", "!!int"
	}
	if t.Kind() == reflect.Bool {
		want, tag = "true or false", "!!bool"
	}
	if n.Kind == yaml.ScalarNode && n.ShortTag() == tag {
		return nil
	}
	cure := "write one"
	if tag == "!!str" && n.Kind == yaml.ScalarNode && n.Value != "" {
		cure = "quote it"
	}
	return at.fail(n, path, label(path)+" must be "+want, cure)
}

func (at *positions) fail(n *yaml.Node, _ string, what, cure string) *Error {
	return &Error{File: cmp.Or(at.from[n], at.file), Line: n.Line, What: what, Cure: cure}
}

// note notes where a part of the document stands.
func (at *positions) note(path string, n *yaml.Node) {
	at.lines[path] = n.Line
	if file := at.from[n]; file != "" {
		at.files[path] = file
	}
}

// label returns the name that errors use for a part, which may be the whole document.
func (at *positions) label(path string) string {
	if path == "" {
		return at.of.name
	}
	return label(path)
}

// label returns the name that errors use for a part: its own.
func label(path string) string {
	if i := strings.LastIndexByte(path, '.'); i >= 0 {
		path = path[i+1:]
	}
	return path
}
