package lakesystem

import (
	"context"
	"iter"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"

	"habeas.dev/pkg/worker"
)

// files returns the files of a table's snapshot that can hold what a condition asks for:
// by their partitions and statistics.
func files(ctx context.Context, tbl *table.Table, filter iceberg.BooleanExpression, options ...table.ScanOption) ([]table.FileScanTask, error) {
	scan := tbl.Scan(append(options, table.WithRowFilter(filter))...)
	tasks, err := within(ctx, planTime, func() ([]table.FileScanTask, error) {
		defer scan.Close() //nolint:errcheck // what was planned is at hand
		return scan.PlanFiles(ctx)
	})
	if err != nil {
		return nil, err
	}
	for i := range tasks {
		tasks[i].Residual = nil // of reading, the reader says what it wants
	}
	return tasks, nil
}

// raw returns files as they lie there: without what deletes them row by row.
func raw(tasks []table.FileScanTask) []table.FileScanTask {
	tasks = slices.Clone(tasks)
	for i := range tasks {
		tasks[i].DeleteFiles, tasks[i].EqualityDeleteFiles, tasks[i].DeletionVectorFiles = nil, nil, nil
	}
	return tasks
}

// read reads columns of files, batch by batch, in the order of the files. A batch is good
// until the next.
func read(ctx context.Context, tbl *table.Table, tasks []table.FileScanTask, columns []string, atOnce int) (*arrow.Schema, iter.Seq2[arrow.RecordBatch, error], error) {
	options := []table.ScanOption{table.WithMaxConcurrency(atOnce)}
	if columns != nil {
		options = append(options, table.WithSelectedFields(columns...))
	}
	type reading struct {
		schema  *arrow.Schema
		batches iter.Seq2[arrow.RecordBatch, error]
	}
	r, err := within(ctx, openTime, func() (reading, error) {
		schema, batches, err := tbl.Scan(options...).ReadTasks(ctx, tasks)
		return reading{schema, batches}, err
	})
	if err != nil {
		return nil, nil, err
	}
	return r.schema, stepwise(ctx, batchTime, r.batches, arrow.RecordBatch.Release), nil
}

// view is a batch of rows, with the columns by which they are judged at hand.
type view struct {
	d        *dataset
	batch    arrow.RecordBatch
	subjects []arrow.Array
	keys     []arrow.Array
	dates    []arrow.Array // of the rules of retention
	parts    []string      // of a key that is made
}

func newView(d *dataset, batch arrow.RecordBatch) (*view, error) {
	v := &view{d: d, batch: batch, parts: make([]string, len(d.Lake.Key))}
	column := func(name string) (arrow.Array, error) {
		i := batch.Schema().FieldIndices(name)
		if len(i) == 0 {
			return nil, worker.Permanent("schema-changed", "the table "+d.Lake.Table+" has no column "+name+" any more: mend the manifest", nil)
		}
		return batch.Column(i[0]), nil
	}
	for _, s := range d.subjects {
		a, err := column(s.column)
		if err != nil {
			return nil, err
		}
		v.subjects = append(v.subjects, a)
	}
	for _, k := range d.Lake.Key {
		a, err := column(k)
		if err != nil {
			return nil, err
		}
		v.keys = append(v.keys, a)
	}
	for _, r := range d.retention {
		a, err := column(r.column)
		if err != nil {
			return nil, err
		}
		v.dates = append(v.dates, a)
	}
	return v, nil
}

// key returns a row's key.
func (v *view) key(i int) (string, error) {
	for k, a := range v.keys {
		part, ok := text(a, i)
		if !ok {
			return "", worker.Permanent("no-key", "a row of "+v.d.Lake.Table+" has no value in its key's column "+v.d.Lake.Key[k]+": give it one, or name another key", nil)
		}
		v.parts[k] = part
	}
	return worker.Key(v.parts...), nil
}

// owners appends whose a row is: each place among the people once.
func (v *view) owners(out []int, p *people, i int) []int {
	for sub, a := range v.subjects {
		if len(p.of[sub]) == 0 {
			continue
		}
		value, ok := text(a, i)
		if !ok {
			continue
		}
		for _, who := range p.meant(sub, value) {
			if !slices.Contains(out, who) {
				out = append(out, who)
			}
		}
	}
	return out
}

// somebodyElses reports whether a row that isn't a person's holds, where an identifier of
// theirs would stand, another. One that holds nothing there is whose it was planned to be.
func (v *view) somebodyElses(p *people, who, i int) bool {
	for sub, a := range v.subjects {
		if value, ok := text(a, i); ok && value != "" && p.asked[sub][who] {
			return true
		}
	}
	return false
}
