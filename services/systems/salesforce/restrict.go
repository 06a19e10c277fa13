package salesforce

import (
	"context"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/worker"
)

// Restrict sets the flags that end the purposes which a job names, opt-outs and an
// Individual's; where it names none, those that end all use of the data. It sets them to
// the value with which processing goes on where a job says so. What no flag ends fails,
// once the others are set: a person must see to it.
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
		j.Err = worker.CanRestrict(w.manifest, w.flags(j.Purposes), j.Task)
	}
	if err := w.flag(ctx, jobs); err != nil {
		return err
	}
	for _, j := range jobs {
		if j.Err == nil {
			j.Err = worker.NotRestrictable(w.manifest.Unstopped(w.flags(j.Purposes), j.Purposes), j.Lift)
		}
	}
	return nil
}

// flags returns the flags of all objects that end some purposes.
func (w *Worker) flags(purposes []string) []manifest.SQLRestrict {
	var out []manifest.SQLRestrict
	for _, o := range w.objects {
		out = append(out, manifest.Flags(o.Restrict, purposes)...)
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
