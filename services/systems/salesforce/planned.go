package salesforce

import (
	"context"
	"maps"
	"slices"

	"habeas.dev/pkg/worker"
	"habeas.dev/services/systems/internal/erasure"
)

// plannedOf returns the jobs' subjects with what was planned of each.
func plannedOf(ctx context.Context, jobs []*worker.EraseJob) []*subject {
	subjects := make([]*subject, len(jobs))
	for i, j := range jobs {
		s := subjectOf(j.Task)
		s.account, s.err = erasure.New(ctx, j)
		subjects[i] = s
	}
	return subjects
}

// findPlanned runs over what Salesforce holds of a group's subjects now, and then,
// by their ids, over the planned records that aren't found any more: an address was
// corrected, or what led to them is gone. A planned record that isn't handed out is
// gone.
//
// A file that others may share (shared_through) is the person's by their links only, of
// which each is found anew, also from the planned records. By its id it is handed out only
// where it is in the recycle bin: it was deleted for the person, as no file is that others
// share, and its links are gone with it. Nor is a record handed out that is somebody else's
// by now ([evidence.holder]): the subject's account says so.
func (w *Worker) findPlanned(ctx context.Context, g *group, ask func(*object) []string, row row) error {
	met := metOf(w.objects)
	take := func(n int, id string, f *fields, of []*subject) error {
		met.add(n, id, of)
		return row(n, id, f, of)
	}
	if err := w.find(ctx, g, every, ask, take); err != nil {
		return err
	}
	led := groupOf(g.subjects)
	e := &evidence{w: w, g: g, rows: map[string]*shown{}, asked: map[string]bool{}}
	if err := e.collect(ctx, met, ask); err != nil {
		return err
	}
	for _, r := range e.planned {
		of := slices.DeleteFunc(slices.Clone(r.of), func(s *subject) bool { return e.holder(s, r).IsAnothers() })
		for _, s := range r.of {
			if !slices.Contains(of, s) {
				s.account.Anothers(w.objects[r.object].dataset, r.id)
			}
		}
		if len(of) == 0 {
			continue
		}
		if !r.binned() && !w.purged.Has(r.id) { // a deleted one's files are as they were left
			led.learn(r.object, &w.objects[r.object], r.fields, of, false)
		}
		if err := take(r.object, r.id, r.fields, of); err != nil {
			return err
		}
	}
	if err := w.findShared(ctx, led, ask, func(n int, id string, f *fields, of []*subject) error {
		if of = slices.DeleteFunc(slices.Clone(of), func(s *subject) bool { return met.has(n, id, s) }); len(of) == 0 {
			return ctx.Err()
		}
		return row(n, id, f, of)
	}); err != nil {
		return err
	}
	maps.Copy(g.uncovered, led.uncovered)
	return nil
}

// met are the records that were handed out, by object, and for whom. What was met for one
// person is still to be asked for where it was planned for another.
type met []map[string][]*subject

func metOf(objects []object) met {
	m := make(met, len(objects))
	for n := range m {
		m[n] = map[string][]*subject{}
	}
	return m
}

func (m met) add(n int, id string, of []*subject) { m[n][id] = add(m[n][id], of) }

func (m met) has(n int, id string, s *subject) bool { return slices.Contains(m[n][id], s) }

// findShared runs over the files that others share, and over the links to them, of
// the records that the group has learnt of. A file is handed out where it was planned.
func (w *Worker) findShared(ctx context.Context, g *group, ask func(*object) []string, row row) error {
	for n := range w.objects {
		through := w.number(w.objects[n].SharedThrough)
		if len(g.found) == 0 || through < 0 || g.uncovered[n] != "" || g.uncovered[through] != "" {
			continue
		}
		if err := w.walk(ctx, g, []int{through}, ask, row); err != nil {
			return err
		}
		err := w.walk(ctx, g, []int{n}, ask, func(n int, id string, f *fields, of []*subject) error {
			of = slices.DeleteFunc(slices.Clone(of), func(s *subject) bool { return !s.account.Planned(w.objects[n].dataset, id) })
			if len(of) == 0 {
				return ctx.Err()
			}
			return row(n, id, f, of)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// planned reports whether a record of some object was planned for a subject.
func (w *Worker) planned(s *subject, id string) bool {
	return slices.ContainsFunc(w.objects, func(o object) bool { return s.account.Planned(o.dataset, id) })
}
