package lifecycle

import (
	"context"
	"fmt"

	"habeas.dev/services/internal/journal"
)

// Rows is what Rebuild needs of the journal.
type Rows interface {
	List(ctx context.Context, f journal.Filter) ([]journal.Row, error)
	Facts(ctx context.Context, requestID string, from int) ([]journal.Fact, error)
	journal.Rebuilt
}

// Rebuild makes the rows of all requests anew from their facts, where they differ, and
// returns how many it looked at, how many differed, and how many of these it set: none
// with plan. Requests may go on meanwhile: an append makes its row by itself.
func Rebuild(ctx context.Context, j Rows, plan bool, progress func(what string, n int)) (looked, differed, set int, err error) {
	f := journal.Filter{Limit: journal.MaxList}
	for {
		rows, err := j.List(ctx, f)
		if err != nil {
			return looked, differed, set, err
		}
		for _, row := range rows {
			facts, err := j.Facts(ctx, row.RequestID, 1)
			if err != nil {
				return looked, differed, set, err
			}
			want, err := Fold(facts)
			if err != nil {
				return looked, differed, set, fmt.Errorf("request %s: %w", row.RequestID, err)
			}
			looked++
			progress("requests looked at", looked)
			if len(facts) == 0 || want.Same(row) {
				continue
			}
			differed++
			if plan {
				continue
			}
			done, err := j.SetRow(ctx, want)
			if err != nil {
				return looked, differed, set, fmt.Errorf("request %s: %w", row.RequestID, err)
			}
			if done {
				set++
			}
		}
		if len(rows) < f.Limit {
			return looked, differed, set, nil
		}
		f.After = rows[len(rows)-1].Cursor()
	}
}

// MendTimers makes the timers of all requests what their rows say, and returns how many
// weren't.
func MendTimers(ctx context.Context, j journal.Rebuilt) (mended int, err error) {
	for {
		ids, err := j.Mistimed(ctx, journal.MaxList)
		if err != nil || len(ids) == 0 {
			return mended, err
		}
		for _, id := range ids {
			if err := j.SetTimer(ctx, id); err != nil {
				return mended, err
			}
			mended++
		}
	}
}
