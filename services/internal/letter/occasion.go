package letter

import "habeas.dev/services/internal/core"

// FactsOf returns what the letter of an occasion is written from: the request as it was
// then, however much later it is written.
func FactsOf(s core.State, o core.Occasion) Facts {
	s.Right, s.DueAt, s.Extended, s.Paused = o.Right, o.DueAt, o.Extended, o.Paused
	if o.Letter != core.LetterRefusal {
		s.Refusal = core.Refused{}
	}
	return Facts{State: s, At: o.At, Checks: o.Checks, Reason: o.Reason, Kept: o.Kept, Locked: o.Locked, Again: o.Again}
}
