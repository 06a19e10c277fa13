package sqlsystem

import (
	"context"
	"database/sql"
	"slices"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/worker"
)

// Restrict sets the flags that stop processing for the right at hand, and for the
// purposes that the person named, in one transaction; it sets them to the value with
// which processing goes on where a job says so. A right for which no dataset has a
// flag, or such a value, fails: a person must see to it. A dataset that the database
// doesn't let be read or changed is named.
func (s *System) Restrict(ctx context.Context, all []*worker.RestrictJob) error {
	jobs := restrictJobs(all)
	err := s.restrictAll(ctx, jobs)
	for i, j := range jobs {
		all[i].Counts = j.Counts
	}
	return err
}

func (s *System) restrictAll(ctx context.Context, jobs []*counted) error {
	for _, j := range jobs {
		j.Err = s.flagless(j)
	}
	return s.flag(ctx, jobs)
}

// flagless says why the manifest doesn't let a job be done; nil where it does.
func (s *System) flagless(j *counted) error {
	switch {
	case s.stops(j.Right, func(manifest.SQLRestrict) bool { return true }):
		if j.Lift && s.stops(j.Right, func(r manifest.SQLRestrict) bool { return r.Lift() == nil }) {
			return worker.Permanent("no-lift", "the manifest doesn't say which value goes on with processing: undo it by hand, or add lifted:", nil)
		}
		return nil
	case j.Lift:
		return worker.Permanent("not-restrictable", "nothing in this system's manifest says how processing is stopped for this right: what was done by hand must be undone by hand", nil)
	default:
		return worker.Permanent("not-restrictable", "nothing in this system's manifest says how processing is stopped for this right: do it by hand, or add sql.restrict", nil)
	}
}

// stops reports whether some flag of the right is such a one.
func (s *System) stops(right dsar.Right, such func(manifest.SQLRestrict) bool) bool {
	return slices.ContainsFunc(s.datasets, func(d *dataset) bool { return slices.ContainsFunc(d.flags(right, nil), such) })
}

// flag sets the flags of all jobs, those alike together.
func (s *System) flag(ctx context.Context, jobs []*counted) error {
	return s.transact(ctx, jobs, func(ctx context.Context, tx *sql.Tx, jobs []*counted, lacking lacks) error {
		for len(jobs) > 0 {
			var same, others []*counted
			for _, j := range jobs {
				if j.Right == jobs[0].Right && j.Lift == jobs[0].Lift && slices.Equal(j.Purposes, jobs[0].Purposes) {
					same = append(same, j)
				} else {
					others = append(others, j)
				}
			}
			if err := s.restrict(ctx, tx, same, lacking); err != nil {
				return err
			}
			jobs = others
		}
		return nil
	})
}

// flags returns those of a dataset that stop processing for a right and, where any
// are named, for one of the purposes.
func (d *dataset) flags(right dsar.Right, purposes []string) []manifest.SQLRestrict {
	var out []manifest.SQLRestrict
	for _, r := range d.SQL.Restrict {
		if len(r.Rights) > 0 && !slices.Contains(r.Rights, right) {
			continue
		}
		if len(purposes) > 0 && len(r.Purposes) > 0 && !slices.ContainsFunc(r.Purposes, func(p string) bool { return slices.Contains(purposes, p) }) {
			continue
		}
		out = append(out, r)
	}
	return out
}

// restrict sets the flags of jobs that are alike.
func (s *System) restrict(ctx context.Context, tx *sql.Tx, jobs []*counted, lacking lacks) error {
	task := jobs[0].Task
	chunks := s.chunks(tasksOf(jobs))
	for _, d := range s.datasets {
		flags := d.flags(task.Right, task.Purposes)
		if len(flags) == 0 {
			continue
		}
		lack := lacking[d.Name]
		for _, c := range chunks {
			if lack.no[reading] {
				c.uncover(d, jobs, lack.reason)
				continue
			}
			keys, found, err := s.rowsOf(ctx, tx, d, c, len(jobs))
			if err != nil {
				return err
			}
			if len(keys) > 0 && !lack.no[changing] {
				if err := s.rewrite(ctx, tx, d, keys, func(q *statement) { d.flagging(q, flags, task.Lift) }); err != nil {
					return err
				}
			}
			for i, rows := range found {
				if rows == 0 {
					continue
				}
				n := dsar.Counts{Dataset: d.Name, Found: rows, Restricted: rows}
				if lack.no[changing] {
					n.Restricted, n.Uncovered = 0, lack.reason
				}
				jobs[i].Counts = append(jobs[i].Counts, n)
			}
		}
	}
	return nil
}

// rowsOf finds the keys of a chunk's rows, each once, and how many each job has.
func (s *System) rowsOf(ctx context.Context, tx *sql.Tx, d *dataset, c *chunk, jobs int) (keys []string, found []int64, err error) {
	found = make([]int64, jobs)
	err = s.find(ctx, tx, d, c, today(s.now()), false, func(r *row) error {
		keys = append(keys, r.key)
		for _, o := range r.owners {
			found[o.job]++
		}
		return nil
	})
	return keys, found, err
}
