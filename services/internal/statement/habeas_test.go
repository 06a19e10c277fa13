package statement_test

import (
	"reflect"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/statement"
)

// TestOfHabeas is the table of what Habeas says of itself: each statement where its fact is
// there and its right is answered, resting on that fact and with what that says; and not
// elsewhere.
func TestOfHabeas(t *testing.T) {
	t.Parallel()
	keep := &core.Keep{AnswerDays: 30, AccountabilityMonths: 24, Source: "11 CCR 7101"}
	at := time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)
	copies := func(n int) *core.OwnCopies { return &core.OwnCopies{Requests: n, At: at, Fact: 7} }
	type said struct {
		values statement.Values
		fact   int
	}
	kept := map[statement.Kind]said{
		statement.OwnAnswer: {statement.Values{Days: 30}, 1},
		statement.OwnRecord: {statement.Values{Months: 24, Source: "11 CCR 7101"}, 1},
		statement.OwnTrace:  {statement.Values{}, 1},
	}
	with := func(more map[statement.Kind]said) map[statement.Kind]said {
		all := map[statement.Kind]said{}
		for _, m := range []map[statement.Kind]said{kept, more} {
			for kind, s := range m {
				all[kind] = s
			}
		}
		return all
	}
	for name, c := range map[string]struct {
		right    dsar.Right
		keep     *core.Keep
		copies   *core.OwnCopies
		occasion *core.Occasion
		want     map[statement.Kind]said
	}{
		"an access":                             {right: dsar.Access, keep: keep, want: kept},
		"an erasure":                            {right: dsar.Erasure, keep: keep, want: with(map[statement.Kind]said{statement.OwnErasure: {fact: 1}})},
		"an erasure that reached copies":        {right: dsar.Erasure, keep: keep, copies: copies(2), want: with(map[statement.Kind]said{statement.OwnErasure: {fact: 1}, statement.OwnCopies: {statement.Values{Requests: 2, At: at}, 7}})},
		"an erasure that found none":            {right: dsar.Erasure, keep: keep, copies: copies(0), want: with(map[statement.Kind]said{statement.OwnErasure: {fact: 1}, statement.OwnNoCopies: {fact: 7}})},
		"an erasure beside an open request":     {right: dsar.Erasure, keep: keep, copies: &core.OwnCopies{Open: 1, At: at, Fact: 7}, want: with(map[statement.Kind]said{statement.OwnErasure: {fact: 1}, statement.OwnOpen: {statement.Values{Requests: 1, At: at}, 7}})},
		"an erasure beside an unfetched answer": {right: dsar.Erasure, keep: keep, copies: &core.OwnCopies{Unfetched: 1, Until: at, At: at, Fact: 7}, want: with(map[statement.Kind]said{statement.OwnErasure: {fact: 1}, statement.OwnUnfetched: {statement.Values{Requests: 1, At: at, Until: at}, 7}})},
		"copies, of an access":                  {right: dsar.Access, keep: keep, copies: copies(2), want: kept},
		"of before, without ends":               {right: dsar.Erasure},
		"a letter on the way":                   {right: dsar.Erasure, keep: keep, occasion: &core.Occasion{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			told := core.Answer{Keep: c.keep, Copies: c.copies, Facts: []core.Cited{{Seq: 1, Hash: "a"}, {Seq: 7, Hash: "g"}}}
			got := map[statement.Kind]said{}
			for _, s := range statement.Make(statement.Evidence{Request: statement.Request{ID: "r", Right: c.right}, Told: told, Occasion: c.occasion}) {
				if of := s.Said(); of.System == dsar.Habeas {
					if len(of.Facts) != 1 {
						t.Fatalf("%s rests on %v", s.Kind(), of.Facts)
					}
					got[s.Kind()] = said{of.Values, of.Facts[0].Seq}
				}
			}
			if len(got) != len(c.want) || len(got) > 0 && !reflect.DeepEqual(got, c.want) {
				t.Errorf("%+v\nwant %+v", got, c.want)
			}
		})
	}
	// Without its fact nothing is said, whatever else is known.
	for _, s := range statement.Make(statement.Evidence{Request: statement.Request{ID: "r", Right: dsar.Erasure},
		Told: core.Answer{Keep: keep, Copies: copies(2), Facts: []core.Cited{{Seq: 3, Hash: "c"}}}}) {
		if s.Said().System == dsar.Habeas {
			t.Errorf("%s is said without its fact", s.Kind())
		}
	}
}
