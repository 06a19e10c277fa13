package sqlsystem

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"habeas.dev/pkg/manifest"
)

// isArray reports whether a column is an array, which PostgreSQL has.
func isArray(col column) bool { return strings.HasSuffix(col.typ, "[]") }

// element returns what is known of an array's elements, as of a column.
func element(col column) column {
	out := column{name: col.name, typ: "text", full: "text", part: true}
	if isArray(col) {
		out.typ, out.full = strings.TrimSuffix(col.typ, "[]"), strings.TrimSuffix(col.full, "[]")
	}
	return out
}

// change is what an erasure sets a part of a column to.
type change struct {
	source manifest.Source
	value  any
	from   *subject // whose identifiers are taken out of an array; else nil
}

// assign writes what an act sets: whole columns, and parts of such, each column once.
func (d *dataset) assign(q *statement, how act) {
	whole := map[string]any{}
	parts := map[string][]change{}
	for _, l := range d.lookups {
		if !l.in(how.sets) {
			continue
		}
		for _, key := range slices.Sorted(maps.Keys(l.sets)) {
			source := manifest.ParseSource(key)
			if !source.Within() {
				whole[key] = l.sets[key]
				continue
			}
			parts[source.Column] = append(parts[source.Column], change{source, l.sets[key], d.taken(key)})
		}
	}
	first := true
	next := func(column string) {
		if !first {
			q.WriteString(", ")
		}
		first = false
		q.add(q.dialect.quote(column), " = ")
	}
	for _, column := range slices.Sorted(maps.Keys(whole)) {
		next(column)
		d.set(q, column, whole[column])
	}
	for _, column := range slices.Sorted(maps.Keys(parts)) {
		if _, set := whole[column]; !set {
			next(column)
			col, _ := d.own.column(column, q.dialect)
			q.dialect.change(q, d, col, parts[column])
		}
	}
}

// taken returns the subject whose identifiers are the elements of a source.
func (d *dataset) taken(source string) *subject {
	for i := range d.subjects {
		if d.subjects[i].element != "" && d.subjects[i].source == source {
			return &d.subjects[i]
		}
	}
	return nil
}

// among writes the condition that an element is one of the person's.
func (s *subject) among(q *statement, element string) {
	q.dialect.isOneOf(q, strings.ReplaceAll(s.element, "e.value", element), s.as, q.making.removes[s.lookup])
}

// isChanged writes the condition that a part of a column is as an erasure makes it.
func (d *dataset) isChanged(q *statement, key string, value any) {
	source := manifest.ParseSource(key)
	col, _ := d.own.column(source.Column, q.dialect)
	expr := "t." + q.dialect.quote(source.Column)
	if source.Each {
		q.add("NOT EXISTS (SELECT 1 FROM (SELECT 1) AS one ", q.dialect.elements(expr, col, source.Path, "e"), " WHERE ")
		d.taken(key).among(q, "e.value")
		q.WriteByte(')')
		return
	}
	q.add("coalesce(", q.dialect.jsonText(expr, col, source.Path))
	if value == nil || value == "{remove}" {
		q.WriteString(" IS NULL, true)")
		return
	}
	q.WriteString(" = ")
	q.text(fmt.Sprint(value))
	q.WriteString(", true)")
}
