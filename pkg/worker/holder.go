package worker

import (
	"slices"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/identifier"
)

// Overtaken is the reason why a dataset isn't covered ([dsar.Counts].Uncovered) in which a
// planned record was left, since it is somebody else's by now: what is wrong, and the cure.
const Overtaken = "a record that was planned holds other identifiers than the person's by now, and was left: plan the erasure anew"

// Unclaimed is the reason why a dataset isn't covered ([dsar.Counts].Uncovered) in which, long
// after an erasure, a record stands under the key of an erased one and leads to nobody: it may be
// what was erased, and it may be another that was given its number.
const Unclaimed = "a record under the key of an erased one is nobody's by what it says, and was left: look whether it came back (erase it by hand then), or was given the number anew"

// Holder says whose a record is by now that was planned for a person: between plan and
// erasure it may have been given to somebody else. It is told what leads from the record to
// people, one thing after the other. The zero Holder holds a record of which nothing leads
// to anybody.
type Holder struct{ theirs, others bool }

// Leads takes in something of the record that leads to somebody: an address in it, the
// number of another record. It MUST NOT be called for what is blank, nor for what
// the task knows nothing of, as a telephone number where only an address is known.
func (h *Holder) Leads(toThem bool) {
	h.theirs, h.others = h.theirs || toThem, h.others || !toThem
}

// Through takes in a record that this one refers to, and that wasn't planned itself: what leads
// from there to people leads from here.
func (h *Holder) Through(to Holder) {
	h.theirs, h.others = h.theirs || to.theirs, h.others || to.others
}

// IsAnothers reports whether the record is somebody else's by now: something leads from it to
// somebody, and nothing to the person. One from which nothing leads to anybody any more is
// still theirs: it was only blanked.
//
// A record that is another's MUST NOT be erased, nor counted as found by a proof. An erasure
// says that the dataset is not covered ([Overtaken]); where it goes by keys only
// ([Task].ByKeys), long after the plan, the person's own record is gone.
func (h Holder) IsAnothers() bool { return h.others && !h.theirs }

// Known returns the identifiers by which a planned record is told to be the person's:
// Identifiers, or Owner where the task goes by keys only.
func (t *Task) Known() []Identifier {
	if t.ByKeys {
		return t.Owner
	}
	return t.Identifiers
}

// Knows reports whether a value of a record is a writing of one of the identifiers of a type
// by which a planned record is told to be the person's ([Task.Known]), by the equivalences of
// [identifier.Rules] without a default country: it is what [Holder.Leads] is told.
func (t *Task) Knows(typ dsar.IdentifierType, value string) bool {
	return slices.ContainsFunc(t.Known(), func(id Identifier) bool {
		return id.Type == typ && identifier.Rules{}.Same(typ, id.Value, value)
	})
}
