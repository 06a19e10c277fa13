package salesforce

import (
	"context"

	"habeas.dev/pkg/record"
	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
)

// sink takes records; [*worker.Records] is one.
type sink interface {
	Write(dataset string, r record.Record) error
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

func (w *Worker) gather(ctx context.Context, subjects []*subject, sinks map[*subject]sink) {
	w.eachGroup(groupsOf(subjects), func(g *group) error {
		rec := record.Record{} // one map for all rows
		last := -1
		return w.find(ctx, g, func(o *object) []string { return o.asked }, func(n int, _ string, f *fields, of []*subject) error {
			o := &w.objects[n]
			if n != last {
				clear(rec)
				last = n
			}
			for _, c := range o.columns {
				rec[c] = vendorapi.Plain(f.get(c))
			}
			for _, s := range of {
				if s.err == nil {
					s.err = sinks[s].Write(o.dataset, rec)
				}
			}
			return ctx.Err()
		})
	})
}

// eachGroup runs f on each group and gives the group's subjects its error.
func (w *Worker) eachGroup(groups []*group, f func(*group) error) {
	for _, g := range groups {
		if err := f(g); err != nil {
			g.failed(err)
		}
	}
}
