package pgjournal

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5"
	"golang.org/x/mod/sumdb/tlog"

	"habeas.dev/services/internal/journal"
)

const (
	// lockTree has one process at a time append to the tree, until its commit.
	lockTree     = `SELECT size FROM tree_size WHERE one = 1 FOR UPDATE`
	selectHashes = `SELECT num, hash FROM tree WHERE num = ANY ($1)`
	insertLeaves = `INSERT INTO leaf (num, request, version, data)
		SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::integer[], $4::bytea[])`
	insertHashes = `INSERT INTO tree (num, hash) SELECT * FROM unnest($1::bigint[], $2::bytea[])`
	setTreeSize  = `UPDATE tree_size SET size = $1 WHERE one = 1`
)

// leafColumns holds leaves that are appended together, column by column.
type leafColumns struct {
	request []*int64
	version []*int32
	data    [][]byte
}

func (c *leafColumns) add(request *int64, version int32, data []byte) {
	c.request = append(c.request, request)
	c.version = append(c.version, &version)
	c.data = append(c.data, data)
}

// querier is a connection, a pool or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// queue locks the tree and queues what the leaves add to it.
func (c *leafColumns) queue(ctx context.Context, q querier, b *pgx.Batch) error {
	var size int64
	if err := q.QueryRow(ctx, lockTree).Scan(&size); err != nil {
		return err
	}
	return c.queueAt(ctx, size, q, b)
}

// queueAt queues what the leaves add to a tree of that size, which is locked.
func (c *leafColumns) queueAt(ctx context.Context, size int64, q querier, b *pgx.Batch) error {
	edge, err := readHashes(ctx, q, journal.TreeEdge(size))
	if err != nil {
		return err
	}
	added, err := journal.Grow(size, edge, c.data)
	if err != nil {
		return err
	}
	nums := make([]int64, len(c.data))
	for i := range nums {
		nums[i] = size + int64(i)
	}
	first := tlog.StoredHashCount(size)
	places, hashes := make([]int64, len(added)), make([][]byte, len(added))
	for i := range added {
		places[i], hashes[i] = first+int64(i), added[i][:]
	}
	b.Queue(insertLeaves, nums, c.request, c.version, c.data)
	b.Queue(insertHashes, places, hashes)
	b.Queue(setTreeSize, size+int64(len(c.data)))
	return nil
}

// placedHash is a row of the table tree.
type placedHash struct {
	Num  int64
	Hash []byte
}

// readHashes reads hashes by their places.
func readHashes(ctx context.Context, q querier, places []int64) ([]tlog.Hash, error) {
	rows, err := q.Query(ctx, selectHashes, places)
	if err != nil {
		return nil, err
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[placedHash])
	if err != nil {
		return nil, err
	}
	return inOrder(places, list)
}

// inOrder returns hashes in the order of the places that were asked for.
func inOrder(places []int64, list []placedHash) ([]tlog.Hash, error) {
	known := make(map[int64]tlog.Hash, len(list))
	for _, p := range list {
		if len(p.Hash) != tlog.HashSize {
			return nil, fmt.Errorf("%w: place %d", journal.ErrTree, p.Num)
		}
		known[p.Num] = tlog.Hash(p.Hash)
	}
	hashes := make([]tlog.Hash, len(places))
	for i, p := range places {
		h, ok := known[p]
		if !ok {
			return nil, journal.ErrTree
		}
		hashes[i] = h
	}
	return hashes, nil
}

// TreeSize implements journal.Tree.
func (s *Store) TreeSize(ctx context.Context) (int64, error) {
	list, err := query(ctx, s, pgx.RowTo[int64], "SELECT size FROM tree_size WHERE one = 1")
	if err != nil || len(list) == 0 {
		return 0, err
	}
	return list[0], nil
}

// TreeHashes implements journal.Tree.
func (s *Store) TreeHashes(ctx context.Context, places []int64) ([]tlog.Hash, error) {
	list, err := query(ctx, s, pgx.RowToStructByPos[placedHash], selectHashes, places)
	if err != nil {
		return nil, err
	}
	hashes, err := inOrder(places, list)
	return hashes, s.explain(ctx, err)
}

const selectLeaves = `SELECT l.num, coalesce(r.id, ''), coalesce(l.version, 0), l.data FROM leaf l LEFT JOIN request r ON r.num = l.request `

func scanLeaf(row pgx.CollectableRow) (l journal.Leaf, err error) {
	err = row.Scan(&l.Index, &l.RequestID, &l.Version, &l.Data)
	return l, ofRow("leaf", strconv.FormatInt(l.Index, 10), err)
}

// Leaves implements journal.Tree.
func (s *Store) Leaves(ctx context.Context, from int64, limit int) ([]journal.Leaf, error) {
	return query(ctx, s, scanLeaf, selectLeaves+"WHERE l.num >= $1 ORDER BY l.num LIMIT $2", from, journal.LeavesLimit(limit))
}

// LeavesOf implements journal.Tree.
func (s *Store) LeavesOf(ctx context.Context, requestID string) ([]journal.Leaf, error) {
	return query(ctx, s, scanLeaf, selectLeaves+"WHERE l.request = (SELECT num FROM request WHERE id = $1) ORDER BY l.num LIMIT $2", requestID, journal.MaxLeaves)
}

// TakeLeaves implements journal.Tree.
func (s *Store) TakeLeaves(ctx context.Context, size int64, leaves [][]byte) error {
	if err := journal.CheckLeaves(size, leaves); err != nil {
		return err
	}
	if err := s.usable(ctx); err != nil {
		return err
	}
	bounded, cancel := context.WithTimeout(ctx, commitTimeout)
	defer cancel()
	err := pgx.BeginFunc(bounded, s.pool, func(tx pgx.Tx) error {
		var is int64
		if err := tx.QueryRow(bounded, lockTree).Scan(&is); err != nil {
			return err
		}
		if is != size {
			return journal.ErrConflict
		}
		c := leafColumns{request: make([]*int64, len(leaves)), version: make([]*int32, len(leaves)), data: leaves}
		var b pgx.Batch
		if err := c.queueAt(bounded, size, tx, &b); err != nil {
			return err
		}
		return tx.SendBatch(bounded, &b).Close()
	})
	if errors.Is(err, journal.ErrConflict) {
		return err
	}
	return s.explain(ctx, err)
}

// ClaimLeaf implements journal.Tree.
func (s *Store) ClaimLeaf(ctx context.Context, index int64, requestID string, version int) error {
	if err := s.usable(ctx); err != nil {
		return err
	}
	if _, err := s.Row(ctx, requestID); err != nil {
		return err
	}
	bounded, cancel := context.WithTimeout(ctx, commitTimeout)
	defer cancel()
	_, err := s.pool.Exec(bounded, "UPDATE leaf SET request = (SELECT num FROM request WHERE id = $1), version = $2 WHERE num = $3 AND request IS NULL", requestID, version, index)
	return s.explain(ctx, err)
}
