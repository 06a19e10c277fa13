package salesforce

import (
	"context"
	"slices"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/record"
	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
)

// Gather copies what is held of many subjects, recycle bin and archive
// included. One that fails has its own error.
func (w *Worker) Gather(ctx context.Context, jobs []*worker.GatherJob) error {
	subjects := make([]*subject, len(jobs))
	records := make(map[*subject]*worker.Records, len(jobs))
	live := map[*subject]bool{} // a correction leaves what is in the recycle bin
	for i, j := range jobs {
		subjects[i] = subjectOf(j.Task)
		records[subjects[i]], live[subjects[i]] = j.Records, j.Right == dsar.Rectification
	}
	w.gather(ctx, subjects, records, live)
	for i, j := range jobs {
		j.Err = subjects[i].err
	}
	return nil
}

// gather copies. What Salesforce doesn't show is named to everyone of whom
// something may be there: a copy that silently lacks something is worse than one
// that waits for a person.
func (w *Worker) gather(ctx context.Context, subjects []*subject, records map[*subject]*worker.Records, live map[*subject]bool) {
	g := groupOf(subjects)
	rec := record.Record{} // one map for all rows of an object
	last := -1
	read := func(o *object) bool {
		return slices.ContainsFunc(subjects, func(s *subject) bool { return !records[s].Skips(o.dataset) })
	}
	err := w.find(ctx, g, read, func(o *object) []string { return o.columns }, func(n int, id string, f *fields, of []*subject) error {
		o := &w.objects[n]
		if n != last {
			clear(rec)
			last = n
		}
		for _, c := range o.columns {
			rec[c] = vendorapi.RecordValue(f.get(c))
		}
		if o.Content != "" && read(o) {
			content, err := w.content(ctx, o, id, f.get(o.Size))
			if err != nil {
				fail(of, err)
				return ctx.Err()
			}
			rec[o.Content] = content
		}
		for _, s := range of {
			if s.err == nil && (!live[s] || string(f.get("IsDeleted")) != "true") {
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
		w.tellLeft(s, w.gaps(g, s), records[s].Uncovered)
	}
}
