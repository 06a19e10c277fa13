package sqlsystem

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

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
	if err := s.lookForFilters(ctx, s.db); err != nil {
		return s.explain(err)
	}
	chunks, all, err := s.still(ctx, s.db, tasks)
	if err != nil {
		return err
	}
	reach, err := s.reach(ctx, s.db)
	if err != nil {
		return s.explain(err)
	}
	stayed := map[kept]stay{}
	for _, d := range s.deciding {
		for _, m := range all {
			if m.leaves(d) {
				jobs[m.job].Plan.Uncovered(d.Name, m.reason(), m.cause(d))
			}
		}
		for _, c := range chunks {
			p := &planning{jobs: jobs, d: d, reach: reach, held: held, kept: stayed}
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

// planning writes the rows of a dataset into plans.
type planning struct {
	jobs  []*worker.PlanJob
	d     *dataset
	reach *reach
	back  map[int]map[string]ways // by job, rows that are held back: others may refer to them
	held  []map[string]bool       // by job, the datasets of which a hold keeps something
	kept  map[kept]stay           // rows that stay, and others with them
}

// kept is a row with which others stay.
type kept struct {
	d   *dataset
	job int
	key string
}

// keep notes that a row stays, where others go with it.
func (p *planning) keep(job int, key string, is stay) {
	if !slices.ContainsFunc(p.reach.datasets, func(o *dataset) bool { return len(o.with) > 0 && o.with[0].dataset == p.d }) {
		return
	}
	if key, err := p.d.rowKey(key); err == nil {
		p.kept[kept{p.d, job, key}] = is
	}
}

func (p *planning) row(r *row) error {
	for _, o := range r.owners {
		j := p.jobs[o.job]
		if j.Err != nil {
			continue
		}
		e := worker.Entry{Dataset: p.d.Name, Key: r.key, Ways: p.d.wayNames(o.ways)}
		keep := func(ground string, until time.Time) {
			e.Keep, e.Ground, e.Until = true, ground, until
			p.keep(o.job, r.key, stay{true, ground, until})
			j.Err = j.Plan.Add(e)
		}
		switch how := p.d.act(o.ways); {
		case r.kept:
			keep(r.ground, r.until)
		case j.IsHeld(p.d.Name, r.key):
			p.held[o.job][p.d.Name] = true
			keep(dsar.LegalHold, time.Time{})
		case how.keeps():
			keep(manifest.GroundKept, time.Time{})
		case len(p.d.uses) > 0 || len(p.d.with) > 0:
			if p.back == nil {
				p.back = map[int]map[string]ways{}
			}
			if p.back[o.job] == nil {
				p.back[o.job] = map[string]ways{}
			}
			p.back[o.job][r.key] = o.ways
		default:
			j.Err = j.Plan.Add(e)
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
		with, err := p.reach.staysWith(ctx, p.reach.db, p.d, keys, func(key string) *stay {
			if is, there := p.kept[kept{p.d.with[0].dataset, job, key}]; there {
				return &is
			}
			return nil
		})
		if err != nil {
			return err
		}
		for _, key := range keys {
			found := p.back[job][key]
			e := worker.Entry{Dataset: p.d.Name, Key: key, Ways: p.d.wayNames(found)}
			switch {
			case j.Err != nil:
			case with[key].kept:
				e.Keep, e.Ground, e.Until = true, with[key].ground, with[key].until
				j.Err = j.Plan.Add(e)
			case shared[key]:
				e.Keep, e.Ground = true, manifest.GroundShared
				p.keep(job, key, stay{kept: true, ground: manifest.GroundShared})
				j.Err = j.Plan.Add(e)
			default:
				j.Err = j.Plan.Add(e)
				p.reach.erases(p.d, job, key, p.d.act(found))
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
