package marketo

import (
	"context"
	"slices"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
)

// settleWait is when to look again at what is deleted and still shown.
const settleWait = time.Minute

// Plan writes the ids of the records of many subjects. What goes with a lead isn't
// planned: that would take a hundred times the calls.
func (w *Worker) Plan(ctx context.Context, jobs []*worker.PlanJob) error {
	subjects := make([]*subject, len(jobs))
	for i, j := range jobs {
		subjects[i] = subjectOf(j.Task)
	}
	plans := w.inventory(ctx, subjects)
	for i, j := range jobs {
		s := subjects[i]
		if j.Err = s.err; j.Err != nil {
			continue
		}
		found := plans[s]
		j.Err = found.write(w, j.Plan, j.Right != dsar.KnowCategories)
		w.plans.keep(s, *found)
	}
	return nil
}

// Prove counts the records that are still there.
func (w *Worker) Prove(ctx context.Context, jobs []*worker.EraseJob) error {
	subjects := make([]*subject, len(jobs))
	for i, j := range jobs {
		subjects[i] = subjectOf(j.Task)
	}
	plans := w.inventory(ctx, subjects)
	settling := w.settling(ctx, subjects, plans)
	for i, j := range jobs {
		s := subjects[i]
		if j.Err = s.err; j.Err != nil {
			continue
		}
		if settling[s] {
			j.Err = worker.RetryAfter(settleWait, "settling", "Marketo has deleted the records and still shows them; it is asked again in a minute", nil)
			continue
		}
		found := plans[s]
		j.Counts = found.counts(w, true, func(d *dataset) dsar.Counts { return dsar.Counts{Found: int64(len(found.ids[d]))} })
	}
	return nil
}

// counted returns the datasets whose records are erased by themselves: those that
// refer to leads first, because they are found by them.
func (w *Worker) counted() []*dataset {
	var out []*dataset
	for _, d := range w.others {
		if d.Of == ofObject {
			out = append(out, d)
		}
	}
	return append(out, w.leads)
}

// inventory finds the records of many subjects. One of which not everything can
// be found has an error.
func (w *Worker) inventory(ctx context.Context, subjects []*subject) map[*subject]*plan {
	plans := map[*subject]*plan{}
	for _, s := range subjects {
		plans[s] = &plan{}
	}
	var columns []string
	if slices.Contains(w.leads.columns, fieldUnsubscribed) {
		columns = []string{fieldUnsubscribed}
	}
	eachGroup(groupsOf(subjects), func(g *group) error {
		byLead := map[string][]*subject{}
		err := w.find(ctx, g, columns, func(id string, f *fields, of []*subject) error {
			byLead[id] = of
			for _, s := range of {
				plans[s].add(w.leads, id, f)
			}
			return ctx.Err()
		})
		if err != nil {
			return err
		}
		for _, d := range w.counted() {
			if d == w.leads {
				continue
			}
			err := w.records(ctx, d, g, byLead, nil, func(id string, f *fields, of []*subject) error {
				for _, s := range of {
					plans[s].add(d, id, f)
				}
				return ctx.Err()
			})
			if hasCode(err, codeForbidden) {
				for _, s := range d.mayMiss(g, byLead) {
					plans[s].miss(d)
				}
				continue
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	return plans
}

// settling returns the subjects of a proof of whom something is shown that is
// deleted. Marketo's list of deletions knows of leads before its queries do, and of
// those that another process deleted.
func (w *Worker) settling(ctx context.Context, subjects []*subject, plans map[*subject]*plan) map[*subject]bool {
	out := map[*subject]bool{}
	var deleted map[string]bool
	for _, s := range subjects {
		if s.err != nil {
			continue
		}
		for d, ids := range plans[s].ids {
			if d == w.leads && deleted == nil {
				var err error
				if deleted, err = w.deletedLately(ctx); err != nil {
					s.fail(err)
					break
				}
			}
			for _, id := range ids {
				out[s] = out[s] || w.deleted.Has(d.name+"/"+id) || d == w.leads && deleted[id]
			}
		}
	}
	return out
}
