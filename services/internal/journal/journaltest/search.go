package journaltest

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"habeas.dev/services/internal/journal"
)

// testSearches keeps who searched for whom, and lists it by who, what and since when.
func testSearches(t *testing.T, h *Harness) {
	ctx := testContext(t)
	var all []journal.Search
	for i := range 10 {
		one := journal.Search{At: start.Add(time.Duration(i) * time.Minute), By: []string{"lea <x#1>", "paul <x#2>"}[i%2], Hash: []string{"a", "b", "c"}[i%3], Found: i}
		all = append(all, one)
		if err := h.Store.AddSearch(ctx, one); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		f    journal.SearchFilter
		want []int
	}{
		{journal.SearchFilter{}, []int{9, 8, 7, 6, 5, 4, 3, 2, 1, 0}},
		{journal.SearchFilter{Limit: 2}, []int{9, 8}},
		{journal.SearchFilter{By: "paul <x#2>"}, []int{9, 7, 5, 3, 1}},
		{journal.SearchFilter{By: "paul"}, nil},
		{journal.SearchFilter{Hash: "a"}, []int{9, 6, 3, 0}},
		{journal.SearchFilter{By: "lea <x#1>", Since: start.Add(4 * time.Minute)}, []int{8, 6, 4}},
	} {
		list, err := h.Store.Searches(ctx, c.f)
		if err != nil || len(list) != len(c.want) {
			t.Errorf("%+v: %v %v, want %v", c.f, list, err, c.want)
			continue
		}
		for i, n := range c.want {
			if list[i] != all[n] {
				t.Errorf("%+v: %+v, want %+v", c.f, list[i], all[n])
			}
		}
	}
	for _, bad := range []journal.Search{{At: start, Hash: "a"}, {At: start, By: "lea"}, {At: start, By: "lea", Hash: "\x00"}} {
		if err := h.Store.AddSearch(ctx, bad); !errors.Is(err, journal.ErrInvalid) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

// testSearchChain gives each search its place in one chain, whoever adds it at once, and
// tells the chain's end.
func testSearchChain(t *testing.T, h *Harness) {
	ctx := testContext(t)
	if head, err := h.Store.SearchHead(ctx); err != nil || head.Size != 0 || len(head.Chain) != 0 {
		t.Fatalf("%+v, %v", head, err)
	}
	stores := []journal.Store{h.Store}
	if h.Second != nil {
		stores = append(stores, h.Second(t))
	}
	const each, by = 10, 4
	var all sync.WaitGroup
	for i := range by {
		all.Go(func() {
			for n := range each {
				one := journal.Search{At: start.Add(time.Duration(n) * time.Minute), By: fmt.Sprintf("agent %d", i), Hash: "a", Found: n}
				if err := stores[i%len(stores)].AddSearch(ctx, one); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	head, err := h.Store.SearchHead(ctx)
	if err != nil || head.Size != each*by || head.Unchained != 0 {
		t.Fatalf("%+v, %v", head, err)
	}
	var chain []byte
	next, searches := int64(1), map[journal.Search]bool{}
	for {
		page, err := h.Store.SearchLinks(ctx, next, 7)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, l := range page {
			if chain = journal.NextSearch(chain, next, l.Search); l.Place != next || !bytes.Equal(l.Chain, chain) {
				t.Fatalf("place %d: %+v", next, l)
			}
			searches[l.Search] = true
			next++
		}
	}
	if !bytes.Equal(chain, head.Chain) || len(searches) != each*by {
		t.Errorf("%d searches, which end in another hash than the head", len(searches))
	}
}
