package sqlsystem

import (
	"context"
	"fmt"
	"slices"
)

// Copies looks for what the datasets' tables say elsewhere, or to others, that an erasure
// and a search don't see, as far as the catalogue knows: materialized views, replicas that
// aren't told of deletions, policies that hide rows from the worker.
func (s *System) Copies(ctx context.Context) ([]Advice, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	if err := s.freshen(ctx, s.db); err != nil {
		return nil, err
	}
	var out []Advice
	for i, d := range s.datasets {
		at := s.m.At(fmt.Sprintf("datasets[%d].sql.table", i))
		if len(d.siblings) > 0 && slices.Index(s.datasets, d.siblings[0]) < i {
			continue // said already
		}
		add := func(what, cure string) { out = append(out, Advice{Where: at, What: what, Cure: cure}) }
		if err := s.dialect.copies(ctx, s, d, add); err != nil {
			return nil, err
		}
	}
	return out, nil
}
