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
	return "JOIN LATERAL jsonb_array_elements_text(CASE WHEN jsonb_typeof(" + part + ") = 'array' THEN " + part + " ELSE '[]'::jsonb END) AS " + alias + "(value) ON true"
}

func (p postgresDialect) change(q *statement, _ *dataset, col column, changes []change) {
	expr := "t." + p.quote(col.name)
	if isArray(col) {
		q.WriteString("ARRAY(SELECT e.value FROM unnest(")
		q.add(expr, ") WITH ORDINALITY AS e(value, n) WHERE NOT coalesce(")
		changes[0].from.among(q, "e.value")
		q.WriteString(", false) ORDER BY e.n)")
		return
	}
	back := ""
	if col.typ != "jsonb" {
		back = "::" + col.full
	}
	expr = p.asJSON(expr, col)
	if i := slices.IndexFunc(changes, func(c change) bool { return len(c.source.Path) == 0 }); i >= 0 { // all of it is the array
		p.without(q, expr, nil, changes[i].from)
		q.WriteString(back)
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
		path := p.jsonPath(c.source.Path)
		switch {
		case c.source.Each:
			q.add(", ", path, ", ")
			p.without(q, expr, c.source.Path, c.from)
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
	q.WriteString(back)
}

// without writes the JSON array at a path without the person's elements.
func (p postgresDialect) without(q *statement, expr string, path []string, from *subject) {
	q.add("(SELECT coalesce(jsonb_agg(e.item ORDER BY e.n), '[]'::jsonb) FROM jsonb_array_elements(", expr, " #> ", p.jsonPath(path), ") WITH ORDINALITY AS e(item, n) CROSS JOIN LATERAL (SELECT e.item #>> '{}') AS v(value) WHERE NOT coalesce(")
	from.among(q, "v.value")
	q.WriteString(", false))")
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
