package sqlsystem

import (
	"encoding/json"
	"slices"
)

func (mysqlDialect) holdsJSON(col column) bool { return col.typ == "json" || mysqlText(col.typ) }

// jsonPath writes the keys that lead to a part of JSON as a constant.
func (m mysqlDialect) jsonPath(path []string) string { return m.literal(dollarPath(path)) }

func (m mysqlDialect) jsonText(expr string, _ column, path []string) string {
	part := "JSON_EXTRACT(" + expr + ", " + m.jsonPath(path) + ")"
	return "(CASE WHEN JSON_VALID(" + expr + ") AND JSON_TYPE(" + part + ") <> 'NULL' THEN JSON_UNQUOTE(" + part + ") END)"
}

func (m mysqlDialect) elements(expr string, _ column, path []string, alias string) string {
	part := "JSON_EXTRACT(" + expr + ", " + m.jsonPath(path) + ")"
	return "JOIN JSON_TABLE(CASE WHEN JSON_VALID(" + expr + ") THEN CASE JSON_TYPE(" + part + ") WHEN 'ARRAY' THEN " + part + " WHEN 'STRING' THEN CONCAT('[', " + part + ", ']') WHEN 'INTEGER' THEN CONCAT('[', " + part + ", ']') WHEN 'DOUBLE' THEN CONCAT('[', " + part + ", ']') ELSE '[]' END ELSE '[]' END, '$[*]' COLUMNS (n FOR ORDINALITY, value LONGTEXT PATH '$')) AS " + alias
}

func (m mysqlDialect) change(q *statement, d *dataset, col column, changes []change) {
	expr := "t." + m.quote(col.name)
	q.add("CASE WHEN JSON_VALID(", expr, ") THEN ")
	defer q.add(" ELSE ", expr, " END")
	if i := slices.IndexFunc(changes, func(c change) bool { return len(c.source.Path) == 0 }); i >= 0 { // all of it is the array
		m.without(q, expr, nil, changes[i].from)
		return
	}
	for _, c := range slices.Backward(changes) {
		if c.source.Each || c.value != "{remove}" {
			q.WriteString("JSON_REPLACE(")
		} else {
			q.WriteString("JSON_REMOVE(")
		}
	}
	q.WriteString(expr)
	for _, c := range changes {
		q.add(", ", m.jsonPath(c.source.Path))
		switch {
		case c.source.Each:
			q.WriteString(", JSON_EXTRACT(")
			m.without(q, expr, c.source.Path, c.from)
			q.WriteString(", '$')")
		case c.value != "{remove}":
			text, _ := json.Marshal(c.value) // a constant of the manifest
			q.WriteString(", JSON_EXTRACT(")
			q.arg(string(text))
			q.WriteString(", '$')")
		}
		q.WriteByte(')')
	}
}

// without writes the JSON array at a path without the person's elements; one value by itself
// counts as an array of one. Each element is taken as it stands: JSON_TABLE has no place for an
// object.
func (m mysqlDialect) without(q *statement, expr string, path []string, from *subject) {
	array := dollarPath(path)
	part := "JSON_EXTRACT(" + expr + ", " + m.jsonPath(path) + ")"
	q.add("CASE WHEN JSON_TYPE(", part, ") = 'ARRAY' THEN (SELECT CONCAT('[', COALESCE(GROUP_CONCAT(JSON_EXTRACT(", expr, ", CONCAT(", m.literal(array+"["), ", e.n - 1, ']')) ORDER BY e.n SEPARATOR ','), ''), ']') FROM JSON_TABLE(", expr, ", ", m.literal(array+"[*]"), " COLUMNS (n FOR ORDINALITY, value LONGTEXT PATH '$')) AS e WHERE NOT COALESCE(")
	from.among(q, "e.value")
	q.add(", false)) WHEN JSON_TYPE(", part, ") IN ('STRING', 'INTEGER', 'DOUBLE') AND COALESCE(")
	from.among(q, "JSON_UNQUOTE("+part+")")
	q.add(", false) THEN '[]' ELSE ", part, " END")
}

func (mysqlDialect) isOneOf(q *statement, element string, _ comparison, list []string) {
	q.add(element, " IN (NULL")
	for _, v := range list {
		q.WriteString(", ")
		q.arg(v)
	}
	q.WriteByte(')')
}
