package marketo

import (
	"context"
	"slices"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
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
		f, err := w.flagsFor(j.Purposes, known)
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

// flagsFor returns the flags that leads have and that end some purposes.
func (w *Worker) flagsFor(purposes []string, known map[string]bool) ([]string, error) {
	var out []string
	chosen := manifest.Flags(stops(w.leads.Restrict), purposes)
	if left := w.manifest.Unstopped(chosen, purposes); len(left) > 0 {
		return nil, worker.NotRestrictable(left, false)
	}
	for _, f := range w.leads.Restrict {
		writable, there := known[f.Field]
		switch {
		case !slices.ContainsFunc(chosen, func(r manifest.SQLRestrict) bool { return r.Column == f.Field }):
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
	return out, nil
}

// stops returns flags as [manifest.Flags] chooses them.
func stops(all []flag) []manifest.SQLRestrict {
	out := make([]manifest.SQLRestrict, len(all))
	for i, f := range all {
		out[i] = manifest.SQLRestrict{Column: f.Field, Value: true, Stops: f.Stops}
	}
	return out
}
