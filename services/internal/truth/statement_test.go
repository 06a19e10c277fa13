package truth

import (
	"slices"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/statement"
)

// truths say of each kind of statement that says that nothing is there, or that all is
// done, whether it is so: by the person's records before and after, in the system and
// dataset that it is about, or everywhere.
var truths = map[statement.Kind]func(o *oracle, before, after []record) bool{
	statement.Empty:              func(o *oracle, before, _ []record) bool { return len(o.early(before)) == 0 },
	statement.HoldsNothing:       func(o *oracle, before, _ []record) bool { return len(o.early(before)) == 0 },
	statement.UnknownThere:       func(o *oracle, before, _ []record) bool { return len(o.early(before)) == 0 },
	statement.NothingCovered:     func(o *oracle, before, _ []record) bool { return len(o.early(before)) == 0 }, // all that a run has is covered
	statement.NothingHeld:        func(o *oracle, before, _ []record) bool { return len(o.early(before)) == 0 },
	statement.NothingCoveredHeld: func(o *oracle, before, _ []record) bool { return len(o.early(before)) == 0 },
	statement.NothingElseHeld:    func(o *oracle, before, _ []record) bool { return o.allStay(o.early(before)) },
	statement.AllErased:          func(_ *oracle, _, after []record) bool { return len(after) == 0 },
	statement.AllAnonymised:      func(_ *oracle, _, after []record) bool { return len(after) == 0 },
	statement.AllGone:            func(_ *oracle, _, after []record) bool { return len(after) == 0 },
	statement.AllReassigned:      func(_ *oracle, _, after []record) bool { return len(after) == 0 }, // what is another's isn't the person's
	statement.NamedLeft:          func(_ *oracle, _, after []record) bool { return len(after) == 0 }, // others' texts aren't the person's records
	statement.NamedThere:         func(o *oracle, before, _ []record) bool { return len(o.early(before)) == 0 },
	statement.AskedAgainOwn:      func(_ *oracle, _, after []record) bool { return len(after) == 0 },
	statement.AskedAgainOwnKept:  func(o *oracle, _, after []record) bool { return o.allStay(after) },
	statement.OnlyTextsLeft:      func(_ *oracle, _, after []record) bool { return len(after) == 0 },
	statement.KeptAndTextsLeft:   func(o *oracle, _, after []record) bool { return o.allStay(after) },
	statement.EverythingGone:     func(_ *oracle, _, after []record) bool { return len(after) == 0 },
	statement.AskedAgain:         func(_ *oracle, _, after []record) bool { return len(after) == 0 },
	statement.AskedAgainKept:     func(o *oracle, _, after []record) bool { return o.allStay(after) },
	statement.OnlyKeptLeft:       func(o *oracle, _, after []record) bool { return o.allStay(after) },
	statement.KeptUnused:         func(o *oracle, _, _ []record) bool { return o.allLocked() },
	statement.AllKept: func(o *oracle, before, after []record) bool {
		return len(o.vanished)+len(o.late) > 0 || len(before) == len(after)
	},
	statement.PartlyKept:      func(_ *oracle, _, after []record) bool { return len(after) > 0 },
	statement.OnlyKeptEarlier: func(o *oracle, before, _ []record) bool { return len(before) > 0 && o.allStay(before) },
	statement.Holds:           func(_ *oracle, before, _ []record) bool { return len(before) > 0 },
	statement.Stopped: func(o *oracle, _, after []record) bool {
		return !slices.ContainsFunc(after, func(r record) bool { return !o.after[r].locked })
	},
	statement.KeptNotCopied: func(o *oracle, before, _ []record) bool {
		return !slices.ContainsFunc(o.early(before), func(r record) bool { return !o.lost(o.before, r) })
	},
	statement.NothingToChange: (*oracle).asBefore,
	statement.NothingChanged:  (*oracle).asBefore,
	// What an earlier erasure kept and nobody finds any more is in no copy; kinds of data
	// are told with it.
	statement.NothingLeftOut: func(o *oracle, before, _ []record) bool {
		return o.right == dsar.KnowCategories || !slices.ContainsFunc(before, func(r record) bool { return o.lost(o.before, r) })
	},
}

// ofTheWay are kinds that say that nothing is there any more by a proof long after, or of
// which every system speaks for itself.
var ofTheWay = []statement.Kind{statement.ErasedOnceMore, statement.NothingCameBack, statement.EveryoneAsked}

// TestEverySweepingStatementIsHeld: there is none that the oracle doesn't hold against
// what is there.
func TestEverySweepingStatementIsHeld(t *testing.T) {
	t.Parallel()
	for _, k := range statement.Kinds() {
		if k.Sweeping() && truths[k] == nil && !slices.Contains(ofTheWay, k) {
			t.Errorf("nothing holds %q against what is there: add when it is true", k)
		}
	}
}

// statementsAreTrue holds each against what is there.
func (o *oracle) statementsAreTrue(a statement.Answer) {
	for _, s := range a.Statements {
		so := truths[s.Kind]
		if so == nil {
			continue
		}
		of := func(reading map[record]row) (out []record) {
			for r := range reading {
				if r.of(o.person) && (s.System == "" || s.System == r.system) && (s.Dataset == "" || s.Dataset == r.dataset) {
					out = append(out, r)
				}
			}
			return out
		}
		if before, after := of(o.before), of(o.after); !so(o, before, after) {
			o.lie("it is said of %q, %q: %s (%s); there were %v and there are %v", s.System, s.Dataset, s.Kind, s.Text, before, after)
		}
	}
}

// early are those records that were there when the request was looked into.
func (o *oracle) early(records []record) []record {
	return slices.DeleteFunc(slices.Clone(records), func(r record) bool { return o.late[r] })
}

// allStay reports whether all of some records must stay.
func (o *oracle) allStay(records []record) bool {
	return !slices.ContainsFunc(records, func(r record) bool { return !r.kept(o.at) && !o.isHeld(r) })
}

// asBefore reports whether records are as they were.
func (o *oracle) asBefore(before, _ []record) bool {
	return !slices.ContainsFunc(before, func(r record) bool { return o.before[r] != o.after[r] })
}
