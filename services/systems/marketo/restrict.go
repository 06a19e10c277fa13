package marketo

import (
	"context"
	"slices"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/worker"
)

// Restrict sets the flags that stop a person's leads from being written to or called.
// What none that leads have ends fails, once the others are set: a person must see to it.
// Those that somebody else has set are left, and not noted: whoever had unsubscribed
// before stays so when the restriction is lifted. Where a job says so, it clears the
// flags that restrictions for the same right set and that none for another right holds.
func (w *Worker) Restrict(ctx context.Context, jobs []*worker.RestrictJob) error {
	known, err := w.leadFields(ctx)
	if err != nil {
		return err
	}
	subjects := make([]*subject, len(jobs))
	flags, of := map[*subject][]manifest.SQLRestrict{}, map[*subject]*worker.RestrictJob{}
	for i, j := range jobs {
		s := subjectOf(j.Task)
		subjects[i] = s
		f, err := w.flagsFor(j.Purposes, known)
		if err == nil {
			err = worker.CanLift(f, j.Task)
		}
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
					l.restrict(of[s].Right, fieldsOf(flags[s]))
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
		if j.Err = s.err; j.Err == nil && found[s] > 0 && len(flags[s]) > 0 {
			j.Counts = []dsar.Counts{{Dataset: w.leads.name, Found: found[s], Restricted: done(updates, s) + same[s]}}
		}
		if j.Err == nil && found[s] > 0 { // whoever has no lead is in none of its datasets
			j.Err = worker.NotRestrictable(w.manifest.Unstopped(flags[s], j.Purposes), j.Lift)
		}
	}
	return nil
}

// flagsFor returns the flags that leads have and that end some purposes.
func (w *Worker) flagsFor(purposes []string, known map[string]bool) ([]manifest.SQLRestrict, error) {
	var out []manifest.SQLRestrict
	for _, r := range manifest.Flags(stops(w.leads.Restrict), purposes) {
		writable, there := known[r.Column]
		optional := slices.ContainsFunc(w.leads.Restrict, func(f flag) bool { return f.Field == r.Column && f.Optional })
		switch {
		case writable:
			out = append(out, r)
		case !optional:
			what := "lack"
			if there {
				what = "don't let be changed"
			}
			return nil, worker.Permanent(codeSchema, "Marketo's leads "+what+" the field "+r.Column+" by which processing is stopped: mend it there, or take it out of the manifest", nil)
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

// fieldsOf returns the fields that flags are.
func fieldsOf(flags []manifest.SQLRestrict) []string {
	out := make([]string, len(flags))
	for i, r := range flags {
		out[i] = r.Column
	}
	return out
}
