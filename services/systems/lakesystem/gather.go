package lakesystem

import (
	"context"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"habeas.dev/pkg/record"
	"habeas.dev/pkg/worker"
)

// Gather copies the records of many people, dataset by dataset, in one pass over each
// table.
func (s *System) Gather(ctx context.Context, jobs []*worker.GatherJob) error {
	tasks := make([]*worker.Task, len(jobs))
	for i, j := range jobs {
		tasks[i] = &j.Task
	}
	for _, d := range s.datasets {
		if !slices.ContainsFunc(jobs, func(j *worker.GatherJob) bool { return j.Err == nil && j.Records.Wants(d.Name) }) {
			continue
		}
		p := s.people(d, tasks)
		err := s.pass(ctx, d, p, d.all, func(v *view, i int, owners []int) error {
			rec := v.record(i)
			for _, who := range owners {
				if j := jobs[who]; j.Err == nil {
					j.Err = j.Records.Write(d.Name, rec)
				}
			}
			return nil
		})
		if err != nil {
			return explain(d, err)
		}
	}
	return nil
}

// pass reads what a table holds of people, once, as it is at one moment, and hands out
// each row with whose it is. Rows come in the order of the table's files.
func (s *System) pass(ctx context.Context, d *dataset, p *people, columns []string, row func(v *view, i int, owners []int) error) error {
	if p.nobody() {
		return nil
	}
	tbl, err := s.load(ctx, d)
	if err != nil || tbl.CurrentSnapshot() == nil {
		return err
	}
	tasks, err := files(ctx, tbl, p.filter(tbl.Schema()))
	if err != nil || len(tasks) == 0 {
		return err
	}
	_, batches, err := read(ctx, tbl, tasks, columns, filesAtOnce)
	if err != nil {
		return err
	}
	return each(batches, d, func(v *view, i int) error {
		if owners := v.owners(nil, p, i); len(owners) > 0 {
			return row(v, i, owners)
		}
		return nil
	})
}

// each goes through the rows of batches.
func each(batches func(func(arrow.RecordBatch, error) bool), d *dataset, row func(v *view, i int) error) error {
	for batch, err := range batches {
		if err != nil {
			return err
		}
		v, err := newView(d, batch)
		for i := 0; err == nil && i < int(batch.NumRows()); i++ {
			err = row(v, i)
		}
		batch.Release()
		if err != nil {
			return err
		}
	}
	return nil
}

// record returns a row as a person is told of it.
func (v *view) record(i int) record.Record {
	rec := make(record.Record, len(v.d.Columns))
	for _, c := range v.d.Columns {
		at := v.batch.Schema().FieldIndices(v.d.Lake.Column(c.Name))
		if len(at) > 0 {
			rec[c.Name] = value(c.Type, v.batch.Column(at[0]), i)
		}
	}
	return rec
}
