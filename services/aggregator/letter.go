package aggregator

import (
	"cmp"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/bundle"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/letter"
)

// LetterFrom puts the letter that is sent with an answer at its head. It has no
// date: the same facts give the same answer.
func LetterFrom(w *letter.Writer) func(core.AssembleTask) (*bundle.Letter, error) {
	return func(t core.AssembleTask) (*bundle.Letter, error) {
		s := core.State{Accepted: core.Accepted{RequestID: t.RequestID, Right: cmp.Or(t.Answer.Asked, t.Right), Jurisdiction: t.Jurisdiction, Locale: t.Locale, ReceivedAt: t.ReceivedAt},
			Right: t.Right, DueAt: t.DueAt}
		kind := core.LetterAnswer
		if t.Right == dsar.Erasure {
			kind = core.LetterCertificate
		}
		if t.Answer.Again != nil {
			kind = core.LetterAddendum
		}
		l, err := w.Write(kind, letter.Facts{State: s, Again: t.Answer.Again, Kept: t.Answer.Keeps(), Locked: t.Answer.Locked(), Inside: true})
		if err != nil {
			return nil, err
		}
		return &bundle.Letter{Title: l.Subject, Paragraphs: l.Paragraphs}, nil
	}
}
