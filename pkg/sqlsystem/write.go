package sqlsystem

import (
	"context"
	"database/sql"
	"slices"

	"habeas.dev/pkg/manifest"
)

// write runs a statement on the rows of a dataset with the given keys, and returns
// how many it touched. verb begins it: it ends before WHERE.
func (s *System) write(ctx context.Context, tx *sql.Tx, d *dataset, what doing, keys []string, verb func(*statement)) (int64, error) {
	keys, err := d.rowKeys(keys)
	if err != nil {
		return 0, err
	}
	var touched int64
	for part := range slices.Chunk(keys, s.dialect.keysAtOnce()) {
		q := &statement{dialect: s.dialect}
		verb(q)
		q.WriteString(" WHERE ")
		if err := s.dialect.keyed(q, d, part, s.dialect.alias(d.own)); err != nil {
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

// rewrite runs statements as [System.write] does, where each must touch every row.
func (s *System) rewrite(ctx context.Context, tx *sql.Tx, d *dataset, keys []string, verb func(*statement)) error {
	n, err := s.write(ctx, tx, d, changing, keys, verb)
	if err == nil && n != int64(len(keys)) {
		return &shortfall{d, changing, int64(len(keys)) - n, false}
	}
	return err
}

// erasing begins the statement that erases rows of a dataset.
func (d *dataset) erasing(q *statement, how act) {
	if how.deletes {
		q.WriteString(q.dialect.deletes(d.table, d.own))
		return
	}
	q.WriteString(q.dialect.updates(d.table, d.own))
	d.assign(q, how)
}

// writing is what was written to a column.
type writing struct {
	column
	value any
}

// flagged returns what [dataset.flagging] writes.
func (s *System) flagged(d *dataset, flags []manifest.SQLRestrict, lift bool) []writing {
	out := make([]writing, len(flags))
	for i, f := range flags {
		col, _ := d.own.column(f.Column, s.dialect)
		out[i] = writing{col, f.Value}
		if lift {
			out[i].value = f.Lift()
		}
	}
	return out
}

// notWritten counts the rows of the given keys that don't hold what was written to them: a
// trigger may have changed it, or kept what was there.
func (s *System) notWritten(ctx context.Context, tx *sql.Tx, d *dataset, keys []string, all []writing) (int64, error) {
	return s.countOf(ctx, tx, d, keys, func(q *statement) {
		q.WriteString(" AND NOT (")
		for i, w := range all {
			if i > 0 {
				q.WriteString(" AND ")
			}
			s.holds(q, w)
		}
		q.WriteString(")")
	})
}

// holds writes the condition that a row holds what was written.
func (s *System) holds(q *statement, w writing) {
	if w.value == nil {
		q.add("t.", s.dialect.quote(w.name), " IS NULL")
		return
	}
	s.dialect.isConstant(q, w.column, w.value)
}

// flagging begins the statement that stops processing of rows, or goes on with it.
func (d *dataset) flagging(q *statement, flags []manifest.SQLRestrict, lift bool) {
	q.WriteString(q.dialect.updates(d.table, d.own))
	for i, f := range flags {
		if i > 0 {
			q.WriteString(", ")
		}
		q.add(q.dialect.quote(f.Column), " = ")
		col, _ := d.own.column(f.Column, q.dialect)
		if lift {
			q.constant(f.Lift(), col)
		} else {
			q.constant(f.Value, col)
		}
	}
}

// asErased writes, as a column for each way that sets values of its own, whether a row has
// them, and returns those ways.
func (d *dataset) asErased(q *statement) (setters []*lookup) {
	sets := d.setters(^ways(0))
	for _, l := range d.lookups {
		if l.in(sets) {
			setters = append(setters, l)
			q.WriteString(", CASE WHEN ")
			d.isSet(q, l.sets)
			q.WriteString(" THEN 1 ELSE 0 END")
		}
	}
	return setters
}

// constant adds a value of the manifest.
func (s *statement) constant(v any, col column) {
	if v == nil {
		s.WriteString("NULL")
		return
	}
	s.arg(s.dialect.constant(v, col))
}

// remaining counts the rows of the given keys that are there.
func (s *System) remaining(ctx context.Context, tx *sql.Tx, d *dataset, keys []string) (int64, error) {
	return s.countOf(ctx, tx, d, keys, func(*statement) {})
}

// countOf counts the rows of the given keys for which the further condition holds that more writes.
func (s *System) countOf(ctx context.Context, tx *sql.Tx, d *dataset, keys []string, more func(*statement)) (rows int64, err error) {
	if keys, err = d.rowKeys(keys); err != nil {
		return 0, err
	}
	for part := range slices.Chunk(keys, s.dialect.keysAtOnce()) {
		q := &statement{dialect: s.dialect}
		q.add("SELECT COUNT(*) FROM ", d.table, " AS t WHERE ")
		if err := d.keyed(q, part); err != nil {
			return 0, err
		}
		more(q)
		if err := s.scan(ctx, tx, q, 1, func(held []any) error {
			n, _ := held[0].(int64)
			rows += n
			return nil
		}); err != nil {
			return 0, d.may(reading, err)
		}
	}
	return rows, nil
}
