package sqlsystem

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"habeas.dev/pkg/manifest"
)

// filters are, by table or view, the tables that show some of their rows only to the
// database's user, by policies of row security.
type filters map[string][]string

// lookForFilters asks the database which of the tables that are read don't show all of their
// rows, as they are now: that they hold nothing of a person couldn't be said of those.
func (s *System) lookForFilters(ctx context.Context, on executor) error {
	var ids []string
	for _, d := range s.datasets {
		ids = append(ids, d.reads...)
	}
	for _, f := range s.finders {
		ids = append(ids, f.reads...)
	}
	slices.Sort(ids)
	found, err := s.dialect.filtered(ctx, on, s.m.SQL.Schema, slices.Compact(ids))
	if err != nil {
		return fmt.Errorf("sqlsystem: %s: which rows the database shows isn't known: %w", s.m.System, err)
	}
	s.filters.Store(&found)
	return nil
}

// filteredOf returns a table of which some rows may be hidden from who reads tables; empty where
// there is none, or the manifest says that it shows all.
func (s *System) filteredOf(tables []string) string {
	found := s.filters.Load()
	if found == nil {
		return ""
	}
	for _, id := range tables {
		for _, name := range (*found)[id] {
			if !slices.Contains(s.m.SQL.ShowsAll, name) {
				return name
			}
		}
	}
	return ""
}

// filtered returns a denied where some of a dataset's rows may be hidden.
func (s *System) filtered(d *dataset) error {
	if hidden := s.filteredOf(d.reads); hidden != "" {
		return &denied{d: d, what: reading, err: errors.New("sqlsystem: " + filteredReason(hidden)), hidden: hidden}
	}
	return nil
}

// filteredReason says what is wrong with a table that shows some of its rows only.
func filteredReason(table string) string {
	return "policies of row security may hide rows of " + table + " from the database's user, so that what it finds may not be all: " + filteredCure(table)
}

func filteredCure(table string) string {
	return "give it BYPASSRLS, or a policy that shows all rows (FOR SELECT USING (true)); or name " + table + " in the manifest's sql.shows_all, where its policies show it all that is the system's"
}

// reads returns the database's own names of a table and of those that joins go through.
func (c *compiler) reads(ctx context.Context, path, name string, joins []manifest.Via) ([]string, error) {
	names := []string{name}
	for _, v := range joins {
		names = append(names, v.Table)
	}
	var ids []string
	for _, name := range names {
		t, err := c.look(ctx, path, name)
		if err != nil {
			return nil, err
		}
		ids = append(ids, t.relation.id)
	}
	return ids, nil
}
