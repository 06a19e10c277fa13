package sqlitejournal

import (
	"context"
	"strings"

	"habeas.dev/services/internal/journal"
)

// SetRow implements journal.Rebuilt.
func (s *Store) SetRow(ctx context.Context, r journal.Row) (bool, error) {
	if err := s.usable(ctx); err != nil {
		return false, err
	}
	overdue := 0
	if r.Overdue {
		overdue = 1
	}
	result, err := s.notes.ExecContext(ctx, `UPDATE request SET version = ?, hash = ?, status = ?, "right" = ?, jurisdiction = ?, source = ?, digest = ?, received_at = ?,
		due_at = ?, wake_at = ?, updated_at = ?, overdue = ?, waiting = ?, assignee = ?, needs = ?
		WHERE id = ? AND version <= ? AND NOT EXISTS (SELECT 1 FROM fact WHERE fact.request = request.num AND fact.version > ?)`,
		r.Version, r.Hash, string(r.Status), string(r.Right), r.Jurisdiction, r.Source, r.Digest, micros(r.ReceivedAt), micros(r.DueAt), micros(r.WakeAt), micros(r.UpdatedAt),
		overdue, strings.Join(r.Waiting, ","), r.Assignee, strings.Join(r.Needs, ","), r.RequestID, r.Version, r.Version)
	if err != nil {
		return false, explain(s.path, err)
	}
	n, err := result.RowsAffected()
	return n > 0, explain(s.path, err)
}

// Mistimed implements journal.Rebuilt. A row is its own timer.
func (*Store) Mistimed(context.Context, int) ([]string, error) { return nil, nil }

// SetTimer implements journal.Rebuilt. A row is its own timer.
func (*Store) SetTimer(context.Context, string) error { return nil }
