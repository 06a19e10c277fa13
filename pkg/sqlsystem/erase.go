package sqlsystem

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/worker"
)

// EraseBatch deletes or makes anonymous what is held of many people and need not
// stay, in one transaction: one query that counts and one that erases for each
// dataset, those first whose rows refer to others'. Where the database refuses a
// row, each person is erased in a transaction of their own, so that only whose
// row it is fails.
func (s *System) EraseBatch(ctx context.Context, jobs []*worker.CountsJob) error {
	return s.transact(ctx, jobs, func(ctx context.Context, tx *sql.Tx, jobs []*worker.CountsJob) error {
		day := today(s.now())
		chunks := s.chunks(tasksOf(jobs))
		for _, d := range s.erasing {
			free, held := chunks, []*chunk(nil)
			if slices.ContainsFunc(jobs, func(j *worker.CountsJob) bool { return slices.Contains(j.Holds, d.Name) }) {
				free, held = s.apart(jobs, d.Name)
			}
			for _, c := range free {
				if err := s.erase(ctx, tx, d, c, day, jobs, false); err != nil {
					return err
				}
			}
			for _, c := range held {
				if err := s.erase(ctx, tx, d, c, day, jobs, true); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// apart makes chunks of the jobs that may be erased of a dataset, and of those on
// whose records there is a hold.
func (s *System) apart(jobs []*worker.CountsJob, dataset string) (free, held []*chunk) {
	nobody := &worker.Task{}
	erasing, holding := make([]*worker.Task, len(jobs)), make([]*worker.Task, len(jobs))
	for i, j := range jobs {
		erasing[i], holding[i] = &j.Task, nobody
		if slices.Contains(j.Holds, dataset) {
			erasing[i], holding[i] = nobody, &j.Task
		}
	}
	return s.chunks(erasing), s.chunks(holding)
}

// erase erases what a chunk's jobs have in a dataset, or counts only where a hold
// is on it.
func (s *System) erase(ctx context.Context, tx *sql.Tx, d *dataset, c *chunk, day time.Time, jobs []*worker.CountsJob, held bool) error {
	tallies := newTallies(len(jobs))
	gone, err := s.count(ctx, tx, d, c, day, tallies)
	if err != nil {
		return err
	}
	if gone > 0 && !held {
		q := &statement{dialect: s.dialect}
		if d.SQL.Erase == manifest.EraseAnonymise {
			q.add("UPDATE ", d.table, " AS t SET ")
			for i, column := range slices.Sorted(maps.Keys(d.SQL.Anonymise)) {
				if i > 0 {
					q.WriteString(", ")
				}
				q.add(quote(column), " = ")
				q.constant(d.SQL.Anonymise[column])
			}
		} else {
			q.add("DELETE FROM ", d.table, " AS t")
		}
		d.rows(q, c, func() { d.goable(q, day) })
		if err := s.exactly(ctx, tx, q, gone); err != nil {
			return err
		}
	}
	if foundOf(tallies) > gone || held {
		if err := s.lockAway(ctx, tx, d, c); err != nil {
			return err
		}
	}
	for i, t := range tallies {
		if t.found == 0 {
			continue
		}
		if held {
			t.hold()
		}
		n := dsar.Counts{Dataset: d.Name, Found: t.found, Retained: t.kept()}
		if d.SQL.Erase == manifest.EraseAnonymise {
			n.Anonymised = t.gone
		} else {
			n.Erased = t.gone
		}
		jobs[i].Counts = append(jobs[i].Counts, n)
	}
	return nil
}

// foundOf is how many rows there are, by person: at least as many as there are.
func foundOf(tallies []tally) (n int64) {
	for _, t := range tallies {
		n += t.found
	}
	return n
}

// lockAway sets the flags that stop processing on what had to stay of an erasure
// (GDPR art. 18): it is kept for the duty or claim, and for nothing else. A
// dataset without such a flag relies on what else its system does.
func (s *System) lockAway(ctx context.Context, tx *sql.Tx, d *dataset, c *chunk) error {
	flags := d.flags(dsar.Restriction, nil)
	if len(flags) == 0 || len(c.asked(d.subjects)) == 0 {
		return nil
	}
	q := &statement{dialect: s.dialect}
	q.add("UPDATE ", d.table, " AS t SET ")
	for i, f := range flags {
		if i > 0 {
			q.WriteString(", ")
		}
		q.add(quote(f.Column), " = ")
		q.constant(f.Value)
	}
	d.rows(q, c, func() {}) // what need not stay is gone
	_, err := tx.ExecContext(ctx, q.String(), q.args...)
	return err
}

// rows writes the condition that a row of d belongs to one of the chunk's jobs;
// more adds to it.
func (d *dataset) rows(q *statement, c *chunk, more func()) {
	asked := c.asked(d.subjects)
	q.WriteString(" WHERE ")
	if d.joins == "" {
		c.where(q, asked)
		more()
		return
	}
	key := strings.Join(d.key, ", ")
	q.add("(", key, ") IN (SELECT ", key, " FROM ", d.table, " AS t", d.joins, " WHERE ")
	c.where(q, asked)
	more()
	q.WriteByte(')')
}

// constant adds a value of the manifest. PostgreSQL reads it by the column's type.
func (s *statement) constant(v any) {
	if v == nil {
		s.WriteString("NULL")
		return
	}
	if s.dialect == PostgreSQL {
		v = fmt.Sprint(v)
	}
	s.arg(v)
}

// exactly runs a statement that must touch as many rows as were counted in the
// same transaction.
func (s *System) exactly(ctx context.Context, tx *sql.Tx, q *statement, want int64) error {
	result, err := tx.ExecContext(ctx, q.String(), q.args...)
	if err != nil {
		return err
	}
	n, err := result.RowsAffected()
	if err != nil {
		return err
	}
	if n != want {
		return errChanged
	}
	return nil
}

// errChanged undoes a transaction whose second look isn't its first.
var errChanged = worker.Transient("changed", "the records changed while they were dealt with; nothing was done", nil)

// transact runs do for all jobs in one transaction. Where the database refuses
// what they ask, each gets a transaction of its own. The counts of a transaction
// that wasn't committed are taken back.
func (s *System) transact(ctx context.Context, jobs []*worker.CountsJob, do func(context.Context, *sql.Tx, []*worker.CountsJob) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	once := func(jobs []*worker.CountsJob) error {
		err := s.inTransaction(ctx, func(tx *sql.Tx) error { return do(ctx, tx, jobs) })
		if err != nil {
			for _, j := range jobs {
				j.Counts = nil
			}
		}
		return err
	}
	jobs = slices.DeleteFunc(slices.Clone(jobs), func(j *worker.CountsJob) bool { return j.Err != nil })
	err := once(jobs)
	if err == nil || len(jobs) < 2 || !refused(err) {
		return explain(err)
	}
	for _, j := range jobs {
		// Also when the call's time is over: what was committed is told as done.
		j.Err = explain(once([]*worker.CountsJob{j}))
	}
	return nil
}

func (s *System) inTransaction(ctx context.Context, do func(*sql.Tx) error) (err error) {
	var opts *sql.TxOptions
	if s.dialect == PostgreSQL {
		// What was counted is what is erased, whatever others do meanwhile.
		opts = &sql.TxOptions{Isolation: sql.LevelRepeatableRead}
	}
	tx, err := s.db.BeginTx(ctx, opts)
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		if e := tx.Rollback(); e != nil && !errors.Is(e, sql.ErrTxDone) {
			return errors.Join(err, e)
		}
		return err
	}
	return tx.Commit()
}
