package sqlsystem

import (
	"cmp"
	"context"
	"database/sql"
	"slices"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/worker"
)

// Restrict sets the flags that end the purposes which a job names, and no other; where
// it names none, those that end all use of the data ([manifest.Flags]). It sets them to
// the value with which processing goes on where a job says so. A use of the person's rows
// that no flag of theirs ends fails, once the others are set, and names the purposes: a
// person must see to them. A dataset that the database doesn't let be read or changed is
// named.
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
		j.Err = worker.CanLift(s.flags(j.Purposes), j.Task)
	}
	if err := s.flag(ctx, jobs); err != nil {
		return err
	}
	for _, j := range jobs {
		if j.Err == nil {
			j.Err = worker.NotRestrictable(j.goesOn, j.Lift)
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
		return s.keeping(ctx, tx, jobs, func(b *bound) error {
			for len(jobs) > 0 {
				var same, others []*counted
				for _, j := range jobs {
					if j.Lift == jobs[0].Lift && slices.Equal(j.Purposes, jobs[0].Purposes) {
						same = append(same, j)
					} else {
						others = append(others, j)
					}
				}
				if err := b.restrict(ctx, same, lacking); err != nil {
					return err
				}
				jobs = others
			}
			return nil
		})
	})
}

// restrict sets the flags of jobs that are alike, and looks what they leave unstopped.
func (b *bound) restrict(ctx context.Context, jobs []*counted, lacking lacks) error {
	task := jobs[0].Task
	chunks, all, err := b.still(ctx, b.tx, tasksOf(jobs))
	if err != nil {
		return err
	}
	set := make([][]manifest.SQLRestrict, len(jobs)) // of each job's rows
	for _, d := range b.datasets {
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
			keys, found, err := b.rowsOf(ctx, b.tx, d, c, len(jobs))
			if err != nil {
				return err
			}
			if len(keys) > 0 && !lack.no[changing] {
				if err := b.change(ctx, d, flagColumns(flags), keys, func(q *statement) { d.flagging(q, flags, task.Lift) }); err != nil {
					return err
				}
				if other, err := b.notWritten(ctx, b.tx, d, keys, b.flagged(d, flags, task.Lift)); err != nil || other > 0 {
					return cmp.Or[error](err, &shortfall{d, changing, other, true})
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
				set[i] = append(set[i], flags...)
			}
		}
		for _, m := range all {
			m.uncover(d, jobs)
		}
	}
	for i, j := range jobs {
		j.goesOn = b.m.Unstopped(set[i], task.Purposes)
	}
	return b.used(ctx, b.tx, jobs, chunks, lacking)
}

// flagColumns returns the columns that flags are in.
func flagColumns(flags []manifest.SQLRestrict) []string {
	columns := make([]string, len(flags))
	for i, f := range flags {
		columns[i] = f.Column
	}
	return columns
}

// used leaves of the purposes that go on for jobs those that rows of theirs are used for: a
// dataset that has none of somebody's is used for nothing of theirs. One that can't be read
// may have some.
func (s *System) used(ctx context.Context, tx *sql.Tx, jobs []*counted, chunks []*chunk, lacking lacks) error {
	used := make([][]string, len(jobs))
	for _, d := range s.datasets {
		uses := s.m.UsesOf(d.Dataset)
		if !slices.ContainsFunc(jobs, func(j *counted) bool { return slices.ContainsFunc(j.goesOn, among(uses)) }) {
			continue
		}
		for _, c := range chunks {
			found := slices.Repeat([]int64{1}, len(jobs))
			if !lacking[d.Name].no[reading] {
				var err error
				if _, found, err = s.rowsOf(ctx, tx, d, c, len(jobs)); err != nil {
					return err
				}
			}
			for i, rows := range found {
				if rows > 0 {
					used[i] = append(used[i], uses...)
				}
			}
		}
	}
	for i, j := range jobs {
		j.goesOn = slices.DeleteFunc(j.goesOn, func(id string) bool { return !slices.Contains(used[i], id) })
	}
	return nil
}

// among returns what tells of a purpose whether it is one of these.
func among(ids []string) func(string) bool {
	return func(id string) bool { return slices.Contains(ids, id) }
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
