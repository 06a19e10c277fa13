package sqlsystem

import (
	"encoding/json"
	"slices"
	"strings"
)

func (sqliteDialect) holdsJSON(column) bool { return true }

// jsonPath writes the keys that lead to a part of JSON as a constant.
func (s sqliteDialect) jsonPath(path []string) string { return s.literal(dollarPath(path)) }

// dollarPath returns a path as SQL/JSON has it: $."a"."b".
func dollarPath(path []string) string {
	text := "$"
	for _, key := range path {
		text += `."` + strings.ReplaceAll(key, `"`, `\"`) + `"`
	}
	return text
}

func (s sqliteDialect) jsonText(expr string, _ column, path []string) string {
	return "(CASE WHEN json_valid(" + expr + ") THEN json_extract(" + expr + ", " + s.jsonPath(path) + ") END)"
}

func (s sqliteDialect) elements(expr string, _ column, path []string, alias string) string {
	return "JOIN json_each(CASE WHEN json_valid(" + expr + ") THEN " + expr + " ELSE '[]' END, " + s.jsonPath(path) + ") AS " + alias
}

func (s sqliteDialect) change(q *statement, d *dataset, col column, changes []change) {
	expr := s.alias(d.own) + s.quote(col.name)
	if i := slices.IndexFunc(changes, func(c change) bool { return len(c.source.Path) == 0 }); i >= 0 { // all of it is the array
		s.without(q, expr, nil, changes[i].from)
		return
	}
	for _, c := range slices.Backward(changes) {
		if c.source.Each || c.value != "{remove}" {
			q.WriteString("json_replace(")
		} else {
			q.WriteString("json_remove(")
		}
	}
	q.WriteString(expr)
	for _, c := range changes {
		q.add(", ", s.jsonPath(c.source.Path))
		switch {
		case c.source.Each:
			q.WriteString(", ")
			s.without(q, expr, c.source.Path, c.from)
		case c.value != "{remove}":
			text, _ := json.Marshal(c.value) // a constant of the manifest
			q.WriteString(", json(")
			q.arg(string(text))
			q.WriteByte(')')
		}
		q.WriteByte(')')
	}
}

// without writes the JSON array at a path without the person's elements.
func (s sqliteDialect) without(q *statement, expr string, path []string, from *subject) {
	q.add("json((SELECT json_group_array(CASE e.type WHEN 'true' THEN json('true') WHEN 'false' THEN json('false') WHEN 'object' THEN json(e.value) WHEN 'array' THEN json(e.value) ELSE e.value END) FROM json_each(", expr, ", ", s.jsonPath(path), ") AS e WHERE NOT coalesce(")
	from.among(q, "e.value")
	q.WriteString(", false)))")
}

func (sqliteDialect) isOneOf(q *statement, element string, _ comparison, list []string) {
	text, _ := json.Marshal(list) // texts: can't fail
	q.add(element, " IN (SELECT value FROM json_each(")
	q.arg(string(text))
	q.WriteString("))")
}
