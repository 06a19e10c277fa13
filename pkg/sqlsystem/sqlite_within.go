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

// jsonText writes true and false as JSON does, and not as SQLite, whose 1 is somebody's number.
func (s sqliteDialect) jsonText(expr string, _ column, path []string) string {
	at := s.jsonPath(path)
	return "(CASE WHEN json_valid(" + expr + ") THEN CASE json_type(" + expr + ", " + at + ") WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' ELSE json_extract(" + expr + ", " + at + ") END END)"
}

// holdsIdentifier is the condition that an element of JSON, e, can hold an identifier.
const holdsIdentifier = "e.type IN ('text', 'integer', 'real')"

func (s sqliteDialect) elements(expr string, _ column, path []string, alias string) string {
	at := s.jsonPath(path)
	return "JOIN json_each(CASE WHEN json_valid(" + expr + ") THEN CASE json_type(" + expr + ", " + at + ") WHEN 'object' THEN '[]' ELSE " + expr + " END ELSE '[]' END, " + at + ") AS " + alias +
		" ON " + strings.ReplaceAll(holdsIdentifier, "e.", alias+".")
}

func (s sqliteDialect) change(q *statement, d *dataset, col column, changes []change) {
	expr := s.alias(d.own) + s.quote(col.name)
	q.add("CASE WHEN json_valid(", expr, ") THEN ")
	defer q.add(" ELSE ", expr, " END")
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

// without writes the JSON array at a path without the person's elements; one value by itself
// counts as an array of one. The others' elements are taken as they are written: SQLite would write
// its own value of 1.10 or 1e400.
func (s sqliteDialect) without(q *statement, expr string, path []string, from *subject) {
	at := s.jsonPath(path)
	q.add("CASE WHEN json_type(", expr, ", ", at, ") = 'array' OR EXISTS (SELECT 1 FROM json_each(", expr, ", ", at, ") AS e WHERE json_type(", expr, ", ", at, ") <> 'object' AND ", holdsIdentifier, " AND ")
	from.among(q, "e.value")
	q.add(") THEN json((SELECT json_group_array(json(", expr, " -> (", at, " || '[' || e.key || ']'))) FROM json_each(", expr, ", ", at, ") AS e WHERE NOT coalesce(", holdsIdentifier, " AND ")
	from.among(q, "e.value")
	q.add(", false))) ELSE json(", expr, " -> ", at, ") END")
}

func (sqliteDialect) isOneOf(q *statement, element string, _ comparison, list []string) {
	text, _ := json.Marshal(list) // texts: can't fail
	q.add(element, " IN (SELECT value FROM json_each(")
	q.arg(string(text))
	q.WriteString("))")
}
