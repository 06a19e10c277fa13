package salesforce

import (
	"context"

	"habeas.dev/pkg/record"
	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
)

// Gather copies what is held of many subjects, recycle bin and archive
// included. One that fails has its own error.
func (w *Worker) Gather(ctx context.Context, jobs []*worker.GatherJob) error {
	subjects := make([]*subject, len(jobs))
	records := make(map[*subject]*worker.Records, len(jobs))
	for i, j := range jobs {
		subjects[i] = subjectOf(j.Task)
		records[subjects[i]] = j.Records
	}
	w.gather(ctx, subjects, records)
	for i, j := range jobs {
		j.Err = subjects[i].err
	}
	return nil
}

// gather copies. What Salesforce doesn't show is named to everyone of whom
// something may be there: a copy that silently lacks something is worse than one
// that waits for a person.
func (w *Worker) gather(ctx context.Context, subjects []*subject, records map[*subject]*worker.Records) {
	g := groupOf(subjects)
	rec := record.Record{} // one map for all rows of an object
	last := -1
	err := w.find(ctx, g, every, func(o *object) []string { return o.columns }, func(n int, id string, f *fields, of []*subject) error {
		o := &w.objects[n]
		if n != last {
			clear(rec)
			last = n
		}
		for _, c := range o.columns {
			rec[c] = vendorapi.RecordValue(f.get(c))
		}
		if o.Content != "" {
			content, err := w.content(ctx, o, id, f.get(o.Size))
			if err != nil {
				fail(of, err)
				return ctx.Err()
			}
			rec[o.Content] = content
		}
		for _, s := range of {
			if s.err == nil {
				s.err = records[s].Write(o.dataset, rec)
			}
		}
		return ctx.Err()
	})
	if err != nil {
		g.failed(err)
	}
	for _, s := range subjects {
		for n, why := range w.gaps(g, s) {
			records[s].Uncovered(w.objects[n].dataset, why, w.unseen(n))
		}
	}
}
