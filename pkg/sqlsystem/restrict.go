package sqlsystem

import (
	"context"
	"database/sql"
	"slices"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/worker"
)

// Restrict sets the flags that end the purposes which a job names, and no other; where
// it names none, those that end all use of the data ([manifest.Flags]). It sets them to
// the value with which processing goes on where a job says so. What no flag ends fails,
// once the others are set, and names the purposes: a person must see to them. A dataset
// that the database doesn't let be read or changed is named.
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
		j.Err = worker.CanRestrict(s.m, s.flags(j.Purposes), j.Task)
	}
	if err := s.flag(ctx, jobs); err != nil {
		return err
	}
	for _, j := range jobs {
		if j.Err == nil {
			j.Err = worker.NotRestrictable(s.m.Unstopped(s.flags(j.Purposes), j.Purposes), j.Lift)
		}
	}
	return nil
}

// flags returns the flags of all datasets that end some purposes.
func (s *System) flags(purposes []string) []manifest.SQLRestrict {
	var out []manifest.SQLRestrict
	for _, d := range s.datasets {
		out = append(out, manifest.Flags(d.SQL.Restrict, purposes)...)
	}
	return out
}

// flag sets the flags of all jobs, those alike together.
func (s *System) flag(ctx context.Context, jobs []*counted) error {
	return s.transact(ctx, jobs, func(ctx context.Context, tx *sql.Tx, jobs []*counted, lacking lacks) error {
		for len(jobs) > 0 {
			var same, others []*counted
			for _, j := range jobs {
				if j.Lift == jobs[0].Lift && slices.Equal(j.Purposes, jobs[0].Purposes) {
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

// restrict sets the flags of jobs that are alike.
func (s *System) restrict(ctx context.Context, tx *sql.Tx, jobs []*counted, lacking lacks) error {
	task := jobs[0].Task
	chunks := s.chunks(tasksOf(jobs))
	for _, d := range s.datasets {
		flags := manifest.Flags(d.SQL.Restrict, task.Purposes)
		if len(flags) == 0 {
			continue
		}
		lack := lacking[d.Name]
		for _, c := range chunks {
			if lack.no[reading] {
				c.uncover(d, jobs, lack)
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
					n.Restricted, n.Uncovered, n.Cause = 0, lack.reason, lack.cause
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
