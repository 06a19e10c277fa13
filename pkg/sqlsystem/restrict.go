package sqlsystem

import (
	"context"
	"database/sql"
	"slices"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/worker"
)

// RestrictBatch sets the flags that stop processing for the right at hand, in
// one transaction. A right for which no dataset has a flag fails: a person must
// see to it.
func (s *System) RestrictBatch(ctx context.Context, jobs []*worker.CountsJob) error {
	for _, j := range jobs {
		if !slices.ContainsFunc(s.datasets, func(d *dataset) bool { return len(d.flags(j.Right)) > 0 }) {
			j.Err = worker.Permanent("not-restrictable", "nothing in this system's manifest says how processing is stopped for this right: do it by hand, or add sql.restrict", nil)
		}
	}
	return s.transact(ctx, jobs, func(ctx context.Context, tx *sql.Tx, jobs []*worker.CountsJob) error {
		// Requests of one right go together.
		for len(jobs) > 0 {
			right := jobs[0].Right
			var same, others []*worker.CountsJob
			for _, j := range jobs {
				if j.Right == right {
					same = append(same, j)
				} else {
					others = append(others, j)
				}
			}
			if err := s.restrict(ctx, tx, right, same); err != nil {
				return err
			}
			jobs = others
		}
		return nil
	})
}

// flags are those of a dataset that stop processing for a right.
func (d *dataset) flags(right dsar.Right) []manifest.SQLRestrict {
	var out []manifest.SQLRestrict
	for _, r := range d.SQL.Restrict {
		if len(r.Rights) == 0 || slices.Contains(r.Rights, right) {
			out = append(out, r)
		}
	}
	return out
}

func (s *System) restrict(ctx context.Context, tx *sql.Tx, right dsar.Right, jobs []*worker.CountsJob) error {
	chunks := s.chunks(tasksOf(jobs))
	for _, d := range s.datasets {
		flags := d.flags(right)
		if len(flags) == 0 {
			continue
		}
		for _, c := range chunks {
			tallies, total, err := s.tally(ctx, tx, d, c, len(jobs))
			if err != nil {
				return err
			}
			if total == 0 {
				continue
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
			d.rows(q, c, func() {})
			if err := s.exactly(ctx, tx, q, total); err != nil {
				return err
			}
			for i, t := range tallies {
				if t.found > 0 {
					jobs[i].Counts = append(jobs[i].Counts, dsar.Counts{Dataset: d.Name, Found: t.found, Restricted: t.found})
				}
			}
		}
	}
	return nil
}

// tally counts a dataset's rows without regard to retention.
func (s *System) tally(ctx context.Context, tx *sql.Tx, d *dataset, c *chunk, jobs int) ([]tally, int64, error) {
	all := *d
	all.retention = nil
	tallies := newTallies(jobs)
	total, err := s.count(ctx, tx, &all, c, today(s.now()), tallies)
	return tallies, total, err
}
