package sqlsystem

import (
	"context"
	"errors"
	"slices"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/record"
	"habeas.dev/pkg/worker"
)

// Gather copies the records of many people: one query for each dataset.
// Each person's records come in the order of the dataset's key. A dataset that the
// database doesn't let be read is named.
func (s *System) Gather(ctx context.Context, jobs []*worker.GatherJob) error {
	tasks := make([]*worker.Task, len(jobs))
	for i, j := range jobs {
		tasks[i] = &j.Task
	}
	write := func(job int, dataset string, r record.Record, staying []string) {
		// A job whose records can't be written fails alone: the error stays in its
		// Records, which take nothing more.
		if j := jobs[job]; j.Err == nil {
			j.Err = j.Records.WriteStaying(dataset, r, staying)
		}
	}
	skips := func(d *dataset) bool {
		return !slices.ContainsFunc(jobs, func(j *worker.GatherJob) bool { return !j.Records.Skips(d.Name) })
	}
	return s.gather(ctx, tasks, skips, write, func(job int, d *dataset, why string, cause dsar.Cause) {
		jobs[job].Records.Uncovered(d.Name, why, cause)
	})
}

// gather hands each record to write, with the place of its job in tasks, and what
// may not be read, or is left out, to uncovered. The record's map is used again. A dataset
// that skips names isn't read; nil: all are. Beside a record come the columns that a correction
// leaves in it.
func (s *System) gather(ctx context.Context, tasks []*worker.Task, skips func(*dataset) bool, write func(job int, dataset string, r record.Record, staying []string), uncovered func(job int, d *dataset, why string, cause dsar.Cause)) error {
	if err := s.lookForFilters(ctx, s.db); err != nil {
		return s.explain(err)
	}
	chunks, all, err := s.still(ctx, s.db, tasks)
	if err != nil {
		return err
	}
	for _, d := range s.datasets {
		if skips != nil && skips(d) {
			continue
		}
		for _, c := range chunks {
			err := d.may(reading, s.gatherDataset(ctx, d, c, write, uncovered))
			var no *denied
			if errors.As(err, &no) {
				for _, i := range c.concerned(d) {
					uncovered(i, no.d, no.reason(), *no.cause())
				}
			} else if err != nil {
				return s.explain(err)
			}
		}
		for _, m := range all {
			if m.leaves(d) {
				uncovered(m.job, d, m.reason(), m.cause(d))
			}
		}
	}
	return nil
}

func (s *System) gatherDataset(ctx context.Context, d *dataset, c *chunk, write func(int, string, record.Record, []string), uncovered func(int, *dataset, string, dsar.Cause)) error {
	asked := c.asked(append(slices.Clip(d.subjects), d.mentions...))
	if len(asked) == 0 {
		return nil
	}
	corrigible := d.SQL.Corrigible()
	sr := &search{asked: asked, ordered: true}
	for _, f := range d.columns {
		sr.columns = append(sr.columns, f.expr)
	}
	if d.beside != nil {
		sr.columns, sr.keyed = append(sr.columns, d.planned(s.dialect)...), true
	}
	rec := make(record.Record, len(d.columns)+1)
	return s.search(ctx, s.db, d, c, sr, func(held []any, owners []hit) error {
		for i := range d.columns {
			f := &d.columns[i]
			rec[f.name] = f.value(held[len(asked)+i])
		}
		leftOut, err := d.fill(ctx, s.dialect, rec, held)
		if err != nil {
			return err
		}
		for _, o := range owners {
			if leftOut != "" {
				uncovered(o.job, d, leftOut, dsar.Cause{Dataset: d.Name})
			}
			write(o.job, d.Name, rec, d.staying(o.ways, corrigible))
		}
		return nil
	})
}

// staying returns the columns that a correction leaves in a row to which some ways lead.
func (d *dataset) staying(found ways, corrigible []string) (out []string) {
	for _, column := range corrigible {
		if !d.corrects(found, column) {
			out = append(out, column)
		}
	}
	return out
}
