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
		for _, table := range append([]string{d.relation.id}, s.catalogue().reads[d.relation.id]...) {
			for _, r := range s.catalogue().to(table) {
				does := map[onDelete]string{goes: "ON UPDATE CASCADE", detaches: "ON UPDATE SET NULL", moves: "ON UPDATE SET DEFAULT"}[r.onUpdate]
				if does == "" || r.onUpdate != moves && (d.lets(r.from.name) || has(d.SQL.Unlinks, r.from.name)) || !slices.ContainsFunc(r.targets, func(t string) bool { return s.dialect.same(t, column) }) {
					continue
				}
				what := fmt.Sprintf("dataset %s: with what is set in %s the database would change rows of %s that refer to it (%s of %s)", d.Name, column, r.from.name, does, strings.Join(r.columns, ", "))
				cure := "leave the column as it is, change the foreign key, or, where they may change, add " + r.from.name + " to the dataset's unlinks"
				if r.onUpdate == moves {
					cure = "leave the column as it is, or have the foreign key say ON UPDATE SET NULL: by the default they would be another's"
				}
				return &overreach{what + ": " + cure, dsar.Cause{Dataset: d.Name, Table: d.SQL.Table, Columns: []string{column}, Constraint: r.name}}
			}
		}
	}
	return nil
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

// followers notes the rows that follow, by a foreign key, what an act sets in rows of a dataset.
func (e *erasure) followers(ctx context.Context, d *dataset, how act, keys []string) error {
	if how.deletes || e.dialect.written("t") == "" {
		return nil
	}
	keys, err := d.rowKeys(keys)
	if err != nil {
		return err
	}
	for _, ref := range e.catalogue().to(d.relation.id) {
		sets := func(target string) bool {
			for column := range d.values(how) {
				if e.dialect.same(manifest.ParseSource(column).Column, target) {
					return true
				}
			}
			return false
		}
		if ref.onUpdate == blocks || !slices.ContainsFunc(ref.targets, sets) {
			continue
		}
		w := way{from: d, steps: []reference{ref}, to: ref.from, end: e.datasetOf(ref.from.id)}
		texts := []string{"1"}
		if w.end != nil {
			texts = w.end.keyTexts(e.dialect, "e")
		}
		for part := range slices.Chunk(keys, e.dialect.keysAtOnce()) {
			q := &statement{dialect: e.dialect}
			q.add("SELECT ", strings.Join(texts, ", "), " FROM ", d.table, " AS t JOIN ", ref.from.sql, " AS e ON ")
			w.refers(q, 0)
			q.WriteString(" WHERE ")
			if err := d.keyed(q, part); err != nil {
				return err
			}
			err := e.scan(ctx, e.tx, q, len(texts), func(found []any) error {
				if w.end == nil {
					e.follow[strings.ToLower(w.to.name)]++
					return nil
				}
				key, err := w.end.keyOf(e.dialect, found)
				e.means(w.end, []string{key})
				return err
			})
			if reasonOf(err) == forbidden {
				return errUnread(ref.from.name)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// settleChanged holds what the database changed of a table and its parts against what was
// written there, and, where that is more, the rows that it wrote against those that were
// meant. A trigger of the table's own that writes to them once more, as one that sets the
// time of the last change, changes no others. The manifest may let a trigger add rows.
func (e *erasure) settleChanged(ctx context.Context, w *tree, adds bool) error {
	if slices.ContainsFunc(w.holdings, func(h *holding) bool { return h.d.own.view }) {
		return nil // which rows one of a view is made of isn't known
	}
	ours, added := int64(0), int64(0)
	for _, h := range w.holdings {
		ours += e.wrote[h.d]
	}
	for _, r := range w.tables {
		if len(w.holdings) == 0 {
			ours += e.takenFrom(r.name, true) + e.follow[strings.ToLower(r.name)]
		}
	}
	if adds {
		added = w.inserted
	}
	if w.changed() <= ours+added {
		return nil
	}
	others, err := e.strangers(ctx, w, ours)
	if others -= added; err != nil || others <= 0 {
		return err
	}
	cause := dsar.Cause{Table: w.name}
	var all []trigger
	for _, o := range e.catalogue().triggers {
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
func (e *erasure) strangers(ctx context.Context, w *tree, meant int64) (others int64, err error) {
	if len(w.holdings) == 0 {
		for _, top := range w.tops { // with their parts, which who may read the whole may not read by themselves
			err := each(ctx, e.tx, "SELECT count(*) FROM "+top.sql+" AS t WHERE "+e.dialect.written("t"), func(row []string) { others += whole(row[0]) })
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
			for _, t := range e.catalogue().on(h.d.relation.id, false) {
				if w.any(t.writesTo) {
					times++
				}
			}
			return w.changed() - (meant+int64(e.detached))*times, nil
		}
	}
	q := &statement{dialect: e.dialect}
	texts := d.keyTexts(e.dialect, "t")
	q.add("SELECT ", strings.Join(texts, ", "), " FROM ", d.table, " AS t WHERE ", e.dialect.written("t"))
	err = e.scan(ctx, e.tx, q, len(texts), func(held []any) error {
		key, err := d.keyOf(e.dialect, held)
		if !slices.ContainsFunc(w.holdings, func(h *holding) bool { return e.meant[h.d][key] }) {
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
