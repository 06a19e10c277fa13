package worker

import (
	"slices"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/identifier"
)

// FoundAnothers is the reason why a dataset isn't covered ([dsar.Counts].Uncovered) in which a
// record was found and left, since it says that it is somebody else's: what is wrong, and the cure.
const FoundAnothers = "a record that was found by one identifier of the person holds another that isn't theirs, and was left: look whose it is, and see to it by hand where it is the person's"

// Matches tells, of a record that was found by identifiers, for each type of which the record holds
// something and the person is known by something, whether one of the record's is the person's.
type Matches map[dsar.IdentifierType]bool

// IsAnothers reports whether a record is somebody else's by what it holds, though something led
// to it: a number that a system gave says more than an e-mail address, which two people may
// have, and that more than a telephone, which is a household's. What says most decides.
//
// Such a record MUST be left and named ([FoundAnothers]).
func (m Matches) IsAnothers() bool {
	said, theirs := 0, false
	for t, is := range m {
		switch s := strength(t); {
		case s > said:
			said, theirs = s, is
		case s == said:
			theirs = theirs || is
		}
	}
	return said > 0 && !theirs
}

// strength returns how much an identifier of a type says of whose a record is.
func strength(t dsar.IdentifierType) int {
	return 3 - max(0, slices.Index([]dsar.IdentifierType{"", identifier.Email, identifier.Phone}, t))
}
