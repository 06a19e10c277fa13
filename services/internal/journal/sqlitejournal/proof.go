package sqlitejournal

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"habeas.dev/services/internal/journal"
)

// AddProof implements journal.Proofs. It writes beside the appends, as notes are written.
func (s *Store) AddProof(ctx context.Context, p journal.Proof, l journal.ProofLimits) error {
	if err := journal.CheckProof(p); err != nil {
		return err
	}
	if err := s.usable(ctx); err != nil {
		return err
	}
	if _, err := s.notes.ExecContext(ctx, "DELETE FROM proof WHERE at < ?", p.At.Add(-journal.ProofsKept).UnixMicro()); err != nil {
		return explain(s.path, err)
	}
	const statement = `INSERT INTO proof (id, who, hash, at, ends, tries) SELECT ?1, ?2, ?3, ?4, ?5, ?6
		WHERE (SELECT count(*) FROM proof WHERE who = ?2 AND at > ?7 AND id <> ?1) < ?8
		AND (SELECT coalesce(sum(tried - spent), 0) FROM proof WHERE who = ?2) < ?9
		ON CONFLICT (id) DO UPDATE SET id = excluded.id`
	result, err := s.notes.ExecContext(ctx, statement, p.ID, p.Who, p.Hash, p.At.UnixMicro(), p.Ends.UnixMicro(), p.Tries, p.At.Add(-24*time.Hour).UnixMicro(), l.PerDay, l.Failed)
	if err != nil {
		return explain(s.path, err)
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return errors.Join(explain(s.path, err), journal.ErrOften)
	}
	return nil
}

// TryProof implements journal.Proofs.
func (s *Store) TryProof(ctx context.Context, id string, hash []byte, now time.Time) (spent, live bool, err error) {
	if err := s.usable(ctx); err != nil {
		return false, false, err
	}
	const statement = `UPDATE proof SET tried = tried + 1, spent = (hash = ?2)
		WHERE id = ?1 AND spent = 0 AND ends > ?3 AND tried < tries RETURNING spent`
	err = s.notes.QueryRowContext(ctx, statement, id, hash, now.UnixMicro()).Scan(&spent)
	if errors.Is(err, sql.ErrNoRows) {
		return false, false, nil
	}
	return spent, err == nil, explain(s.path, err)
}
