package pgjournal

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"habeas.dev/services/internal/journal"
)

// SetRow implements journal.Rebuilt.
func (s *Store) SetRow(ctx context.Context, r journal.Row) (set bool, err error) {
	if err := s.usable(ctx); err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(ctx, commitTimeout)
	defer cancel()
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		var num int64
		err := tx.QueryRow(ctx, `UPDATE request SET version = $2, hash = $3, status = $4, "right" = $5, jurisdiction = $6, source = $7, digest = $8, received_at = $9,
			due_at = $10, wake_at = $11, updated_at = $12, overdue = $13, waiting = string_to_array($14, ','), assignee = $15, needs = $16
			WHERE id = $1 AND version <= $2 AND NOT EXISTS (SELECT FROM fact WHERE fact.request = request.num AND fact.version > $2) RETURNING num`,
			r.RequestID, r.Version, r.Hash, string(r.Status), string(r.Right), r.Jurisdiction, r.Source, r.Digest, r.ReceivedAt, optional(r.DueAt), optional(r.WakeAt), r.UpdatedAt,
			r.Overdue, strings.Join(r.Waiting, ","), r.Assignee, strings.Join(r.Needs, ",")).Scan(&num)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		set = true
		return setTimer(ctx, tx, num, optional(r.WakeAt))
	})
	return set && err == nil, s.explain(ctx, err)
}

// setTimer makes the timer of a request, whose row is locked, what that says.
func setTimer(ctx context.Context, tx pgx.Tx, num int64, wake pgtype.Timestamptz) (err error) {
	if wake.Valid {
		_, err = tx.Exec(ctx, setTimers, []int64{num}, []pgtype.Timestamptz{wake})
	} else {
		_, err = tx.Exec(ctx, dropTimers, []int64{num})
	}
	return err
}

// Mistimed implements journal.Rebuilt. It may take minutes: ctx bounds it alone.
func (s *Store) Mistimed(ctx context.Context, limit int) ([]string, error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	rows, err := s.pool.Query(ctx, "SELECT r.id FROM request r LEFT JOIN timer t ON t.request = r.num WHERE r.wake_at IS DISTINCT FROM t.wake_at ORDER BY r.num LIMIT $1", journal.Filter{Limit: limit}.ListLimit())
	if err != nil {
		return nil, s.explain(ctx, err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
	return ids, s.explain(ctx, err)
}

// SetTimer implements journal.Rebuilt.
func (s *Store) SetTimer(ctx context.Context, requestID string) error {
	if err := s.usable(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, commitTimeout)
	defer cancel()
	return s.explain(ctx, pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		var num int64
		var wake pgtype.Timestamptz
		err := tx.QueryRow(ctx, "SELECT num, wake_at FROM request WHERE id = $1 FOR UPDATE", requestID).Scan(&num, &wake)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		return setTimer(ctx, tx, num, wake)
	}))
}
