package salesforce

import (
	"context"
	"maps"
	"slices"

	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
	"habeas.dev/services/systems/internal/erasure"
)

// plannedOf returns the jobs' subjects with what was planned of each.
func plannedOf(ctx context.Context, jobs []*worker.EraseJob) []*subject {
	subjects := make([]*subject, len(jobs))
	for i, j := range jobs {
		s := subjectOf(j.Task)
		s.account, s.err = erasure.New(ctx, j.Plan)
		subjects[i] = s
	}
	return subjects
}

// findPlanned runs over what Salesforce holds of a group's subjects now, and then,
// by their ids, over the planned records that aren't found any more: an address was
// corrected, or what led to them is gone. A planned record that isn't handed out is
// gone.
//
// Not asked for by id is a file that others share (shared_through): it is the
// person's by their links only, of which each is found anew, also from the planned
// records. Nor is a record handed out that is somebody else's by now (unless).
func (w *Worker) findPlanned(ctx context.Context, g *group, ask func(*object) []string, row row) error {
	met := make([]map[string]bool, len(w.objects))
	for n := range met {
		met[n] = map[string]bool{}
	}
	err := w.find(ctx, g, every, ask, func(n int, id string, f *fields, of []*subject) error {
		met[n][id] = true
		return row(n, id, f, of)
	})
	if err != nil {
		return err
	}
	of := make([]map[string][]*subject, len(w.objects))
	ids := make([][]string, len(w.objects))
	var objects []int
	for n := range w.objects {
		o := &w.objects[n]
		if g.uncovered[n] != "" || o.SharedThrough != "" || o.goesWith != "" {
			continue
		}
		of[n] = map[string][]*subject{}
		for _, s := range g.subjects {
			for _, id := range s.account.Open(o.dataset) {
				if met[n][id] || !isID(id) {
					continue
				}
				if of[n][id] == nil {
					ids[n] = append(ids[n], id)
				}
				of[n][id] = append(of[n][id], s)
			}
		}
		if len(ids[n]) > 0 {
			objects = append(objects, n)
		}
	}
	led := groupOf(g.subjects)
	err = w.query(ctx, g, objects, func(n int) []term { return []term{{field: "Id", values: ids[n]}} }, ask, func(a asking, _ map[string]bool) error {
		id := vendorapi.Text(a.read.get("Id"))
		o, subjects := &w.objects[a.object], of[a.object][id]
		if subjects == nil {
			return vendorapi.Unsure("broken-answer", "Salesforce answered with a record that was not asked for", nil)
		}
		if owner := a.read.get(o.Unless); !isNull(owner) {
			subjects = slices.DeleteFunc(slices.Clone(subjects), func(s *subject) bool { return !w.planned(s, vendorapi.Text(owner)) })
		}
		if len(subjects) == 0 {
			return ctx.Err()
		}
		if string(a.read.get("IsDeleted")) != "true" && !w.purged.Has(id) { // a deleted one's files are as they were left
			led.learn(a.object, o, a.read, subjects, false)
		}
		return row(a.object, id, a.read, subjects)
	})
	if err != nil {
		return err
	}
	if err := w.findShared(ctx, led, ask, func(n int, id string, f *fields, of []*subject) error {
		if met[n][id] {
			return nil
		}
		return row(n, id, f, of)
	}); err != nil {
		return err
	}
	maps.Copy(g.uncovered, led.uncovered)
	return nil
}

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
