package core

import (
	"slices"

	"habeas.dev/pkg/dsar"
)

// Corrected reports whether a correction has changed something: what it replaced may be by what
// other records of the person are found.
func (s State) Corrected() bool {
	return s.Right == dsar.Rectification && s.Status == StatusCompleted && s.SubjectForgotten.IsZero() && slices.ContainsFunc(s.Tasks, func(t *TaskState) bool {
		return t.Action == dsar.Rectify && slices.ContainsFunc(t.End.Counts, func(c dsar.Counts) bool { return c.Rectified > 0 })
	})
}

// ledAway reports whether an identifier that a correction of the person's has replaced leads to an
// account, and theirs is another one: somebody else has it by now. Nothing goes by it any more,
// and the person is told so.
func (s State) ledAway(id dsar.Identifier) bool {
	if !slices.ContainsFunc(s.Carried, func(c Carried) bool { return c.Replaced && c.Fingerprint == id.Fingerprint }) {
		return false
	}
	own := slices.DeleteFunc(slices.Clone(s.Identifiers), func(o dsar.Identifier) bool {
		return o.Assurance == dsar.AssuranceClaimed || !isOwn(s.Identifiers, o)
	})
	return contradicts(own, s.foundBy(id), s.Household())
}

// byFormer reports whether an identifier is one that leads to somebody else by now, or was found by
// such a one.
func (s State) byFormer(id dsar.Identifier) bool {
	return slices.ContainsFunc(s.Identifiers, func(o dsar.Identifier) bool {
		return s.ledAway(o) && (o.Fingerprint == id.Fingerprint || has(s.foundBy(o), id))
	})
}

// withoutFormer returns the types of the identifiers that a correction has replaced and that lead
// to somebody else by now.
func (s State) withoutFormer() (types []dsar.IdentifierType) {
	for _, id := range s.Identifiers {
		if s.ledAway(id) && !slices.Contains(types, id.Type) {
			types = append(types, id.Type)
		}
	}
	return types
}

// foundBy returns what systems found by an identifier that isn't the person's own, and by what it
// led to.
func (s State) foundBy(id dsar.Identifier) []dsar.Identifier {
	all := []dsar.Identifier{id}
	for i := 0; i < len(all); i++ {
		for _, o := range s.Identifiers {
			if o.From != "" && o.From == all[i].Fingerprint && !isOwn(s.Identifiers, o) && !has(all, o) {
				all = append(all, o)
			}
		}
	}
	return all[1:]
}
