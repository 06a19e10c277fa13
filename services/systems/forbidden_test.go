package systems_test

import (
	"reflect"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
)

// TestForbiddenInMidRun plays an erasure with the core: a table that is planned
// and then forbidden holds the answer back; when it is allowed again and a person
// has retried, the whole erasure is told as one.
func TestForbiddenInMidRun(t *testing.T) {
	t.Parallel()
	d := limitedDatabase(t)
	d.run(t, "INSERT INTO people (id, mail) VALUES (1, 'ann@example.com')")
	d.run(t, "INSERT INTO orders VALUES ('old', 1, '2001-01-01', NULL), ('new', 1, '2025-01-01', NULL)")
	d.run(t, "INSERT INTO order_lines VALUES ('old', 1, 'goes'), ('new', 1, 'stays')")
	d.run(t, "INSERT INTO notes VALUES (1, 1, NULL, 'words')")
	now := func() time.Time { return time.Date(2026, 11, 20, 23, 59, 0, 0, time.UTC) }
	m := shop(t)
	p := play(t, open(t, m, d.mine, now), m, "1", now)
	p.answer(dsar.Plan)
	d.run(t, "REVOKE SELECT ON order_lines FROM "+d.role)
	p.answer(dsar.Erase)
	p.answer(dsar.Prove)
	if p.state.Status != core.StatusNeedsAttention || p.state.Task("shop", dsar.Prove).End.Outcome != dsar.Incomplete {
		t.Fatalf("%s: %+v", p.state.Status, p.state.Task("shop", dsar.Prove).End)
	}
	if left := d.column(t, "SELECT text FROM order_lines"); len(left) != 2 {
		t.Fatalf("lines are %v", left)
	}
	d.grantAll(t)
	p.decide(core.Retry{By: "lea", Now: now()})
	p.answer(dsar.Plan)
	p.answer(dsar.Erase)
	p.answer(dsar.Prove)
	if p.state.Status != core.StatusAssembling {
		t.Fatalf("%s: %+v", p.state.Status, p.state.Tasks)
	}
	told := map[string]dsar.Counts{}
	for _, end := range p.state.NewTask(core.TaskSent{System: dsar.Aggregator, Action: dsar.Assemble}).Answer.Systems[0].Ends {
		for _, c := range end.Counts {
			n := told[c.Dataset]
			n.Dataset = c.Dataset
			switch end.Action {
			case dsar.Plan:
				n.Found = c.Found
			case dsar.Erase:
				n.Erased = c.Erased + c.Anonymised
			}
			told[c.Dataset] = n
		}
	}
	want := map[string]dsar.Counts{"people": {Found: 1, Erased: 1}, "orders": {Found: 2, Erased: 1}, "lines": {Found: 2, Erased: 1}, "notes": {Found: 1, Erased: 1}}
	for dataset, n := range want {
		n.Dataset = dataset
		if !reflect.DeepEqual(told[dataset], n) {
			t.Errorf("%+v, want %+v", told[dataset], n)
		}
	}
}
