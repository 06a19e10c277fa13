package core

import (
	"slices"

	"habeas.dev/pkg/dsar"
)

// CodeNoPurpose is the code of a system that isn't asked, since its data is used for none
// of the purposes that a request ends.
const CodeNoPurpose = "no-purpose"

// CodeFieldsUnchanged is the code of a correction that reached some fields nowhere: a person
// corrects them, or refuses them ([RefuseField]).
const CodeFieldsUnchanged = "fields-unchanged"

// CodeNoCorrection is the code of a system that has none of the fields that are to be
// corrected.
const CodeNoCorrection = "no-correction"

// ends returns the purposes that a request ends in a system; none where it ends all use
// of the data, or nothing there.
func (s State) ends(sys dsar.System) []string {
	var ids []string
	for _, id := range sys.Purposes {
		if slices.Contains(s.Accepted.Terms.Purposes, id) {
			ids = append(ids, id)
		}
	}
	return ids
}
