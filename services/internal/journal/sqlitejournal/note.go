package sqlitejournal

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"habeas.dev/services/internal/journal"
)

// Note implements journal.Notes.
func (s *Store) Note(ctx context.Context, name string) (data []byte, version int64, err error) {
	if err := s.usable(ctx); err != nil {
		return nil, 0, err
	}
	err = s.read.QueryRowContext(ctx, "SELECT data, version FROM note WHERE name = ?", name).Scan(&data, &version)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, 0, nil
	}
	return data, version, explain(s.path, err)
}

// SetNote implements journal.Notes. It writes beside the appends, on a
// connection of its own: notes are few, and wait for the appends' transactions.
func (s *Store) SetNote(ctx context.Context, name string, data []byte, expected int64) error {
	if err := journal.CheckNote(name, data, expected); err != nil {
		return err
	}
	if err := s.usable(ctx); err != nil {
		return err
	}
	if data == nil {
		data = []byte{} // no NULL
	}
	statement, args := "UPDATE note SET data = ?, version = version + 1 WHERE name = ? AND version = ?", []any{data, name, expected}
	if expected == 0 {
		statement, args = "INSERT INTO note (data, name, version) VALUES (?, ?, 1) ON CONFLICT DO NOTHING", args[:2]
	}
	result, err := s.notes.ExecContext(ctx, statement, args...)
	if err != nil {
		return explain(s.path, err)
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return errors.Join(explain(s.path, err), journal.ErrConflict)
	}
	return nil
}

// ForgetFingerprints implements journal.Lister. The index of fingerprints is by
// fingerprint; a request's are found by its number, through the index fingerprint_request.
func (s *Store) ForgetFingerprints(ctx context.Context, requestID string) error {
	if err := s.usable(ctx); err != nil {
		return err
	}
	_, err := s.notes.ExecContext(ctx, "DELETE FROM fingerprint WHERE request = (SELECT num FROM request WHERE id = ?)", requestID)
	return explain(s.path, err)
}

// SetNeeds implements journal.Lister.
func (s *Store) SetNeeds(ctx context.Context, requestID string, version int, needs []string) error {
	if err := s.usable(ctx); err != nil {
		return err
	}
	_, err := s.notes.ExecContext(ctx, "UPDATE request SET needs = ? WHERE id = ? AND version = ? AND needs = ?",
		strings.Join(needs, ","), requestID, version, journal.NeedUnknown)
	return explain(s.path, err)
}
