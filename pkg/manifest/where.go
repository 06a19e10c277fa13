package manifest

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"go.yaml.in/yaml/v3"
)

// Where says which rows of a table are meant, by what columns hold: all of it must be so.
type Where map[string]Condition

// Condition is what a column must hold: one of some values, where nil is null; none of
// them; or anything.
type Condition struct {
	Values []any
	Not    bool
	Any    bool
}

// UnmarshalYAML reads a value, a list of them, {not: …} or {any: true}.
func (c *Condition) UnmarshalYAML(n *yaml.Node) error {
	*c = Condition{}
	if n.Kind == yaml.MappingNode && len(n.Content) == 2 {
		if n.Content[0].Value == "any" {
			c.Any = true
			return nil
		}
		c.Not, n = true, n.Content[1]
	}
	if n.Kind != yaml.SequenceNode {
		c.Values = make([]any, 1)
		if n.ShortTag() == "!!null" {
			return nil
		}
		return n.Decode(&c.Values[0])
	}
	return n.Decode(&c.Values)
}

// Pins reports whether the column can hold one value only.
func (c Condition) Pins() bool { return !c.Not && !c.Any && len(c.Values) == 1 && c.Values[0] != nil }

// excludes reports whether no value fulfils both conditions.
func (c Condition) excludes(o Condition) bool {
	if c.Any || o.Any || c.Not && o.Not {
		return false
	}
	if c.Not {
		c, o = o, c
	}
	for _, v := range c.Values {
		if has := slices.ContainsFunc(o.Values, func(x any) bool { return fmt.Sprint(x) == fmt.Sprint(v) }); has != o.Not {
			return false
		}
	}
	return true
}

// excludes reports whether no row fulfils both.
func (w Where) excludes(o Where) bool {
	for column, c := range w {
		if other, ok := o[column]; ok && c.excludes(other) {
			return true
		}
	}
	return false
}

var conditionShape = reflect.TypeFor[Condition]()

// checkCondition checks the form of what a column must hold.
func (at *positions) checkCondition(n *yaml.Node, path string) *Error {
	constant := reflect.TypeFor[any]()
	switch {
	case n.Kind == yaml.MappingNode && len(n.Content) == 2 && n.Content[0].Value == "any":
		if n.Content[1].ShortTag() != "!!bool" || n.Content[1].Value != "true" {
			return at.fail(n, path, "any says nothing but true", "write {any: true}, or leave the column out")
		}
		return nil
	case n.Kind == yaml.MappingNode && len(n.Content) == 2 && n.Content[0].Value == "not":
		n = n.Content[1]
	case n.Kind == yaml.MappingNode:
		return at.fail(n, path, "a condition is a value, a list of values, {not: …} or {any: true}", "write one of those")
	}
	if n.Kind == yaml.SequenceNode {
		if len(n.Content) == 0 {
			return at.fail(n, path, label(path)+" names no value", "write the values that the column may hold")
		}
		return at.check(n, reflect.SliceOf(constant), path)
	}
	return at.check(n, constant, path)
}

// where checks the columns and values of a condition.
func (v *validation) where(path string, w Where) {
	v.list(path, len(w))
	for _, column := range slices.Sorted(maps.Keys(w)) {
		v.sqlName(path+"."+column, column)
		v.list(path+"."+column, len(w[column].Values))
		for _, value := range w[column].Values {
			v.constant(path+"."+column, value)
		}
	}
}
