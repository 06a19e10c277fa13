package sqlsystem

import (
	"context"
	"database/sql"
	"fmt"

	"habeas.dev/pkg/telemetry"
	"habeas.dev/pkg/worker"
)

// errRehearsed ends a transaction of which nothing is to stay.
var errRehearsed = telemetry.Constant("sqlsystem: it was a rehearsal")

// Rehearse does what Erase does, up to the end of the transaction, asks anew in it as
// Prove does, and takes all of it back: the counts and errors are those that Erase
// would give, and a job of which something would still be found fails with
// still-there. Constraints that the database holds until the end are held here, too
// (TestRehearsalIsTheErasure). Rows are locked until it is over, and triggers run:
// what one does outside of the database isn't taken back.
func (s *System) Rehearse(ctx context.Context, all []*worker.EraseJob) error {
	jobs := eraseJobs(all)
	err := readPlans(ctx, jobs)
	if err == nil {
		err = s.transact(ctx, jobs, s.rehearse)
	}
	s.tellErased(all, jobs, err)
	return err
}

func (s *System) rehearse(ctx context.Context, tx *sql.Tx, jobs []*counted, lacking lacks) error {
	before, err := s.dialect.dangling(ctx, tx)
	if err != nil {
		return err
	}
	if _, err := s.eraseIn(ctx, tx, jobs, lacking); err != nil {
		return err
	}
	if err := s.endAsCommit(ctx, tx, before); err != nil {
		return err
	}
	if len(lacking) > 0 { // what may not be read or erased is named already
		return errRehearsed
	}
	after := make([]*counted, len(jobs))
	for i, j := range jobs {
		after[i] = &counted{Job: &worker.Job{Task: j.Task}, planned: j.planned}
	}
	if err := s.countOn(ctx, tx, after, true); err != nil {
		return err
	}
	for i, j := range jobs {
		for _, c := range after[i].Counts {
			if left := c.Found - c.Kept(); left > 0 && !uncovered(j, c.Dataset) {
				j.Err = worker.Permanent("still-there", fmt.Sprintf("%d records of %s would still be found after the erasure: a trigger or rule brings them back, or leaves them", left, c.Dataset), nil)
			}
		}
	}
	return errRehearsed
}

// uncovered reports whether an erasure has said that it left something of a dataset.
func uncovered(j *counted, dataset string) bool {
	for _, c := range j.Counts {
		if c.Dataset == dataset && c.Uncovered != "" {
			return true
		}
	}
	return false
}

// endAsCommit fails where the end of the transaction would: before is what dangling
// gave at its beginning.
func (s *System) endAsCommit(ctx context.Context, tx *sql.Tx, before map[string]int) error {
	if err := s.dialect.beforeCommit(ctx, tx); err != nil {
		return err
	}
	after, err := s.dialect.dangling(ctx, tx)
	if err != nil {
		return err
	}
	for table, n := range after {
		if n > before[table] {
			return worker.Permanent("refused", fmt.Sprintf("%d rows of %s refer to what would be erased, by a foreign key that is held at the end of the transaction", n-before[table], table), nil)
		}
	}
	return nil
}
