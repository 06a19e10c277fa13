package pgjournal

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"habeas.dev/services/internal/journal"
)

// AddProof implements journal.Proofs.
func (s *Store) AddProof(ctx context.Context, p journal.Proof, l journal.ProofLimits) error {
	if err := journal.CheckProof(p); err != nil {
		return err
	}
	if err := s.usable(ctx); err != nil {
		return err
	}
	bounded, cancel := context.WithTimeout(ctx, commitTimeout)
	defer cancel()
	if _, err := s.pool.Exec(bounded, "DELETE FROM proof WHERE at < $1", journal.Time(p.At.Add(-journal.ProofsKept))); err != nil {
		return s.explain(ctx, err)
	}
	const statement = `INSERT INTO proof (id, who, hash, at, ends, tries) SELECT $1::text, $2::text, $3::bytea, $4::timestamptz, $5::timestamptz, $6::integer
		WHERE (SELECT count(*) FROM proof WHERE who = $2 AND at > $7 AND id <> $1) < $8
		AND (SELECT coalesce(sum(tried - spent::integer), 0) FROM proof WHERE who = $2) < $9
		ON CONFLICT (id) DO UPDATE SET id = excluded.id`
	tag, err := s.pool.Exec(bounded, statement, p.ID, p.Who, p.Hash, journal.Time(p.At), journal.Time(p.Ends), p.Tries, journal.Time(p.At.Add(-24*time.Hour)), l.PerDay, l.Failed)
	if err != nil {
		return s.explain(ctx, err)
	}
	if tag.RowsAffected() == 0 {
		return journal.ErrOften
	}
	return nil
}

// TryProof implements journal.Proofs.
func (s *Store) TryProof(ctx context.Context, id string, hash []byte, now time.Time) (spent, live bool, err error) {
	if err := s.usable(ctx); err != nil {
		return false, false, err
	}
	bounded, cancel := context.WithTimeout(ctx, commitTimeout)
	defer cancel()
	const statement = `UPDATE proof SET tried = tried + 1, spent = (hash = $2)
		WHERE id = $1 AND NOT spent AND ends > $3 AND tried < tries RETURNING spent`
	err = s.pool.QueryRow(bounded, statement, id, hash, journal.Time(now)).Scan(&spent)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, false, nil
	}
	return spent, err == nil, s.explain(ctx, err)
}
