package sqlsystem

import (
	"context"
	"slices"
	"strings"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
)

// Elsewhere returns a dataset, or the tables of sql.resolve, in which an identifier leads to records
// that a task's own identifiers don't lead to; empty: to none.
func (s *System) Elsewhere(ctx context.Context, t *worker.Task, id worker.Identifier) (string, error) {
	if err := s.lookForFilters(ctx, s.db); err != nil {
		return "", s.explain(err)
	}
	where, err := s.elsewhere(ctx, t, id)
	return where, s.explain(err)
}

func (s *System) elsewhere(ctx context.Context, t *worker.Task, id worker.Identifier) (string, error) {
	other := &worker.Task{Identifiers: []worker.Identifier{id}, Jurisdiction: t.Jurisdiction}
	written, kin, _, err := s.asWritten(ctx, s.db, []*worker.Task{other, t})
	if err != nil {
		return "", err
	}
	other, t = written[0], written[1]
	for _, d := range s.datasets {
		by, err := s.keysOf(ctx, d, other)
		if err != nil {
			return "", err
		}
		if len(by) == 0 {
			continue
		}
		own, err := s.keysOf(ctx, d, t)
		if err != nil {
			return "", err
		}
		for key := range by {
			if !own[key] {
				return d.Name, nil
			}
		}
	}
	found := []*worker.ResolveJob{{}, {}}
	if err := s.resolveBy(ctx, s.db, written, kin, found); err != nil {
		return "", err
	}
	for _, f := range found[0].Found {
		known := slices.ContainsFunc(t.Identifiers, func(k worker.Identifier) bool { return k.Type == f.Type && k.Value == f.Value }) ||
			slices.ContainsFunc(found[1].Found, func(k worker.Found) bool { return k.Type == f.Type && k.Value == f.Value })
		if !known {
			return s.foundIn(f.Type), nil
		}
	}
	return "", nil
}

// keysOf returns the keys of a dataset's rows that a task's identifiers lead to.
func (s *System) keysOf(ctx context.Context, d *dataset, t *worker.Task) (map[string]bool, error) {
	keys := map[string]bool{}
	for _, c := range s.chunks([]*worker.Task{t}) {
		err := s.find(ctx, s.db, d, c, today(s.now()), false, func(r *row) error {
			keys[r.key] = true
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return keys, nil
}

// foundIn names the tables of sql.resolve in which identifiers of a type are found.
func (s *System) foundIn(t dsar.IdentifierType) string {
	var tables []string
	for _, r := range s.m.SQL.Resolve {
		if r.Find == t && !slices.Contains(tables, r.Table) {
			tables = append(tables, r.Table)
		}
	}
	return strings.Join(tables, " or ")
}
