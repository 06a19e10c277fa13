package sqlsystem

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
)

// rewrites returns how making rows of a dataset anonymous would change rows of other tables,
// by a foreign key that follows what they refer to (ON UPDATE), where the manifest doesn't
// let it; nil where it doesn't.
func (s *System) rewrites(d *dataset, set setting) *overreach {
	for _, column := range slices.Sorted(maps.Keys(set.values)) {
		column = manifest.ParseSource(column).Column
		for _, r := range s.rewriting(d, column) {
			return s.errRewritten(d, column, r)
		}
	}
	return nil
}

// rewriting returns the foreign keys by which rows follow what is set in a column of a
// dataset's rows, and which the manifest doesn't let.
func (s *System) rewriting(d *dataset, column string) (out []reference) {
	for _, table := range append([]string{d.relation.id}, s.catalogue().reads[d.relation.id]...) {
		for _, r := range s.catalogue().to(table) {
			let := r.onUpdate == blocks || r.onUpdate != moves && (d.lets(r.from.name) || has(d.SQL.Unlinks, r.from.name))
			if !let && slices.ContainsFunc(r.targets, func(t string) bool { return s.dialect.same(t, column) }) {
				out = append(out, r)
			}
		}
	}
	return out
}

// errRewritten says that a foreign key has rows follow what is set in a column.
func (s *System) errRewritten(d *dataset, column string, r reference) *overreach {
	does := map[onDelete]string{goes: "ON UPDATE CASCADE", detaches: "ON UPDATE SET NULL", moves: "ON UPDATE SET DEFAULT"}[r.onUpdate]
	what := fmt.Sprintf("dataset %s: with what is set in %s the database would change rows of %s that refer to it (%s of %s)", d.Name, column, r.from.name, does, strings.Join(r.columns, ", "))
	cure := "leave the column as it is, change the foreign key, or, where they may change, add " + r.from.name + " to the dataset's unlinks"
	if r.onUpdate == moves {
		cure = "leave the column as it is, or have the foreign key say ON UPDATE SET NULL: by the default they would be another's"
	}
	return &overreach{what + ": " + cure, dsar.Cause{Dataset: d.Name, Table: d.SQL.Table, Columns: []string{column}, Constraint: r.name}}
}

// followed notes where a dataset's values would be followed by other rows.
func (c *compiler) followed(d *dataset) {
	for _, set := range d.settings() {
		if over := c.rewrites(d, set); over != nil {
			what, cure, _ := strings.Cut(over.reason, "): ")
			c.fault(set.path, what+")", cure)
		}
	}
}

// followable reports whether a foreign key has rows of a table that may be reached follow
// what they refer to: how many do, only the database knows.
func (s *System) followable(lets []string) bool {
	return slices.ContainsFunc(s.catalogue().references, func(r reference) bool { return r.onUpdate != blocks && has(lets, r.from.name) })
}

