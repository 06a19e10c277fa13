package marketo

import (
	"context"
	"slices"

	"habeas.dev/pkg/record"
	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
)

// sink takes records; [*worker.Records] is one.
type sink interface {
	Write(dataset string, r record.Record) error
}

// GatherBatch copies the leads of many subjects and their activities. One that
// fails has its own error.
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
	eachGroup(groupsOf(subjects), func(g *group) error {
		rec := record.Record{} // one map for all rows of a dataset
		write := func(dataset string, columns []string, f *fields, of []*subject) {
			for _, c := range columns {
				rec[c] = vendorapi.Plain(f.get(c))
			}
			for _, s := range of {
				if s.err == nil {
					s.err = sinks[s].Write(dataset, rec)
				}
			}
		}
		var leads []string // in the order of their coming
		byLead := map[string][]*subject{}
		err := w.find(ctx, g, w.leads, func(id string, f *fields, of []*subject) error {
			leads, byLead[id] = append(leads, id), of
			write(datasetLeads, w.leads, f, of)
			return ctx.Err()
		})
		if err != nil || w.activities == nil {
			return err
		}
		clear(rec)
		leads = slices.DeleteFunc(leads, func(id string) bool { return !wanted(byLead[id]) })
		for some := range slices.Chunk(leads, maxLeads) {
			err := w.activitiesOf(ctx, some, w.activities, func(f *fields) error {
				lead, err := f.id("leadId")
				if err != nil {
					return err
				}
				if !slices.Contains(some, lead) {
					return errStranger("an activity")
				}
				write(datasetActivities, w.activities, f, byLead[lead])
				return ctx.Err()
			})
			if isOfOne(err) {
				for _, id := range some {
					fail(byLead[id], err)
				}
			} else if err != nil {
				return err
			}
		}
		return nil
	})
}
