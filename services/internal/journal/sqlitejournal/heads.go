package sqlitejournal

import (
	"context"
	"encoding/json"
	"strconv"

	"habeas.dev/pkg/telemetry"
	"habeas.dev/services/internal/journal"
)

var errTooMany = telemetry.Constant("journal: too many heads at once")

// AddHeads implements journal.Heads. It writes beside the appends, as notes are written.
func (s *Store) AddHeads(ctx context.Context) (n int, err error) {
	if err := s.usable(ctx); err != nil {
		return 0, err
	}
	t := newTransaction(s.notes)
	if err := t.connect(); err != nil {
		return 0, explain(s.path, err)
	}
	defer t.disconnect()
	if err = t.exec("BEGIN IMMEDIATE"); err != nil {
		return 0, explain(s.path, err)
	}
	if n, err = t.addHeads(); err == nil {
		err = t.exec("COMMIT")
	}
	if err != nil {
		_ = t.exec("ROLLBACK")
		n = 0
	}
	return n, explain(s.path, err)
}

// addHeads adds a place to the list, with those that wait.
func (t *transaction) addHeads() (int, error) {
	var end journal.HeadsEnd
	if err := t.conn.QueryRowContext(context.Background(), "SELECT size, chain FROM heads_end WHERE one = 1").Scan(&end.Size, &end.Chain); err != nil {
		return 0, err
	}
	last, heads, err := t.unlisted()
	if err != nil {
		return 0, err
	}
	if err := t.exec("DELETE FROM unlisted WHERE request <= ?", last); err != nil || len(heads) == 0 {
		return 0, err
	}
	data := journal.EncodeHeads(heads)
	end.Size++
	end.Chain = journal.NextHeads(end.Chain, end.Size, data)
	if err := t.exec("INSERT INTO heads (place, heads, chain) VALUES (?, ?, ?)", end.Size, data, end.Chain); err != nil {
		return 0, err
	}
	return len(heads), t.exec("UPDATE heads_end SET size = ?, chain = ? WHERE one = 1", end.Size, end.Chain)
}

// unlisted returns the heads of requests that wait to be listed, in the order of their
// numbers, and the last of these.
func (t *transaction) unlisted() (last int64, heads []journal.Head, err error) {
	rows, err := t.conn.QueryContext(context.Background(), `SELECT u.request, coalesce(r.id, ''), coalesce(r.version, 0), coalesce(r.hash, x'')
		FROM unlisted u LEFT JOIN request r ON r.num = u.request ORDER BY u.request LIMIT ?`, journal.MaxHeads)
	if err != nil {
		return 0, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var h journal.Head
		if err := rows.Scan(&last, &h.RequestID, &h.Version, &h.Hash); err != nil {
			return 0, nil, err
		}
		if len(h.Hash) == journal.HashSize {
			heads = append(heads, h)
		}
	}
	return last, heads, rows.Err()
}

// HeadsEnd implements journal.Heads.
func (s *Store) HeadsEnd(ctx context.Context) (e journal.HeadsEnd, err error) {
	if err := s.usable(ctx); err != nil {
		return e, err
	}
	err = s.read.QueryRowContext(ctx, "SELECT size, chain, (SELECT count(*) FROM unlisted) FROM heads_end WHERE one = 1").Scan(&e.Size, &e.Chain, &e.Waiting)
	return e, explain(s.path, ofRow("heads_end", "1", err))
}

// HeadsLinks implements journal.Heads.
func (s *Store) HeadsLinks(ctx context.Context, from int64, limit int) (list []journal.HeadsLink, err error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	rows, err := s.read.QueryContext(ctx, "SELECT place, heads, chain FROM heads WHERE place >= ? ORDER BY place LIMIT ?", from, journal.HeadsLimit(limit))
	if err != nil {
		return nil, explain(s.path, err)
	}
	defer rows.Close()
	for rows.Next() {
		var l journal.HeadsLink
		if err := rows.Scan(&l.Place, &l.Heads, &l.Chain); err != nil {
			return nil, explain(s.path, ofRow("heads", strconv.FormatInt(l.Place, 10), err))
		}
		list = append(list, l)
	}
	return list, explain(s.path, rows.Err())
}

// HeadsWaiting implements journal.Heads.
func (s *Store) HeadsWaiting(ctx context.Context, requestIDs []string) (waiting []string, err error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	if len(requestIDs) > journal.MaxHeads {
		return nil, errTooMany
	}
	asked, err := json.Marshal(requestIDs)
	if err != nil {
		return nil, err
	}
	rows, err := s.read.QueryContext(ctx, "SELECT r.id FROM json_each(?) a JOIN request r ON r.id = a.value JOIN unlisted u ON u.request = r.num", string(asked))
	if err != nil {
		return nil, explain(s.path, err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, explain(s.path, err)
		}
		waiting = append(waiting, id)
	}
	return waiting, explain(s.path, rows.Err())
}

// HeadsAstray implements journal.Heads.
func (s *Store) HeadsAstray(ctx context.Context, heads []journal.Head) (astray []journal.Head, err error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	if len(heads) > journal.MaxHeads {
		return nil, errTooMany
	}
	stmt, err := s.read.PrepareContext(ctx, "SELECT EXISTS (SELECT 1 FROM fact WHERE request = (SELECT num FROM request WHERE id = ?) AND version = ? AND hash = ?)")
	if err != nil {
		return nil, explain(s.path, err)
	}
	defer func() { _ = stmt.Close() }()
	for _, h := range heads {
		var there bool
		if err := stmt.QueryRowContext(ctx, h.RequestID, h.Version, h.Hash).Scan(&there); err != nil {
			return nil, explain(s.path, err)
		}
		if !there {
			astray = append(astray, h)
		}
	}
	return astray, nil
}
