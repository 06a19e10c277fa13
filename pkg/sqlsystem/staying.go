package sqlsystem

import (
	"context"
	"fmt"
	"reflect"
	"slices"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
)

// staying are a person's records that hold what a correction is about in columns that the
// manifest doesn't let be corrected.
type staying struct {
	d      *dataset
	fields []*field
	keys   []string
	held   map[string][]any // by key, before
	lack   lack
}

// staying reads what a job's person's records hold in the columns that its correction is about
// and that the manifest doesn't let be corrected.
func (b *bound) staying(ctx context.Context, j *counted, chunks []*chunk, lacking lacks) ([]*staying, error) {
	var out []*staying
	for _, d := range b.datasets {
		l := &staying{d: d, held: map[string][]any{}, lack: lacking[d.Name]}
		for i := range d.columns {
			f := &d.columns[i]
			asked := slices.ContainsFunc(j.Changes, func(c worker.Change) bool { return c.Dataset == d.Name && c.Column == f.name })
			if asked && !slices.Contains(d.SQL.Corrigible(), f.name) {
				l.fields = append(l.fields, f)
			}
		}
		if l.fields == nil {
			continue
		}
		for _, c := range chunks {
			if l.lack.no[reading] {
				if !slices.ContainsFunc(j.Changes, func(c worker.Change) bool {
					return c.Dataset == d.Name && slices.Contains(d.SQL.Corrigible(), c.Column)
				}) { // else it is named with its update
					c.uncover(d, []*counted{j}, l.lack)
				}
				continue
			}
			keys, _, err := b.rowsOf(ctx, b.tx, d, c, 1)
			if err != nil {
				return nil, err
			}
			l.keys = append(l.keys, keys...)
		}
		var err error
		if l.held, err = b.heldIn(ctx, l); err != nil {
			return nil, err
		}
		if len(l.keys) > 0 {
			out = append(out, l)
		}
	}
	return out, nil
}

// heldIn returns, by key, what the records hold as a gather reads it.
func (b *bound) heldIn(ctx context.Context, l *staying) (map[string][]any, error) {
	keys, err := l.d.rowKeys(l.keys)
	if err != nil {
		return nil, err
	}
	out := map[string][]any{}
	for part := range slices.Chunk(keys, b.dialect.keysAtOnce()) {
		q := &statement{dialect: b.dialect}
		q.WriteString("SELECT ")
		for _, f := range l.fields {
			q.add(f.expr, ", ")
		}
		for i, text := range l.d.keyTexts(b.dialect, "t") {
			if i > 0 {
				q.WriteString(", ")
			}
			q.WriteString(text)
		}
		q.WriteString(" FROM ")
		l.d.from(q)
		q.WriteString(" WHERE ")
		if err := l.d.keyed(q, part); err != nil {
			return nil, err
		}
		n := len(l.fields)
		err := b.scan(ctx, b.tx, q, n+len(l.d.keys), func(row []any) error {
			key, err := l.d.keyOf(b.dialect, row[n:])
			held := make([]any, n)
			for i, f := range l.fields {
				held[i] = f.value(row[i])
			}
			out[key] = held
			return err
		})
		if err != nil {
			return nil, l.d.may(reading, err)
		}
	}
	return out, nil
}

// stayed says which of those columns stay as they were. What became the corrected value with
// what was corrected elsewhere, by a foreign key, a join or a trigger, is corrected too; what
// became another undoes all of it.
func (b *bound) stayed(ctx context.Context, j *counted, l *staying) error {
	after, err := b.heldIn(ctx, l)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(j.Counts, func(c dsar.Counts) bool { return c.Dataset == l.d.Name })
	if i < 0 {
		i, j.Counts = len(j.Counts), append(j.Counts, dsar.Counts{Dataset: l.d.Name, Found: int64(len(l.keys))})
	}
	n := &j.Counts[i]
	rewritten := map[string]bool{}
	for at, f := range l.fields {
		stays, changed := false, false
		for key, before := range l.held {
			now, there := after[key]
			switch {
			case !there || !reflect.DeepEqual(before[at], now[at]) && !f.isCorrected(j.Changes, l.d, now[at]):
				return &overreach{fmt.Sprintf("with what was corrected the database changed %s.%s to something else, and all of it was undone; a foreign key, join or trigger did: change what does it, or correct it by hand", l.d.Name, f.name), dsar.Cause{Dataset: l.d.Name, Table: l.d.SQL.Table, Columns: []string{f.name}}}
			case reflect.DeepEqual(before[at], now[at]):
				stays = true
			default:
				changed, rewritten[key] = true, true
				if j.Stands != nil {
					j.Stands(l.d.Name, f.name, now[at])
				}
			}
		}
		if stays {
			n.Unchanged = append(n.Unchanged, f.name)
		}
		if changed {
			n.Changed = append(n.Changed, f.name)
		}
	}
	n.Rectified = max(n.Rectified, int64(len(rewritten)))
	return nil
}

// isCorrected reports whether a record holds what the last of some corrections says.
func (f *field) isCorrected(changes []worker.Change, d *dataset, held any) bool {
	for _, c := range slices.Backward(changes) {
		if c.Dataset == d.Name && c.Column == f.name {
			value, ok := f.kind.parse(c.Value)
			return ok && f.kind.says(c.Value, value, held)
		}
	}
	return false
}
