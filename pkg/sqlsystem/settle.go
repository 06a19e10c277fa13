package sqlsystem

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"habeas.dev/pkg/dsar"
)

// measure is what a database counts of the rows that a transaction changes.
type measure uint8

const (
	byTable       measure = iota // for each table by itself
	byForeignKeys                // also those that a foreign key deletes or changes
	byKind                       // what is deleted, changed and added, each by itself
)

// tallies are what a connection's transaction has done so far, as the database itself
// counts it: by table, or, under the empty name, the sum of all.
type tallies map[string]tally

// tally is what was done to the rows of a table.
type tally struct {
	name, sql                  string
	deleted, inserted, updated int64
	emptied                    bool // as a whole, which is counted nowhere
	watched                    bool // of the sum: what is deleted is counted by table as well
}

func (t tally) changed() int64 { return t.inserted + t.updated }

// since returns what was done after an earlier tally.
func (t tally) since(before tally) tally {
	t.deleted, t.inserted, t.updated = t.deleted-before.deleted, t.inserted-before.inserted, t.updated-before.updated
	return t
}

// settle holds what a transaction was to do, before it is committed, against what the database
// itself counted in it, since before: whatever foreign keys, triggers and
// rules did, also such as the catalogue doesn't show. Where the server doesn't count, it is
// refused.
func (b *bound) settle(ctx context.Context, before tallies, lets []string) error {
	if err := b.dialect.keepsCount(ctx, b.tx); err != nil {
		return err
	}
	after, err := b.dialect.tallies(ctx, b.tx, b.m.SQL.Schema)
	if err != nil {
		return err
	}
	if sum, all := after[""]; all {
		if err := b.settleDeleted(before, after, lets); err != nil {
			return err
		}
		return b.settleSum(sum.since(before[""]), lets)
	}
	if err := b.settleOwn(before, after); err != nil {
		return err
	}
	for _, w := range b.trees(before, after) {
		if err := b.settleTree(ctx, w, lets); err != nil {
			return err
		}
	}
	return b.settleViews(before, after, lets)
}

// settleDeleted holds what was deleted from each dataset's table against what was to go, where the
// database counts all tables together, but for what is deleted: also rows that stood in the way of
// another's (REPLACE).
func (b *bound) settleDeleted(before, after tallies, lets []string) error {
	for _, id := range slices.Sorted(maps.Keys(after)) {
		deleted, ours, of := after[id].deleted-before[id].deleted, int64(0), (*dataset)(nil)
		for _, h := range b.holdings {
			if h.d.relation.id == id {
				of = h.d
			}
			if h.d.relation.id == id || slices.Contains(b.catalogue().reads[h.d.relation.id], id) {
				ours += b.done[h.d]
			}
		}
		if of != nil && has(lets, of.relation.name) {
			ours += b.takenFrom(of.relation.name, false)
		}
		if of != nil && deleted > ours {
			return &overreach{fmt.Sprintf("the database deleted %d rows of %s where %d were to go; a trigger did, or a clause of the table that replaces what is in the way (ON CONFLICT REPLACE), and all of it was undone: change what does it", deleted, of.relation.name, ours), dsar.Cause{Dataset: of.Name, Table: of.SQL.Table}}
		}
	}
	for _, h := range b.holdings {
		if h.d.own.view && after[""].watched {
			if err := b.settleGone(h, before, after); err != nil {
				return err
			}
		}
	}
	return nil
}

// settleOwn fails where the database counted fewer deletions from a table than the erasure itself
// made: it hasn't counted all of them, or any.
func (b *bound) settleOwn(before, after tallies) error {
	for _, h := range b.holdings {
		if h.d.own.view {
			continue
		}
		counted, done := int64(0), int64(0)
		for _, id := range append([]string{h.d.relation.id}, b.catalogue().parts[h.d.relation.id]...) {
			counted += after[id].deleted - before[id].deleted
		}
		for _, d := range h.d.alike() {
			done += b.done[d]
		}
		if counted < done {
			return &overreach{fmt.Sprintf("the database counted %d deleted rows of %s where %d were deleted, so what it took with them can't be told, and all of it was undone: have nothing set track_counts off", counted, h.d.relation.name, done), dsar.Cause{Dataset: h.d.Name, Table: h.d.SQL.Table}}
		}
	}
	return nil
}

// tree is a table with all that are parts of it, or it of them: how many rows of each a
// statement reaches isn't known.
type tree struct {
	tally               // of all of them; called as the first of tops
	tables   []relation // of which something was done, and those that they are parts of
	tops     []relation // those of tables that are part of no other
	holdings []*holding // of their rows, and of views that read them
}

