package letter

import (
	"slices"

	"habeas.dev/pkg/dsar"
)

// Occasion is a fact that the person is written about.
type Occasion struct {
	Kind  dsar.Letter
	Cause int // the version of the fact, from 1
	Facts Facts
}

// Due lists the letters that a request's facts ask for and that were not sent.
// What a later fact has overtaken isn't asked for any more: nobody is told to
// send proof for a request that has ended.
func Due(facts []dsar.Event) []Occasion {
	var due []Occasion
	var state dsar.State
	for i, e := range facts {
		state = dsar.Evolve(state, e)
		o := Occasion{Cause: i + 1, Facts: Facts{State: state, At: dsar.At(e)}}
		switch e := e.(type) {
		case dsar.Accepted:
			o.Kind = dsar.LetterConfirmation
		case dsar.ProofAsked:
			o.Kind, o.Facts.Checks = dsar.LetterProof, e.Checks
		case dsar.ClarificationAsked:
			o.Kind, o.Facts.Reason = dsar.LetterClarification, e.Reason
		case dsar.Extended:
			o.Kind, o.Facts.Reason = dsar.LetterExtension, e.Reason
		case dsar.Refused:
			o.Kind = dsar.LetterRefusal
		case dsar.Completed, dsar.DeliveryAsked:
			if o.Kind = dsar.LetterAnswer; state.Right == dsar.Erasure {
				o.Kind, o.Facts.Kept = dsar.LetterCertificate, kept(state)
			}
		default:
			continue
		}
		due = append(due, o)
	}
	last := state
	return slices.DeleteFunc(due, func(o Occasion) bool {
		sent := slices.ContainsFunc(last.Letters, func(l dsar.LetterSent) bool { return l.Letter == o.Kind && l.Cause == o.Cause })
		question := o.Kind == dsar.LetterProof || o.Kind == dsar.LetterClarification
		return sent || question && last.Status.Ended()
	})
}

// kept tells whether an erasure had to leave something.
func kept(s dsar.State) bool {
	return slices.ContainsFunc(s.Tasks, func(t dsar.TaskState) bool {
		return (t.Action == dsar.Prove || t.Action == dsar.Erase) && slices.ContainsFunc(t.End.Counts, func(c dsar.Counts) bool { return c.Kept() > 0 })
	})
}
