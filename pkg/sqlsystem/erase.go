package sqlsystem

import (
	"cmp"
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

// Erase deletes or makes anonymous what is held of many people and need not
// stay, in one transaction: one query that counts and one that erases for each
// dataset, those first whose rows refer to others'. Where the database refuses a
// row, each person is erased in a transaction of their own, so that only whose
// row it is fails. A dataset that the database doesn't let be read or erased is
// named, and what leads to its rows is left and named too (TestForbiddenErase).
func (s *System) Erase(ctx context.Context, all []*worker.EraseJob) error {
	jobs := eraseJobs(all)
	err := s.eraseAll(ctx, jobs)
	for i, j := range jobs {
		all[i].Counts = worker.Reconcile(all[i].Plan.Counts(), j.Counts)
	}
	return err
}

func (s *System) eraseAll(ctx context.Context, jobs []*counted) error {
	return s.transact(ctx, jobs, func(ctx context.Context, tx *sql.Tx, jobs []*counted, lacking lacks) error {
		e := &erasure{System: s, tx: tx, jobs: jobs, day: today(s.now()), lacking: lacking, gaps: make([]map[*dataset]string, len(jobs))}
		chunks := s.chunks(tasksOf(jobs))
		if err := e.findGaps(ctx, chunks); err != nil {
			return err
		}
		for _, d := range s.erasing {
			if lack := lacking[d.Name]; lack.no[reading] {
				for _, c := range chunks {
					c.uncover(d, jobs, lack.reason)
				}
				continue
			}
			free, kept := chunks, []*chunk(nil)
			for i := range jobs {
				if e.stays(i, d) {
					free, kept = e.apart(d)
					break
				}
			}
			for _, c := range free {
				if err := e.erase(ctx, d, c, false); err != nil {
					return err
				}
			}
			for _, c := range kept {
				if err := e.erase(ctx, d, c, true); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// erasure is an erasure of many people in one transaction.
type erasure struct {
	*System
	tx      *sql.Tx
	jobs    []*counted
	day     time.Time
	lacking lacks
	gaps    []map[*dataset]string // by job, the datasets that are left, and why
}

func (e *erasure) held(job int, d *dataset) bool { return slices.Contains(e.jobs[job].Holds, d.Name) }

// stays reports whether nothing of a job may be erased in a dataset.
func (e *erasure) stays(job int, d *dataset) bool { return e.held(job, d) || e.gaps[job][d] != "" }

// apart makes chunks of the jobs that may be erased of a dataset, and of those
// whose records stay.
func (e *erasure) apart(d *dataset) (free, kept []*chunk) {
	nobody := &worker.Task{}
	erasing, keeping := make([]*worker.Task, len(e.jobs)), make([]*worker.Task, len(e.jobs))
	for i, j := range e.jobs {
		erasing[i], keeping[i] = &j.Task, nobody
		if e.stays(i, d) {
			erasing[i], keeping[i] = nobody, &j.Task
		}
	}
	return e.chunks(erasing), e.chunks(keeping)
}

// findGaps makes out what is left of each job: what the database doesn't let be
// read or erased, what leads there, and what would take with it what is held.
func (e *erasure) findGaps(ctx context.Context, chunks []*chunk) error {
	for _, d := range e.erasing {
		lack := e.lacking[d.Name]
		for i := range e.jobs {
			for _, p := range d.takes {
				if e.held(i, d) && !e.held(i, p) {
					e.leave(i, p, "left, since the database would delete what is held of "+d.Name+" with it")
				}
			}
		}
		for _, c := range chunks {
			if lack.no[reading] {
				for _, i := range c.concerned(d) {
					e.leave(i, d, lack.reason)
				}
				continue
			}
			if !lack.no[deleting] && !lack.no[changing] {
				continue
			}
			tallies := newTallies(len(e.jobs))
			if _, err := e.count(ctx, e.tx, d, c, e.day, tallies); err != nil {
				return err
			}
			for i, t := range tallies {
				if t.gone > 0 && !e.held(i, d) {
					e.leave(i, d, lack.reason)
				}
			}
		}
	}
	return nil
}

// leave leaves a dataset of a job, and what leads to it.
func (e *erasure) leave(job int, d *dataset, reason string) {
	if e.gaps[job] == nil {
		e.gaps[job] = map[*dataset]string{}
	}
	if e.gaps[job][d] != "" {
		return
	}
	e.gaps[job][d] = reason
	for _, p := range d.leads {
		e.leave(job, p, "left, since what is in "+d.Name+" could not be found without it")
	}
}

// erase erases what a chunk's jobs have in a dataset, or counts only where it
// stays.
func (e *erasure) erase(ctx context.Context, d *dataset, c *chunk, stays bool) error {
	tallies := newTallies(len(e.jobs))
	gone, err := e.count(ctx, e.tx, d, c, e.day, tallies)
	if err != nil {
		return err
	}
	if gone > 0 && !stays {
		q := &statement{dialect: e.dialect}
		what := deleting
		if d.SQL.Erase == manifest.EraseAnonymise {
			what = changing
			q.add("UPDATE ", d.table, " AS t SET ")
			for i, column := range slices.Sorted(maps.Keys(d.SQL.Anonymise)) {
				if i > 0 {
					q.WriteString(", ")
				}
				q.add(quote(column), " = ")
				d.value(q, d.SQL.Anonymise[column])
			}
		} else {
			q.add("DELETE FROM ", d.table, " AS t")
		}
		d.rows(q, c, func() { d.goable(q, e.day) })
		if err := e.exactly(ctx, e.tx, d, what, q, gone); err != nil {
			return err
		}
	}
	lack := e.lacking[d.Name]
	if (foundOf(tallies) > gone || stays) && !lack.no[restricting] {
		if err := e.lockAway(ctx, e.tx, d, c); err != nil {
			return d.may(restricting, err)
		}
	}
	for i, t := range tallies {
		if t.found == 0 {
			continue
		}
		n := dsar.Counts{Dataset: d.Name, Found: t.found}
		erased := t.gone
		switch {
		case e.held(i, d):
			t.hold()
			erased = 0
		case t.gone > 0 && e.gaps[i][d] != "":
			n.Uncovered, erased = e.gaps[i][d], 0
		}
		if n.Retained = t.kept(); len(n.Retained) > 0 && lack.no[restricting] {
			n.Uncovered = cmp.Or(n.Uncovered, lack.reason)
		}
		if d.SQL.Erase == manifest.EraseAnonymise {
			n.Anonymised = erased
		} else {
			n.Erased = erased
		}
		e.jobs[i].Counts = append(e.jobs[i].Counts, n)
	}
	return nil
}

// foundOf returns how many rows there are, by person: at least as many as there
// are.
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
	q := s.flagging(d, c, flags, false) // what need not stay is gone, or left
	_, err := tx.ExecContext(ctx, q.String(), q.args...)
	return err
}

// rows writes the condition that a row of d belongs to one of the chunk's jobs;
// more adds to it.
func (d *dataset) rows(q *statement, c *chunk, more func()) {
	asked := c.asked(d.subjects)
	q.WriteString(" WHERE ")
	if way, one := oneWay(asked); one && way == 0 && len(d.joins) == 0 {
		c.where(q, asked)
		more()
		return
	}
	key := strings.Join(d.key, ", ")
	q.add("(", key, ") IN (SELECT ", key)
	c.whose(q, d, asked)
	more()
	q.WriteByte(')')
}

// value adds what anonymise sets a column to: a constant, or a text with the row's
// key in it.
func (d *dataset) value(q *statement, value any) {
	parts := d.SQL.Template(value)
	if parts == nil {
		q.constant(value)
		return
	}
	for i, p := range parts {
		if i > 0 {
			q.WriteString(" || ")
		}
		switch {
		case p.Column != "":
			q.add("CAST(t.", quote(p.Column), " AS TEXT)")
		case q.dialect == PostgreSQL:
			q.arg(p.Text)
			q.WriteString("::text")
		default:
			q.arg(p.Text)
		}
	}
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

// exactly runs a statement of a dataset that must touch as many rows as were
// counted in the same transaction.
func (s *System) exactly(ctx context.Context, tx *sql.Tx, d *dataset, what doing, q *statement, want int64) error {
	result, err := tx.ExecContext(ctx, q.String(), q.args...)
	if err != nil {
		return d.may(what, err)
	}
	n, err := result.RowsAffected()
	if err != nil {
		return err
	}
	if n != want {
		return &shortfall{d, what, want - n}
	}
	return nil
}

// transact runs do for all jobs in one transaction. Where the database doesn't
// allow something of a dataset, it runs anew without that, told what. Where it
// refuses what the jobs ask, each gets a transaction of its own. The counts of a
// transaction that wasn't committed are taken back.
func (s *System) transact(ctx context.Context, jobs []*counted, do func(context.Context, *sql.Tx, []*counted, lacks) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	lacking := lacks{}
	once := func(jobs []*counted) error {
		for short := false; ; {
			err := s.inTransaction(ctx, func(tx *sql.Tx) error { return do(ctx, tx, jobs, lacking) })
			if err == nil {
				return nil
			}
			for _, j := range jobs {
				j.Counts = nil
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
		j.Err = s.explain(once([]*counted{j}))
	}
	return nil
}

func isShort(err error) bool {
	var short *shortfall
	return errors.As(err, &short)
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
