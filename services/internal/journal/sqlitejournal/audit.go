package sqlitejournal

import (
	"context"

	"habeas.dev/services/internal/journal"
)

// RequestKeys implements journal.Audited.
func (s *Store) RequestKeys(ctx context.Context, after int64, limit int) (keys []journal.RequestKey, err error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	const query = "SELECT num, coalesce(CAST(id AS TEXT), '') FROM request WHERE num > ? ORDER BY num LIMIT ?"
	rows, err := s.read.QueryContext(ctx, query, after, journal.Filter{Limit: limit}.ListLimit())
	if err != nil {
		return nil, explain(s.path, err)
	}
	defer rows.Close()
	for rows.Next() {
		var k journal.RequestKey
		if err := rows.Scan(&k.Num, &k.ID); err != nil {
			return nil, explain(s.path, err)
		}
		keys = append(keys, k)
	}
	return keys, explain(s.path, rows.Err())
}

// Fingerprints implements journal.Audited.
func (s *Store) Fingerprints(ctx context.Context, requestID string) (prints []string, err error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	rows, err := s.read.QueryContext(ctx, "SELECT fingerprint FROM fingerprint WHERE request = (SELECT num FROM request WHERE id = ?) ORDER BY fingerprint", requestID)
	if err != nil {
		return nil, explain(s.path, err)
	}
	defer rows.Close()
	for rows.Next() {
		var p string
		if err := rows.Scan(&p); err != nil {
			return nil, explain(s.path, err)
		}
		prints = append(prints, p)
	}
	return prints, explain(s.path, rows.Err())
}

// strays are the queries of Strays, by what they count. Numbers of requests are given
// without a gap here, so that one that is missing was removed.
var strays = map[string]string{
	"fact":        "SELECT count(*) FROM (SELECT DISTINCT request FROM fact) f WHERE NOT EXISTS (SELECT 1 FROM request r WHERE r.num = f.request)",
	"fingerprint": "SELECT count(*) FROM fingerprint f WHERE NOT EXISTS (SELECT 1 FROM request r WHERE r.num = f.request)",
	"leaf":        "SELECT count(*) FROM leaf l WHERE l.request IS NOT NULL AND NOT EXISTS (SELECT 1 FROM request r WHERE r.num = l.request)",
	"missing":     "SELECT max(0, (SELECT request FROM counter WHERE one = 1) - (SELECT count(*) FROM request))",
}

// Strays implements journal.Audited.
func (s *Store) Strays(ctx context.Context) (map[string]int64, error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	found := map[string]int64{}
	for what, query := range strays {
		var n int64
		if err := s.read.QueryRowContext(ctx, query).Scan(&n); err != nil {
			return nil, explain(s.path, err)
		}
		if n != 0 {
			found[what] = n
		}
	}
	return found, nil
}
