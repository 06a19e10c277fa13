package salesforce

import (
	"context"

	"habeas.dev/pkg/record"
	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
)

// sink takes records, and what could not be looked at; [*worker.Records] is one.
type sink interface {
	Write(dataset string, r record.Record) error
	Uncovered(dataset, reason string)
}

// GatherBatch copies what is held of many subjects, recycle bin and archive
// included. One that fails has its own error.
func (w *Worker) GatherBatch(ctx context.Context, jobs []*worker.GatherJob) error {
	subjects := make([]*subject, len(jobs))
	sinks := make(map[*subject]sink, len(jobs))
	for i, j := range jobs {
		subjects[i] = subjectOf(j.Task)
		sinks[subjects[i]] = j.Out
	}
	w.gather(ctx, subjects, sinks)
	for i, j := range jobs {
		j.Err = subjects[i].err
	}
	return nil
}

// gather copies. What Salesforce doesn't show is named to everyone of whom
// something may be there: a copy that silently lacks something is worse than one
// that waits for a person.
func (w *Worker) gather(ctx context.Context, subjects []*subject, sinks map[*subject]sink) {
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
			rec[c] = vendorapi.Plain(f.get(c))
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
				s.err = sinks[s].Write(o.dataset, rec)
			}
		}
		return ctx.Err()
	})
	if err != nil {
		g.failed(err)
	}
	for _, s := range subjects {
		for n, why := range w.gaps(g, s) {
			sinks[s].Uncovered(w.objects[n].dataset, why)
		}
	}
}
