package memjournal

import (
	"context"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"habeas.dev/services/internal/journal"
)

// grow appends leaves to the tree. The caller holds s.mu.
func (s *Store) grow(requestID string, version int, leaves [][]byte) error {
	size := int64(len(s.leaves))
	edge, err := s.hashes(journal.TreeEdge(size))
	if err != nil {
		return err
	}
	added, err := journal.Grow(size, edge, leaves)
	if err != nil {
		return err
	}
	s.tree = append(s.tree, added...)
	for i, data := range leaves {
		s.leaves = append(s.leaves, journal.Leaf{Index: size + int64(i), RequestID: requestID, Version: version, Data: slices.Clone(data)})
	}
	return nil
}

// hashes returns hashes by their places. The caller holds s.mu.
func (s *Store) hashes(places []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(places))
	for i, p := range places {
		if p < 0 || p >= int64(len(s.tree)) {
			return nil, journal.ErrTree
		}
		hashes[i] = s.tree[p]
	}
	return hashes, nil
}

// TreeSize implements journal.Tree.
func (s *Store) TreeSize(ctx context.Context) (size int64, err error) {
	err = s.call(ctx, OpTree, func() error { size = int64(len(s.leaves)); return nil })
	return size, err
}

// TreeHashes implements journal.Tree.
func (s *Store) TreeHashes(ctx context.Context, places []int64) (hashes []tlog.Hash, err error) {
	err = s.call(ctx, OpTree, func() (err error) { hashes, err = s.hashes(places); return err })
	return hashes, err
}

// Leaves implements journal.Tree.
func (s *Store) Leaves(ctx context.Context, from int64, limit int) (list []journal.Leaf, err error) {
	err = s.call(ctx, OpTree, func() error {
		for i := max(from, 0); i < int64(len(s.leaves)) && len(list) < journal.LeavesLimit(limit); i++ {
			list = append(list, cloneLeaf(s.leaves[i]))
		}
		return nil
	})
	return list, err
}

// LeavesOf implements journal.Tree.
func (s *Store) LeavesOf(ctx context.Context, requestID string) (list []journal.Leaf, err error) {
	err = s.call(ctx, OpTree, func() error {
		for _, l := range s.leaves {
			if l.RequestID == requestID && requestID != "" {
				list = append(list, cloneLeaf(l))
			}
		}
		return nil
	})
	return list, err
}

func cloneLeaf(l journal.Leaf) journal.Leaf {
	l.Data = slices.Clone(l.Data)
	return l
}

// TakeLeaves implements journal.Tree.
func (s *Store) TakeLeaves(ctx context.Context, size int64, leaves [][]byte) error {
	if err := journal.CheckLeaves(size, leaves); err != nil {
		return err
	}
	return s.call(ctx, OpTree, func() error {
		if int64(len(s.leaves)) != size {
			return journal.ErrConflict
		}
		return s.grow("", 0, leaves)
	})
}

// ClaimLeaf implements journal.Tree.
func (s *Store) ClaimLeaf(ctx context.Context, index int64, requestID string, version int) error {
	return s.call(ctx, OpTree, func() error {
		if _, known := s.requests[requestID]; !known {
			return journal.ErrNotFound
		}
		if index >= 0 && index < int64(len(s.leaves)) && s.leaves[index].RequestID == "" {
			s.leaves[index].RequestID, s.leaves[index].Version = requestID, version
		}
		return nil
	})
}
