package journaltest

import (
	"testing"

	"habeas.dev/services/internal/journal"
)

// testSizes: rows are counted, facts take bytes, and the request with most of them comes
// first.
func testSizes(t *testing.T, h *Harness) {
	ctx := testContext(t)
	for i := range 3 {
		mustAppend(t, h.Store, Simple("large", i))
	}
	mustAppend(t, h.Store, Simple("small", 0))
	sizes, err := h.Store.Sizes(ctx)
	if err != nil {
		t.Fatal(err)
	}
	by := map[string]journal.Size{}
	for i, s := range sizes {
		by[s.Table] = s
		if i > 0 && sizes[i-1].Table >= s.Table {
			t.Errorf("%s before %s", sizes[i-1].Table, s.Table)
		}
	}
	if by["fact"].Rows != 4 || by["request"].Rows != 2 || by["fact"].Bytes <= 0 {
		t.Errorf("%+v", sizes)
	}
	largest, err := h.Store.Largest(ctx, 1)
	if err != nil || len(largest) != 1 || largest[0].RequestID != "large" || largest[0].Facts != 3 || largest[0].Bytes < 3*journal.HashSize {
		t.Errorf("%+v, %v", largest, err)
	}
	all, err := h.Store.Largest(ctx, 10)
	if err != nil || len(all) != 2 {
		t.Errorf("%+v, %v", all, err)
	}
}
