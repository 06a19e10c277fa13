package sqlsystem

import (
	"fmt"
	"regexp"
	"slices"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
)

// runForm matches where a function runs what its text doesn't show.
var runForm = regexp.MustCompile(`(?i)\bexecute\b|\bperform\b|\bcall\b`)

// instead returns why rows can't be erased through a view: a trigger or rule does it in the
// database's place, and may do anything, as mark the row so that the view doesn't show it any more
// while it stays in the table. One that does nothing but delete rows of the only table that the view
// reads may: what is gone from there is gone. It is nil where nothing is in the way.
func (s *System) instead(d *dataset) *overreach {
	if !d.own.view {
		return nil
	}
	c := s.catalogue()
	read := c.reads[d.relation.id]
	for _, id := range append([]string{d.relation.id}, read...) {
		for _, deleting := range []bool{true, false} {
			if deleting && !d.SQL.Erases(manifest.EraseDelete) || !deleting && !d.SQL.Erases(manifest.EraseAnonymise) {
				continue
			}
			for _, t := range c.on(id, deleting) {
				only := len(read) == 1 && len(t.deeds) == 1 && bareName(c.names[read[0]]) == t.deeds[0].table && t.deeds[0] == deed{table: t.deeds[0].table, deletes: true}
				if !t.instead || deleting && only && !t.runs && len(t.unread) == 0 {
					continue
				}
				return &overreach{fmt.Sprintf("rows of %s are erased by %s in the database's place, so whether anything is gone from the tables that the view reads can't be told: name the table itself in the dataset", d.SQL.Table, t), dsar.Cause{Dataset: d.Name, Table: d.SQL.Table, Constraint: t.name}}
			}
		}
	}
	return nil
}

// settleGone fails where fewer rows are gone from the tables that a view reads than were erased by
// way of it: a trigger of theirs may have kept one, and marked it so that the view hides it.
func (b *bound) settleGone(h *holding, before, after tallies) error {
	gone, done := int64(0), b.done[h.d]
	read := b.catalogue().reads[h.d.relation.id]
	if len(read) == 0 { // a foreign table
		return nil
	}
	for _, id := range read {
		gone += after[id].deleted - before[id].deleted
	}
	for _, o := range b.holdings { // what was deleted of those tables otherwise
		if o != h && (slices.Contains(read, o.d.relation.id) || o.d.relation.id == h.d.relation.id) {
			done += b.done[o.d]
		}
	}
	if gone < done {
		return &overreach{fmt.Sprintf("%d rows are gone from the tables that %s reads where %d were erased, so some are hidden by the view only, and all of it was undone: name the table itself in the dataset", gone, h.d.SQL.Table, done), dsar.Cause{Dataset: h.d.Name, Table: h.d.SQL.Table}}
	}
	return nil
}
