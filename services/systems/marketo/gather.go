package marketo

import (
	"context"
	"slices"

	"habeas.dev/pkg/record"
	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
)

// Gather copies what the manifest declares of many subjects. One that fails
// has its own error.
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

// gathering is the gathering of one group.
type gathering struct {
	w       *Worker
	group   *group
	records map[*subject]*worker.Records
	leads   []string // in the order of their coming
	byLead  map[string][]*subject
	rec     record.Record // one map for all rows of a dataset
}

func (w *Worker) gather(ctx context.Context, subjects []*subject, records map[*subject]*worker.Records) {
	eachGroup(groupsOf(subjects), func(g *group) error {
		it := &gathering{w: w, group: g, records: records, byLead: map[string][]*subject{}}
		if err := it.gatherLeads(ctx); err != nil {
			return err
		}
		for _, d := range w.others {
			if !slices.ContainsFunc(g.subjects, func(s *subject) bool { return !records[s].Skips(d.name) }) {
				continue
			}
			it.rec = record.Record{}
			err := it.dataset(ctx, d)
			if hasCode(err, codeForbidden) {
				for _, s := range d.affected(g, it.byLead) {
					records[s].Uncovered(d.name, uncovered(d), unseen(d))
				}
				continue
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func (it *gathering) dataset(ctx context.Context, d *dataset) error {
	switch {
	case d.Of == ofActivities:
		return it.ofLeads(ctx, d, maxLeads, it.w.activitiesOf)
	case len(d.Programs) > 0:
		for _, program := range d.Programs {
			err := it.ofLeads(ctx, d, maxPage, func(ctx context.Context, d *dataset, leads []string, row func(f *fields) error) error {
				return it.w.membersIn(ctx, d, program, leads, row)
			})
			if err != nil {
				return err
			}
		}
		return nil
	case d.Of == ofObject:
		return it.w.records(ctx, d, it.group, it.wantedLeads(), d.columns, func(_ string, f *fields, of []*subject) error {
			it.write(d, f, of)
			return ctx.Err()
		})
	}
	for _, lead := range it.leads {
		of := it.byLead[lead]
		if !wanted(of) {
			continue
		}
		err := it.w.membersOf(ctx, d, lead, func(f *fields) error {
			it.write(d, f, of)
			return ctx.Err()
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// write gives a row to the subjects that it is of.
func (it *gathering) write(d *dataset, f *fields, of []*subject) {
	for _, c := range d.columns {
		it.rec[c] = vendorapi.RecordValue(f.get(c))
	}
	for _, s := range of {
		if s.err == nil {
			s.err = it.records[s].Write(d.name, it.rec)
		}
	}
}

func (it *gathering) gatherLeads(ctx context.Context) error {
	it.rec = record.Record{}
	return it.w.find(ctx, it.group, it.w.leads.columns, func(id string, f *fields, of []*subject) error {
		it.leads, it.byLead[id] = append(it.leads, id), of
		it.write(it.w.leads, f, of)
		return ctx.Err()
	})
}

// wantedLeads returns the leads of subjects that are still without error.
func (it *gathering) wantedLeads() map[string][]*subject {
	out := map[string][]*subject{}
	for id, of := range it.byLead {
		if wanted(of) {
			out[id] = of
		}
	}
	return out
}

// ofLeads gathers rows that name their lead, of at most some leads at once.
func (it *gathering) ofLeads(ctx context.Context, d *dataset, most int, ask func(ctx context.Context, d *dataset, leads []string, row func(f *fields) error) error) error {
	leads := slices.DeleteFunc(slices.Clone(it.leads), func(id string) bool { return !wanted(it.byLead[id]) })
	for some := range slices.Chunk(leads, most) {
		err := ask(ctx, d, some, func(f *fields) error {
			lead, err := f.id("leadId")
			if err != nil {
				return err
			}
			if !slices.Contains(some, lead) {
				return errStranger("a record of dataset " + d.name)
			}
			it.write(d, f, it.byLead[lead])
			return ctx.Err()
		})
		if isOfOne(err) {
			for _, id := range some {
				fail(it.byLead[id], err)
			}
		} else if err != nil {
			return err
		}
	}
	return nil
}
