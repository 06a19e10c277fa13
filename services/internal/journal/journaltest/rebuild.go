package journaltest

import (
	"testing"
	"time"
)

// testSetRow: a row is replaced as a whole, timers with it, unless the journal has more
// facts than it knows.
func testSetRow(t *testing.T, h *Harness) {
	ctx := testContext(t)
	mustAppend(t, h.Store, Simple("r1", 0))
	row, err := h.Store.Row(ctx, "r1")
	if err != nil {
		t.Fatal(err)
	}
	changed := row
	changed.Status, changed.Overdue, changed.Waiting, changed.Needs, changed.Assignee = "gathering", true, []string{"a", "b"}, []string{"stuck"}, "lea"
	changed.DueAt, changed.WakeAt = start.Add(time.Hour), start.Add(time.Minute)
	due := func(want int) {
		t.Helper()
		if ids, err := h.Store.Due(ctx, start.Add(time.Hour), 10); err != nil || len(ids) != want {
			t.Errorf("due: %v, %v", ids, err)
		}
	}
	due(0)
	if set, err := h.Store.SetRow(ctx, changed); err != nil || !set {
		t.Fatalf("%t, %v", set, err)
	}
	if got, err := h.Store.Row(ctx, "r1"); err != nil || !got.Same(changed) {
		t.Errorf("%+v, %v", got, err)
	}
	due(1)
	if set, err := h.Store.SetRow(ctx, row); err != nil || !set {
		t.Fatalf("%t, %v", set, err)
	}
	due(0)
	mustAppend(t, h.Store, Simple("r1", 1))
	later, err := h.Store.Row(ctx, "r1")
	if err != nil {
		t.Fatal(err)
	}
	if set, err := h.Store.SetRow(ctx, changed); err != nil || set {
		t.Errorf("over a later one: %t, %v", set, err)
	}
	if got, err := h.Store.Row(ctx, "r1"); err != nil || !got.Same(later) {
		t.Errorf("%+v, %v", got, err)
	}
	if wrong, err := h.Store.Mistimed(ctx, 10); err != nil || len(wrong) > 0 {
		t.Errorf("timers that nobody has altered: %v, %v", wrong, err)
	}
	for _, id := range []string{"r1", "nobody's"} {
		if err := h.Store.SetTimer(ctx, id); err != nil {
			t.Error(err)
		}
	}
	due(0)
	unknown := changed
	unknown.RequestID = "nobody's"
	if set, err := h.Store.SetRow(ctx, unknown); err != nil || set {
		t.Errorf("of no request: %t, %v", set, err)
	}
}
