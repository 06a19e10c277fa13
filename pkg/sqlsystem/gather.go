package sqlsystem

import (
	"context"
	"errors"
	"slices"

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
	write := func(job int, dataset string, r record.Record) {
		// A job whose records can't be written fails alone: the error stays in its
		// Records, which take nothing more.
		if j := jobs[job]; j.Err == nil {
			j.Err = j.Records.Write(dataset, r)
		}
	}
	return s.gather(ctx, tasks, write, func(job int, dataset, reason string) { jobs[job].Records.Uncovered(dataset, reason) })
}

// gather hands each record to write, with the place of its job in tasks, and what
// may not be read to uncovered. The record's map is used again.
func (s *System) gather(ctx context.Context, tasks []*worker.Task, write func(job int, dataset string, r record.Record), uncovered func(job int, dataset, reason string)) error {
	chunks := s.chunks(tasks)
	for _, d := range s.datasets {
		for _, c := range chunks {
			err := d.may(reading, s.gatherDataset(ctx, d, c, write))
			var no *denied
			if errors.As(err, &no) {
				for _, i := range c.concerned(d) {
					uncovered(i, d.Name, no.reason())
				}
			} else if err != nil {
				return s.explain(err)
			}
		}
	}
	return nil
}

func (s *System) gatherDataset(ctx context.Context, d *dataset, c *chunk, write func(int, string, record.Record)) error {
	asked := c.asked(d.subjects)
	if len(asked) == 0 {
		return nil
	}
	sr := &search{asked: asked, ordered: true}
	for _, f := range d.columns {
		sr.columns = append(sr.columns, f.expr)
	}
	sr.columns = append(sr.columns, d.keyTexts(s.dialect, "t")...)
	q := &statement{dialect: s.dialect}
	merged := sr.write(q, c, d)
	rec := make(record.Record, len(d.columns))
	var owners []hit
	var last []any // the row before, of which the owners are known so far
	flush := func() {
		if last == nil {
			return
		}
		for i := range d.columns {
			f := &d.columns[i]
			rec[f.name] = f.value(last[len(asked)+i])
		}
		for _, o := range owners {
			write(o.job, d.Name, rec)
		}
	}
	n := len(asked) + len(d.columns)
	err := s.scan(ctx, s.db, q, n+len(d.keys), func(held []any) error {
		if !merged || last == nil || !same(last[n:], held[n:]) {
			flush()
			owners, last = owners[:0], slices.Clone(held)
		}
		if owners = c.owners(owners, asked, held); len(owners) == 0 {
			if last = nil; c.loose(asked) {
				return nil
			}
			return errNobody(d.Name)
		}
		return nil
	})
	if err == nil {
		flush()
	}
	return err
}
