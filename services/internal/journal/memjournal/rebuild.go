package memjournal

import (
	"context"

	"habeas.dev/services/internal/journal"
)

// SetRow implements journal.Rebuilt.
func (s *Store) SetRow(ctx context.Context, row journal.Row) (set bool, err error) {
	err = s.call(ctx, OpNote, func() error {
		if r := s.requests[row.RequestID]; r != nil && r.row.Version <= row.Version && len(r.facts) == row.Version {
			r.row, set = row, true
		}
		return nil
	})
	return set, err
}

// Mistimed implements journal.Rebuilt. There is no timer beside a row.
func (*Store) Mistimed(context.Context, int) ([]string, error) { return nil, nil }

// SetTimer implements journal.Rebuilt. There is no timer beside a row.
func (*Store) SetTimer(context.Context, string) error { return nil }
