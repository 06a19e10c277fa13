package sqlsystem

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"habeas.dev/pkg/manifest"
)

// Blockers looks for what makes deletions fail or slow: foreign keys by which rows of tables
// that no dataset is of refer to what is deleted, and foreign keys of any table that no
// index serves, for each of which the database reads that table for every row it deletes.
func (s *System) Blockers(ctx context.Context) ([]Advice, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	if err := s.freshen(ctx, s.db); err != nil {
		return nil, err
	}
	var out []Advice
	for i, d := range s.datasets {
		if !d.SQL.Erases(manifest.EraseDelete) || d.own.view {
			continue
		}
		at := s.m.At(fmt.Sprintf("datasets[%d].sql", i))
		for _, r := range s.catalogue().to(d.relation.id) {
			if r.onDelete == blocks && s.datasetOf(r.from.id) == nil {
				out = append(out, Advice{Where: at, What: fmt.Sprintf("dataset %s: rows of %s refer to those that are deleted (%s), and no dataset is of it: the database refuses to delete what one refers to", d.Name, r.from.name, strings.Join(r.columns, ", ")),
					Cure: fmt.Sprintf("make a dataset of %s, or have %s made anonymous", r.from.name, d.Name)})
			}
			if own, err := s.describe(ctx, r.from.name); err != nil || s.dialect.follows(ctx, s, own, r.from.name, r.columns) {
				continue
			}
			var columns []string
			for _, c := range r.columns {
				columns = append(columns, s.dialect.quote(c))
			}
			out = append(out, Advice{Where: at, What: fmt.Sprintf("dataset %s: for each row that is deleted the database reads all of %s%s, since no index serves its foreign key (%s)", d.Name, r.from.name, s.sized(ctx, r.from), strings.Join(r.columns, ", ")),
				Cure: s.createIndex(r.from.name, strings.Join(r.columns, "_"), "refers", strings.Join(columns, ", "))})
		}
	}
	return slices.CompactFunc(out, func(a, b Advice) bool { return a == b }), ctx.Err()
}

// sized returns how large a table is, as far as the database knows without looking: " (some
// 1200000 rows)"; empty where it doesn't.
func (s *System) sized(ctx context.Context, t relation) string {
	query, args := s.dialect.size(t)
	if query == "" {
		return ""
	}
	size := ""
	_ = each(ctx, s.db, query, func(row []string) {
		if n, err := strconv.ParseInt(row[0], 10, 64); err == nil && n > 0 {
			size = fmt.Sprintf("some %d rows", n)
		}
		if len(row) > 1 && row[1] != "" {
			size = strings.TrimPrefix(size+", "+row[1], ", ")
		}
	}, args...)
	if size == "" {
		return ""
	}
	return " (" + size + ")"
}

// sizedTable returns how large a table of the manifest is, as [System.sized] does.
func (s *System) sizedTable(ctx context.Context, name string) string {
	t, err := s.describe(ctx, name)
	if err != nil || t.view {
		return ""
	}
	return s.sized(ctx, t.relation)
}
