package worker

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/record"
)

// A system may take a corrected value and hold another: cut, rounded, in a writing of its own,
// or the one from before. A worker that says itself what stands ([RectifyJob.Stands]) is
// believed; of any other that gathers, it is read back, so that the answer tells what is there.

// readBack looks what stands in the fields that were corrected, of jobs that don't say it.
// What still holds what was there before is called unchanged, so that a person sees to it.
// Where it can't be read that is noted, and the correction stays made.
func (c corrector) readBack(ctx context.Context, jobs []*RectifyJob) {
	var gathers []*GatherJob
	var of []*RectifyJob
	stand := map[*RectifyJob]standingValues{}
	for _, j := range jobs {
		if o := j.way.former; len(j.stands) > 0 || o == nil || o.held == nil || !slices.ContainsFunc(j.Counts, func(n dsar.Counts) bool { return len(n.Changed) > 0 }) {
			continue
		}
		task := j.Task
		task.Action, task.Identifiers = dsar.Gather, c.findable(j)
		stand[j] = standingValues{}
		gathers, of = append(gathers, &GatherJob{Job: Job{Task: task}, Records: c.w.standingRecords(ctx, j, stand[j])}), append(of, j)
	}
	if len(gathers) == 0 {
		return
	}
	err := recovered(func() error { return c.gather.Gather(ctx, gathers) })
	for i, g := range gathers {
		if g.Err == nil {
			g.Err = err
		}
		if g.Records.close(g.Err) != nil {
			of[i].Note(Note{Text: "what stands in the corrected fields could not be read back: the answer tells what was written"})
			continue
		}
		of[i].settle(stand[of[i]])
	}
}

// findable returns what a person is found by once a correction is made: by what they were, and
// by what it was corrected to.
func (c corrector) findable(j *RectifyJob) []Identifier {
	ids := slices.Clone(j.Identifiers)
	for _, change := range j.Changes {
		for _, t := range c.w.manifest.LeadsBy(c.w.manifest.Dataset(change.Dataset), change.Column) {
			if slices.Contains(c.w.manifest.Needs, t) && !isShown(ids, t, change.Value) {
				ids = append(ids, Identifier{Type: t, Value: change.Value, Assurance: dsar.AssuranceVerified})
			}
		}
	}
	return ids
}

// standingValues are the values that records hold in corrected fields, each once, as JSON.
type standingValues map[dsar.Field][]string

// standingRecords makes what the records of a read-back go to.
func (w *Worker) standingRecords(ctx context.Context, j *RectifyJob, stand standingValues) *Records {
	r := &Records{ctx: ctx, system: w.system, datasets: w.datasets, subject: j.Identifiers, only: map[string]bool{}}
	for _, c := range j.Changes {
		r.only[c.Dataset] = true
	}
	r.create = func() (stream, error) {
		return &handed{write: func(dataset string, rec record.Record) error {
			for _, c := range j.Changes {
				field := dsar.Field{Dataset: dataset, Column: c.Column}
				if c.Dataset != dataset || slices.Contains(r.staying, c.Column) {
					continue
				}
				text, err := json.Marshal(rec[c.Column])
				if err != nil {
					return fmt.Errorf("worker: %w", err)
				}
				if !slices.Contains(stand[field], string(text)) && len(stand[field]) < MaxFormer {
					stand[field] = append(stand[field], string(text))
				}
			}
			return nil
		}}, nil
	}
	return r
}

// settle says what stands in the fields that were corrected, and calls unchanged those that hold
// what they held before.
func (j *RectifyJob) settle(stand standingValues) {
	for i := range j.Counts {
		n := &j.Counts[i]
		for _, column := range slices.Clone(n.Changed) {
			field := dsar.Field{Dataset: n.Dataset, Column: column}
			if j.holdsFormer(field, stand[field]) {
				n.Changed = slices.DeleteFunc(slices.Clone(n.Changed), func(c string) bool { return c == column })
				n.Unchanged = append(slices.Clip(n.Unchanged), column)
				continue
			}
			for _, text := range stand[field] {
				var is any
				if json.Unmarshal([]byte(text), &is) == nil && fmt.Sprint(is) != j.wanted(field) {
					j.Stands(field.Dataset, field.Column, is)
					break
				}
			}
		}
	}
}

// wanted returns what a field is to be; of two corrections of it the last counts.
func (j *RectifyJob) wanted(f dsar.Field) (value string) {
	for _, c := range j.Changes {
		if c.Dataset == f.Dataset && c.Column == f.Column {
			value = c.Value
		}
	}
	return value
}

// holdsFormer reports whether a record holds in a field what it held before, and isn't to be so.
func (j *RectifyJob) holdsFormer(f dsar.Field, stand []string) bool {
	return slices.ContainsFunc(j.way.former.held.values, func(v formerValue) bool {
		return v.dataset == f.Dataset && v.column == f.Column && fmt.Sprint(v.was) != j.wanted(f) && slices.Contains(stand, v.text)
	})
}
