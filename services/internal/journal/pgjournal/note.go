package pgjournal

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"
	"habeas.dev/services/internal/journal"
)

// Note implements journal.Notes.
func (s *Store) Note(ctx context.Context, name string) (data []byte, version int64, err error) {
	type note struct {
		Data    []byte
		Version int64
	}
	list, err := query(ctx, s, pgx.RowToStructByPos[note], "SELECT data, version FROM note WHERE name = $1", name)
	if err != nil || len(list) == 0 {
		return nil, 0, err
	}
	return list[0].Data, list[0].Version, nil
}

// SetNote implements journal.Notes.
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
	sql := "UPDATE note SET data = $2, version = version + 1 WHERE name = $1 AND version = $3 RETURNING version"
	if expected == 0 {
		sql = "INSERT INTO note (name, data, version) VALUES ($1, $2, $3 + 1) ON CONFLICT DO NOTHING RETURNING version"
	}
	bounded, cancel := context.WithTimeout(ctx, commitTimeout)
	defer cancel()
	var version int64
	err := s.pool.QueryRow(bounded, sql, name, data, expected).Scan(&version)
	if errors.Is(err, pgx.ErrNoRows) {
		return journal.ErrConflict
	}
	return s.explain(ctx, err)
}

// ForgetFingerprints implements journal.Lister.
func (s *Store) ForgetFingerprints(ctx context.Context, requestID string) error {
	if err := s.usable(ctx); err != nil {
		return err
	}
	bounded, cancel := context.WithTimeout(ctx, commitTimeout)
	defer cancel()
	_, err := s.pool.Exec(bounded, "DELETE FROM fingerprint WHERE request = (SELECT num FROM request WHERE id = $1)", requestID)
	return s.explain(ctx, err)
}

// SetNeeds implements journal.Lister.
func (s *Store) SetNeeds(ctx context.Context, requestID string, version int, needs []string) error {
	if err := s.usable(ctx); err != nil {
		return err
	}
	bounded, cancel := context.WithTimeout(ctx, commitTimeout)
	defer cancel()
	_, err := s.pool.Exec(bounded, "UPDATE request SET needs = $1 WHERE id = $2 AND version = $3 AND needs = $4",
		strings.Join(needs, ","), requestID, version, journal.NeedUnknown)
	return s.explain(ctx, err)
}
