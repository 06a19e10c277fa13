package intake

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"habeas.dev/pkg/event"
)

// digest returns the keyed hash by which "the same content again" is told from
// other content. It is over the members in one order, the time in UTC, and the
// identifiers sorted: how something was written down isn't content
// (TestSameContent).
func (in *Intake) digest(s event.Submitted) (string, error) {
	s.ReceivedAt = s.ReceivedAt.UTC()
	s.Subject.Identifiers = slices.Clone(s.Subject.Identifiers)
	slices.SortFunc(s.Subject.Identifiers, func(a, b event.SubjectIdentifier) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Value, b.Value), cmp.Compare(fmt.Sprint(a.Verified), fmt.Sprint(b.Verified)))
	})
	if d := s.Details; d != nil && len(d.Corrections) == 0 && len(d.Purposes) == 0 && d.Message == "" && !d.Lift {
		s.Details = nil // {} says nothing
	}
	canonical, err := json.Marshal(s)
	if err != nil {
		return "", fmt.Errorf("intake: request %s: can't be written as JSON", s.RequestID)
	}
	return in.Vault.Digest(canonical), nil
}
