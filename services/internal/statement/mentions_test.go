package statement_test

import (
	"slices"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/statement"
)

// TestMentionsLeft: others' texts that name the person are told by their number, beside what
// became of the person's own records, and nothing is said by which nothing would be left.
func TestMentionsLeft(t *testing.T) {
	t.Parallel()
	tax := []dsar.Retention{{Records: 1, Ground: "tax"}}
	never := []statement.Kind{
		statement.Empty, statement.HoldsNothing, statement.NothingHeld, statement.AllErased, statement.AllKept, statement.PartlyKept, statement.AskedAgain, statement.AskedAgainKept,
		statement.EverythingGone, statement.OnlyKeptLeft, statement.NotAllGone, statement.NothingLeftOut,
	}
	for name, c := range map[string]struct {
		right              dsar.Right
		plan, erase, prove dsar.Counts
		outcome            dsar.Outcome // of the erasure
		says               []statement.Kind
	}{
		"erased": {dsar.Erasure, dsar.Counts{Found: 2}, dsar.Counts{Erased: 2}, dsar.Counts{}, dsar.Erased,
			[]statement.Kind{statement.NamedLeft, statement.AskedAgainOwn, statement.OnlyTextsLeft}},
		"gone": {dsar.Erasure, dsar.Counts{Found: 2}, dsar.Counts{Gone: 2}, dsar.Counts{}, dsar.NothingFound,
			[]statement.Kind{statement.NamedLeft, statement.AskedAgainOwn, statement.OnlyTextsLeft}},
		"kept": {dsar.Erasure, dsar.Counts{Found: 1, Retained: tax}, dsar.Counts{Retained: tax}, dsar.Counts{Found: 1, Retained: tax}, dsar.Retained,
			[]statement.Kind{statement.KeptAndNamed, statement.AskedAgainOwnKept, statement.KeptAndTextsLeft}},
		"nothing else": {dsar.Erasure, dsar.Counts{}, dsar.Counts{}, dsar.Counts{}, dsar.NothingFound,
			[]statement.Kind{statement.NamedThere, statement.OnlyTextsLeft}},
		"categories": {right: dsar.KnowCategories, says: []statement.Kind{statement.NamedThere}},
	} {
		c.plan.Mentions = 3
		of := func(fact int, a dsar.Action, o dsar.Outcome, n dsar.Counts) core.ActionEnd {
			n.Dataset = "texts"
			return core.ActionEnd{Fact: fact, Action: a, Outcome: o, Counts: []dsar.Counts{n}}
		}
		ends := []core.ActionEnd{of(2, dsar.Plan, dsar.NothingFound, c.plan)}
		if c.right == dsar.Erasure {
			ends = append(ends, of(3, dsar.Erase, c.outcome, c.erase), of(4, dsar.Prove, dsar.Proven, c.prove))
		}
		told := core.Answer{Systems: []core.SystemAnswer{{System: "shop", Ends: ends}}}
		for seq := 1; seq <= 4; seq++ {
			told.Facts = append(told.Facts, core.Cited{Seq: seq, Hash: "h"})
		}
		sets := []statement.Dataset{{Dataset: "texts", Origin: "provided", LegalBasis: "contract"}}
		var kinds []statement.Kind
		for _, s := range statement.Make(statement.Evidence{Request: statement.Request{ID: "r", Right: c.right}, Told: told, Systems: []statement.System{{System: "shop", Datasets: sets}}}) {
			kinds = append(kinds, s.Kind())
			if s.Kind() == statement.Mentions && (s.Said().Records != 3 || s.Dataset() != "texts" || s.Facts()[0].Seq != 2) {
				t.Errorf("%s: said %+v", name, s.Said())
			}
		}
		for _, k := range append(c.says, statement.Mentions) {
			if !slices.Contains(kinds, k) {
				t.Errorf("%s: %s isn't said: %v", name, k, kinds)
			}
		}
		for _, k := range never {
			if slices.Contains(kinds, k) {
				t.Errorf("%s: %s is said", name, k)
			}
		}
	}
}
