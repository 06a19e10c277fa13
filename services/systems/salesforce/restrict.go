package salesforce

import (
	"context"
	"slices"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/worker"
)

// Restrict sets the flags that end the purposes which a job names, opt-outs and an
// Individual's; where it names none, those that end all use of the data. It sets them to
// the value with which processing goes on where a job says so. A use of the person's
// records that no flag of theirs ends fails, once the others are set: a person must see to it.
func (w *Worker) Restrict(ctx context.Context, restrictions []*worker.RestrictJob) error {
	jobs := make([]*counted, len(restrictions))
	for i, j := range restrictions {
		jobs[i] = &counted{Job: &j.Job}
	}
	err := w.restrict(ctx, jobs)
	for i, j := range jobs {
		restrictions[i].Counts = j.Counts
	}
	return err
}

func (w *Worker) restrict(ctx context.Context, jobs []*counted) error {
	for _, j := range jobs {
		j.Err = worker.CanLift(w.flags(j.Purposes, every), j.Task)
	}
	if err := w.flag(ctx, jobs); err != nil {
		return err
	}
	return w.goesOn(ctx, jobs)
}

// goesOn fails those of whose records some are used on for what was to end, by the flags
// that their records have.
func (w *Worker) goesOn(ctx context.Context, jobs []*counted) error {
	var doubtful, looking []*counted
	var left [][]string // of each of those
	for _, j := range jobs {
		flagged := func(o *object) bool {
			return slices.ContainsFunc(j.Counts, func(c dsar.Counts) bool { return c.Dataset == o.dataset && c.Found > 0 })
		}
		if purposes := w.manifest.Unstopped(w.flags(j.Purposes, flagged), j.Purposes); j.Err == nil && len(purposes) > 0 {
			doubtful, left = append(doubtful, j), append(left, purposes)
			looking = append(looking, &counted{Job: &worker.Job{Task: j.Task}})
		}
	}
	if len(doubtful) == 0 {
		return nil
	}
	err := w.write(ctx, looking, "restrict", func(i int) map[int]map[string]any {
		count := map[int]map[string]any{} // without writing anything
		for n := range w.objects {
			if slices.ContainsFunc(w.uses(w.objects[n].dataset), func(id string) bool { return slices.Contains(left[i], id) }) {
				count[n] = map[string]any{}
			}
		}
		return count
	}, func(int, *object, *dsar.Counts, int64) {})
	for i, j := range doubtful {
		if j.Err = looking[i].Err; j.Err == nil {
			j.Err = worker.NotRestrictable(w.usedFor(looking[i].Counts, left[i]), j.Lift)
		}
	}
	return err
}

// uses returns what a dataset is used for.
func (w *Worker) uses(dataset string) []string {
	return w.manifest.UsesOf(w.manifest.Dataset(dataset))
}

// usedFor returns those of some purposes that a dataset is used for of which there are
// records, or which can't be looked at.
func (w *Worker) usedFor(counts []dsar.Counts, purposes []string) (used []string) {
	for _, id := range purposes {
		if slices.ContainsFunc(counts, func(c dsar.Counts) bool { return slices.Contains(w.uses(c.Dataset), id) }) {
			used = append(used, id)
		}
	}
	return used
}

// flags returns the flags of some objects that end some purposes.
func (w *Worker) flags(purposes []string, of func(*object) bool) []manifest.SQLRestrict {
	var out []manifest.SQLRestrict
	for n := range w.objects {
		if o := &w.objects[n]; of(o) {
			out = append(out, manifest.Flags(o.Restrict, purposes)...)
		}
	}
	return out
}

func (w *Worker) flag(ctx context.Context, jobs []*counted) error {
	return w.write(ctx, jobs, "restrict", func(i int) map[int]map[string]any {
		set := map[int]map[string]any{}
		for n := range w.objects {
			for _, r := range manifest.Flags(w.objects[n].Restrict, jobs[i].Purposes) {
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
