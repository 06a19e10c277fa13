package core_test

import (
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
)

// TestErasureWaitsForRecourse: where other requests of the person are open that want to see
// what is held, everything is planned and nothing is erased, until it is known that they have
// ended; that is looked up again and again.
func TestErasureWaitsForRecourse(t *testing.T) {
	t.Parallel()
	d := newDesk(t, dsar.Erasure, dsar.System{Name: "crm", Abilities: []dsar.Action{dsar.Erase}, Needs: []dsar.IdentifierType{"email"}})
	d.state.After = []string{"access"}
	d.says(dsar.Plan, dsar.Found, dsar.Counts{Found: 5})
	d.wants()
	if duties := d.state.Duties(d.now); len(duties) != 1 || duties[0] != core.DutyRecourse || core.Wake(d.state).After(d.now) {
		t.Fatalf("owed %v, wakes %s", duties, core.Wake(d.state))
	}
	d.do(core.AwaitEarlier{Open: []string{"access"}, Now: d.now})
	d.wants()
	if duties := d.state.Duties(d.now); len(duties) > 0 || !core.Wake(d.state).Equal(d.now.Add(core.RecourseEvery)) {
		t.Errorf("owed %v, wakes %s", duties, core.Wake(d.state))
	}
	d.do(core.AwaitEarlier{Now: d.now.Add(core.RecourseEvery)})
	d.wants("crm erase")
	if facts := d.do(core.AwaitEarlier{Now: d.now}); len(facts) > 0 {
		t.Errorf("it waits once more: %v", facts)
	}
}
