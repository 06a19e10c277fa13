package intake

import (
	"time"

	"github.com/oapi-codegen/runtime/types"

	"habeas.dev/services/intake/api"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
)

// Receipt is the answer to a request that was taken in. It is made of the first
// fact of the request's journal and so never changes.
type Receipt = api.Receipt

func (in *Intake) receipt(a core.Accepted) Receipt {
	r := Receipt{
		RequestId:    a.RequestID,
		Status:       api.Accepted,
		Right:        api.Right(a.Right),
		Jurisdiction: a.Jurisdiction,
		ReceivedAt:   a.ReceivedAt.UTC(),
		AcceptedAt:   a.AcceptedAt.UTC(),
	}
	r.DueOn = in.dueOn(a.Jurisdiction, a.DueAt)
	if !a.DueAt.IsZero() {
		due := a.DueAt.UTC()
		r.DueAt = &due
	}
	return r
}

// dueOn returns the day of an instant where a law is; nil for none.
func (in *Intake) dueOn(jurisdiction string, due time.Time) *types.Date {
	if due.IsZero() {
		return nil
	}
	return &types.Date{Time: in.Policy.Local(jurisdiction, due)}
}

// state returns what the row of a request tells an upstream.
func (in *Intake) state(row journal.Row) api.RequestState {
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
	s.DueOn = in.dueOn(row.Jurisdiction, row.DueAt)
	if !row.DueAt.IsZero() {
		due := row.DueAt.UTC()
		s.DueAt = &due
	}
	if s.WaitingFor == nil {
		s.WaitingFor = []string{} // a list, not null
	}
	return s
}
