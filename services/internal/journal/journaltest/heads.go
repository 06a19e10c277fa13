package journaltest

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"

	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/receipt"
)

// testHeads lists each request that has changed, once, as it is, and tells what isn't as it
// was listed.
func testHeads(t *testing.T, h *Harness) {
	ctx := testContext(t)
	waits := func(want ...string) {
		t.Helper()
		got, err := h.Store.HeadsWaiting(ctx, []string{"b", "c", "a"})
		if slices.Sort(got); err != nil || !slices.Equal(got, want) {
			t.Errorf("%v wait, want %v: %v", got, want, err)
		}
	}
	if n, err := h.Store.AddHeads(ctx); n != 0 || err != nil {
		t.Fatalf("%d heads of nothing: %v", n, err)
	}
	mustAppend(t, h.Store, Simple("a", 0))
	mustAppend(t, h.Store, Simple("b", 0))
	mustAppend(t, h.Store, Simple("a", 1))
	waits("a", "b")
	if end, err := h.Store.HeadsEnd(ctx); err != nil || end.Size != 0 || len(end.Chain) != 0 || end.Waiting != 2 {
		t.Errorf("%+v, %v", end, err)
	}
	for _, want := range []int{2, 0} {
		if n, err := h.Store.AddHeads(ctx); n != want || err != nil {
			t.Errorf("%d heads, want %d: %v", n, want, err)
		}
	}
	waits()
	mustAppend(t, h.Store, Simple("b", 1))
	waits("b")
	if n, err := h.Store.AddHeads(ctx); n != 1 || err != nil {
		t.Errorf("%d heads: %v", n, err)
	}
	var want [][]journal.Head
	for _, place := range []map[string]int{{"a": 2, "b": 1}, {"b": 2}} {
		var heads []journal.Head
		for _, id := range []string{"a", "b"} {
			facts, err := h.Store.Facts(ctx, id, 1)
			if err != nil {
				t.Fatal(err)
			}
			if version := place[id]; version > 0 {
				heads = append(heads, journal.Head{RequestID: id, Version: version, Hash: facts[version-1].Hash})
			}
		}
		want = append(want, heads)
	}
	if got := listed(t, h.Store); !reflect.DeepEqual(got, want) {
		t.Errorf("listed are %v, want %v", got, want)
	}
	good := want[0]
	bad := []journal.Head{{RequestID: "c", Version: 1, Hash: good[0].Hash}, {RequestID: "a", Version: 3, Hash: good[0].Hash}, {RequestID: "a", Version: 1, Hash: good[0].Hash}}
	if astray, err := h.Store.HeadsAstray(ctx, []journal.Head{bad[0], good[0], bad[1], good[1], bad[2]}); err != nil || !reflect.DeepEqual(astray, bad) {
		t.Errorf("astray are %v, %v", astray, err)
	}
}

// testHeadsAtOnce lists in one go all that waits, where few requests have changed more often
// than a place has heads.
func testHeadsAtOnce(t *testing.T, h *Harness) {
	ctx := testContext(t)
	const requests, facts = 30, journal.MaxHeads / 20
	var all sync.WaitGroup
	for r := range requests {
		all.Go(func() {
			for v := range facts {
				if err := h.Store.Append(ctx, Simple(fmt.Sprintf("r%02d", r), v)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if err := receipt.ListHeads(ctx, h.Store); err != nil {
		t.Fatal(err)
	}
	if end, err := h.Store.HeadsEnd(ctx); err != nil || end.Size == 0 || end.Waiting != 0 {
		t.Errorf("%+v, %v", end, err)
	}
}

// testHeadsRaces appends and lists at once: what was appended is listed in the end, in one
// chain, whoever lists.
func testHeadsRaces(t *testing.T, h *Harness) {
	ctx := testContext(t)
	stores := []journal.Store{h.Store}
	if h.Second != nil {
		stores = append(stores, h.Second(t))
	}
	const requests, facts = 8, 12
	var all sync.WaitGroup
	for r := range requests {
		all.Go(func() {
			for v := range facts {
				if err := stores[r%len(stores)].Append(ctx, Simple(fmt.Sprintf("r%d", r), v)); err != nil {
					t.Error(err)
				}
				if _, err := stores[v%len(stores)].AddHeads(ctx); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if _, err := h.Store.AddHeads(ctx); err != nil {
		t.Fatal(err)
	}
	last := map[string]int{}
	for _, heads := range listed(t, h.Store) {
		if astray, err := h.Store.HeadsAstray(ctx, heads); err != nil || len(astray) > 0 {
			t.Errorf("%v are astray: %v", astray, err)
		}
		for _, one := range heads {
			last[one.RequestID] = max(last[one.RequestID], one.Version)
		}
	}
	for r := range requests {
		if id := fmt.Sprintf("r%d", r); last[id] != facts {
			t.Errorf("%s is listed up to %d", id, last[id])
		}
	}
	if end, err := h.Store.HeadsEnd(ctx); err != nil || end.Waiting != 0 {
		t.Errorf("%+v, %v", end, err)
	}
}

// listed returns the list of heads, whose chain it computes anew.
func listed(t *testing.T, s journal.Store) (list [][]journal.Head) {
	t.Helper()
	ctx := testContext(t)
	var chain []byte
	for {
		page, err := s.HeadsLinks(ctx, int64(len(list))+1, 5)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, l := range page {
			heads, ok := journal.DecodeHeads(l.Heads)
			if chain = journal.NextHeads(chain, l.Place, l.Heads); !ok || l.Place != int64(len(list))+1 || !bytes.Equal(chain, l.Chain) {
				t.Fatalf("place %d: %+v", len(list)+1, l)
			}
			list = append(list, heads)
		}
	}
	if end, err := s.HeadsEnd(ctx); err != nil || end.Size != int64(len(list)) || !bytes.Equal(end.Chain, chain) {
		t.Errorf("%+v, %v", end, err)
	}
	return list
}
