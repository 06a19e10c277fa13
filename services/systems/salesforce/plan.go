package salesforce

import (
	"context"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
)

// Plan writes the ids of what is held of many subjects, recycle bin included. A
// record that holds already what it is anonymised with isn't anybody's.
func (w *Worker) Plan(ctx context.Context, jobs []*worker.PlanJob) error {
	subjects := make([]*subject, len(jobs))
	plans := make(map[*subject]*worker.PlanWriter, len(jobs))
	for i, j := range jobs {
		subjects[i] = subjectOf(j.Task)
		plans[subjects[i]] = j.Plan
	}
	counts := w.tallyOf(subjects)
	g := groupOf(subjects)
	err := w.find(ctx, g, every, (*object).overwritten, func(n int, id string, f *fields, of []*subject) error {
		if !w.objects[n].counts(f) {
			return ctx.Err()
		}
		for _, s := range of {
			counts[s][n].Found++
			if s.err == nil {
				s.err = plans[s].Erase(w.objects[n].dataset, id)
			}
		}
		return ctx.Err()
	})
	if err != nil {
		g.failed(err)
	}
	for i, j := range jobs {
		s := subjects[i]
		gaps := w.gaps(g, s)
		if j.Right != dsar.KnowCategories {
			gaps = w.erasureGaps(g, s, counts[s])
		}
		for n, why := range gaps {
			j.Plan.Uncovered(w.objects[n].dataset, why, w.unseen(n))
		}
		w.tellLeft(s, gaps, j.Plan.Uncovered)
		j.Err = s.err
	}
	return nil
}

// Prove counts what is still held of many subjects, recycle bin included: what is
// found anew, and what of the plan is there by its id.
func (w *Worker) Prove(ctx context.Context, jobs []*worker.EraseJob) error {
	subjects := plannedOf(ctx, jobs)
	counts := w.tallyOf(subjects)
	settling := map[*subject]bool{}
	g := groupOf(withoutError(subjects))
	err := w.findPlanned(ctx, g, (*object).overwritten, func(n int, _ string, f *fields, of []*subject) error {
		o := &w.objects[n]
		if !o.counts(f) {
			return ctx.Err()
		}
		gone := w.purged.Has(vendorapi.Text(f.get(o.target())))
		for _, s := range of {
			counts[s][n].Found++
			settling[s] = settling[s] || gone
		}
		return ctx.Err()
	})
	if err != nil {
		g.failed(err)
	}
	for i, j := range jobs {
		s := subjects[i]
		counts.uncover(w, s, w.erasureGaps(g, s, counts[s]))
		j.Counts, j.Err = counts.of(s), s.err
		if s.err == nil && settling[s] {
			j.Counts, j.Err = nil, errSettling()
		}
	}
	return nil
}

// counts reports whether a record is counted: it isn't erased with something else,
// and isn't anonymous already.
func (o *object) counts(f *fields) bool { return o.goesWith == "" && !o.anonymous(f) }

// settleWait is when to look again at what is deleted and still shown.
const settleWait = time.Minute

func errSettling() error {
	return worker.RetryAfter(settleWait, "settling", "Salesforce has deleted the records and still shows them; it is asked again in a minute", nil)
}
