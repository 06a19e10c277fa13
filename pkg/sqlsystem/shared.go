package sqlsystem

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"habeas.dev/pkg/manifest"
)

// use is a table whose rows refer to a dataset's, which stay while one does.
type use struct {
	table string // quoted
	id    string // the database's own name of it
	on    string // the condition of the join, from t to x
}

// uses makes the uses of a dataset's rows.
func (c *compiler) uses(ctx context.Context, path string, d *dataset) error {
	for i, s := range d.SQL.UnlessShared {
		at := fmt.Sprintf("%s.unless_shared[%d]", path, i)
		t, err := c.look(ctx, at+".table", s.Table)
		if err != nil {
			return err
		}
		on, err := c.joinOn(ctx, at+".on", side{s.Table, "x"}, side{d.SQL.Table, "t"}, s.On, "have none stay")
		if err != nil {
			return err
		}
		// All rows count here, also those that the system's where leaves to others.
		where, err := c.conditions(ctx, at+".where", s.Table, "x", s.Where)
		if err != nil {
			return err
		}
		d.uses = append(d.uses, use{c.System.table(s.Table), t.id, and(strings.Join(on, " AND "), where)})
	}
	return nil
}

// goesToo reports whether a row of a dataset, by its key, is erased together with what it
// refers to.
type goesToo func(d *dataset, key string) bool

// shared returns those of some rows that rows refer to which stay.
func (s *System) shared(ctx context.Context, on executor, d *dataset, keys []string, goes goesToo) (map[string]bool, error) {
	out := map[string]bool{}
	planned := make(map[string]string, len(keys)) // by the table's key
	rows, err := d.rowKeys(keys)
	if err != nil {
		return nil, err
	}
	for i, key := range rows {
		planned[key] = keys[i]
	}
	for _, u := range d.uses {
		user := s.datasetOf(u.id)
		for part := range slices.Chunk(rows, s.dialect.keysAtOnce()) {
			columns := d.keyTexts(s.dialect, "t")
			if user != nil {
				columns = append(columns, user.keyTexts(s.dialect, "x")...)
			}
			q := &statement{dialect: s.dialect}
			q.add("SELECT ", strings.Join(columns, ", "), " FROM ", d.table, " AS t JOIN ", u.table, " AS x ON ", u.on, " WHERE ")
			if err := d.keyed(q, part); err != nil {
				return nil, err
			}
			err := s.scan(ctx, on, q, len(columns), func(held []any) error {
				key, err := d.keyOf(s.dialect, held[:len(d.keys)])
				if key = planned[key]; err != nil || out[key] {
					return err
				}
				if user == nil {
					out[key] = true
					return nil
				}
				by, err := user.keyOf(s.dialect, held[len(d.keys):])
				if err != nil {
					return err
				}
				out[key] = !slices.ContainsFunc(user.alike(), func(o *dataset) bool { return goes(o, by) })
				return nil
			})
			if err != nil {
				return nil, d.may(reading, err)
			}
		}
	}
	return out, nil
}

// spare has those rows of a dataset stay that would go, and that are shared: with rows of
// others, or with such as stay.
func (e *erasure) spare(ctx context.Context, h *holding) error {
	if len(h.d.uses) == 0 {
		return nil
	}
	var keys []string
	for _, key := range h.keys {
		if r := h.rows[key]; r.there && !r.done && r.stays(e, h.d) == nil {
			keys = append(keys, key)
		}
	}
	gone := map[*dataset]map[string]bool{}
	for _, o := range e.holdings {
		gone[o.d] = map[string]bool{}
		going, err := o.d.rowKeys(o.erase)
		if err != nil {
			return err
		}
		for _, key := range going {
			gone[o.d][key] = true
		}
	}
	shared, err := e.shared(ctx, e.on, h.d, keys, func(d *dataset, key string) bool { return gone[d][key] })
	for key, is := range shared {
		if is {
			h.rows[key].is = stay{kept: true, ground: manifest.GroundShared}
		}
	}
	return err
}
