package pgjournal

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"habeas.dev/services/internal/journal"
)

// RequestKeys implements journal.Audited.
func (s *Store) RequestKeys(ctx context.Context, after int64, limit int) ([]journal.RequestKey, error) {
	return query(ctx, s, pgx.RowToStructByPos[journal.RequestKey], "SELECT num, id FROM request WHERE num > $1 ORDER BY num LIMIT $2",
		after, journal.Filter{Limit: limit}.ListLimit())
}

// Fingerprints implements journal.Audited.
func (s *Store) Fingerprints(ctx context.Context, requestID string) ([]string, error) {
	prints, err := query(ctx, s, pgx.RowTo[string], "SELECT fingerprint FROM fingerprint WHERE request = (SELECT num FROM request WHERE id = $1)", requestID)
	slices.Sort(prints)
	return prints, err
}

// strays are the queries of Strays, by what they count. A request's number is drawn before
// it is known whether it is new, so that gaps between numbers say nothing here.
var strays = map[string]string{
	"fact":        "SELECT count(*) FROM (SELECT DISTINCT request FROM fact) f WHERE NOT EXISTS (SELECT FROM request r WHERE r.num = f.request)",
	"fingerprint": "SELECT count(*) FROM fingerprint f WHERE NOT EXISTS (SELECT FROM request r WHERE r.num = f.request)",
	"leaf":        "SELECT count(*) FROM leaf l WHERE l.request IS NOT NULL AND NOT EXISTS (SELECT FROM request r WHERE r.num = l.request)",
	"timer":       "SELECT count(*) FROM timer t WHERE NOT EXISTS (SELECT FROM request r WHERE r.num = t.request)",
}

// Strays implements journal.Audited. It may take minutes: ctx bounds it alone.
func (s *Store) Strays(ctx context.Context) (map[string]int64, error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	found := map[string]int64{}
	for what, query := range strays {
		var n int64
		if err := s.pool.QueryRow(ctx, query).Scan(&n); err != nil {
			return nil, s.explain(ctx, err)
		}
		if n != 0 {
			found[what] = n
		}
	}
	return found, nil
}
