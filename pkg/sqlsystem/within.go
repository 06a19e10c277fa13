package sqlsystem

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"habeas.dev/pkg/manifest"
)

// isArray reports whether a column of PostgreSQL is an array.
func isArray(col column) bool { return strings.HasSuffix(col.typ, "[]") }

// holdsJSON reports whether a column can hold JSON.
func (s *System) holdsJSON(col column) bool {
	return s.dialect == SQLite || col.typ == "json" || col.typ == "jsonb" || isText(col.typ)
}

// jsonPath writes the keys that lead to a part of JSON as a constant.
func (s *System) jsonPath(path []string) string {
	if s.dialect == PostgreSQL {
		var keys []string
		for _, key := range path {
			keys = append(keys, s.literal(key))
		}
		return "ARRAY[" + strings.Join(keys, ", ") + "]::text[]"
	}
	text := "$"
	for _, key := range path {
		text += `."` + strings.ReplaceAll(key, `"`, `\"`) + `"`
	}
	return s.literal(text)
}

// asJSON returns a column of PostgreSQL as jsonb; a text that doesn't begin as JSON does
// is none.
func (s *System) asJSON(expr string, col column) string {
	if isText(col.typ) {
		return "(CASE WHEN " + expr + " ~ '^[[:space:]]*[[{]' THEN " + expr + "::jsonb END)"
	}
	return expr + "::jsonb"
}

// jsonText returns the text of a part of the JSON in a column; NULL where there is none.
func (s *System) jsonText(expr string, col column, path []string) string {
	if s.dialect == PostgreSQL {
		return "(" + s.asJSON(expr, col) + " #>> " + s.jsonPath(path) + ")"
	}
	return "(CASE WHEN json_valid(" + expr + ") THEN json_extract(" + expr + ", " + s.jsonPath(path) + ") END)"
}

// elements returns the join with the elements of an array: of the database's own type, or
// in JSON.
func (s *System) elements(expr string, col column, path []string, alias string) string {
	switch {
	case s.dialect == SQLite:
		return "JOIN json_each(CASE WHEN json_valid(" + expr + ") THEN " + expr + " ELSE '[]' END, " + s.jsonPath(path) + ") AS " + alias
	case !isArray(col):
		part := "(" + s.asJSON(expr, col) + " #> " + s.jsonPath(path) + ")"
		return "JOIN LATERAL jsonb_array_elements_text(CASE WHEN jsonb_typeof(" + part + ") = 'array' THEN " + part + " ELSE '[]'::jsonb END) AS " + alias + "(value) ON true"
	default:
		return "JOIN LATERAL unnest(" + expr + ") AS " + alias + "(value) ON true"
	}
}

