package audit

import (
	"context"
	"errors"

	"golang.org/x/mod/sumdb/tlog"

	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/receipt"
)

// log computes the log's tree anew from its leaves, and holds it against what is stored,
// what was signed, and what was mirrored.
func (a *audit) log(ctx context.Context) error {
	size, err := a.Journal.TreeSize(ctx)
	if err != nil {
		return err
	}
	var taken receipt.TakenIn
	if a.Log != nil {
		if taken, err = receipt.ReadTakenIn(ctx, a.Journal, a.Log); err != nil {
			return err
		}
		a.report.TakenIn = taken
	}
	tree := &grown{}
	for tree.size < size {
		page, err := a.Journal.Leaves(ctx, tree.size, journal.MaxLeaves)
		if err != nil {
			return err
		}
		page = page[:min(int64(len(page)), size-tree.size)]
		if len(page) == 0 || page[0].Index != tree.size {
			a.find("log", "", "Leaf %d of the log is missing; it has %d.", tree.size, size)
			return nil
		}
		if ok, err := a.grow(ctx, tree, page); err != nil || !ok {
			return err
		}
		for _, l := range page {
			if l.RequestID != "" {
				continue
			}
			if a.report.Unowned++; !taken.Has(l.Index) {
				a.find("leaf-unowned", "", "Leaf %d of the log is of no request here, and its log hasn't signed that it was taken in from the mirror: its request was deleted.", l.Index)
			}
		}
		if a.export != nil {
			if err := a.export.leaves(page); err != nil {
				return err
			}
		}
	}
	if more, err := a.Journal.Leaves(ctx, size, 1); err != nil {
		return err
	} else if now, err := a.Journal.TreeSize(ctx); err != nil {
		return err
	} else if len(more) > 0 && now == size {
		a.find("log", "", "The log has leaves beyond the %d that it counts.", size)
	}
	a.report.Leaves = size
	return a.signed(ctx, size)
}

// grown is a tree that is computed anew: its size and its edge.
type grown struct {
	size int64
	edge []tlog.Hash
}

// grow adds leaves to the tree, and compares the hashes that they add with the stored
// ones; false where they differ.
func (a *audit) grow(ctx context.Context, tree *grown, page []journal.Leaf) (bool, error) {
	data := make([][]byte, len(page))
	for i, l := range page {
		if data[i] = l.Data; l.Index != tree.size+int64(i) {
			a.find("log", "", "Leaf %d of the log is missing.", tree.size+int64(i))
			return false, nil
		}
	}
	added, err := journal.Grow(tree.size, tree.edge, data)
	if err != nil {
		return false, err
	}
	first := tlog.StoredHashCount(tree.size)
	places := make([]int64, len(added))
	for i := range places {
		places[i] = first + int64(i)
	}
	stored, err := a.Journal.TreeHashes(ctx, places)
	if errors.Is(err, journal.ErrTree) {
		a.find("log", "", "Hashes of the log's tree are missing, from leaf %d on.", tree.size)
		return false, nil
	}
	if err != nil {
		return false, err
	}
	known := map[int64]tlog.Hash{}
	for i, p := range journal.TreeEdge(tree.size) {
		known[p] = tree.edge[i]
	}
	for i := range added {
		if known[places[i]] = added[i]; added[i] != stored[i] {
			_, n := tlog.SplitStoredHashIndex(places[i])
			a.find("log", "", "A leaf of the log, or a hash of its tree, was altered: near leaf %d.", n)
			return false, nil
		}
	}
	tree.size += int64(len(page))
	tree.edge = nil
	for _, p := range journal.TreeEdge(tree.size) {
		tree.edge = append(tree.edge, known[p])
	}
	return true, nil
}

// mirrored names files of the mirror that aren't what the log has: who reads it there, or
// makes proofs of it, is told something else.
func (a *audit) mirrored(ctx context.Context, size int64) error {
	return receipt.CheckMirror(ctx, a.Mirror, a.Log.Name(), a.Journal, size, func(path string, missing bool) {
		what := "was altered: it isn't what the log has"
		if missing {
			what = "is missing"
		}
		a.find("mirror", "", "The mirror's file %s %s.", path, what)
	})
}

// signed holds the log against what was signed and mirrored.
func (a *audit) signed(ctx context.Context, size int64) error {
	if a.Log == nil {
		return nil
	}
	for where, read := range map[string]func(context.Context) ([]byte, error){
		"journal": func(ctx context.Context) ([]byte, error) { return receipt.LastCheckpoint(ctx, a.Journal, a.Log.Name()) },
		"mirror": func(ctx context.Context) ([]byte, error) {
			if a.Mirror == nil {
				return nil, nil
			}
			return receipt.MirroredCheckpoint(ctx, a.Mirror, a.Log.Name())
		},
	} {
		signed, err := read(ctx)
		if err != nil {
			return err
		}
		if len(signed) == 0 {
			if size > 0 {
				a.find("checkpoint", "", "The %s has no checkpoint of the log, which has %d leaves: it was removed, or the log was never published.", where, size)
			}
			continue
		}
		if a.export != nil {
			if err := a.export.checkpoint(where, signed); err != nil {
				return err
			}
		}
		c, err := receipt.OpenCheckpoint(signed, a.Log)
		if err != nil {
			a.find("checkpoint", "", "The %s's checkpoint of the log isn't signed by its key.", where)
			continue
		}
		if c.Size > size {
			a.find("checkpoint", "", "The log has %d leaves, and %d were signed, as the %s says: it was cut off, or restored from an older copy.", size, c.Size, where)
			continue
		}
		root, err := tlog.TreeHash(c.Size, journal.HashReader(ctx, a.Journal))
		if err != nil && !errors.Is(err, journal.ErrTree) {
			return err
		}
		if err != nil || root != c.Root {
			a.find("checkpoint", "", "The log isn't the one that was signed, as the %s says: its first %d leaves are others.", where, c.Size)
		} else if where == "mirror" {
			if err := a.mirrored(ctx, c.Size); err != nil {
				return err
			}
		}
	}
	return nil
}
