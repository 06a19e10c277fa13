package sqlsystem

import (
	"encoding/json"
	"slices"
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
	expr := p.asJSON(held, col)
	q.add("CASE WHEN jsonb_typeof(", expr, ") IN ('object', 'array') THEN (")
	defer func() {
		if col.typ != "jsonb" {
			q.add(")::", col.full)
		} else {
			q.WriteByte(')')
		}
		q.add(" ELSE ", held, " END")
	}()
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