// element returns what is known of an array's elements, as of a column.
func (s *System) element(col column) column {
	out := column{name: col.name, typ: "text", full: "text"}
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
		q.add(quote(column), " = ")
	}
	for _, column := range slices.Sorted(maps.Keys(whole)) {
		next(column)
		d.set(q, column, whole[column])
	}
	for _, column := range slices.Sorted(maps.Keys(parts)) {
		if _, set := whole[column]; !set {
			next(column)
			d.change(q, column, parts[column])
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

// change writes a column with parts of it changed, one around the other.
func (d *dataset) change(q *statement, column string, changes []change) {
	col, _ := d.own.column(column, q.dialect)
	s := &System{dialect: q.dialect}
	expr := "t." + quote(column)
	if isArray(col) {
		q.WriteString("ARRAY(SELECT e.value FROM unnest(")
		q.add(expr, ") WITH ORDINALITY AS e(value, n) WHERE NOT coalesce(")
		changes[0].from.among(q)
		q.WriteString(", false) ORDER BY e.n)")
		return
	}
	if q.dialect == PostgreSQL {
		expr = s.asJSON(expr, col)
	}
	if i := slices.IndexFunc(changes, func(c change) bool { return len(c.source.Path) == 0 }); i >= 0 { // all of it is the array
		d.without(q, expr, s.jsonPath(nil), changes[i].from)
		q.cast(col)
		return
	}
	for _, c := range slices.Backward(changes) {
		switch {
		case c.source.Each, c.value != "{remove}":
			q.WriteString(map[bool]string{true: "jsonb_set(", false: "json_replace("}[q.dialect == PostgreSQL])
		case q.dialect == PostgreSQL:
			q.WriteByte('(')
		default:
			q.WriteString("json_remove(")
		}
	}
	q.WriteString(expr)
	for _, c := range changes {
		path := s.jsonPath(c.source.Path)
		switch {
		case c.source.Each:
			q.add(", ", path, ", ")
			d.without(q, expr, path, c.from)
		case c.value == "{remove}" && q.dialect == PostgreSQL:
			q.add(" #- ", path)
		case c.value == "{remove}":
			q.add(", ", path)
		case q.dialect == PostgreSQL:
			text, _ := json.Marshal(c.value) // a constant of the manifest
			q.add(", ", path, ", ")
			q.arg(string(text))
			q.WriteString("::text::jsonb, false")
		default:
			text, _ := json.Marshal(c.value)
			q.add(", ", path, ", json(")
			q.arg(string(text))
			q.WriteByte(')')
		}
		q.WriteByte(')')
	}
	q.cast(col)
}

// cast has PostgreSQL take JSON into a column of another type than jsonb.
func (s *statement) cast(col column) {
	if s.dialect == PostgreSQL && col.typ != "jsonb" {
		s.add("::", col.full)
	}
}

// without writes the JSON array at a path without the person's elements.
func (d *dataset) without(q *statement, expr, path string, from *subject) {
	if q.dialect == PostgreSQL {
		q.add("(SELECT coalesce(jsonb_agg(e.item ORDER BY e.n), '[]'::jsonb) FROM jsonb_array_elements(", expr, " #> ", path, ") WITH ORDINALITY AS e(item, n) CROSS JOIN LATERAL (SELECT e.item #>> '{}') AS v(value) WHERE NOT coalesce(")
		from.amongAs(q, "v.value")
		q.WriteString(", false))")
		return
	}
	q.add("json((SELECT json_group_array(CASE e.type WHEN 'true' THEN json('true') WHEN 'false' THEN json('false') WHEN 'object' THEN json(e.value) WHEN 'array' THEN json(e.value) ELSE e.value END) FROM json_each(", expr, ", ", path, ") AS e WHERE NOT coalesce(")
	from.among(q)
	q.WriteString(", false)))")
}

// among writes the condition that an element, as e.value, is one of the person's.
func (s *subject) among(q *statement) { s.amongAs(q, "e.value") }

func (s *subject) amongAs(q *statement, element string) {
	list := q.making.removes[s.lookup]
	q.WriteString(strings.ReplaceAll(s.element, "e.value", element))
	if q.dialect == PostgreSQL {
		q.WriteString(" = ANY(")
		q.arg(list)
		q.add("::text[]", map[comparison]string{asInteger: "::bigint[]", asUUID: "::uuid[]"}[s.as], ")")
		return
	}
	text, _ := json.Marshal(list) // texts: can't fail
	q.WriteString(" IN (SELECT value FROM json_each(")
	q.arg(string(text))
	q.WriteString("))")
}

// isChanged writes the condition that a part of a column is as an erasure makes it.
func (d *dataset) isChanged(q *statement, key string, value any) {
	source := manifest.ParseSource(key)
	col, _ := d.own.column(source.Column, q.dialect)
	s := &System{dialect: q.dialect}
	expr := "t." + quote(source.Column)
	if source.Each {
		q.add("NOT EXISTS (SELECT 1 FROM (SELECT 1) AS one ", s.elements(expr, col, source.Path, "e"), " WHERE ")
		d.taken(key).among(q)
		q.WriteByte(')')
		return
	}
	q.add("coalesce(", s.jsonText(expr, col, source.Path), map[bool]string{true: " = ", false: " IS NULL"}[value != nil && value != "{remove}"])
	if value != nil && value != "{remove}" {
		q.arg(fmt.Sprint(value))
		if q.dialect == PostgreSQL {
			q.WriteString("::text")
		}
	}
	if q.dialect == PostgreSQL {
		q.WriteString(", true)")
	} else {
		q.WriteString(", 1)")
	}
}
