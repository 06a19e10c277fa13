package sqlsystem

import (
	"habeas.dev/pkg/worker"
)

// keyColumn is a column of a dataset's key.
type keyColumn struct {
	column
	expr string // t."id"
}

// keyTexts returns the expressions that give a row's key, a text for each column.
func (d *dataset) keyTexts(dialect Dialect, alias string) []string {
	out := make([]string, len(d.keys))
	for i, k := range d.keys {
		out[i] = dialect.keyText(alias+"."+dialect.quote(k.name), k.column)
	}
	return out
}

// keyOf makes the key of what keyTexts gave. A row of which part of the key is null
// can't be told from others.
func (d *dataset) keyOf(dialect Dialect, held []any) (string, error) {
	columns := make([]string, len(held))
	for i := range held {
		text, ok := textOf(held[i])
		if !ok {
			return "", worker.Permanent("no-key", "a row of "+d.Name+" has no value in its key's column "+d.keys[i].name+": give it one, or name another key", nil)
		}
		columns[i] = dialect.keyBytes(text)
	}
	return worker.Key(columns...), nil
}

// keyed writes the condition that a row's key, in the table t, is among keys.
func (d *dataset) keyed(q *statement, keys []string) error { return q.dialect.keyed(q, d, keys, "t.") }

// errKey says that the plan's keys aren't those of the dataset any more.
func errKey(d *dataset) error {
	return worker.Permanent("schema-changed", "the plan's keys of "+d.Name+" aren't the key that the manifest names now: retry, and it is planned anew", nil)
}
