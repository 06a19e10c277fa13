package aggregator

import (
	"cmp"
	"slices"

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
		l, err := w.Write(kind, letter.Facts{State: s, Kept: keeps(t.Answer), Inside: true})
		if err != nil {
			return nil, err
		}
		return &bundle.Letter{Title: l.Subject, Paragraphs: l.Paragraphs}, nil
	}
}

// keeps reports whether an erasure had to leave something.
func keeps(a *core.Answer) bool {
	return slices.ContainsFunc(a.Systems, func(s core.SystemAnswer) bool {
		return slices.ContainsFunc(s.Ends, func(e core.ActionEnd) bool {
			return (e.Action == dsar.Erase || e.Action == dsar.Prove) && slices.ContainsFunc(e.Counts, func(c dsar.Counts) bool { return c.Kept() > 0 })
		})
	})
}
