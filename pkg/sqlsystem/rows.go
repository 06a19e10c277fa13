package sqlsystem

import (
	"context"
	"slices"
	"strconv"
)

// from writes the tables of a dataset: its own, and those of its columns. A row whose
// lead is gone stays a row.
func (d *dataset) from(q *statement) {
	q.add(d.table, " AS t")
	for _, join := range d.labels {
		q.add(" LEFT ", join)
	}
}

// through writes the tables of a dataset as a way leads through them.
func (d *dataset) through(q *statement, l *lookup) {
	q.add(d.table, " AS t")
	for _, join := range l.joins {
		q.add(" ", join)
	}
	for _, join := range d.labels[min(l.shared, len(d.labels)):] {
		q.add(" LEFT ", join)
	}
}

// search is a query for the rows of a dataset that are somebody's of those asked for.
type search struct {
	asked   []subject
	columns []string // what of a row is selected, behind what it holds in asked
	keyed   bool     // the columns end with the texts of the key
	ordered bool     // the rows come in the order of their keys
}

// merges reports whether a row may come several times: by several ways, or by one that
// leads from many rows to it.
func (sr *search) merges() bool {
	lookups := lookupsOf(sr.asked)
	return len(lookups) > 1 || lookups[0].many
}

// search hands each row that is somebody's to visit, once, with what was selected of it
// and all whose it is; both only until the next.
func (s *System) search(ctx context.Context, on executor, d *dataset, c *chunk, sr *search, visit func(held []any, owners []hit) error) error {
	if err := s.filtered(d); err != nil {
		return err
	}
	merges := sr.merges()
	former := newFormer(d, c, sr.asked)
	if (merges || former != nil) && !sr.keyed {
		sr.columns, sr.keyed = append(slices.Clip(sr.columns), d.planned(s.dialect)...), true
	}
	q := &statement{dialect: s.dialect}
	sr.write(q, c, d)
	columns := len(sr.asked) + len(sr.columns)
	keys := columns - d.width()
	if former != nil {
		visit = former.without(visit, s.dialect, keys)
	}
	var owners []hit
	var last []any // the row before, where it may come again
	err := s.scan(ctx, on, q, columns, func(held []any) error {
		if merges && len(last) > 0 && !same(last[keys:], held[keys:]) {
			if err := visit(last, owners); err != nil {
				return err
			}
			last = last[:0]
		}
		if len(last) == 0 {
			owners = owners[:0]
			former.next()
		}
		former.add(held)
		if owners = c.owners(owners, sr.asked, held); len(owners) == 0 {
			if c.loose(sr.asked) {
				return nil
			}
			return errNobody(d.Name)
		}
		if !merges {
			return visit(held, owners)
		}
		last = append(last[:0], held...)
		return nil
	})
	if err != nil || len(last) == 0 {
		return err
	}
	return visit(last, owners)
}

// write writes the query: the dataset's rows that hold, in one of the asked subjects,
// what the chunk asks for. Each way of finding a row is a way of its own, and has a part
// of the query, so that an index serves each. A row that several ways lead to comes
// several times, one after the other, with what it holds by each.
func (sr *search) write(q *statement, c *chunk, d *dataset) {
	lookups, merged := lookupsOf(sr.asked), sr.merges()
	if len(lookups) == 1 {
		sr.branch(q, c, d, lookups[0], false)
		if sr.ordered || merged {
			q.WriteString(" ORDER BY ")
			if len(sr.asked) == 1 && !merged {
				// Person by person: with an index on the identifier only one person's
				// rows are sorted at a time.
				q.add(sr.asked[0].expr, ", ")
			}
			q.WriteString(d.order)
		}
		return
	}
	q.WriteString("SELECT ")
	for i := range len(sr.asked) + len(sr.columns) {
		if i > 0 {
			q.WriteString(", ")
		}
		q.add("c", strconv.Itoa(i))
	}
	q.WriteString(" FROM (")
	for i, l := range lookups {
		if i > 0 {
			q.WriteString(" UNION ALL ")
		}
		sr.branch(q, c, d, l, true)
	}
	q.WriteString(") AS u ORDER BY ")
	for i, k := range d.keys {
		if i > 0 {
			q.WriteString(", ")
		}
		q.WriteString(q.dialect.ordered("k"+strconv.Itoa(i), k.column))
	}
}

// branch writes the part of one way. As one of several, its columns have names and its
// own types, and what it doesn't lead to is null.
func (sr *search) branch(q *statement, c *chunk, d *dataset, l *lookup, one bool) {
	q.WriteString("SELECT ")
	var asked []subject
	for i, s := range sr.asked {
		expr := s.shown()
		switch {
		case s.lookup != l:
			expr = q.dialect.text("NULL")
		case one:
			expr = q.dialect.text(expr)
		}
		if s.lookup == l {
			asked = append(asked, s)
		}
		sr.column(q, i, expr, one)
	}
	for i, expr := range sr.columns {
		sr.column(q, len(sr.asked)+i, expr, one)
	}
	if one {
		for i, k := range d.keys {
			q.add(", ", k.expr, " AS k", strconv.Itoa(i))
		}
	}
	q.WriteString(" FROM ")
	d.through(q, l)
	q.WriteString(" WHERE ")
	c.where(q, asked)
	if l.where != "" {
		q.add(" AND ", l.where)
	}
}

func (sr *search) column(q *statement, i int, expr string, named bool) {
	if i > 0 {
		q.WriteString(", ")
	}
	q.WriteString(expr)
	if named {
		q.add(" AS c", strconv.Itoa(i))
	}
}

// lookupsOf returns the ways of some subjects, each once.
func lookupsOf(asked []subject) []*lookup {
	var out []*lookup
	for _, s := range asked {
		if !slices.Contains(out, s.lookup) {
			out = append(out, s.lookup)
		}
	}
	return out
}

// same reports whether two rows have one key, by what was selected of it.
func same(a, b []any) bool {
	return slices.EqualFunc(a, b, func(x, y any) bool {
		s, ok := textOf(x)
		t, there := textOf(y)
		return ok == there && s == t
	})
}
