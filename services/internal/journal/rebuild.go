package journal

import (
	"context"
	"slices"
)

// Rebuilt is the port of who makes the rows of requests anew from their facts.
type Rebuilt interface {
	// SetRow replaces a request's row, with its version and hash, unless the journal has more
	// facts of it, or the row says so: then somebody has appended meanwhile, and it is false.
	SetRow(ctx context.Context, r Row) (bool, error)
	// Mistimed returns requests whose timer isn't what their row says: at most limit, and at most
	// [MaxList]. Where timers lie beside rows, whoever can write there has a request forgotten
	// late or never by it. It reads all rows.
	Mistimed(ctx context.Context, limit int) ([]string, error)
	// SetTimer makes a request's timer what its row says.
	SetTimer(ctx context.Context, requestID string) error
}

// Same reports whether two rows say the same.
func (r Row) Same(o Row) bool {
	return r.RequestID == o.RequestID && r.Version == o.Version && r.Status == o.Status && r.Right == o.Right && r.Jurisdiction == o.Jurisdiction && r.Source == o.Source &&
		r.Digest == o.Digest && r.ReceivedAt.Equal(o.ReceivedAt) && r.DueAt.Equal(o.DueAt) && r.WakeAt.Equal(o.WakeAt) && r.UpdatedAt.Equal(o.UpdatedAt) && r.Overdue == o.Overdue &&
		slices.Equal(r.Waiting, o.Waiting) && slices.Equal(r.Needs, o.Needs) && r.Assignee == o.Assignee && string(r.Hash) == string(o.Hash)
}
