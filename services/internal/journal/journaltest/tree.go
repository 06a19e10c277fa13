package journaltest

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"habeas.dev/services/internal/journal"
)

// withLeaf returns an append of one fact and a leaf.
func withLeaf(id string, expected int) journal.Append {
	a := Simple(id, expected)
	a.Leaf = fmt.Appendf(nil, "%s/%d", id, expected+1)
	return a
}

// checkTree computes the tree anew from its leaves, and compares every hash. It returns
// the leaves.
func checkTree(t *testing.T, s journal.Store) []journal.Leaf {
	t.Helper()
	ctx := testContext(t)
	size, err := s.TreeSize(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var leaves []journal.Leaf
	for int64(len(leaves)) < size {
		page, err := s.Leaves(ctx, int64(len(leaves)), 7)
		if err != nil || len(page) == 0 {
			t.Fatalf("%d of %d leaves: %v", len(leaves), size, err)
		}
		leaves = append(leaves, page...)
	}
	if more, err := s.Leaves(ctx, size, 1); err != nil || len(more) > 0 {
		t.Errorf("behind the last: %v, %v", more, err)
	}
	var data [][]byte
	for i, l := range leaves {
		if l.Index != int64(i) {
			t.Fatalf("leaf %d has the index %d", i, l.Index)
		}
		data = append(data, l.Data)
	}
	want, err := journal.Grow(0, nil, data)
	if err != nil {
		t.Fatal(err)
	}
	places := make([]int64, len(want))
	for i := range places {
		places[i] = int64(i)
	}
	got, err := s.TreeHashes(ctx, places)
	if err != nil {
		t.Fatal(err)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("hash %d differs", i)
		}
	}
	if _, err := s.TreeHashes(ctx, []int64{int64(len(want))}); !errors.Is(err, journal.ErrTree) {
		t.Errorf("a hash that isn't there: %v", err)
	}
	return leaves
}

// testTree appends leaves with facts: leaf and fact are both there, or neither, and the
// tree is that of its leaves.
func testTree(t *testing.T, h *Harness) {
	s, ctx := h.Store, testContext(t)
	checkTree(t, s)
	mustAppend(t, s, withLeaf("a", 0))
	mustAppend(t, s, Simple("a", 1))
	mustAppend(t, s, withLeaf("b", 0))
	mustAppend(t, s, withLeaf("a", 2))
	if err := s.Append(ctx, withLeaf("a", 1)); !errors.Is(err, journal.ErrConflict) {
		t.Fatal(err)
	}
	bad := Simple("c", 0)
	bad.Leaf = make([]byte, journal.MaxLeaf+1)
	if err := s.Append(ctx, bad); !errors.Is(err, journal.ErrInvalid) {
		t.Error(err)
	}
	leaves := checkTree(t, s)
	if len(leaves) != 3 || leaves[2].RequestID != "a" || leaves[2].Version != 3 || string(leaves[2].Data) != "a/3" {
		t.Fatalf("%v", leaves)
	}
	of, err := s.LeavesOf(ctx, "a")
	if err != nil || len(of) != 2 || of[0].Index != 0 || of[0].Version != 1 || of[1].Index != 2 {
		t.Errorf("%v, %v", of, err)
	}
	if of, err := s.LeavesOf(ctx, "nobody"); err != nil || len(of) != 0 {
		t.Errorf("%v, %v", of, err)
	}

	// What is taken in belongs to no request, and to a tree of that size only.
	for _, wrong := range []int64{0, 2, 4} {
		if err := s.TakeLeaves(ctx, wrong, [][]byte{[]byte("x")}); !errors.Is(err, journal.ErrConflict) {
			t.Errorf("on %d: %v", wrong, err)
		}
	}
	for _, none := range [][][]byte{nil, {nil}, {make([]byte, journal.MaxLeaf+1)}} {
		if err := s.TakeLeaves(ctx, 3, none); !errors.Is(err, journal.ErrInvalid) {
			t.Error(err)
		}
	}
	if err := s.TakeLeaves(ctx, 3, [][]byte{[]byte("x"), []byte("y")}); err != nil {
		t.Fatal(err)
	}
	mustAppend(t, s, withLeaf("b", 1))
	if leaves := checkTree(t, s); len(leaves) != 6 || leaves[4].RequestID != "" || string(leaves[4].Data) != "y" || leaves[5].RequestID != "b" {
		t.Errorf("%v", leaves)
	}
	// One that was taken in becomes a fact's, once; no other does.
	if err := s.ClaimLeaf(ctx, 4, "nobody", 1); !errors.Is(err, journal.ErrNotFound) {
		t.Error(err)
	}
	for _, claim := range []struct {
		index   int64
		request string
		version int
	}{{4, "a", 4}, {4, "b", 9}, {5, "a", 5}, {77, "a", 5}} {
		if err := s.ClaimLeaf(ctx, claim.index, claim.request, claim.version); err != nil {
			t.Error(err)
		}
	}
	if of, err := s.LeavesOf(ctx, "a"); err != nil || len(of) != 3 || of[2].Index != 4 || of[2].Version != 4 || string(of[2].Data) != "y" {
		t.Errorf("%v, %v", of, err)
	}
	if of, err := s.LeavesOf(ctx, "b"); err != nil || len(of) != 2 || of[1].Index != 5 || of[1].Version != 2 {
		t.Errorf("%v, %v", of, err)
	}
	if h.Reopen != nil {
		if leaves := checkTree(t, h.Reopen(t)); len(leaves) != 6 || leaves[4].RequestID != "a" {
			t.Errorf("after reopening: %v", leaves)
		}
	}
}

// testTreeRaces appends from many goroutines and two processes: every leaf has an index
// of its own.
func testTreeRaces(t *testing.T, h *Harness) {
	stores := []journal.Store{h.Store}
	if h.Second != nil {
		stores = append(stores, h.Second(t))
	}
	const who, each = 8, 20
	var all sync.WaitGroup
	for w := range who {
		all.Go(func() {
			s := stores[w%len(stores)]
			for n := range each {
				if err := s.Append(testContext(t), withLeaf(fmt.Sprintf("r%d-%d", w, n%3), n/3)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	leaves := checkTree(t, h.Store)
	seen := map[string]bool{}
	for _, l := range leaves {
		seen[string(l.Data)] = true
	}
	if len(leaves) != who*each || len(seen) != who*each {
		t.Errorf("%d leaves, %d different", len(leaves), len(seen))
	}
	size := int64(len(leaves))
	read := journal.HashReader(testContext(t), h.Store)
	root, err := tlog.TreeHash(size, read)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range []int64{0, 1, 77, size - 1} {
		proof, err := tlog.ProveRecord(size, i, read)
		if err == nil {
			err = tlog.CheckRecord(proof, size, root, i, tlog.RecordHash(leaves[i].Data))
		}
		if err != nil {
			t.Errorf("leaf %d: %v", i, err)
		}
	}
}
