package sqlsystem

import (
	"context"
	"fmt"
	"slices"

	"habeas.dev/pkg/manifest"
)

// Copies looks for what the datasets' tables say elsewhere, or to others, that an erasure
// and a search don't see, as far as the catalogue knows: what is kept ([System.Kept]), and
// policies that hide rows from the worker.
func (s *System) Copies(ctx context.Context) ([]Advice, error) {
	out, err := s.Kept(ctx)
	if err != nil {
		return nil, err
	}
	s.eachTable(func(at string, d *dataset) {
		if hidden := s.filteredOf(d.reads); hidden != "" {
			out = append(out, Advice{at, fmt.Sprintf("policies of row security may hide rows of %s from the worker: dataset %s isn't covered, and every request that asks for it needs attention", hidden, d.Name), filteredCure(hidden)})
		}
	})
	return out, nil
}

// Kept looks for copies of what is erased that the database keeps, and of which no answer
// would say that they are there: materialized views, and replicas that aren't told of
// deletions. No worker that erases is to serve such a system.
func (s *System) Kept(ctx context.Context) ([]Advice, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	if err := s.freshen(ctx, s.db); err != nil {
		return nil, err
	}
	var out []Advice
	var failed error
	s.eachTable(func(at string, d *dataset) {
		if failed == nil {
			before := len(out)
			failed = undropped(func() error {
				out = out[:before]
				return s.dialect.copies(ctx, s, d, func(what, cure string) { out = append(out, Advice{at, what, cure}) })
			})
		}
	})
	return out, failed
}

// rewrites reports whether the manifest has what rows of the dataset's table hold changed.
func (d *dataset) rewrites() bool {
	return slices.ContainsFunc(d.alike(), func(o *dataset) bool { return o.SQL.Erases(manifest.EraseAnonymise) || len(o.SQL.Corrigible()) > 0 })
}

// eachTable hands one dataset of each table to visit, with where the manifest has it.
func (s *System) eachTable(visit func(at string, d *dataset)) {
	for i, d := range s.datasets {
		if len(d.siblings) == 0 || slices.Index(s.datasets, d.siblings[0]) >= i {
			visit(s.m.At(fmt.Sprintf("datasets[%d].sql.table", i)), d)
		}
	}
}
