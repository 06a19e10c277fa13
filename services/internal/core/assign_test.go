package core_test

import (
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
)

// TestAssign has a request change hands: each time is a fact, and an act that who
// hasn't seen it must look at; the same again is none.
func TestAssign(t *testing.T) {
	t.Parallel()
	var s core.State
	if _, err := core.Decide(s, core.Assign{By: "lea", To: "paul"}); err == nil {
		t.Error("a request that isn't there has changed hands")
	}
	s = core.Fold([]core.Event{core.Accepted{RequestID: "r", Right: dsar.Access, Systems: []dsar.System{{Name: "s"}}}})
	for i, step := range []struct {
		to    string
		facts int
	}{{"paul", 1}, {"paul", 0}, {"lea", 1}, {"", 1}, {"", 0}} {
		before := s.Acts
		facts, err := core.Decide(s, core.Assign{By: "lea", To: step.to, Reason: "why"})
		if err != nil {
			t.Fatal(err)
		}
		assigned := 0
		for _, f := range facts {
			if _, ok := f.(core.Assigned); ok {
				assigned++
			}
			s = core.Evolve(s, f)
		}
		if assigned != step.facts || s.Assignee != step.to || s.Acts != before+step.facts {
			t.Errorf("%d: %d facts, %q, %d acts", i, assigned, s.Assignee, s.Acts-before)
		}
	}
}
