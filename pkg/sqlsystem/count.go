package sqlsystem

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
)

// Prove counts what is held of many people and what of it must stay: one query for
// each dataset. A dataset that the database doesn't let be read is named.
func (s *System) Prove(ctx context.Context, all []*worker.EraseJob) error {
	jobs := eraseJobs(all)
	err := s.countAll(ctx, jobs)
	for i, j := range jobs {
		all[i].Counts = j.Counts
	}
	return err
}

func (s *System) countAll(ctx context.Context, jobs []*counted) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	day := today(s.now())
	chunks := s.chunks(tasksOf(jobs))
	for _, d := range s.datasets {
		for _, c := range chunks {
			tallies := newTallies(len(jobs))
			if _, err := s.count(ctx, s.db, d, c, day, tallies); err != nil {
				var no *denied
				if !errors.As(err, &no) {
					return s.explain(err)
				}
				c.uncover(d, jobs, no.reason())
				continue
			}
			for i, t := range tallies {
				if t.found == 0 {
					continue
				}
				if slices.Contains(jobs[i].Holds, d.Name) {
					t.hold()
				}
				jobs[i].Counts = append(jobs[i].Counts, dsar.Counts{Dataset: d.Name, Found: t.found, Retained: t.kept()})
			}
		}
	}
	return nil
}

func tasksOf(jobs []*counted) []*worker.Task {
	tasks := make([]*worker.Task, len(jobs))
	for i, j := range jobs {
		tasks[i] = &j.Task
	}
	return tasks
}

func today(now time.Time) time.Time {
	y, m, d := now.UTC().Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// tally is what a dataset holds of one person.
type tally struct {
	found, gone int64 // gone are those that need not stay
	retained    []dsar.Retention
}

func newTallies(n int) []tally { return make([]tally, n) }

// hold has all records stay that otherwise need not: a legal hold is on.
func (t *tally) hold() {
	if t.gone > 0 {
		t.keep(t.gone, dsar.LegalHold, time.Time{})
		t.gone = 0
	}
}

// kept returns the records that must stay. Where the first of them may go when the
// last may, that is said once.
func (t *tally) kept() []dsar.Retention {
	for i := range t.retained {
		if r := &t.retained[i]; r.Next.Equal(r.Until) {
			r.Next = time.Time{}
		}
	}
	return t.retained
}

// keep adds records that must stay. Per ground it is the latest end that counts,
// and no known end is later than any; the earliest is when the first may go.
func (t *tally) keep(n int64, ground string, until time.Time) {
	for i := range t.retained {
		if r := &t.retained[i]; r.Ground == ground {
			r.Records += n
			if until.IsZero() || !r.Until.IsZero() && until.After(r.Until) {
				r.Until = until
			}
			if !until.IsZero() && (r.Next.IsZero() || until.Before(r.Next)) {
				r.Next = until
			}
			return
		}
	}
	t.retained = append(t.retained, dsar.Retention{Records: n, Ground: ground, Until: until, Next: until})
}

// count counts one dataset for the jobs of a chunk, and returns how many rows
// need not stay, each once however many of the jobs it belongs to. Rows are
// grouped by holder and by date: the database counts, and the periods are
// reckoned here.
func (s *System) count(ctx context.Context, on executor, d *dataset, c *chunk, day time.Time, tallies []tally) (gone int64, err error) {
	defer func() { err = d.may(reading, err) }()
	asked := c.asked(d.subjects)
	if len(asked) == 0 {
		return 0, nil
	}
	var groups []string
	for _, sub := range asked {
		groups = append(groups, sub.expr)
	}
	for _, r := range d.retention {
		groups = append(groups, r.text)
	}
	by := strings.Join(groups, ", ")
	q := &statement{dialect: s.dialect}
	q.add("SELECT COUNT(*), ", by)
	c.whose(q, d, asked)
	q.add(" GROUP BY ", by)
	rows, err := s.query(ctx, on, q)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	var n int64
	held := make([]any, len(groups))
	into := []any{&n}
	for i := range held {
		into = append(into, &held[i])
	}
	var owners []hit
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return 0, err
		}
		owners = c.owners(owners[:0], asked, held)
		if len(owners) == 0 {
			if c.loose(asked) {
				continue
			}
			return 0, errNobody(d.Name)
		}
		ground, until, kept := d.retained(held[len(asked):], day)
		if !kept {
			gone += n
		}
		for _, o := range owners {
			t := &tallies[o.job]
			t.found += n
			if kept {
				t.keep(n, ground, until)
			} else {
				t.gone += n
			}
		}
	}
	return gone, rows.Err()
}

// retained reports whether a record must stay on a day, on which ground (that of
// the rule that holds longest) and until when. Dates are as the rules' text has
// them; one that is missing, unless the rule says otherwise, or can't be read has
// no end.
func (d *dataset) retained(dates []any, day time.Time) (ground string, until time.Time, kept bool) {
	for i := range d.retention {
		r := &d.retention[i]
		text, dated := textOf(dates[i])
		// PostgreSQL's dates before the year 1.
		if !dated && r.undatedGo || strings.HasSuffix(text, " BC") || text == "-infinity" {
			continue
		}
		from, err := time.Parse(time.DateOnly, text)
		if err != nil {
			return r.ground, time.Time{}, true
		}
		end := r.period.After(from)
		if end.After(day) && (!kept || end.After(until)) {
			ground, until, kept = r.ground, end, true
		}
	}
	return ground, until, kept
}

// goable writes the condition that a row need not stay on a day. It is the
// same as retained's (TestCountIsErase).
func (d *dataset) goable(q *statement, day time.Time) {
	for _, r := range d.retention {
		q.WriteString(" AND (")
		if r.undatedGo {
			q.add(r.raw, " IS NULL OR ")
		}
		q.add(r.day, " < ") // neither true nor false where there is no date
		q.arg(r.period.FirstKept(day).Format(time.DateOnly))
		if q.dialect == PostgreSQL {
			q.WriteString("::date")
		}
		q.WriteByte(')')
	}
}
