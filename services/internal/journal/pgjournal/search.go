package pgjournal

import (
	"context"
	"strconv"

	"github.com/jackc/pgx/v5"
	"habeas.dev/services/internal/journal"
)

// AddSearch implements journal.Searches. The chain's end is locked until the commit.
func (s *Store) AddSearch(ctx context.Context, one journal.Search) error {
	if err := journal.CheckSearch(one); err != nil {
		return err
	}
	if err := s.usable(ctx); err != nil {
		return err
	}
	bounded, cancel := context.WithTimeout(ctx, commitTimeout)
	defer cancel()
	err := pgx.BeginFunc(bounded, s.pool, func(tx pgx.Tx) error { return addSearch(bounded, tx, one) })
	return s.explain(ctx, err)
}

// addSearch adds a search, and has those without a place follow the chain's end.
func addSearch(ctx context.Context, tx pgx.Tx, one journal.Search) error {
	var head journal.SearchHead
	if err := tx.QueryRow(ctx, "SELECT size, chain FROM search_head WHERE one = 1 FOR UPDATE").Scan(&head.Size, &head.Chain); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "INSERT INTO search (at, by, hash, found) VALUES ($1, $2, $3, $4)", journal.Time(one.At), one.By, one.Hash, one.Found); err != nil {
		return err
	}
	rows, err := tx.Query(ctx, "SELECT num, at, by, hash, found FROM search WHERE place IS NULL ORDER BY num LIMIT $1", journal.MaxChained)
	if err != nil {
		return err
	}
	var nums []int64
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (one journal.Search, err error) {
		var num int64
		err = row.Scan(&num, &one.At, &one.By, &one.Hash, &one.Found)
		nums = append(nums, num)
		return one, err
	})
	if err != nil {
		return err
	}
	var b pgx.Batch
	for i, one := range list {
		head.Size++
		head.Chain = journal.NextSearch(head.Chain, head.Size, one)
		b.Queue("UPDATE search SET place = $1, chain = $2 WHERE num = $3", head.Size, head.Chain, nums[i])
	}
	b.Queue("UPDATE search_head SET size = $1, chain = $2 WHERE one = 1", head.Size, head.Chain)
	return tx.SendBatch(ctx, &b).Close()
}

// SearchHead implements journal.Searches.
func (s *Store) SearchHead(ctx context.Context) (journal.SearchHead, error) {
	list, err := query(ctx, s, pgx.RowToStructByPos[journal.SearchHead], "SELECT size, chain, (SELECT count(*) FROM search WHERE place IS NULL) FROM search_head WHERE one = 1")
	if err != nil || len(list) == 0 {
		return journal.SearchHead{}, err
	}
	return list[0], nil
}

// SearchLinks implements journal.Searches.
func (s *Store) SearchLinks(ctx context.Context, from int64, limit int) ([]journal.SearchLink, error) {
	return query(ctx, s, func(row pgx.CollectableRow) (one journal.SearchLink, err error) {
		err = row.Scan(&one.Place, &one.At, &one.By, &one.Hash, &one.Found, &one.Chain)
		one.At = one.At.UTC()
		return one, ofRow("search", strconv.FormatInt(one.Place, 10), err)
	}, "SELECT place, at, by, hash, found, chain FROM search WHERE place >= $1 ORDER BY place LIMIT $2", from, journal.Filter{Limit: limit}.ListLimit())
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
