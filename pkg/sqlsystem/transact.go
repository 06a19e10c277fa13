package sqlsystem

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
)

// transact runs do for all jobs in one transaction. Where the database doesn't
// allow something of a dataset, it runs anew without that, told what; and anew where
// a relation was dropped while the transaction looked at the catalogue. Where it
// refuses what the jobs ask, each gets a transaction of its own. The counts of a
// transaction that wasn't committed are taken back, but for those of a rehearsal,
// which ends in errRehearsed.
func (s *System) transact(ctx context.Context, jobs []*counted, do func(context.Context, *sql.Tx, []*counted, lacks) error) error {
	lacking := lacks{}
	try := func(jobs []*counted) error {
		err := s.inTransaction(ctx, func(ctx context.Context, tx *sql.Tx) error { return do(ctx, tx, jobs, lacking) })
		if err == nil || errors.Is(err, errRehearsed) {
			return nil
		}
		for _, j := range jobs {
			j.Counts, j.taken, j.late = nil, nil, nil
		}
		return err
	}
	once := func(jobs []*counted) error {
		for short := false; ; {
			err := undropped(func() error { return try(jobs) })
			if err == nil {
				return nil
			}
			if first := !short && isShort(err); first {
				short = true // the rows may have changed in between; a second time they haven't
			} else if !lacking.learn(err) {
				return err
			}
		}
	}
	jobs = slices.DeleteFunc(slices.Clone(jobs), func(j *counted) bool { return j.Err != nil })
	err := once(jobs)
	if err == nil {
		return nil
	}
	if refused(err) {
		// What refuses may be newer than what is known; it is named as well as can be.
		_ = s.refresh(ctx, s.db)
	}
	if len(jobs) < 2 || !refused(err) {
		return s.explain(err)
	}
	for _, j := range jobs {
		// Also when the call's time is over: what was committed is told as done.
		if err := s.explain(once([]*counted{j})); err != nil {
			j.Err = err
		}
	}
	return nil
}

func isShort(err error) bool {
	var short *shortfall
	return errors.As(err, &short)
}

// watchable fails where what transactions do can't be counted on the database's connections.
func (s *System) watchable(ctx context.Context) error {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("sqlsystem: %s: %w: %w", s.m.System, ErrUnreachable, err)
	}
	_, unwatch, err := s.dialect.watch(ctx, conn)
	if err != nil {
		return errors.Join(err, conn.Close())
	}
	unwatch()
	return conn.Close()
}

// begin returns how a transaction begins that erases. Where rows stay while others refer to them, it is
// serializable: of two erasures at once, each would leave what only the other's rows refer to. One of
// them is then undone, and done anew (TestSharedAtOnce).
func (s *System) begin() *sql.TxOptions {
	options := s.dialect.begin()
	if options != nil && slices.ContainsFunc(s.datasets, func(d *dataset) bool { return len(d.uses) > 0 }) {
		return &sql.TxOptions{Isolation: sql.LevelSerializable}
	}
	return options
}

// inTransaction runs do in a transaction on a connection of its own, of which is counted what it
// does.
func (s *System) inTransaction(ctx context.Context, do func(context.Context, *sql.Tx) error) (err error) {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // the transaction has told
	ctx, unwatch, err := s.dialect.watch(ctx, conn)
	if err != nil {
		return err
	}
	defer unwatch()
	tx, err := conn.BeginTx(ctx, s.begin())
	if err != nil {
		return err
	}
	if err = s.lookForFilters(ctx, tx); err == nil {
		err = do(ctx, tx)
	}
	if err != nil {
		if e := tx.Rollback(); e != nil && !errors.Is(e, sql.ErrTxDone) {
			return errors.Join(err, e)
		}
		return err
	}
	return tx.Commit()
}
