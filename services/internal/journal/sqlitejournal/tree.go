package sqlitejournal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"habeas.dev/services/internal/journal"
)

// leaf is a leaf that a group appends.
type leaf struct {
	request any // its number; nil: none
	version any
	data    []byte
}

// growTree appends the group's leaves and the hashes that they add to the tree.
func (t *transaction) growTree() error {
	if len(t.leaves) == 0 {
		return nil
	}
	ctx := context.Background()
	var size int64
	if err := t.conn.QueryRowContext(ctx, "SELECT leaf FROM counter WHERE one = 1").Scan(&size); err != nil {
		return err
	}
	edge, err := treeHashes(ctx, t.conn, journal.TreeEdge(size))
	if err != nil {
		return err
	}
	data := make([][]byte, len(t.leaves))
	var leaves, hashes []any
	for i, l := range t.leaves {
		data[i] = l.data
		leaves = append(leaves, size+int64(i), l.request, l.version, l.data)
	}
	added, err := journal.Grow(size, edge, data)
	if err != nil {
		return err
	}
	first := tlog.StoredHashCount(size)
	for i := range added {
		hashes = append(hashes, first+int64(i), added[i][:])
	}
	if err := t.insert("INSERT OR ROLLBACK INTO leaf (num, request, version, data) VALUES ", 4, leaves); err != nil {
		return err
	}
	if err := t.insert("INSERT OR ROLLBACK INTO tree (num, hash) VALUES ", 2, hashes); err != nil {
		return err
	}
	return t.exec("UPDATE counter SET leaf = ? WHERE one = 1", size+int64(len(t.leaves)))
}

// querier is a connection, or several.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// maxPlaces bounds the hashes that one statement asks for: SQLite takes 32,766
// parameters, and a proof has 64 at most.
const maxPlaces = 512

// treeHashes reads hashes by their places.
func treeHashes(ctx context.Context, q querier, places []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(places))
	at := make(map[int64][]int, len(places))
	for i, p := range places {
		at[p] = append(at[p], i)
	}
	for from := 0; from < len(places); from += maxPlaces {
		some := places[from:min(from+maxPlaces, len(places))]
		args := make([]any, len(some))
		for i, p := range some {
			args[i] = p
		}
		rows, err := q.QueryContext(ctx, "SELECT num, hash FROM tree WHERE num IN (?"+strings.Repeat(", ?", len(some)-1)+")", args...)
		if err != nil {
			return nil, err
		}
		for rows.Next() {
			var place int64
			var hash []byte
			if err := rows.Scan(&place, &hash); err != nil {
				rows.Close()
				return nil, err
			}
			if len(hash) != tlog.HashSize {
				rows.Close()
				return nil, fmt.Errorf("%w: place %d", journal.ErrTree, place)
			}
			for _, i := range at[place] {
				copy(hashes[i][:], hash)
			}
			delete(at, place)
		}
		if err := rows.Err(); err != nil {
			return nil, err
		}
	}
	if len(at) > 0 {
		return nil, journal.ErrTree
	}
	return hashes, nil
}

// TreeSize implements journal.Tree.
func (s *Store) TreeSize(ctx context.Context) (size int64, err error) {
	if err := s.usable(ctx); err != nil {
		return 0, err
	}
	err = s.read.QueryRowContext(ctx, "SELECT leaf FROM counter WHERE one = 1").Scan(&size)
	return size, explain(s.path, err)
}

// TreeHashes implements journal.Tree.
func (s *Store) TreeHashes(ctx context.Context, places []int64) ([]tlog.Hash, error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	hashes, err := treeHashes(ctx, s.read, places)
	return hashes, explain(s.path, err)
}

const selectLeaves = `SELECT l.num, coalesce(r.id, ''), coalesce(l.version, 0), l.data FROM leaf l LEFT JOIN request r ON r.num = l.request `

// Leaves implements journal.Tree.
func (s *Store) Leaves(ctx context.Context, from int64, limit int) ([]journal.Leaf, error) {
	return s.leaves(ctx, selectLeaves+"WHERE l.num >= ? ORDER BY l.num LIMIT ?", from, journal.LeavesLimit(limit))
}

// LeavesOf implements journal.Tree.
func (s *Store) LeavesOf(ctx context.Context, requestID string) ([]journal.Leaf, error) {
	return s.leaves(ctx, selectLeaves+"WHERE l.request = (SELECT num FROM request WHERE id = ?) ORDER BY l.num LIMIT ?", requestID, journal.MaxLeaves)
}

func (s *Store) leaves(ctx context.Context, query string, args ...any) (list []journal.Leaf, err error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	rows, err := s.read.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, explain(s.path, err)
	}
	defer rows.Close()
	for rows.Next() {
		var l journal.Leaf
		if err := rows.Scan(&l.Index, &l.RequestID, &l.Version, &l.Data); err != nil {
			return nil, explain(s.path, ofRow("leaf", strconv.FormatInt(l.Index, 10), err))
		}
		list = append(list, l)
	}
	return list, explain(s.path, rows.Err())
}

// TakeLeaves implements journal.Tree. It writes on the notes' connection.
func (s *Store) TakeLeaves(ctx context.Context, size int64, leaves [][]byte) error {
	if err := journal.CheckLeaves(size, leaves); err != nil {
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
	for _, l := range leaves {
		t.leaves = append(t.leaves, leaf{nil, nil, l})
	}
	err := t.exec("BEGIN IMMEDIATE")
	if err != nil {
		return explain(s.path, err)
	}
	if err = t.growFrom(size); err == nil {
		err = t.exec("COMMIT")
	}
	if err != nil {
		_ = t.exec("ROLLBACK")
	}
	if errors.Is(err, journal.ErrConflict) {
		return err
	}
	return explain(s.path, err)
}

// growFrom grows the tree as growTree does, once its size is what the caller says.
func (t *transaction) growFrom(size int64) error {
	var is int64
	if err := t.conn.QueryRowContext(context.Background(), "SELECT leaf FROM counter WHERE one = 1").Scan(&is); err != nil {
		return err
	}
	if is != size {
		return journal.ErrConflict
	}
	return t.growTree()
}

// ClaimLeaf implements journal.Tree. It writes on the notes' connection.
func (s *Store) ClaimLeaf(ctx context.Context, index int64, requestID string, version int) error {
	if err := s.usable(ctx); err != nil {
		return err
	}
	if _, err := s.Row(ctx, requestID); err != nil {
		return err
	}
	_, err := s.notes.ExecContext(ctx, "UPDATE leaf SET request = (SELECT num FROM request WHERE id = ?), version = ? WHERE num = ? AND request IS NULL", requestID, version, index)
	return explain(s.path, err)
}
