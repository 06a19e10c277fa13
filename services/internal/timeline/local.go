package timeline

import (
	"time"

	"habeas.dev/services/internal/core"
)

// Local returns a time in the time zone of a law, by whose days an answer is due: that of
// policy.Book.
type Local func(law string, at time.Time) time.Time

// InUTC knows no law.
func InUTC(_ string, at time.Time) time.Time { return at.UTC() }

// due returns when something is due, in the time zone of the law.
func (local Local) due(law string, at time.Time) time.Time {
	if at.IsZero() {
		return at
	}
	return local(law, at)
}

// of returns a fact that tells when the answer is due by the law's days, to be said in words.
func (local Local) of(e core.Event, law string) core.Event {
	switch e := e.(type) {
	case core.Overdue:
		e.DueAt = local.due(law, e.DueAt)
		return e
	case core.Extended:
		e.DueAt = local.due(law, e.DueAt)
		return e
	case core.ClarificationGiven:
		e.DueAt = local.due(law, e.DueAt)
		return e
	case core.ProofJudged:
		e.DueAt = local.due(law, e.DueAt)
		return e
	default:
		return e
	}
}
