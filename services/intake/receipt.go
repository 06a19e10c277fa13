package intake

import (
	"habeas.dev/services/intake/api"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
)

// Receipt is the answer to a request that was taken in. It is made of the first
// fact of the request's journal and so never changes.
type Receipt = api.Receipt

func receipt(a core.Accepted) Receipt {
	r := Receipt{
		RequestId:    a.RequestID,
		Status:       api.Accepted,
		Right:        api.Right(a.Right),
		Jurisdiction: a.Jurisdiction,
		ReceivedAt:   a.ReceivedAt.UTC(),
		AcceptedAt:   a.AcceptedAt.UTC(),
	}
	if !a.DueAt.IsZero() {
		due := a.DueAt.UTC()
		r.DueAt = &due
	}
	return r
}

// state returns what the row of a request tells an upstream.
func state(row journal.Row) api.RequestState {
	s := api.RequestState{
		RequestId:    row.RequestID,
		Status:       api.Status(row.Status),
		Right:        api.Right(row.Right),
		Jurisdiction: row.Jurisdiction,
		Source:       row.Source,
		ReceivedAt:   row.ReceivedAt.UTC(),
		UpdatedAt:    row.UpdatedAt.UTC(),
		Overdue:      row.Overdue,
		WaitingFor:   row.Waiting,
	}
	if !row.DueAt.IsZero() {
		due := row.DueAt.UTC()
		s.DueAt = &due
	}
	if s.WaitingFor == nil {
		s.WaitingFor = []string{} // a list, not null
	}
	return s
}
