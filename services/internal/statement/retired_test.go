package statement_test

import (
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/statement"
)

// TestRetired: of a system that is out of use it is said since when, and whether it was ever
// asked; and nothing is said of all systems that isn't so of it.
func TestRetired(t *testing.T) {
	t.Parallel()
	on := start.AddDate(0, 0, -10)
	ended := func(fact int, a dsar.Action, o dsar.Outcome, code string, counts ...dsar.Counts) core.ActionEnd {
		return core.ActionEnd{Fact: fact, Action: a, Outcome: o, Code: code, Counts: counts}
	}
	rows := dsar.Counts{Dataset: "rows", Found: 2, Erased: 2}
	for name, c := range map[string]struct {
		right dsar.Right
		ends  []core.ActionEnd
		want  statement.Kind
		not   []statement.Kind
	}{
		"never asked":  {dsar.Access, []core.ActionEnd{ended(3, dsar.Gather, dsar.NotApplicable, core.CodeRetired)}, statement.Retired, []statement.Kind{statement.NothingHeld, statement.NothingLeftOut}},
		"no answer":    {dsar.Access, []core.ActionEnd{ended(3, dsar.Gather, dsar.NotApplicable, core.CodeRetiredOpen)}, statement.RetiredOpen, []statement.Kind{statement.NothingHeld, statement.NothingLeftOut}},
		"only planned": {dsar.Erasure, []core.ActionEnd{ended(3, dsar.Plan, dsar.Found, "", dsar.Counts{Dataset: "rows", Found: 2}), ended(4, dsar.Erase, dsar.NotApplicable, core.CodeRetiredOpen), ended(4, dsar.Prove, dsar.NotApplicable, core.CodeRetiredOpen)}, statement.RetiredOpen, []statement.Kind{statement.EverythingGone, statement.OnlyKeptLeft, statement.EveryoneAsked}},
		"erased":       {dsar.Erasure, []core.ActionEnd{ended(3, dsar.Plan, dsar.Found, "", dsar.Counts{Dataset: "rows", Found: 2}), ended(4, dsar.Erase, dsar.Erased, "", rows), ended(5, dsar.Prove, dsar.NotApplicable, core.CodeRetiredOpen)}, statement.AllErased, []statement.Kind{statement.AskedAgain, statement.EveryoneAsked}},
	} {
		told := core.Answer{Systems: []core.SystemAnswer{
			{System: "shop", Ends: c.ends, Retired: &core.Retirement{On: on, Fact: 2}},
			{System: "crm", Ends: []core.ActionEnd{ended(6, dsar.Gather, dsar.NothingFound, ""), ended(6, dsar.Plan, dsar.NothingFound, ""), ended(6, dsar.Erase, dsar.NothingFound, ""), ended(6, dsar.Prove, dsar.Proven, "")}},
		}}
		for seq := 1; seq <= 6; seq++ {
			told.Facts = append(told.Facts, core.Cited{Seq: seq, Hash: "h"})
		}
		sets := []statement.Dataset{{Dataset: "rows", Origin: "provided", LegalBasis: "contract"}}
		made := statement.Make(statement.Evidence{Request: statement.Request{ID: "r", Right: c.right}, Told: told, Systems: []statement.System{{System: "shop", Datasets: sets}, {System: "crm", Datasets: sets}}})
		found := false
		for _, s := range made {
			if s.System() == "shop" && s.Dataset() == "" && s.Kind() == c.want {
				found = true
				if at := s.Values().At; c.want != statement.AllErased && !at.Equal(on) {
					t.Errorf("%s: on %v, want %v", name, at, on)
				}
			}
			for _, not := range c.not {
				if s.Kind() == not && s.System() != "crm" {
					t.Errorf("%s: %+v is said", name, s.Said())
				}
			}
		}
		if !found {
			t.Errorf("%s: %s isn't said: %+v", name, c.want, made)
		}
	}
}