// any reports whether a test holds of what one of the tables is called.
func (w *tree) any(test func(name string) bool) bool {
	return slices.ContainsFunc(w.tables, func(r relation) bool { return test(r.name) })
}

// trees returns what was done, by tree.
func (b *bound) trees(before, after tallies) []*tree {
	c := b.catalogue()
	trees := c.wholes()
	byFirst := map[string]*tree{}
	var out []*tree
	for _, id := range slices.Sorted(maps.Keys(after)) {
		t := after[id].since(before[id])
		first := cmp.Or(trees[id], id)
		w := byFirst[first]
		if w == nil {
			w = &tree{}
			byFirst[first], out = w, append(out, w)
		}
		w.deleted, w.inserted, w.updated, w.emptied = w.deleted+t.deleted, w.inserted+t.inserted, w.updated+t.updated, w.emptied || t.emptied
		w.tables = append(w.tables, relation{id, t.sql, t.name})
	}
	for first, w := range byFirst {
		for _, id := range slices.Sorted(maps.Keys(c.roots)) {
			is := func(r relation) bool { return r.id == id }
			if !slices.ContainsFunc(w.tables, is) && slices.ContainsFunc(w.tables, func(r relation) bool { return slices.Contains(c.parts[id], r.id) }) {
				w.tables = append(w.tables, c.roots[id])
			}
		}
		w.tops = slices.DeleteFunc(slices.Clone(w.tables), func(r relation) bool {
			return slices.ContainsFunc(w.tables, func(o relation) bool { return slices.Contains(c.parts[o.id], r.id) })
		})
		w.name = w.tops[0].name
		for _, h := range b.holdings {
			id := h.d.relation.id
			if cmp.Or(trees[id], id) == first || slices.ContainsFunc(c.reads[id], func(read string) bool { return cmp.Or(trees[read], read) == first }) {
				w.holdings = append(w.holdings, h)
			}
		}
	}
	return out
}

// settleTree holds what was done to the rows of a table and of its parts against what was to
// be done there. What foreign keys lead to may go, or lose its reference, as often as rows
// refer; where a trigger alone writes to a table that is nobody's, the manifest lets it do so.
func (b *bound) settleTree(ctx context.Context, w *tree, lets []string) error {
	let := w.any(func(name string) bool { return has(lets, name) })
	own := len(w.holdings) > 0
	bounded := own || w.any(func(name string) bool { return b.bounded[strings.ToLower(name)] })
	ours := int64(0)
	for _, h := range w.holdings {
		ours += b.done[h.d]
	}
	switch {
	case b.keeps && own && w.deleted > 0:
		return &overreach{fmt.Sprintf("the database deleted %d rows of %s where all were to be kept; a foreign key, trigger or rule did, and all of it was undone: change what does it", w.deleted, w.name), dsar.Cause{Table: w.name}}
	case w.emptied:
		return &overreach{fmt.Sprintf("a trigger or function emptied %s (TRUNCATE), and all of it was undone: have it delete the rows that are meant", w.name), dsar.Cause{Table: w.name}}
	case let:
		for _, r := range w.tables {
			ours += b.takenFrom(r.name, false)
		}
		switch extra := w.deleted - ours; {
		case extra > 0 && bounded:
			return &overreach{fmt.Sprintf("the database deleted %d rows more of %s than refer to what is erased; a trigger or rule did, and all of it was undone: change what does it", extra, w.name), dsar.Cause{Table: w.name}}
		case extra > 0 && !b.keeps:
			if err := b.letGo(w, extra); err != nil {
				return err
			}
		}
		if !bounded {
			return nil
		}
	case own && w.deleted > ours:
		return &overreach{fmt.Sprintf("the database deleted %d rows of %s where %d were to go; a foreign key, trigger or rule took the others with it, and all of it was undone: name %s in the cascades of the dataset that takes them, where they may go", w.deleted, w.name, ours, w.name), dsar.Cause{}}
	case !own && w.deleted+w.changed() > 0:
		return &overreach{fmt.Sprintf("the database changed %d rows of %s, of which no dataset is; a foreign key, trigger or rule did, and all of it was undone: name %s in the cascades of the dataset with whose rows they go, where they may", w.deleted+w.changed(), w.name, w.name), dsar.Cause{}}
	}
	return b.settleChanged(ctx, w, w.any(func(name string) bool { return has(b.cascades(), name) }))
}

// cascades returns the tables of which rows may go with those of a dataset.
func (b *bound) cascades() (tables []string) {
	for _, h := range b.holdings {
		tables = append(tables, h.d.SQL.Cascades...)
	}
	return tables
}