// followers notes the rows that follow, by a foreign key, what is set in columns of rows.
func (b *bound) followers(ctx context.Context, d *dataset, columns, keys []string) error {
	if b.dialect.written("t") == "" {
		return nil
	}
	rows, err := d.rowKeys(keys)
	if err != nil {
		return err
	}
	for _, ref := range b.catalogue().to(d.relation.id) {
		sets := func(target string) bool {
			return slices.ContainsFunc(columns, func(column string) bool { return b.dialect.same(column, target) })
		}
		if ref.onUpdate == blocks || !slices.ContainsFunc(ref.targets, sets) {
			continue
		}
		end, texts := b.datasetOf(ref.from.id), []string{"1"}
		if end != nil {
			texts = end.keyTexts(b.dialect, "e")
		}
		err := b.referring(ctx, b.tx, d, ref, rows, texts, func(found []any) error {
			if end == nil {
				b.follow[strings.ToLower(ref.from.name)]++
				return nil
			}
			key, err := end.keyOf(b.dialect, found)
			b.means(end, []string{key})
			return err
		})
		if reasonOf(err) == forbidden {
			return errUnread(ref.from.name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// referring visits, as e, the rows that refer to a dataset's by a foreign key.
func (s *System) referring(ctx context.Context, on executor, d *dataset, ref reference, rows, texts []string, visit func([]any) error) error {
	w := way{from: d, steps: []reference{ref}}
	for part := range slices.Chunk(rows, s.dialect.keysAtOnce()) {
		q := &statement{dialect: s.dialect}
		q.add("SELECT ", strings.Join(texts, ", "), " FROM ", d.table, " AS t JOIN ", ref.from.sql, " AS e ON ")
		w.refers(q, 0)
		q.WriteString(" WHERE ")
		if err := d.keyed(q, part); err != nil {
			return err
		}
		if err := s.scan(ctx, on, q, len(texts), visit); err != nil {
			return err
		}
	}
	return nil
}

// settleChanged holds what the database changed of a table and its parts against what was
// written there, and, where that is more, the rows that it wrote against those that were
// meant. A trigger of the table's own that writes to them once more, as one that sets the
// time of the last change, changes no others. The manifest may let a trigger add rows.
func (b *bound) settleChanged(ctx context.Context, w *tree, adds bool) error {
	if slices.ContainsFunc(w.holdings, func(h *holding) bool { return h.d.own.view }) {
		return nil // which rows one of a view is made of isn't known
	}
	ours, added := int64(0), int64(0)
	for _, h := range w.holdings {
		ours += b.wrote[h.d]
	}
	for _, r := range w.tables {
		if len(w.holdings) == 0 {
			ours += b.takenFrom(r.name, true) + b.follow[strings.ToLower(r.name)]
		}
	}
	if adds {
		added = w.inserted
	}
	if w.changed() <= ours+added {
		return nil
	}
	others, err := b.strangers(ctx, w, ours)
	if others -= added; err != nil || others <= 0 {
		return err
	}
	cause := dsar.Cause{Table: w.name}
	var all []trigger
	for _, o := range b.catalogue().triggers {
		if w.any(o.writesTo) {
			all = append(all, o)
		}
	}
	who := "a foreign key, trigger or rule"
	if len(all) > 0 {
		who = names(all)
	}
	if len(all) == 1 {
		cause.Constraint = all[0].name
	}
	cure := "change what does it"
	if !adds && len(w.holdings) > 0 {
		cure += ", or, where rows may be added, name " + w.name + " in the cascades of the dataset with whose rows they are"
	}
	return &overreach{fmt.Sprintf("the database changed %d rows of %s that weren't to be changed; %s did, and all of it was undone: %s", others, w.name, who, cure), cause}
}

// strangers counts the rows of a table and its parts that were written, and aren't among those
// that were meant: of a table that no dataset is of, those beyond how many were; of one whose
// rows can't be compared, the times it was written to beyond those that its own triggers explain.
func (b *bound) strangers(ctx context.Context, w *tree, meant int64) (others int64, err error) {
	if len(w.holdings) == 0 {
		for _, top := range w.tops { // with their parts, which who may read the whole may not read by themselves
			err := each(ctx, b.tx, "SELECT count(*) FROM "+top.sql+" AS t WHERE "+b.dialect.written("t"), func(row []string) { others += whole(row[0]) })
			if reasonOf(err) == forbidden {
				return 0, errUnread(top.name)
			}
			if err != nil {
				return 0, err
			}
		}
		return others - meant, nil
	}
	d := w.holdings[0].d
	for _, h := range w.holdings {
		if h.d.unstable || h.d.relation.id != d.relation.id || !slices.Equal(h.d.SQL.Key, d.SQL.Key) {
			times := int64(1)
			for _, t := range b.catalogue().on(h.d.relation.id, false) {
				if w.any(t.writesTo) {
					times++
				}
			}
			return w.changed() - (meant+int64(b.detached))*times, nil
		}
	}
	q := &statement{dialect: b.dialect}
	texts := d.keyTexts(b.dialect, "t")
	q.add("SELECT ", strings.Join(texts, ", "), " FROM ", d.table, " AS t WHERE ", b.dialect.written("t"))
	err = b.scan(ctx, b.tx, q, len(texts), func(held []any) error {
		key, err := d.keyOf(b.dialect, held)
		if !slices.ContainsFunc(w.holdings, func(h *holding) bool { return b.meant[h.d][key] }) {
			others++
		}
		return err
	})
	return others, d.may(reading, err)
}

// errUnread says that a table can't be read of which rows may change with what is erased.
func errUnread(table string) error {
	return &overreach{fmt.Sprintf("the database's user may not read %s, so which of its rows change can't be told: grant it SELECT", table), dsar.Cause{Table: table}}
}
