package salesforce

import (
	"context"
	"slices"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/worker"
)

// Restrict sets the flags that stop processing for the right at hand, and for the
// purposes that the person named: opt-outs, and an Individual's; it sets them to the
// value with which processing goes on where a job says so. A right for which no
// dataset has a flag, or such a value, fails: a person must see to it.
func (w *Worker) Restrict(ctx context.Context, all []*worker.RestrictJob) error {
	jobs := make([]*counted, len(all))
	for i, j := range all {
		jobs[i] = &counted{Job: &j.Job}
	}
	err := w.restrict(ctx, jobs)
	for i, j := range jobs {
		all[i].Counts = j.Counts
	}
	return err
}

func (w *Worker) restrict(ctx context.Context, jobs []*counted) error {
	for _, j := range jobs {
		switch {
		case w.stops(j.Right, func(manifest.SQLRestrict) bool { return true }):
			if j.Lift && w.stops(j.Right, func(r manifest.SQLRestrict) bool { return r.Lift() == nil }) {
				j.Err = worker.Permanent("no-lift", "the manifest doesn't say which value goes on with processing: undo it by hand, or add lifted:", nil)
			}
		case j.Lift:
			j.Err = worker.Permanent("not-restrictable", "nothing in this system's manifest says how processing is stopped for this right: what was done by hand must be undone by hand", nil)
		default:
			j.Err = worker.Permanent("not-restrictable", "nothing in this system's manifest says how processing is stopped for this right: do it by hand, or add restrict: to a dataset", nil)
		}
	}
	return w.flag(ctx, jobs)
}

// stops reports whether some flag of a right is such a one.
func (w *Worker) stops(right dsar.Right, such func(manifest.SQLRestrict) bool) bool {
	return slices.ContainsFunc(w.objects, func(o object) bool { return slices.ContainsFunc(o.flags(right, nil), such) })
}

// flags returns those of an object that stop processing for a right and, where any
// are named, for one of the purposes.
func (o *object) flags(right dsar.Right, purposes []string) []manifest.SQLRestrict {
	return slices.DeleteFunc(slices.Clone(o.Restrict), func(r manifest.SQLRestrict) bool {
		return len(r.Rights) > 0 && !slices.Contains(r.Rights, right) ||
			len(purposes) > 0 && len(r.Purposes) > 0 && !slices.ContainsFunc(r.Purposes, func(p string) bool { return slices.Contains(purposes, p) })
	})
}

func (w *Worker) flag(ctx context.Context, jobs []*counted) error {
	return w.write(ctx, jobs, "restrict", func(i int) map[int]map[string]any {
		set := map[int]map[string]any{}
		for n := range w.objects {
			for _, r := range w.objects[n].flags(jobs[i].Right, jobs[i].Purposes) {
				if set[n] == nil {
					set[n] = map[string]any{}
				}
				if set[n][r.Column] = r.Value; jobs[i].Lift {
					set[n][r.Column] = r.Lift()
				}
			}
		}
		return set
	}, func(_ int, _ *object, c *dsar.Counts, done int64) { c.Restricted = done })
}
