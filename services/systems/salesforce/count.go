package salesforce

import (
	"context"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
)

// CountBatch counts what is held of many subjects, recycle bin included: the
// plan of an erasure, and its proof. A record that holds already what it is
// anonymised with isn't anybody's.
func (w *Worker) CountBatch(ctx context.Context, jobs []*worker.CountsJob) error {
	subjects := make([]*subject, len(jobs))
	for i, j := range jobs {
		subjects[i] = subjectOf(j.Task)
	}
	counts := w.tallyOf(subjects)
	settling := map[*subject]bool{}
	g := groupOf(subjects)
	err := w.find(ctx, g, every, (*object).overwritten, func(n int, _ string, f *fields, of []*subject) error {
		o := &w.objects[n]
		if o.goesWith != "" || o.anonymous(f) {
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
		if j.Right != dsar.KnowCategories {
			counts.uncover(s, w.erasureGaps(g, s, counts[s]))
		} else {
			counts.uncover(s, w.gaps(g, s))
		}
		j.Counts, j.Err = counts.of(s), s.err
		if s.err == nil && j.Action == dsar.Prove && settling[s] {
			j.Counts, j.Err = nil, errSettling()
		}
	}
	return nil
}

// settleWait is when to look again at what is deleted and still shown.
const settleWait = time.Minute

func errSettling() error {
	return worker.RetryAfter(settleWait, "settling", "Salesforce has deleted the records and still shows them; it is asked again in a minute", nil)
}
