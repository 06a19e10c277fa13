package sqlsystem

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

func (postgresDialect) holdsJSON(col column) bool {
	return col.typ == "json" || col.typ == "jsonb" || pgText(col.typ)
}

// jsonPath writes the keys that lead to a part of JSON as a constant.
func (p postgresDialect) jsonPath(path []string) string {
	var keys []string
	for _, key := range path {
		keys = append(keys, p.literal(key))
	}
	return "ARRAY[" + strings.Join(keys, ", ") + "]::text[]"
}

// asJSON returns a column as jsonb; a text that doesn't begin as JSON does is none.
func (postgresDialect) asJSON(expr string, col column) string {
	if pgText(col.typ) {
		return "(CASE WHEN " + expr + " ~ '^[[:space:]]*[[{]' THEN " + expr + "::jsonb END)"
	}
	return expr + "::jsonb"
}

func (p postgresDialect) jsonText(expr string, col column, path []string) string {
	return "(" + p.asJSON(expr, col) + " #>> " + p.jsonPath(path) + ")"
}

func (p postgresDialect) elements(expr string, col column, path []string, alias string) string {
	if isArray(col) {
		return "JOIN LATERAL unnest(" + expr + ") AS " + alias + "(value) ON true"
	}
	part := "(" + p.asJSON(expr, col) + " #> " + p.jsonPath(path) + ")"
	return "JOIN LATERAL jsonb_array_elements_text(CASE jsonb_typeof(" + part + ") WHEN 'array' THEN " + part + " WHEN 'string' THEN jsonb_build_array(" + part + ") WHEN 'number' THEN jsonb_build_array(" + part + ") ELSE '[]'::jsonb END) AS " + alias + "(value) ON true"
}

// change has the functions that change JSON leave what isn't of the form that they take:
// where a part can't be, their path is empty, which is nowhere.
func (p postgresDialect) change(q *statement, _ *dataset, col column, changes []change) {
	held := "t." + p.quote(col.name)
	if isArray(col) {
		p.changeArray(q, held, changes[0].from)
		return
	}
	if col.typ != "jsonb" {
		p.rewrite(q, held, col, changes)
		return
	}
	expr := held
	q.add("CASE WHEN jsonb_typeof(", expr, ") IN ('object', 'array') THEN (")
	defer q.add(") ELSE ", held, " END")
	if i := slices.IndexFunc(changes, func(c change) bool { return len(c.source.Path) == 0 }); i >= 0 { // all of it is the array
		p.without(q, expr, changes[i].from)
		return
	}
	for _, c := range slices.Backward(changes) {
		if c.source.Each || c.value != "{remove}" {
			q.WriteString("jsonb_set")
		}
		q.WriteByte('(')
	}
	q.WriteString(expr)
	for _, c := range changes {
		last := len(c.source.Path) - 1
		path := "CASE jsonb_typeof(" + expr + " #> " + p.jsonPath(c.source.Path[:last]) + ") WHEN 'object' THEN " + p.jsonPath(c.source.Path) + " ELSE '{}' END"
		switch {
		case c.source.Each:
			q.add(", ", path, ", coalesce(")
			p.without(q, "("+expr+" #> "+p.jsonPath(c.source.Path)+")", c.from)
			q.WriteString(", 'null'), false")
		case c.value == "{remove}":
			q.add(" #- ", path)
		default:
			text, _ := json.Marshal(c.value) // a constant of the manifest
			q.add(", ", path, ", ")
			q.text(string(text))
			q.WriteString("::jsonb, false")
		}
		q.WriteByte(')')
	}
}

// rewrite writes a column of another type than jsonb with parts of its JSON changed, and all else as
// it is written: the order of keys, those that come twice, and numbers are the same.
func (p postgresDialect) rewrite(q *statement, held string, col column, changes []change) {
	expr := held + "::json"
	if pgText(col.typ) {
		expr = "(CASE WHEN " + held + " ~ '^[[:space:]]*[[{]' THEN " + held + "::json END)"
	}
	if i := slices.IndexFunc(changes, func(c change) bool { return len(c.source.Path) == 0 }); i >= 0 { // all of it is the array
		changes = changes[i : i+1]
	}
	q.add("CASE WHEN json_typeof(", expr, ") IN ('object', 'array') THEN (")
	for _, c := range slices.Backward(changes) { // the last is made of what those before it made
		q.WriteString("SELECT ")
		p.remake(q, "x.held", c.source.Path, c)
		q.WriteString(" FROM (")
	}
	q.add("SELECT ", expr)
	for range changes {
		q.WriteString(") AS x(held)")
	}
	q.add(")::text::", col.full, " ELSE ", held, " END")
}