// settleViews holds views against the tables that they read, all together: a row of a view is
// a row of one of those, and which isn't known.
func (b *bound) settleViews(before, after tallies, lets []string) error {
	var views []string
	read := map[string]bool{}
	ours, deleted := int64(0), int64(0)
	for _, h := range b.holdings {
		if h.d.own.view {
			if err := b.settleGone(h, before, after); err != nil {
				return err
			}
			views, ours = append(views, h.d.SQL.Table), ours+b.done[h.d]
			for _, id := range b.catalogue().reads[h.d.relation.id] {
				read[id] = true
			}
		}
	}
	for id := range read {
		if t := after[id]; !has(lets, t.name) {
			deleted += t.deleted - before[id].deleted
		}
	}
	for _, h := range b.holdings {
		if read[h.d.relation.id] {
			ours += b.done[h.d]
		}
	}
	if len(views) == 0 || deleted <= ours {
		return nil
	}
	return &overreach{fmt.Sprintf("the database deleted %d rows of the tables that %s read where %d were to go; a foreign key, trigger or rule took the others, and all of it was undone: name the table in the cascades of the dataset that takes them, where they may go", deleted, strings.Join(views, ", "), ours), dsar.Cause{}}
}

// settleSum settles where the database counts all tables together: deletions and changes by
// themselves where it does so, but for what a trigger that is let may do of it.
func (b *bound) settleSum(sum tally, lets []string) error {
	let := b.unmeasured(lets)
	let.deletes = let.deletes && !(b.keeps && b.countsDeleted())
	if b.dialect.measures(byKind) {
		extra := int64(0)
		for _, k := range []struct {
			did, ours int64
			let       bool
		}{{sum.deleted, b.removed, let.deletes}, {sum.updated, b.changed, let.updates}, {sum.inserted, 0, let.inserts}} {
			if more := k.did - k.ours; !k.let && more > 0 {
				extra += more
			}
		}
		if extra > 0 {
			return b.errSum(extra)
		}
		return nil
	}
	all, ours := sum.deleted+sum.changed(), b.changed
	for _, n := range b.done {
		ours += n
	}
	if b.dialect.measures(byForeignKeys) {
		ours += int64(b.taken + b.detached)
	}
	if all > ours+b.touched() && let == (deed{}) && !b.followable(lets) {
		return b.errSum(all - ours)
	}
	return nil
}

// letSizes counts the rows of datasets' tables that the manifest lets go with others, where the
// database counts all tables together and a trigger deletes from any such table: what it takes
// of them itself, or foreign keys with what it takes, is measured by nothing else.
func (b *bound) letSizes(ctx context.Context) (map[*dataset]int64, error) {
	sizes := map[*dataset]int64{}
	lets := b.cascades()
	if b.dialect.measures(byTable) || !b.catalogue().deletesFrom(lets) {
		return sizes, nil
	}
	for _, h := range b.holdings {
		d := h.d
		counted := slices.ContainsFunc(d.siblings, func(o *dataset) bool { _, is := sizes[o]; return is })
		if counted || d.own.view || !has(lets, d.relation.name) {
			continue
		}
		err := each(ctx, b.tx, "SELECT count(*) FROM "+d.table, func(row []string) { sizes[d] = whole(row[0]) })
		if err != nil {
			return nil, d.may(reading, err)
		}
	}
	return sizes, nil
}

// deletesFrom reports whether the text of a trigger deletes from one of some tables.
func (c *catalogue) deletesFrom(tables []string) bool {
	return slices.ContainsFunc(c.triggers, func(t trigger) bool {
		return slices.ContainsFunc(t.deeds, func(does deed) bool {
			return does.deletes && slices.ContainsFunc(tables, func(name string) bool { return bareName(name) == does.table })
		})
	})
}

// settleSizes holds how many rows are missing of those tables against how many were to go.
func (b *bound) settleSizes(ctx context.Context) error {
	after, err := b.letSizes(ctx)
	if err != nil {
		return err
	}
	for _, h := range b.holdings {
		before, counted := b.sizes[h.d]
		if !counted {
			continue
		}
		ours := b.takenFrom(h.d.relation.name, false)
		for _, o := range b.holdings {
			if o.d.relation.id == h.d.relation.id {
				ours += b.done[o.d]
			}
		}
		if more := before - after[h.d] - ours; more > 0 {
			return &overreach{fmt.Sprintf("the database deleted %d rows more of %s than were to go; a trigger did, and all of it was undone: change what does it", more, h.d.relation.name), dsar.Cause{Dataset: h.d.Name, Table: h.d.SQL.Table}}
		}
	}
	return nil
}

