package journal

import (
	"context"
	"fmt"
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"

	"habeas.dev/pkg/telemetry"
)

// MaxLeaf bounds a leaf of the transparency log: several of a receipt's, and far below
// what a tile of the log may hold (65,535 bytes, c2sp.org/tlog-tiles).
const MaxLeaf = 1024

// MaxLeaves bounds what one call reads or takes in.
const MaxLeaves = 4096

// Leaf is a leaf of the transparency log.
type Leaf struct {
	Index int64 // from 0, without a gap
	// RequestID and Version are those of the fact that it was appended with; empty and 0
	// for one that was taken in from elsewhere.
	RequestID string
	Version   int
	Data      []byte
}

// Tree is the port of the transparency log: a Merkle tree over leaves, as RFC 6962 has
// it. Leaves are appended with facts ([Append.Leaf]) and never change.
type Tree interface {
	// TreeSize returns the number of leaves.
	TreeSize(ctx context.Context) (int64, error)
	// Leaves returns leaves from an index on, in order: at most limit, and at most
	// MaxLeaves.
	Leaves(ctx context.Context, from int64, limit int) ([]Leaf, error)
	// LeavesOf returns the leaves that were appended with a request's facts, in order.
	LeavesOf(ctx context.Context, requestID string) ([]Leaf, error)
	// TreeHashes returns hashes of the tree by their places (tlog.StoredHashIndex).
	// One that isn't there is an error.
	TreeHashes(ctx context.Context, places []int64) ([]tlog.Hash, error)
	// TakeLeaves appends leaves that belong to no request here, to a tree that has
	// the size; else ErrConflict.
	TakeLeaves(ctx context.Context, size int64, leaves [][]byte) error
	// ClaimLeaf says of which fact of a request a leaf is that was taken in. Of one that is
	// a fact's already nothing is changed. ErrNotFound where the request isn't known.
	ClaimLeaf(ctx context.Context, index int64, requestID string, version int) error
}

// ErrTree says that hashes of the tree are missing: rows of it were removed.
var ErrTree = telemetry.Constant("journal: the transparency log's tree has lost hashes")

// LostTree and LostTreeCure describe a store with ErrTree.
const (
	LostTree     = "rows of the transparency log were removed, so nothing is added to it"
	LostTreeCure = "see what habeas audit names, and restore the journal from a backup"
)

// HashReader returns a tree as golang.org/x/mod's functions read it.
func HashReader(ctx context.Context, t Tree) tlog.HashReader {
	return tlog.HashReaderFunc(func(places []int64) ([]tlog.Hash, error) { return t.TreeHashes(ctx, places) })
}

// TreeEdge returns the places of the hashes that a tree of that size is computed from,
// and grows from.
func TreeEdge(size int64) []int64 {
	var places []int64
	for rest := uint64(size); rest != 0; {
		level := bits.Len64(rest) - 1
		places = append(places, tlog.StoredHashIndex(level, size>>level-1))
		rest &^= 1 << level
	}
	return places
}

// Grow returns the hashes that leaves add to a tree of that size, in the order of their
// places, from tlog.StoredHashCount(size) on. edge are the hashes at [TreeEdge].
func Grow(size int64, edge []tlog.Hash, leaves [][]byte) ([]tlog.Hash, error) {
	places := TreeEdge(size)
	if len(edge) != len(places) {
		return nil, ErrTree
	}
	known := make(map[int64]tlog.Hash, len(edge))
	for i, p := range places {
		known[p] = edge[i]
	}
	read := tlog.HashReaderFunc(func(places []int64) ([]tlog.Hash, error) {
		hashes := make([]tlog.Hash, len(places))
		for i, p := range places {
			h, ok := known[p]
			if !ok {
				return nil, ErrTree
			}
			hashes[i] = h
		}
		return hashes, nil
	})
	first := tlog.StoredHashCount(size)
	var added []tlog.Hash
	for i, leaf := range leaves {
		more, err := tlog.StoredHashes(size+int64(i), leaf, read)
		if err != nil {
			return nil, fmt.Errorf("grow the transparency log: %w", err)
		}
		for _, h := range more {
			known[first+int64(len(added))] = h
			added = append(added, h)
		}
	}
	return added, nil
}

// CheckLeaf returns what is wrong with a leaf, wrapped in [ErrInvalid].
func CheckLeaf(leaf []byte) error {
	if len(leaf) == 0 || len(leaf) > MaxLeaf {
		return fmt.Errorf("%w: a leaf of %d bytes, from 1 to %d", ErrInvalid, len(leaf), MaxLeaf)
	}
	return nil
}

// CheckLeaves returns an error where a call of TakeLeaves has no size, or leaves that the
// tree can't take: none, too many, or one that CheckLeaf refuses.
func CheckLeaves(size int64, leaves [][]byte) error {
	if size < 0 || len(leaves) == 0 || len(leaves) > MaxLeaves {
		return fmt.Errorf("%w: %d leaves for a tree of %d, from 1 to %d", ErrInvalid, len(leaves), size, MaxLeaves)
	}
	for _, l := range leaves {
		if err := CheckLeaf(l); err != nil {
			return err
		}
	}
	return nil
}

// LeavesLimit returns a limit with the bound applied.
func LeavesLimit(limit int) int { return min(max(limit, 1), MaxLeaves) }
