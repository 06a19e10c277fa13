package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/record"
)

// What stood in a field before it was corrected is told to the person, and to nobody else:
// it is gathered before the correction is made, and goes, sealed, into the vault, where the
// report names it. Of the system's own Gather, so that every worker that has one tells it.

// The columns of what a correction leaves in the vault, with a section for each dataset: a
// row says that so many records held a value in a column, and what it was corrected to.
const (
	FormerColumn  = "column"
	FormerWas     = "was"
	FormerIs      = "is"
	FormerRecords = "records"
)

// MaxFormer is how many different values of one column are told. A person's own records say
// one thing in a few writings; where more differ, that is for the records themselves.
const MaxFormer = 20

// corrector is a [Rectifier] that notes what stands in the fields before they are corrected.
type corrector struct {
	Rectifier
	gather Gatherer // nil: the system can't be read
	w      *Worker
}

// Rectify implements Rectifier. What was held is in the vault before anything is changed;
// where it can't be read for want of a permission, the correction is made all the same.
func (c corrector) Rectify(ctx context.Context, jobs []*RectifyJob) error {
	if c.gather == nil {
		return c.Rectifier.Rectify(ctx, jobs)
	}
	var gathers []*GatherJob
	var of []*RectifyJob
	held := map[*RectifyJob]*formerValues{}
	for _, j := range jobs {
		if j.way.goesOn(); j.way.former != nil { // noted by the try before this one
			continue
		}
		held[j] = &formerValues{changes: j.Changes}
		task := j.Task
		task.Action = dsar.Gather
		gathers, of = append(gathers, &GatherJob{Job: Job{Task: task}, Records: c.w.formerRecords(ctx, j, held[j])}), append(of, j)
	}
	if len(gathers) > 0 {
		err := recovered(func() error { return c.gather.Gather(ctx, gathers) })
		for i, g := range gathers {
			if g.Err == nil {
				g.Err = err
			}
			of[i].Err = c.w.keepFormer(ctx, of[i], held[of[i]], g.Records.close(g.Err))
		}
	}
	left := slices.DeleteFunc(slices.Clone(jobs), func(j *RectifyJob) bool { return j.Err != nil })
	if len(left) == 0 {
		return nil
	}
	return c.Rectifier.Rectify(ctx, left)
}

// formerRecords makes what a job's records go to: into held, and of the datasets only that
// are to be corrected.
func (w *Worker) formerRecords(ctx context.Context, j *RectifyJob, held *formerValues) *Records {
	r := &Records{ctx: ctx, system: w.system, datasets: w.datasets, subject: j.Identifiers, only: map[string]bool{}}
	for _, c := range j.Changes {
		r.only[c.Dataset] = true
	}
	r.create = func() (stream, error) { return &handed{write: held.add}, nil }
	return r
}

// keepFormer puts what was held into the vault; err is how the gathering ended. Only what
// another try may mend keeps the correction from being made.
func (w *Worker) keepFormer(ctx context.Context, j *RectifyJob, held *formerValues, err error) error {
	if err != nil {
		if f := errorOf(err); f.kind == permanent && ctx.Err() == nil {
			j.way.former = &formerObject{}
			return nil
		}
		return err
	}
	o := &formerObject{}
	if len(held.values) > 0 {
		var told *Error
		if err := o.write(ctx, w, j.way, held); errors.As(err, &told) {
			return err
		} else if err != nil {
			return Transient("vault", "what is to be corrected could not be written to the vault", err)
		}
	}
	j.way.former = o
	return nil
}

// formerObject is what lies in the vault of a correction; without a name nothing does.
type formerObject struct {
	name           string
	bytes, records int64
}

// objects returns what a report names of it.
func (o *formerObject) objects() []dsar.Object {
	if o == nil || o.name == "" {
		return nil
	}
	return []dsar.Object{{Name: o.name, Bytes: o.bytes, Records: o.records}}
}

// write puts the values into the vault, a section for each dataset.
func (o *formerObject) write(ctx context.Context, w *Worker, j *job, held *formerValues) error {
	name := w.objectName(j)
	object, err := w.create(ctx, j, name)
	if err != nil {
		return err
	}
	defer object.Abort()
	size := &counter{to: object}
	out := record.NewWriter(size)
	dataset := ""
	for _, v := range held.values {
		if v.dataset != dataset {
			dataset = v.dataset
			if err := out.Begin(record.Section{Dataset: dataset, Columns: []string{FormerColumn, FormerWas, FormerIs, FormerRecords}}); err != nil {
				return err
			}
		}
		if err := out.Write(record.Record{FormerColumn: v.column, FormerWas: v.was, FormerIs: v.is, FormerRecords: v.records}); err != nil {
			return err
		}
		o.records++
	}
	if err := out.Close(); err != nil {
		return err
	}
	if err := object.Close(); err != nil {
		return err
	}
	o.name, o.bytes = name, size.n
	return nil
}

// formerValues are the values that a person's records hold in the fields that are to be
// corrected, each once, dataset by dataset.
type formerValues struct {
	changes []Change
	values  []formerValue
}

type formerValue struct {
	dataset, column, is string
	was                 any
	text                string // was, to tell values apart
	records             int64
}

// add takes a record.
func (f *formerValues) add(dataset string, r record.Record) error {
	seen := map[string]bool{}
	for _, c := range slices.Backward(f.changes) { // of two about one field the last counts
		if c.Dataset != dataset || seen[c.Column] {
			continue
		}
		seen[c.Column] = true
		text, err := json.Marshal(r[c.Column])
		if err != nil {
			return fmt.Errorf("worker: %w", errors.Join(record.ErrValue, err))
		}
		of := 0
		at := slices.IndexFunc(f.values, func(v formerValue) bool {
			if v.dataset != dataset || v.column != c.Column {
				return false
			}
			of++
			return v.text == string(text)
		})
		switch {
		case at >= 0:
			f.values[at].records++
		case of < MaxFormer:
			f.values = append(f.values, formerValue{dataset: dataset, column: c.Column, is: c.Value, was: r[c.Column], text: string(text), records: 1})
		}
	}
	return nil
}