// touched returns how many rows the triggers may have changed that write to the row only which
// sets them off: each of a table once for each row, and once more for what the others of it do
// to that, but not for what it does itself.
func (b *bound) touched() (rows int64) {
	c := b.catalogue()
	for _, h := range b.holdings {
		times := int64(0)
		for i := range c.touches(h.d.own) {
			times = int64(i+1) * (1 + times)
		}
		updated := b.wrote[h.d]
		if slices.ContainsFunc(c.references, func(r reference) bool { return r.from.id == h.d.relation.id && r.onDelete == detaches }) {
			updated += int64(b.detached)
		}
		rows += updated * times
	}
	return rows
}

// errSum returns the error of a transaction in which the database changed more rows than it should.
// It names the triggers that were set off, apart from those that are counted.
func (b *bound) errSum(more int64) error {
	c := b.catalogue()
	var all []trigger
	cause, cure := dsar.Cause{}, "the table in the dataset's cascades"
	for _, h := range b.holdings {
		for _, id := range b.reached(h.d) {
			var set []trigger
			if b.done[h.d] > 0 {
				set = append(set, c.on(id, true)...)
			}
			if b.wrote[h.d] > 0 || id != h.d.relation.id && b.done[h.d] > 0 {
				set = append(set, c.on(id, false)...)
			}
			for _, t := range set {
				if len(t.deeds) == 0 || slices.ContainsFunc(c.touches(h.d.own), func(o trigger) bool { return o.name == t.name }) || slices.ContainsFunc(all, func(o trigger) bool { return o.name == t.name }) {
					continue
				}
				all = append(all, t)
				cause = dsar.Cause{Dataset: h.d.Name, Table: h.d.SQL.Table, Constraint: t.name}
				var written []string
				for _, d := range t.deeds {
					written = append(written, d.table)
				}
				cure = strings.Join(written, ", ") + " in the cascades of " + h.d.Name
			}
		}
	}
	who := "a foreign key or trigger did"
	switch len(all) {
	case 0:
	case 1:
		who = all[0].String() + " did"
	default:
		who, cause, cure = "one of these did: "+names(all), dsar.Cause{}, "the table that it writes to in the cascades of the dataset that sets it off"
	}
	return &overreach{fmt.Sprintf("the database changed %d rows more than it was to; %s, and all of it was undone: name %s, where they may go or change", more, who, cure), cause}
}

// measures reports whether settle notices what a trigger does to rows of any table: where
// the database counts all tables together, it doesn't notice of what kind one does something
// that is let.
func (s *System) measures(does deed) bool {
	if s.dialect.measures(byTable) {
		return true
	}
	var lets []string
	for _, d := range s.datasets {
		lets = append(lets, d.SQL.Cascades...)
		// One that writes to its own row, and not for each, leaves room for what another does.
		if slices.ContainsFunc(s.catalogue().touches(d.own), func(t trigger) bool { return t.touch.sometimes }) {
			return false
		}
	}
	let := s.unmeasured(lets)
	return !(let.inserts && does.inserts || let.updates && does.updates || let.deletes && does.deletes)
}

// countsDeleted reports whether settle notices each row that a trigger deletes of a dataset, where
// none may be deleted: the database counts what is deleted by itself, and nothing lets a trigger
// delete from other tables.
func (s *System) countsDeleted() bool {
	var lets []string
	for _, d := range s.datasets {
		lets = append(lets, slices.DeleteFunc(slices.Clone(d.SQL.Cascades), s.isCovered)...)
	}
	return s.dialect.measures(byTable) || s.dialect.measures(byKind) && !s.unmeasured(lets).deletes
}

// isCovered reports whether a dataset is of the table of a name.
func (s *System) isCovered(table string) bool {
	return slices.ContainsFunc(s.datasets, func(d *dataset) bool {
		return has([]string{table}, d.relation.name) || s.reads(d, bareName(table))
	})
}

// unmeasured returns what triggers do to the tables that may be reached: how often, only they
// know. Where the database counts all kinds together, one stands for all.
func (s *System) unmeasured(lets []string) (let deed) {
	c := s.catalogue()
	inserted := func(table string) bool {
		return slices.ContainsFunc(c.triggers, func(t trigger) bool {
			return slices.ContainsFunc(t.deeds, func(d deed) bool { return d.inserts && d.table == bareName(table) })
		})
	}
	for _, t := range c.triggers {
		if !t.deletes && !t.updates && !inserted(t.of) {
			continue
		}
		for _, d := range t.deeds {
			switch {
			case !slices.ContainsFunc(lets, func(name string) bool { return bareName(name) == d.table }):
			case s.dialect.measures(byKind):
				let.inserts, let.updates, let.deletes = let.inserts || d.inserts, let.updates || d.updates, let.deletes || d.deletes
			default:
				let.inserts, let.updates, let.deletes = true, true, true
			}
		}
	}
	return let
}

// whole reads a whole number that the database wrote.
func whole(text string) int64 {
	n, _ := strconv.ParseInt(text, 10, 64)
	return n
}
