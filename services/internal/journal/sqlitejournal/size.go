package sqlitejournal

import (
	"context"
	"database/sql"

	"habeas.dev/services/internal/journal"
)

// Sizes implements journal.Sized. It reads the whole file.
func (s *Store) Sizes(ctx context.Context) ([]journal.Size, error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	sizes, err := tableSizes(ctx, s.read)
	return sizes, explain(s.path, err)
}

// Largest implements journal.Sized. It reads all facts.
func (s *Store) Largest(ctx context.Context, limit int) (all []journal.RequestSize, err error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	rows, err := s.read.QueryContext(ctx, `SELECT r.id, f.facts, f.bytes FROM (SELECT request, count(*) AS facts, sum(coalesce(length(data), 0) + length(hash) + length(type)) AS bytes
		FROM fact GROUP BY request ORDER BY bytes DESC, request LIMIT ?) f JOIN request r ON r.num = f.request ORDER BY f.bytes DESC, r.id`, limit)
	if err != nil {
		return nil, explain(s.path, err)
	}
	defer rows.Close()
	for rows.Next() {
		var one journal.RequestSize
		if err := rows.Scan(&one.RequestID, &one.Facts, &one.Bytes); err != nil {
			return nil, explain(s.path, err)
		}
		all = append(all, one)
	}
	return all, explain(s.path, rows.Err())
}

// tableSizes returns the tables of the file, sorted, with what the pages of each and of its
// indexes take (https://sqlite.org/dbstat.html).
func tableSizes(ctx context.Context, db *sql.DB) (sizes []journal.Size, err error) {
	rows, err := db.QueryContext(ctx, `SELECT m.tbl_name, sum(CASE WHEN m.type = 'table' THEN d.pgsize ELSE 0 END), sum(CASE WHEN m.type = 'index' THEN d.pgsize ELSE 0 END)
		FROM sqlite_schema m JOIN dbstat d ON d.name = m.name AND d.aggregate = 1 WHERE m.tbl_name NOT LIKE 'sqlite@_%' ESCAPE '@' GROUP BY m.tbl_name ORDER BY m.tbl_name`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var one journal.Size
		if err := rows.Scan(&one.Table, &one.Bytes, &one.Indexes); err != nil {
			return nil, err
		}
		sizes = append(sizes, one)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	for i, t := range sizes {
		if err := db.QueryRowContext(ctx, `SELECT count(*) FROM "`+t.Table+`"`).Scan(&sizes[i].Rows); err != nil {
			return nil, err
		}
	}
	return sizes, nil
}
