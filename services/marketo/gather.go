package marketo

import (
	"context"
	"strings"

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
		var leads []string
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
		return w.activitiesOf(ctx, leads, w.activities, func(f *fields) error {
			lead, err := f.id("leadId")
			if err != nil {
				return err
			}
			if byLead[lead] == nil {
				return errStranger("an activity")
			}
			write(datasetActivities, w.activities, f, byLead[lead])
			return ctx.Err()
		})
	})
}

// find runs over the leads of a group's subjects. row gets each with the
// subjects that it is of, at least one; it MUST NOT keep the fields.
func (w *Worker) find(ctx context.Context, g *group, columns []string, row func(id string, f *fields, of []*subject) error) error {
	return w.leadsBy(ctx, "email", g.emails, columns, func(f *fields) error {
		id, err := f.id("id")
		if err != nil {
			return err
		}
		of := g.byEmail[strings.ToLower(vendorapi.Text(f.get("email")))]
		if len(of) == 0 {
			return errStranger("a lead")
		}
		return row(id, f, of)
	})
}

// errStranger says that Marketo compares more loosely than this worker. Guessing
// whose record it is could show one person another's.
func errStranger(what string) error {
	return worker.Permanent("stranger", "Marketo answered with "+what+" that matches nobody who was asked for", nil)
}
