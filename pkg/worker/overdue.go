package worker

import (
	"context"
	"time"
)

// OverdueCounter is an implementation that counts what its system holds beyond the storage
// periods that its manifest says as data. It is asked every few hours, and may take minutes.
type OverdueCounter interface {
	Overdue(ctx context.Context) ([]Overdue, error)
}

// Overdue is what of a dataset lies beyond its storage period.
type Overdue struct {
	Dataset string
	Records int64
	// Before is the day before which records should be gone.
	Before time.Time
}
