package pgjournal

import (
	"context"

	"github.com/jackc/pgx/v5"

	"habeas.dev/services/internal/journal"
)

// Sizes implements journal.Sized. Rows are counted: it reads an index of each table as a whole.
func (s *Store) Sizes(ctx context.Context) ([]journal.Size, error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	sizes, err := s.tableSizes(ctx)
	if err != nil {
		return nil, s.explain(ctx, err)
	}
	for i, t := range sizes {
		if err := s.pool.QueryRow(ctx, "SELECT count(*) FROM "+pgx.Identifier{t.Table}.Sanitize()).Scan(&sizes[i].Rows); err != nil {
			return nil, s.explain(ctx, err)
		}
	}
	return sizes, nil
}

// Largest implements journal.Sized. It reads all facts.
func (s *Store) Largest(ctx context.Context, limit int) ([]journal.RequestSize, error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	rows, err := s.pool.Query(ctx, `SELECT r.id, f.facts, f.bytes FROM (SELECT request, count(*) AS facts, sum(coalesce(octet_length(data), 0) + octet_length(hash) + octet_length(type)) AS bytes
		FROM fact GROUP BY request ORDER BY bytes DESC, request LIMIT $1) f JOIN request r ON r.num = f.request ORDER BY f.bytes DESC, r.id`, limit)
	if err != nil {
		return nil, s.explain(ctx, err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[journal.RequestSize])
	return all, s.explain(ctx, err)
}

// tableSizes returns the tables of the schema, sorted. Rows are the server's estimate; 0
// where it has none yet.
func (s *Store) tableSizes(ctx context.Context) ([]journal.Size, error) {
	rows, err := s.pool.Query(ctx, `SELECT relname::text, greatest(reltuples, 0)::bigint, pg_table_size(oid), pg_indexes_size(oid)
		FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') ORDER BY relname`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[journal.Size])
}