// remake writes JSON with what a path leads to in it changed: an object, or an array, is put together
// anew of the text of what it has.
func (p postgresDialect) remake(q *statement, held string, path []string, c change) {
	if len(path) == 0 {
		p.withoutWritten(q, held, c.from)
		return
	}
	alias := fmt.Sprintf("m%d", len(path))
	is, removes := alias+".key = "+p.literal(path[0]), len(path) == 1 && !c.source.Each && c.value == "{remove}"
	member := func() {
		switch {
		case len(path) > 1 || c.source.Each:
			q.add("CASE WHEN ", is, " THEN (")
			p.remake(q, alias+".value", path[1:], c)
			q.add(") ELSE ", alias, ".value END::text")
		case removes:
			q.add(alias, ".value::text")
		default:
			text, _ := json.Marshal(c.value) // a constant of the manifest
			q.add("CASE WHEN ", is, " THEN ")
			q.text(string(text))
			q.add(" ELSE ", alias, ".value::text END")
		}
	}
	only := ""
	if removes {
		only = " WHERE NOT " + is
	}
	q.add("CASE json_typeof(", held, ") WHEN 'object' THEN (SELECT ('{' || coalesce(string_agg(to_json(", alias, ".key)::text || ':' || ")
	member()
	q.add(", ',' ORDER BY ", alias, ".n), '') || '}')::json FROM json_each(CASE json_typeof(", held, ") WHEN 'object' THEN ", held, " END) WITH ORDINALITY AS ", alias, "(key, value, n)", only, ")")
	if _, err := strconv.ParseUint(path[0], 10, 31); err == nil && len(path) > 1 { // an array's place
		q.WriteString(" WHEN 'array' THEN (SELECT ('[' || coalesce(string_agg(")
		member()
		q.add(", ',' ORDER BY ", alias, ".n), '') || ']')::json FROM (SELECT (n - 1)::text, value, n FROM json_array_elements(CASE json_typeof(", held, ") WHEN 'array' THEN ", held, " END) WITH ORDINALITY AS a(value, n)) AS ", alias, "(key, value, n))")
	}
	q.add(" ELSE ", held, " END")
}

// withoutWritten is without for the type json.
func (postgresDialect) withoutWritten(q *statement, part string, from *subject) {
	q.add("CASE WHEN json_typeof(", part, ") = 'array' THEN (SELECT ('[' || coalesce(string_agg(e.item::text, ',' ORDER BY e.n), '') || ']')::json FROM json_array_elements(CASE WHEN json_typeof(", part, ") = 'array' THEN ", part, " END) WITH ORDINALITY AS e(item, n) CROSS JOIN LATERAL (SELECT e.item #>> '{}') AS v(value) WHERE NOT coalesce(")
	from.among(q, "v.value")
	q.add(", false)) WHEN json_typeof(", part, ") IN ('string', 'number') AND coalesce(")
	from.among(q, "("+part+" #>> '{}')")
	q.add(", false) THEN '[]'::json ELSE ", part, " END")
}

// changeArray writes an array without the person's elements. In one of two dimensions, whose
// rows are of one length, null stands in their place: what is others' keeps its own. One of more
// is left as it is, and so refused (TestArraysOfArrays).
func (postgresDialect) changeArray(q *statement, held string, from *subject) {
	q.add("CASE WHEN coalesce(array_ndims(", held, "), 1) = 1 THEN ARRAY(SELECT e.value FROM unnest(", held, ") WITH ORDINALITY AS e(value, n) WHERE NOT coalesce(")
	from.among(q, "e.value")
	q.add(", false) ORDER BY e.n) WHEN array_ndims(", held, ") = 2 THEN (SELECT array_agg(r.held ORDER BY r.i) FROM (SELECT i, array_agg(CASE WHEN coalesce(")
	from.among(q, "e.value")
	q.add(", false) THEN NULL ELSE e.value END ORDER BY j) AS held FROM generate_subscripts(", held, ", 1) AS i, generate_subscripts(", held, ", 2) AS j, LATERAL (SELECT (", held, ")[i][j]) AS e(value) GROUP BY i) AS r) ELSE ", held, " END")
}

// without writes a JSON array without the person's elements; one value by itself counts as
// an array of one.
func (p postgresDialect) without(q *statement, part string, from *subject) {
	q.add("CASE WHEN jsonb_typeof(", part, ") = 'array' THEN (SELECT coalesce(jsonb_agg(e.item ORDER BY e.n), '[]'::jsonb) FROM jsonb_array_elements(CASE WHEN jsonb_typeof(", part, ") = 'array' THEN ", part, " END) WITH ORDINALITY AS e(item, n) CROSS JOIN LATERAL (SELECT e.item #>> '{}') AS v(value) WHERE NOT coalesce(")
	from.among(q, "v.value")
	q.add(", false)) WHEN jsonb_typeof(", part, ") IN ('string', 'number') AND coalesce(")
	from.among(q, "("+part+" #>> '{}')")
	q.add(", false) THEN '[]'::jsonb ELSE ", part, " END")
}

func (postgresDialect) isOneOf(q *statement, element string, as comparison, list []string) {
	q.add(element, " = ANY(")
	q.arg(list)
	q.WriteString("::text[]")
	switch as {
	case asInteger:
		q.WriteString("::bigint[]")
	case asUUID:
		q.WriteString("::uuid[]")
	}
	q.WriteByte(')')
}
