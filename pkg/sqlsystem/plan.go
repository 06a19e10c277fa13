package sqlsystem

import (
	"context"
	"errors"
	"maps"
	"slices"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/worker"
)

// Plan writes the keys of what is held of many people, and of what of it must stay:
// one query for each dataset. A dataset that the database doesn't let be read is
// named. Where erasing would reach rows outside of the plan, the person's task fails
// with the way there (TestReachProperty).
func (s *System) Plan(ctx context.Context, jobs []*worker.PlanJob) error {
	day := today(s.now())
	tasks := make([]*worker.Task, len(jobs))
	held := make([]map[string]bool, len(jobs)) // by job, the datasets of which a hold keeps something
	for i, j := range jobs {
		tasks[i] = &j.Task
		held[i] = setOf(j.Holds)
	}
	chunks := s.chunks(tasks)
	reach, err := s.reach(ctx, s.db)
	if err != nil {
		return s.explain(err)
	}
	for _, d := range s.sharedLast() {
		for _, c := range chunks {
			p := &planning{jobs: jobs, d: d, reach: reach, held: held}
			err := s.find(ctx, s.db, d, c, day, true, p.row)
			if err == nil {
				err = p.spare(ctx)
			}
			if err == nil {
				err = p.mentioned(ctx, c)
			}
			var no *denied
			if errors.As(err, &no) {
				for _, i := range c.concerned(d) {
					jobs[i].Plan.Uncovered(d.Name, no.reason(), *no.cause())
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
		taken, err := reach.check(ctx, s.db, i, held[i])
		if j.Err = s.explain(err); err == nil {
			noteTaken(&j.Job, taken, "would go with what is erased", "would lose their reference to what is erased")
		}
	}
	return nil
}

// sharedLast returns the datasets, last those whose rows stay while others refer to them.
func (s *System) sharedLast() []*dataset {
	out := slices.Clone(s.datasets)
	slices.SortStableFunc(out, func(a, b *dataset) int { return min(len(a.uses), 1) - min(len(b.uses), 1) })
	return out
}

// planning writes the rows of a dataset into plans.
type planning struct {
	jobs  []*worker.PlanJob
	d     *dataset
	reach *reach
	back  map[int]map[string]act // by job, rows that are held back: others may refer to them
	held  []map[string]bool      // by job, the datasets of which a hold keeps something
}

func (p *planning) row(r *row) error {
	for _, o := range r.owners {
		j := p.jobs[o.job]
		if j.Err != nil {
			continue
		}
		switch how := p.d.act(o.ways); {
		case r.kept:
			j.Err = j.Plan.Keep(p.d.Name, r.key, dsar.Retention{Ground: r.ground, Until: r.until})
		case j.IsHeld(p.d.Name, r.key):
			p.held[o.job][p.d.Name] = true
			j.Err = j.Plan.Keep(p.d.Name, r.key, dsar.Retention{Ground: dsar.LegalHold})
		case how.keeps():
			j.Err = j.Plan.Keep(p.d.Name, r.key, dsar.Retention{Ground: manifest.GroundKept})
		case len(p.d.uses) > 0:
			if p.back == nil {
				p.back = map[int]map[string]act{}
			}
			if p.back[o.job] == nil {
				p.back[o.job] = map[string]act{}
			}
			p.back[o.job][r.key] = how
		default:
			j.Err = j.Plan.Erase(p.d.Name, r.key)
			p.reach.erases(p.d, o.job, r.key, how)
		}
	}
	return nil
}

// spare writes the rows that were held back: those that are shared stay.
func (p *planning) spare(ctx context.Context) error {
	for _, job := range slices.Sorted(maps.Keys(p.back)) {
		j, keys := p.jobs[job], slices.Sorted(maps.Keys(p.back[job]))
		shared, err := p.reach.shared(ctx, p.reach.db, p.d, keys, func(d *dataset, key string) bool { return p.reach.gone[gone{d, job, key}] })
		if err != nil {
			return err
		}
		for _, key := range keys {
			switch {
			case j.Err != nil:
			case shared[key]:
				j.Err = j.Plan.Keep(p.d.Name, key, dsar.Retention{Ground: manifest.GroundShared})
			default:
				j.Err = j.Plan.Erase(p.d.Name, key)
				p.reach.erases(p.d, job, key, p.back[job][key])
			}
		}
	}
	return nil
}

func setOf(names []string) map[string]bool {
	out := map[string]bool{}
	for _, name := range names {
		out[name] = true
	}
	return out
}
