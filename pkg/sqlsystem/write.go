package sqlsystem

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"

	"habeas.dev/pkg/manifest"
)

// write runs a statement on the rows of a dataset with the given keys, and returns
// how many it touched. verb begins it: it ends before WHERE.
func (s *System) write(ctx context.Context, tx *sql.Tx, d *dataset, what doing, keys []string, verb func(*statement)) (int64, error) {
	var touched int64
	for part := range slices.Chunk(keys, maxKeys) {
		q := &statement{dialect: s.dialect}
		verb(q)
		q.WriteString(" WHERE ")
		prefix := "t."
		if s.unaliased(d) {
			prefix = ""
		}
		if err := d.keyedBy(q, part, prefix); err != nil {
			return 0, err
		}
		result, err := s.exec(ctx, tx, q)
		if err != nil {
			return 0, d.may(what, err)
		}
		n, err := result.RowsAffected()
		if err != nil {
			return 0, err
		}
		touched += n
	}
	return touched, nil
}

// unaliased reports whether a statement that changes a dataset's rows can't give its
// table another name: SQLite doesn't know that of a view's columns.
func (s *System) unaliased(d *dataset) bool { return s.dialect == SQLite && d.own.view }

// target returns the table of a statement that changes rows.
func (d *dataset) target(dialect Dialect) string {
	if dialect == SQLite && d.own.view {
		return d.table
	}
	return d.table + " AS t"
}

// rewrite runs statements as [System.write] does, where each must touch every row.
func (s *System) rewrite(ctx context.Context, tx *sql.Tx, d *dataset, keys []string, verb func(*statement)) error {
	n, err := s.write(ctx, tx, d, changing, keys, verb)
	if err == nil && n != int64(len(keys)) {
		return &shortfall{d, changing, int64(len(keys)) - n}
	}
	return err
}

// erasing begins the statement that erases rows of a dataset.
func (d *dataset) erasing(q *statement) {
	if d.SQL.Erase != manifest.EraseAnonymise {
		q.add("DELETE FROM ", d.target(q.dialect))
		return
	}
	q.add("UPDATE ", d.target(q.dialect), " SET ")
	for i, column := range slices.Sorted(maps.Keys(d.SQL.Anonymise)) {
		if i > 0 {
			q.WriteString(", ")
		}
		q.add(quote(column), " = ")
		d.value(q, d.SQL.Anonymise[column])
	}
}

// flagging begins the statement that stops processing of rows, or goes on with it.
func (d *dataset) flagging(q *statement, flags []manifest.SQLRestrict, lift bool) {
	q.add("UPDATE ", d.target(q.dialect), " SET ")
	for i, f := range flags {
		if i > 0 {
			q.WriteString(", ")
		}
		q.add(quote(f.Column), " = ")
		if lift {
			q.constant(f.Lift())
		} else {
			q.constant(f.Value)
		}
	}
}

// asErased writes the condition that a row is as an erasure makes it, as a column:
// never, where erasing deletes it.
func (d *dataset) asErased(q *statement) {
	if d.SQL.Erase != manifest.EraseAnonymise {
		q.WriteString("0")
		return
	}
	q.WriteString("CASE WHEN ")
	for i, name := range slices.Sorted(maps.Keys(d.SQL.Anonymise)) {
		if i > 0 {
			q.WriteString(" AND ")
		}
		value := d.SQL.Anonymise[name]
		col, _ := d.own.column(name, q.dialect)
		switch {
		case value == nil:
			q.add("t.", quote(name), " IS NULL")
		case q.dialect == SQLite:
			q.add("t.", quote(name), " IS ")
			d.value(q, value)
		case d.SQL.Template(value) != nil:
			q.add("CAST(t.", quote(name), " AS TEXT) IS NOT DISTINCT FROM ")
			d.value(q, value)
		default: // as a text: some types have no equality
			q.add("CAST(t.", quote(name), " AS TEXT) IS NOT DISTINCT FROM CAST(")
			q.arg(fmt.Sprint(value))
			q.add("::text::", col.full, " AS TEXT)")
		}
	}
	q.WriteString(" THEN 1 ELSE 0 END")
}

// value adds what anonymise sets a column to: a constant, or a text with the row's
// key in it.
func (d *dataset) value(q *statement, value any) {
	parts := d.SQL.Template(value)
	if parts == nil {
		q.constant(value)
		return
	}
	for i, p := range parts {
		if i > 0 {
			q.WriteString(" || ")
		}
		switch {
		case p.Column != "":
			q.add("CAST(t.", quote(p.Column), " AS TEXT)")
		case q.dialect == PostgreSQL:
			q.arg(p.Text)
			q.WriteString("::text")
		default:
			q.arg(p.Text)
		}
	}
}

// constant adds a value of the manifest. PostgreSQL reads it by the column's type.
func (s *statement) constant(v any) {
	if v == nil {
		s.WriteString("NULL")
		return
	}
	if s.dialect == PostgreSQL {
		v = fmt.Sprint(v)
	}
	s.arg(v)
}

// remaining counts the rows of the given keys that are there.
func (s *System) remaining(ctx context.Context, tx *sql.Tx, d *dataset, keys []string) (left int64, err error) {
	for part := range slices.Chunk(keys, maxKeys) {
		q := &statement{dialect: s.dialect}
		q.add("SELECT COUNT(*) FROM ", d.table, " AS t WHERE ")
		if err := d.keyed(q, part); err != nil {
			return 0, err
		}
		if err := s.scan(ctx, tx, q, 1, func(held []any) error {
			n, _ := held[0].(int64)
			left += n
			return nil
		}); err != nil {
			return 0, d.may(reading, err)
		}
	}
	return left, nil
}
