package salesforce

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
)

// Rectify changes the fields that people corrected, in all of a person's
// records of the dataset. A column that the manifest doesn't list under rectify
// is left as it is; where none of a person's corrections concerns one that it
// lists, a person must see to it.
func (w *Worker) Rectify(ctx context.Context, all []*worker.RectifyJob) error {
	jobs := make([]*counted, len(all))
	for i, j := range all {
		jobs[i] = &counted{Job: &j.Job, Changes: j.Changes}
	}
	err := w.rectify(ctx, jobs)
	for i, j := range jobs {
		all[i].Counts = j.Counts
	}
	return err
}

func (w *Worker) rectify(ctx context.Context, jobs []*counted) error {
	set := make([]map[int]map[string]any, len(jobs))
	for i, j := range jobs {
		set[i], j.Err = w.corrections(j.Changes)
	}
	return w.write(ctx, jobs, "correct", func(i int) map[int]map[string]any { return set[i] }, func(i int, o *object, c *dsar.Counts, done int64) {
		c.Rectified = done
		for _, change := range jobs[i].Changes {
			switch {
			case change.Dataset != o.dataset:
			case slices.Contains(o.Rectify, change.Column):
				if done > 0 {
					c.Changed = union(c.Changed, []string{change.Column})
				}
			default:
				c.Unchanged = union(c.Unchanged, []string{change.Column})
			}
		}
	})
}

// corrections checks what a person corrected: by object, the fields and their
// values. An object whose columns can't be corrected has none of them.
func (w *Worker) corrections(changes []worker.Change) (map[int]map[string]any, error) {
	set := map[int]map[string]any{}
	can := false
	for n := range w.objects {
		o := &w.objects[n]
		for _, c := range changes {
			if c.Dataset != o.dataset {
				continue
			}
			if set[n] == nil {
				set[n] = map[string]any{}
			}
			if !slices.Contains(o.Rectify, c.Column) {
				continue
			}
			v, ok := valueOf(o.types[c.Column], c.Value)
			if !ok {
				return nil, worker.Permanent("bad-correction", "the corrected value of "+o.dataset+"."+c.Column+" isn't what the field holds: ask the person again", nil)
			}
			set[n][c.Column], can = v, true
		}
	}
	if !can {
		return nil, worker.Permanent("not-rectifiable", "none of the corrected fields is one that the manifest lets be corrected: correct it by hand, or say no with the reason", nil)
	}
	return set, nil
}

// valueOf makes a field's value from the text of a correction.
func valueOf(kind, text string) (any, bool) {
	short := strings.TrimSpace(text)
	switch kind {
	case "boolean":
		b, err := strconv.ParseBool(short)
		return b, err == nil
	case "integer", "number":
		n, err := strconv.ParseFloat(short, 64)
		return n, err == nil
	case "date":
		_, err := time.Parse(time.DateOnly, short)
		return short, err == nil
	case "datetime":
		t, err := time.Parse(time.RFC3339, short)
		return t.UTC().Format("2006-01-02T15:04:05.000Z"), err == nil
	default:
		return text, !strings.ContainsRune(text, 0)
	}
}

// write writes fields of many subjects' records. set is what each job writes, by
// object; told is called for every object of which it has records, with how many
// were written.
func (w *Worker) write(ctx context.Context, jobs []*counted, what string, set func(job int) map[int]map[string]any, told func(job int, o *object, c *dsar.Counts, done int64)) error {
	subjects := make([]*subject, len(jobs))
	wanted := map[int]bool{}
	sets := map[*subject]map[int]map[string]any{}
	for i, j := range jobs {
		subjects[i] = subjectOf(j.Task)
		if subjects[i].err = j.Err; j.Err != nil {
			continue
		}
		sets[subjects[i]] = set(i)
		for n := range sets[subjects[i]] {
			wanted[n] = true
		}
	}
	counts := w.tallyOf(subjects)
	done := w.tallyOf(subjects)
	g := groupOf(slices.DeleteFunc(slices.Clone(subjects), func(s *subject) bool { return s.err != nil }))
	err := w.writeAll(ctx, g, wanted, sets, what, counts, done)
	if err != nil {
		g.failed(err)
	}
	for i, j := range jobs {
		s := subjects[i]
		if j.Err = s.err; j.Err != nil {
			continue
		}
		for n := range w.objects {
			if counts[s][n].Found > 0 {
				told(i, &w.objects[n], &counts[s][n], done[s][n].Found)
			}
		}
		j.Counts = counts.of(s)
	}
	return nil
}

// writeAll finds the records and writes them, children first: a person whose
// address is corrected is found by it until the last.
func (w *Worker) writeAll(ctx context.Context, g *group, wanted map[int]bool, sets map[*subject]map[int]map[string]any, what string, counts, done tally) error {
	records := make([][]*held, len(w.objects))
	number := func(o *object) int { return w.number(o.dataset) }
	none := func(*object) []string { return nil }
	err := w.find(ctx, g, func(o *object) bool { return wanted[number(o)] }, none, func(n int, id string, f *fields, of []*subject) error {
		if string(f.get("IsDeleted")) == "true" {
			return ctx.Err()
		}
		r := &held{id: id, object: n}
		for _, s := range of {
			if s.err != nil || sets[s][n] == nil {
				continue
			}
			counts[s][n].Found++
			if len(sets[s][n]) > 0 {
				r.of = append(r.of, s)
			}
		}
		if len(r.of) > 0 {
			records[n] = append(records[n], r)
		}
		return ctx.Err()
	})
	if err != nil {
		return err
	}
	stages := w.steps(func(o *object) int { return o.stage })
	slices.Reverse(stages)
	for _, stage := range stages {
		var some []*held
		for _, n := range stage {
			some = append(some, records[n]...)
		}
		err := w.settle(ctx, some, live, func(ctx context.Context, some []*held) error {
			return w.update(ctx, some, what, written, func(r *held) map[string]any { return merged(r, sets) })
		})
		if err != nil {
			return err
		}
	}
	for n := range records {
		for _, r := range records[n] {
			for _, s := range r.of {
				if r.state == written {
					done[s][n].Found++
				}
			}
		}
	}
	for s, set := range sets {
		gaps := w.gaps(g, s)
		maps.DeleteFunc(gaps, func(n int, _ string) bool { return set[n] == nil })
		maps.DeleteFunc(s.left, func(n int, _ bool) bool { return set[n] == nil })
		counts.uncover(w, s, gaps)
	}
	return nil
}

// merged returns what all of a record's subjects write into it.
func merged(r *held, sets map[*subject]map[int]map[string]any) map[string]any {
	if len(r.of) == 1 {
		return sets[r.of[0]][r.object]
	}
	all := map[string]any{}
	for _, s := range r.of {
		for f, v := range sets[s][r.object] {
			all[f] = v
		}
	}
	return all
}
