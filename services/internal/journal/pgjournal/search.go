package pgjournal

import (
	"context"

	"github.com/jackc/pgx/v5"
	"habeas.dev/services/internal/journal"
)

// AddSearch implements journal.Searches.
func (s *Store) AddSearch(ctx context.Context, one journal.Search) error {
	if err := journal.CheckSearch(one); err != nil {
		return err
	}
	if err := s.usable(ctx); err != nil {
		return err
	}
	bounded, cancel := context.WithTimeout(ctx, commitTimeout)
	defer cancel()
	_, err := s.pool.Exec(bounded, "INSERT INTO search (at, by, hash, found) VALUES ($1, $2, $3, $4)", journal.Time(one.At), one.By, one.Hash, one.Found)
	return s.explain(ctx, err)
}

// Searches implements journal.Searches.
func (s *Store) Searches(ctx context.Context, f journal.SearchFilter) ([]journal.Search, error) {
	const sql = `SELECT at, by, hash, found FROM search WHERE ($1 = '' OR by = $1) AND ($2 = '' OR hash = $2) AND at >= $3 ORDER BY num DESC LIMIT $4`
	return query(ctx, s, func(row pgx.CollectableRow) (journal.Search, error) {
		var one journal.Search
		err := row.Scan(&one.At, &one.By, &one.Hash, &one.Found)
		one.At = one.At.UTC()
		return one, err
	}, sql, f.By, f.Hash, journal.Time(f.Since), journal.Filter{Limit: f.Limit}.ListLimit())
}
