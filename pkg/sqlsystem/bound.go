package sqlsystem

import (
	"context"
	"database/sql"
	"fmt"

	"habeas.dev/pkg/dsar"
)

// bound is what a transaction means to do to rows, and did: what else the database does in it,
// by foreign keys, triggers and rules, is refused before ([reach], [bound.change]), or undone
// once the database has counted it ([bound.settle]).
type bound struct {
	*examination
	tx      *sql.Tx
	done    map[*dataset]int64 // how many rows were deleted, or made anonymous
	wrote   map[*dataset]int64 // how many rows were written to otherwise
	changed int64              // the same of all
	removed int64              // how many rows the statements deleted themselves
	taken   int                // how many rows went, or changed, with them as the manifest lets them
	// detached is how many of the rows themselves may have been changed before they went.
	detached int
	// meant are the keys of rows that may be changed, and bounded the tables of which as
	// many rows may go, or lose their reference, as foreign keys have it.
	meant   map[*dataset]map[string]bool
	bounded map[string]bool
	sizes   map[*dataset]int64 // before, how many rows tables had that nothing else measures
	// follow is how many rows of tables that no dataset is of follow what is set, by name in
	// lower case.
	follow map[string]int64
	keeps  bool // it deletes nothing, and lets nothing be deleted
}

// bound returns the bound of a transaction that has done nothing yet.
func (e *examination) bound(tx *sql.Tx) *bound {
	return &bound{examination: e, tx: tx, done: map[*dataset]int64{}, wrote: map[*dataset]int64{}, meant: map[*dataset]map[string]bool{}, follow: map[string]int64{}}
}

// keeping runs do, which changes rows by [bound.change] and deletes none, and fails where the
// database did more in the same transaction than that.
func (s *System) keeping(ctx context.Context, tx *sql.Tx, jobs []*counted, do func(*bound) error) error {
	if err := s.freshen(ctx, tx); err != nil {
		return err
	}
	if err := s.dialect.keepsCount(ctx, tx); err != nil {
		return err
	}
	before, err := s.dialect.tallies(ctx, tx, s.m.SQL.Schema)
	if err != nil {
		return err
	}
	b := s.examination(tx, jobs, nil, s.datasets, lacks{}).bound(tx)
	b.keeps = true
	for _, d := range s.datasets {
		b.holdings = append(b.holdings, &holding{d: d})
	}
	if err := do(b); err != nil || b.changed == 0 {
		return err
	}
	if err := s.dialect.beforeCommit(ctx, tx); err != nil {
		return err
	}
	var lets []string
	for _, d := range s.datasets {
		lets = append(append(lets, d.SQL.Cascades...), d.SQL.Unlinks...)
	}
	return b.settle(ctx, before, lets)
}

// change sets columns of rows, each of which it must touch, where that does nothing to others
// that isn't let. verb begins the statement: it ends before WHERE.
func (b *bound) change(ctx context.Context, d *dataset, columns, keys []string, verb func(*statement)) error {
	if len(keys) == 0 {
		return nil
	}
	if err := b.countable(d); err != nil {
		return err
	}
	for _, w := range b.changing(d) {
		if !w.allowed || d.own.view && !b.dialect.measures(byForeignKeys) {
			return errOverreach(w, 0)
		}
	}
	if err := b.followed(ctx, d, columns, keys); err != nil {
		return err
	}
	if err := b.followers(ctx, d, columns, keys); err != nil {
		return err
	}
	if err := b.rewrite(ctx, b.tx, d, keys, verb); err != nil {
		return err
	}
	b.changed += int64(len(keys))
	b.wrote[d] += int64(len(keys))
	b.means(d, keys)
	return nil
}

// means notes that rows of a dataset may be changed.
func (b *bound) means(d *dataset, keys []string) {
	if b.meant[d] == nil {
		b.meant[d] = map[string]bool{}
	}
	for _, key := range keys {
		if key, err := d.rowKey(key); err == nil { // else it was refused where it was written
			b.meant[d][key] = true
		}
	}
}

// changing returns what changing rows of a dataset reaches by triggers and rules. Nothing lets
// those delete: what is corrected or restricted is kept.
func (s *System) changing(d *dataset) []way {
	var out []way
	for _, table := range append([]string{d.relation.id}, s.catalogue().reads[d.relation.id]...) {
		for _, t := range s.catalogue().on(table, false) {
			out = append(out, s.triggered(way{from: d, keeps: true}, t)...)
		}
	}
	return out
}

// followed fails where rows of other tables would follow what is set in rows, by a foreign key
// (ON UPDATE), and the manifest doesn't let them.
func (b *bound) followed(ctx context.Context, d *dataset, columns, keys []string) error {
	rows, err := d.rowKeys(keys)
	if err != nil {
		return err
	}
	for _, column := range columns {
		for _, r := range b.rewriting(d, column) {
			over := b.errRewritten(d, column, r)
			if d.own.view { // its rows aren't what the foreign key refers to
				return over
			}
			err := b.referring(ctx, b.tx, d, r, rows, []string{"1"}, func([]any) error { return over })
			if reasonOf(err) == forbidden {
				return errUnread(r.from.name)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// countable fails where what the database does with rows of a dataset can't be told.
func (s *System) countable(d *dataset) error {
	for _, t := range s.catalogue().setOffBy(s.reached(d)) {
		if t.uncounts != "" {
			return &overreach{fmt.Sprintf("%s, which erasing rows of %s sets off, changes %s, so what it takes with them can't be told: take that out of it, and of what it calls", t, d.Name, t.uncounts), dsar.Cause{Dataset: d.Name, Table: d.SQL.Table, Constraint: t.name}}
		}
	}
	if len(s.catalogue().heirs[d.relation.id]) > 0 && !d.tellsTables() {
		return &overreach{fmt.Sprintf("tables inherit from %s since the worker was started, and the key doesn't tell their rows apart: start it anew", d.SQL.Table), dsar.Cause{Dataset: d.Name, Table: d.SQL.Table}}
	}
	return nil
}
