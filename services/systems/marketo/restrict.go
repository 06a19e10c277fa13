package marketo

import (
	"context"
	"slices"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
)

// Restrict sets the flags that stop a person's leads from being written to or called.
// Those that somebody else has set are left, and not noted: whoever had unsubscribed
// before stays so when the restriction is lifted. Where a job says so, it clears the
// flags that restrictions for the same right set and that none for another right holds.
func (w *Worker) Restrict(ctx context.Context, jobs []*worker.RestrictJob) error {
	known, err := w.leadFields(ctx)
	if err != nil {
		return err
	}
	subjects := make([]*subject, len(jobs))
	flags, of := map[*subject][]string{}, map[*subject]*worker.RestrictJob{}
	for i, j := range jobs {
		s := subjectOf(j.Task)
		subjects[i] = s
		f, err := w.flagsFor(j.Right, known)
		if err != nil {
			s.fail(err)
		}
		flags[s], of[s] = f, j
	}
	columns := []string{w.leads.Marker}
	for _, f := range w.leads.Restrict {
		if known[f.Field] {
			columns = append(columns, f.Field)
		}
	}
	found, same := map[*subject]int64{}, map[*subject]int64{} // leads; and those that are so already
	var updates []*update
	eachGroup(groupsOf(subjects), func(g *group) error {
		return w.find(ctx, g, columns, func(id string, f *fields, subjects []*subject) error {
			l := readFlags(f, w.leads.Marker)
			for _, s := range subjects {
				found[s]++
				if of[s].Lift {
					l.lift(of[s].Right)
				} else {
					l.restrict(of[s].Right, flags[s])
				}
			}
			u := &update{lead: id, of: subjects, fields: l.changes(w.leads.Marker)}
			if len(u.fields) == 0 {
				for _, s := range subjects {
					same[s]++
				}
			}
			updates = append(updates, u)
			return ctx.Err()
		})
	})
	w.apply(ctx, updates)
	for i, j := range jobs {
		s := subjects[i]
		if j.Err = s.err; j.Err == nil && found[s] > 0 {
			j.Counts = []dsar.Counts{{Dataset: w.leads.name, Found: found[s], Restricted: done(updates, s) + same[s]}}
		}
	}
	return nil
}

// flagsFor returns the flags of a right that leads have.
func (w *Worker) flagsFor(right dsar.Right, known map[string]bool) ([]string, error) {
	var out []string
	for _, f := range w.leads.Restrict {
		writable, there := known[f.Field]
		switch {
		case len(f.Rights) > 0 && !slices.Contains(f.Rights, right):
		case writable:
			out = append(out, f.Field)
		case !f.Optional:
			what := "lack"
			if there {
				what = "don't let be changed"
			}
			return nil, worker.Permanent(codeSchema, "Marketo's leads "+what+" the field "+f.Field+" by which processing is stopped: mend it there, or take it out of the manifest", nil)
		}
	}
	if out == nil {
		return nil, worker.Permanent("not-restrictable", "nothing in the manifest says how processing is stopped for this right: do it by hand, or add restrict: to the dataset of leads", nil)
	}
	return out, nil
}
