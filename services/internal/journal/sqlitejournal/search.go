package sqlitejournal

import (
	"context"
	"strconv"
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
	t := newTransaction(s.notes)
	if err := t.connect(); err != nil {
		return explain(s.path, err)
	}
	defer t.disconnect()
	err := t.exec("BEGIN IMMEDIATE")
	if err != nil {
		return explain(s.path, err)
	}
	if err = t.addSearch(one); err == nil {
		err = t.exec("COMMIT")
	}
	if err != nil {
		_ = t.exec("ROLLBACK")
	}
	return explain(s.path, err)
}

// addSearch adds a search, and has those without a place follow the chain's end.
func (t *transaction) addSearch(one journal.Search) error {
	if err := t.exec("INSERT INTO search (at, by, hash, found) VALUES (?, ?, ?, ?)", one.At.UnixMicro(), one.By, one.Hash, one.Found); err != nil {
		return err
	}
	var head journal.SearchHead
	if err := t.conn.QueryRowContext(context.Background(), "SELECT size, chain FROM search_head WHERE one = 1").Scan(&head.Size, &head.Chain); err != nil {
		return err
	}
	nums, list, err := t.unchained()
	if err != nil {
		return err
	}
	for i, one := range list {
		head.Size++
		head.Chain = journal.NextSearch(head.Chain, head.Size, one)
		if err := t.exec("UPDATE search SET place = ?, chain = ? WHERE num = ?", head.Size, head.Chain, nums[i]); err != nil {
			return err
		}
	}
	return t.exec("UPDATE search_head SET size = ?, chain = ? WHERE one = 1", head.Size, head.Chain)
}

// unchained returns the oldest searches without a place, with their numbers.
func (t *transaction) unchained() (nums []int64, list []journal.Search, err error) {
	rows, err := t.conn.QueryContext(context.Background(), "SELECT num, at, by, hash, found FROM search WHERE place IS NULL ORDER BY num LIMIT ?", journal.MaxChained)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var num, at int64
		var one journal.Search
		if err := rows.Scan(&num, &at, &one.By, &one.Hash, &one.Found); err != nil {
			return nil, nil, err
		}
		one.At = time.UnixMicro(at).UTC()
		nums, list = append(nums, num), append(list, one)
	}
	return nums, list, rows.Err()
}

// SearchHead implements journal.Searches.
func (s *Store) SearchHead(ctx context.Context) (h journal.SearchHead, err error) {
	if err := s.usable(ctx); err != nil {
		return h, err
	}
	err = s.read.QueryRowContext(ctx, "SELECT size, chain, (SELECT count(*) FROM search WHERE place IS NULL) FROM search_head WHERE one = 1").Scan(&h.Size, &h.Chain, &h.Unchained)
	return h, explain(s.path, ofRow("search_head", "1", err))
}

// SearchLinks implements journal.Searches.
func (s *Store) SearchLinks(ctx context.Context, from int64, limit int) (list []journal.SearchLink, err error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	rows, err := s.read.QueryContext(ctx, "SELECT place, at, by, hash, found, chain FROM search WHERE place >= ? ORDER BY place LIMIT ?", from, journal.Filter{Limit: limit}.ListLimit())
	if err != nil {
		return nil, explain(s.path, err)
	}
	defer rows.Close()
	for rows.Next() {
		var one journal.SearchLink
		var at int64
		if err := rows.Scan(&one.Place, &at, &one.By, &one.Hash, &one.Found, &one.Chain); err != nil {
			return nil, explain(s.path, ofRow("search", strconv.FormatInt(one.Place, 10), err))
		}
		one.At = time.UnixMicro(at).UTC()
		list = append(list, one)
	}
	return list, explain(s.path, rows.Err())
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
