package sqlitejournal

import (
	"context"
	"time"

	"habeas.dev/services/internal/journal"
)

// AddSearch implements journal.Searches. It writes beside the appends, as notes are
// written.
func (s *Store) AddSearch(ctx context.Context, one journal.Search) error {
	if err := journal.CheckSearch(one); err != nil {
		return err
	}
	if err := s.usable(ctx); err != nil {
		return err
	}
	_, err := s.notes.ExecContext(ctx, "INSERT INTO search (at, by, hash, found) VALUES (?, ?, ?, ?)", one.At.UnixMicro(), one.By, one.Hash, one.Found)
	return explain(s.path, err)
}

// Searches implements journal.Searches.
func (s *Store) Searches(ctx context.Context, f journal.SearchFilter) (list []journal.Search, err error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	const query = `SELECT at, by, hash, found FROM search WHERE (?1 = '' OR by = ?1) AND (?2 = '' OR hash = ?2) AND at >= ?3 ORDER BY num DESC LIMIT ?4`
	rows, err := s.read.QueryContext(ctx, query, f.By, f.Hash, f.Since.UnixMicro(), journal.Filter{Limit: f.Limit}.ListLimit())
	if err != nil {
		return nil, explain(s.path, err)
	}
	defer rows.Close()
	for rows.Next() {
		var one journal.Search
		var at int64
		if err := rows.Scan(&at, &one.By, &one.Hash, &one.Found); err != nil {
			return nil, explain(s.path, err)
		}
		one.At = time.UnixMicro(at).UTC()
		list = append(list, one)
	}
	return list, explain(s.path, rows.Err())
}
