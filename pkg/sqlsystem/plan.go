package sqlsystem

import (
	"context"
	"errors"
	"slices"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
)

// Plan writes the keys of what is held of many people, and of what of it must stay:
// one query for each dataset. A dataset that the database doesn't let be read is
// named. Where erasing would reach rows outside of the plan, the person's task fails
// with the way there (TestReach).
func (s *System) Plan(ctx context.Context, jobs []*worker.PlanJob) error {
	day := today(s.now())
	tasks := make([]*worker.Task, len(jobs))
	for i, j := range jobs {
		tasks[i] = &j.Task
	}
	chunks := s.chunks(tasks)
	reach, err := s.reach(ctx, s.db)
	if err != nil {
		return s.explain(err)
	}
	for _, d := range s.datasets {
		for _, c := range chunks {
			err := s.find(ctx, s.db, d, c, day, true, func(r *row) error {
				for _, o := range r.owners {
					j := jobs[o.job]
					if j.Err != nil {
						continue
					}
					switch {
					case r.kept:
						j.Err = j.Plan.Keep(d.Name, r.key, dsar.Retention{Ground: r.ground, Until: r.until})
					case slices.Contains(j.Holds, d.Name):
						j.Err = j.Plan.Keep(d.Name, r.key, dsar.Retention{Ground: dsar.LegalHold})
					default:
						j.Err = j.Plan.Erase(d.Name, r.key)
						reach.erases(d, o.job, r.key, d.act(o.ways))
					}
				}
				return nil
			})
			var no *denied
			if errors.As(err, &no) {
				for _, i := range c.concerned(d) {
					jobs[i].Plan.Uncovered(d.Name, no.reason())
				}
			} else if err != nil {
				return s.explain(err)
			}
		}
	}
	for i, j := range jobs {
		if j.Right != dsar.Erasure || j.Err != nil {
			continue
		}
		taken, err := reach.check(ctx, s.db, i, j.Holds)
		if j.Err = s.explain(err); err == nil {
			noteTaken(&j.Job, taken, "would go with what is erased")
		}
	}
	return nil
}
