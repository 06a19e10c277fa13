package sqlsystem

import (
	"context"
	"fmt"
	"slices"
)

// Uncovered asks the database for the tables that no dataset of the manifest is of and that no
// join or sql.resolve names, sorted: of every schema that the worker's user may read. Views, and
// partitions and heirs of a dataset's table are left out, and what the manifest calls technical.
// MariaDB's other databases are [System.Apart]'s.
func (s *System) Uncovered(ctx context.Context) ([]string, error) {
	all, err := s.uncovered(ctx)
	return namesOf(all, func(p placed) bool { return !p.apart }), err
}

// Apart looks for tables of MariaDB's other databases that the worker's user may read, and that
// [System.Uncovered] would have if they lay in a schema: they may be another system's.
func (s *System) Apart(ctx context.Context) (out []Advice, err error) {
	all, err := s.uncovered(ctx)
	tables := map[string]int{}
	var schemas []string
	for _, p := range all {
		if !p.apart {
			continue
		}
		if tables[p.schema]++; tables[p.schema] == 1 {
			schemas = append(schemas, p.schema)
		}
	}
	slices.Sort(schemas)
	for _, schema := range schemas {
		out = append(out, Advice{s.m.At("sql"), fmt.Sprintf("the worker's user may read the database %s, too, and no dataset is of %d tables there: nobody looks in them", schema, tables[schema]),
			fmt.Sprintf("have a dataset, or a system, of what is people's there, and name the rest in sql.technical, or all of it: %s.*", schema)})
	}
	return out, err
}

func (s *System) uncovered(ctx context.Context) ([]placed, error) {
	named := s.tables()
	for name := range s.declared() {
		named = append(named, name)
	}
	var parts []string
	for _, d := range s.datasets {
		parts = append(parts, s.catalogue().parts[d.relation.id]...)
	}
	all, err := s.dialect.tables(ctx, s.db, s.m.SQL.Schema)
	return slices.DeleteFunc(all, func(p placed) bool {
		return s.technical(p) || slices.Contains(parts, p.id) || slices.ContainsFunc(named, func(name string) bool { return p.isNamed(s.dialect, name) })
	}), err
}

// technical reports whether the manifest says of a table that it says nothing of a person, or that
// another system serves it.
func (s *System) technical(p placed) bool {
	return slices.ContainsFunc(s.m.SQL.Technical, func(name string) bool { return p.isNamed(s.dialect, name) })
}

// ownTables returns the tables of the system's schema, sorted, without views and foreign tables.
func (s *System) ownTables(ctx context.Context) ([]string, error) {
	all, err := s.dialect.tables(ctx, s.db, s.m.SQL.Schema)
	return namesOf(all, func(p placed) bool { return p.own && !p.foreign }), err
}

// namesOf returns what those of some tables are called that count, sorted.
func namesOf(all []placed, counts func(placed) bool) (names []string) {
	for _, p := range all {
		if counts(p) {
			names = append(names, p.String())
		}
	}
	slices.Sort(names)
	return names
}
