package pgjournal

import (
	"context"
	"strconv"

	"github.com/jackc/pgx/v5"
	"habeas.dev/pkg/telemetry"
	"habeas.dev/services/internal/journal"
)

var errTooMany = telemetry.Constant("journal: too many heads at once")

// AddHeads implements journal.Heads. The list's end is locked until the commit.
func (s *Store) AddHeads(ctx context.Context) (n int, err error) {
	if err := s.usable(ctx); err != nil {
		return 0, err
	}
	bounded, cancel := context.WithTimeout(ctx, commitTimeout)
	defer cancel()
	err = pgx.BeginFunc(bounded, s.pool, func(tx pgx.Tx) error {
		n, err = addHeads(bounded, tx)
		return err
	})
	if err != nil {
		n = 0
	}
	return n, s.explain(ctx, err)
}

// takeUnlisted takes rows of unlisted away, and returns the heads of their requests as they
// are to whom those rows are there: no older than the appends that the rows are of.
const takeUnlisted = `WITH gone AS (DELETE FROM unlisted WHERE ctid = ANY (ARRAY(SELECT ctid FROM unlisted LIMIT $1)) RETURNING request)
	SELECT id, version, hash FROM request WHERE num IN (SELECT request FROM gone) ORDER BY num`

// addHeads adds a place to the list, with those that wait.
func addHeads(ctx context.Context, tx pgx.Tx) (int, error) {
	var end journal.HeadsEnd
	if err := tx.QueryRow(ctx, "SELECT size, chain FROM heads_end WHERE one = 1 FOR UPDATE").Scan(&end.Size, &end.Chain); err != nil {
		return 0, err
	}
	rows, err := tx.Query(ctx, takeUnlisted, journal.MaxHeads)
	if err != nil {
		return 0, err
	}
	heads, err := pgx.CollectRows(rows, pgx.RowToStructByPos[journal.Head])
	if err != nil || len(heads) == 0 {
		return 0, err
	}
	data := journal.EncodeHeads(heads)
	end.Size++
	end.Chain = journal.NextHeads(end.Chain, end.Size, data)
	var b pgx.Batch
	b.Queue("INSERT INTO heads (place, heads, chain) VALUES ($1, $2, $3)", end.Size, data, end.Chain)
	b.Queue("UPDATE heads_end SET size = $1, chain = $2 WHERE one = 1", end.Size, end.Chain)
	return len(heads), tx.SendBatch(ctx, &b).Close()
}

// HeadsEnd implements journal.Heads.
func (s *Store) HeadsEnd(ctx context.Context) (journal.HeadsEnd, error) {
	list, err := query(ctx, s, pgx.RowToStructByPos[journal.HeadsEnd], "SELECT size, chain, (SELECT count(DISTINCT request) FROM unlisted) FROM heads_end WHERE one = 1")
	if err != nil || len(list) == 0 {
		return journal.HeadsEnd{}, err
	}
	return list[0], nil
}

// HeadsLinks implements journal.Heads.
func (s *Store) HeadsLinks(ctx context.Context, from int64, limit int) ([]journal.HeadsLink, error) {
	return query(ctx, s, func(row pgx.CollectableRow) (l journal.HeadsLink, err error) {
		err = row.Scan(&l.Place, &l.Heads, &l.Chain)
		return l, ofRow("heads", strconv.FormatInt(l.Place, 10), err)
	}, "SELECT place, heads, chain FROM heads WHERE place >= $1 ORDER BY place LIMIT $2", from, journal.HeadsLimit(limit))
}

// HeadsWaiting implements journal.Heads.
func (s *Store) HeadsWaiting(ctx context.Context, requestIDs []string) ([]string, error) {
	if len(requestIDs) > journal.MaxHeads {
		return nil, errTooMany
	}
	return query(ctx, s, pgx.RowTo[string], "SELECT id FROM request WHERE id = ANY ($1) AND num IN (SELECT request FROM unlisted)", requestIDs)
}

// HeadsAstray implements journal.Heads.
func (s *Store) HeadsAstray(ctx context.Context, heads []journal.Head) ([]journal.Head, error) {
	if len(heads) > journal.MaxHeads {
		return nil, errTooMany
	}
	ids, versions, hashes := make([]string, len(heads)), make([]int32, len(heads)), make([][]byte, len(heads))
	for i, h := range heads {
		ids[i], versions[i], hashes[i] = h.RequestID, int32(h.Version), h.Hash
	}
	return query(ctx, s, pgx.RowToStructByPos[journal.Head], `SELECT n.id, n.version, n.hash FROM unnest($1::text[], $2::integer[], $3::bytea[]) WITH ORDINALITY AS n (id, version, hash, place)
		WHERE NOT EXISTS (SELECT FROM request r JOIN fact f ON f.request = r.num WHERE r.id = n.id AND f.version = n.version AND f.hash = n.hash) ORDER BY n.place`, ids, versions, hashes)
}
