package aggregator

import (
	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/bundle"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/letter"
	"habeas.dev/services/internal/statement"
)

// LetterFrom puts the letter that is sent with an answer at its head. It has no
// date: the same facts give the same answer.
func LetterFrom(w *letter.Writer) func(*statement.Document) (*bundle.Letter, error) {
	return func(d *statement.Document) (*bundle.Letter, error) {
		kind := core.LetterAnswer
		if d.Request.Right == dsar.Erasure {
			kind = core.LetterCertificate
		}
		if d.Says(statement.AskedOnceMore) {
			kind = core.LetterAddendum
		}
		l, err := w.Write(kind, d, true)
		if err != nil {
			return nil, err
		}
		return &bundle.Letter{Title: l.Subject, Paragraphs: l.Paragraphs}, nil
	}
}
