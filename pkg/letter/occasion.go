package letter

import "habeas.dev/pkg/dsar"

// Of is what a letter tells of an occasion: of the request as it was then, however
// much later it is written.
func Of(s dsar.State, o dsar.Occasion) Facts {
	s.Right, s.DueAt, s.Extended, s.Paused = o.Right, o.DueAt, o.Extended, o.Paused
	if o.Letter != dsar.LetterRefusal {
		s.Refusal = dsar.Refused{}
	}
	return Facts{State: s, At: o.At, Checks: o.Checks, Reason: o.Reason, Kept: o.Kept}
}
