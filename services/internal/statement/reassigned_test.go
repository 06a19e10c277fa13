package statement_test

import (
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/statement"
)

// TestReassigned: what was planned and is somebody else's by now is told by its number, of the
// erasure that left it and of those before, and neither as gone nor as nothing left.
func TestReassigned(t *testing.T) {
	t.Parallel()
	ended := func(fact int, a dsar.Action, o dsar.Outcome, c dsar.Counts) core.ActionEnd {
		c.Dataset = "rows"
		return core.ActionEnd{Fact: fact, Action: a, Outcome: o, Counts: []dsar.Counts{c}}
	}
	earlier := func(e core.ActionEnd) core.ActionEnd { e.Earlier = true; return e }
	plan := ended(2, dsar.Plan, dsar.Found, dsar.Counts{Found: 4})
	left := ended(3, dsar.Erase, dsar.Incomplete, dsar.Counts{Found: 2, Erased: 2, Reassigned: 2, Uncovered: dsar.CodeNotCovered})
	for name, ends := range map[string][]core.ActionEnd{
		"left at that": {plan, left, ended(5, dsar.Prove, dsar.Incomplete, dsar.Counts{Uncovered: dsar.CodeNotCovered})},
		"planned anew": {
			earlier(plan), earlier(left), ended(4, dsar.Plan, dsar.NothingFound, dsar.Counts{}),
			ended(4, dsar.Erase, dsar.NothingFound, dsar.Counts{}), ended(5, dsar.Prove, dsar.Proven, dsar.Counts{}),
		},
	} {
		told := core.Answer{Systems: []core.SystemAnswer{{System: "shop", Ends: ends}}}
		for seq := 1; seq <= 5; seq++ {
			told.Facts = append(told.Facts, core.Cited{Seq: seq, Hash: "h"})
		}
		sets := []statement.Dataset{{Dataset: "rows", Origin: "provided", LegalBasis: "contract"}}
		numbers := map[statement.Kind]int64{}
		for _, s := range statement.Make(statement.Evidence{Request: statement.Request{ID: "r", Right: dsar.Erasure}, Told: told, Systems: []statement.System{{System: "shop", Datasets: sets}}}) {
			numbers[s.Kind()] += s.Said().Records
			if k := s.Kind(); k == statement.Gone || k == statement.MaybeErased || k == statement.EverythingGone || k == statement.OnlyKeptLeft {
				t.Errorf("%s: %s is said", name, k)
			}
		}
		if numbers[statement.Found] != 4 || numbers[statement.Erased] != 2 || numbers[statement.Reassigned] != 2 {
			t.Errorf("%s: %v", name, numbers)
		}
	}
}
