package core_test

import (
	"slices"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
)

// TestWithoutWhatStoodThere: what stood in corrected fields and is lost is a person's to judge,
// for each system; the answer is made without only of those for which they have retried it, and
// cites the fact that said so.
func TestWithoutWhatStoodThere(t *testing.T) {
	t.Parallel()
	rectifies := func(name string) dsar.System {
		return dsar.System{Name: name, Abilities: []dsar.Action{dsar.Rectify}, Needs: []dsar.IdentifierType{"email"}}
	}
	d := newDesk(t, dsar.Rectification, rectifies("crm"), rectifies("shop"))
	for _, name := range []string{"crm", "shop"} {
		r := ended(name, dsar.Rectify, dsar.Rectified)
		r.Counts = []dsar.Counts{{Dataset: "people", Found: 1, Rectified: 1, Changed: []string{"name"}}}
		d.report(r)
	}
	told := func() (crm, shop int) {
		t.Helper()
		d.wants("aggregator assemble")
		a := d.state.NewTask(core.TaskSent{System: dsar.Aggregator, Action: dsar.Assemble, Attempt: d.state.Task(dsar.Aggregator, dsar.Assemble).Attempt}).Answer
		for _, s := range a.Systems {
			if s.Unread > 0 && !slices.Contains(a.Rests(), s.Unread) {
				t.Errorf("%s: the fact isn't cited", s.System)
			}
		}
		return a.Systems[0].Unread, a.Systems[1].Unread
	}
	lose := func(code, system string) (fact int) {
		t.Helper()
		d.report(dsar.Report{System: dsar.Aggregator, Action: dsar.Assemble, Kind: dsar.ReportFailed, Outcome: dsar.Failed, Code: code, Cause: &dsar.Cause{System: system}})
		if d.state.Status != core.StatusNeedsAttention {
			t.Fatalf("%s of %s: %s", code, system, d.state.Status)
		}
		fact = d.state.Task(dsar.Aggregator, dsar.Assemble).End.Fact
		d.do(core.Retry{By: "lea", Now: d.now})
		return fact
	}
	if crm, shop := told(); crm+shop != 0 {
		t.Errorf("at first: %d, %d", crm, shop)
	}
	lose(dsar.CodeObjectDamaged, "crm")
	if crm, shop := told(); crm+shop != 0 {
		t.Errorf("another object: %d, %d", crm, shop)
	}
	first := lose(core.CodeFormerLost, "shop")
	if crm, shop := told(); crm != 0 || shop != first {
		t.Errorf("of one: %d, %d, want 0, %d", crm, shop, first)
	}
	d.now = d.state.Task(dsar.Aggregator, dsar.Assemble).Deadline
	d.do(core.Tick{Now: d.now}) // nothing is heard of it
	if crm, shop := told(); crm != 0 || shop != first {
		t.Errorf("sent again: %d, %d", crm, shop)
	}
	second := lose(core.CodeFormerLost, "crm")
	if crm, shop := told(); crm != second || shop != first {
		t.Errorf("of both: %d, %d, want %d, %d", crm, shop, second, first)
	}
}
