package sqlsystem

import (
	"encoding/json"
	"strings"

	"habeas.dev/pkg/worker"
)

// keyColumn is a column of a dataset's key.
type keyColumn struct {
	column
	expr string // t."id"
	// collation has it ordered by bytes.
	collation string
}

// keyTexts returns the expressions that give a row's key, a text for each column.
func (d *dataset) keyTexts(dialect Dialect, alias string) []string {
	out := make([]string, len(d.keys))
	for i, k := range d.keys {
		expr := alias + "." + quote(k.name)
		out[i] = "CAST(" + expr + " AS TEXT)"
		if dialect == SQLite && !plainKey(k.typ) {
			out[i] = `CASE typeof(` + expr + `) WHEN 'blob' THEN '\x' || hex(` + expr + `) ELSE CAST(` + expr + ` AS TEXT) END`
		}
	}
	return out
}

// plainKey reports whether a column of SQLite's holds numbers or texts by its type
// (sqlite.org/datatype3.html, 3.1), so that it compares with a text as it should.
func plainKey(typ string) bool {
	typ = strings.ToLower(typ)
	return strings.Contains(typ, "int") || strings.Contains(typ, "char") || strings.Contains(typ, "text") || strings.Contains(typ, "clob")
}

// keyOf makes the key of what keyTexts gave. A row of which part of the key is null
// can't be told from others.
func (d *dataset) keyOf(held []any) (string, error) {
	columns := make([]string, len(held))
	for i := range held {
		text, ok := textOf(held[i])
		if !ok {
			return "", worker.Permanent("no-key", "a row of "+d.Name+" has no value in its key's column "+d.keys[i].name+": give it one, or name another key", nil)
		}
		columns[i] = text
	}
	return worker.Key(columns...), nil
}

// keyed writes the condition that a row's key is among keys. However many they are,
// the statement's text is the same, and so are its parameters.
func (d *dataset) keyed(q *statement, keys []string) error { return d.keyedBy(q, keys, "t.") }

// keyedBy returns what [dataset.keyed] does, for columns that a prefix leads to.
func (d *dataset) keyedBy(q *statement, keys []string, prefix string) error {
	if q.dialect == PostgreSQL {
		return d.keyedPostgres(q, keys)
	}
	var columns []string
	for _, k := range d.keys {
		columns = append(columns, prefix+quote(k.name))
	}
	list, err := json.Marshal(keys)
	if len(d.keys) > 1 {
		list = []byte("[" + strings.Join(keys, ",") + "]") // each is an array of JSON itself
	}
	if err != nil {
		return err
	}
	q.add("(", strings.Join(columns, ", "), ") IN (SELECT ")
	for i, k := range d.keys {
		value := "value"
		if len(d.keys) > 1 {
			value = "json_extract(value, '$[" + string(rune('0'+i%10)) + "]')"
		}
		if i > 0 {
			q.WriteString(", ")
		}
		if plainKey(k.typ) {
			q.WriteString(value)
		} else {
			q.add(`CASE WHEN substr(`, value, `, 1, 2) = '\x' THEN unhex(substr(`, value, `, 3)) ELSE `, value, ` END`)
		}
	}
	q.WriteString(" FROM json_each(")
	q.arg(string(list))
	q.WriteString("))")
	return nil
}

func (d *dataset) keyedPostgres(q *statement, keys []string) error {
	if len(d.keys) == 1 {
		q.add(d.keys[0].expr, " = ANY(")
		q.arg(keys)
		q.add("::text[]::", d.keys[0].full, "[])")
		return nil
	}
	columns := make([][]string, len(d.keys))
	for _, key := range keys {
		parts, err := worker.KeyColumns(key, len(d.keys))
		if err != nil {
			return errKey(d)
		}
		for i, part := range parts {
			columns[i] = append(columns[i], part)
		}
	}
	var near, far, names []string
	for _, k := range d.keys {
		near = append(near, k.expr)
		far = append(far, "k."+quote(k.name)+"::"+k.full)
		names = append(names, quote(k.name))
	}
	q.add("(", strings.Join(near, ", "), ") IN (SELECT ", strings.Join(far, ", "), " FROM unnest(")
	for i := range columns {
		if i > 0 {
			q.WriteString(", ")
		}
		q.arg(columns[i])
		q.WriteString("::text[]")
	}
	q.add(") AS k(", strings.Join(names, ", "), "))")
	return nil
}

// errKey says that the plan's keys aren't those of the dataset any more.
func errKey(d *dataset) error {
	return worker.Permanent("schema-changed", "the plan's keys of "+d.Name+" aren't the key that the manifest names now: retry, and it is planned anew", nil)
}
