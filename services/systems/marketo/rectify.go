package marketo

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
)

// Rectify changes the fields that people corrected, in all of a person's
// leads. A column that the manifest doesn't list under rectify: is left as it is
// and named; where none is listed, a person must see to it.
func (w *Worker) Rectify(ctx context.Context, jobs []*worker.RectifyJob) error {
	subjects := make([]*subject, len(jobs))
	values := map[*subject]map[string]any{}
	for i, j := range jobs {
		s := subjectOf(j.Task)
		subjects[i] = s
		v, err := w.corrected(j.Changes)
		if err != nil {
			s.fail(err)
		}
		values[s] = v
	}
	found := map[*subject]int64{}
	var updates []*update
	eachGroup(groupsOf(subjects), func(g *group) error {
		return w.find(ctx, g, nil, func(id string, _ *fields, of []*subject) error {
			u := &update{lead: id, of: of, fields: map[string]any{}}
			for _, s := range of {
				found[s]++
				for f, v := range values[s] {
					u.fields[f] = v
				}
			}
			updates = append(updates, u)
			return ctx.Err()
		})
	})
	w.apply(ctx, updates)
	for i, j := range jobs {
		s := subjects[i]
		if j.Err = s.err; j.Err != nil || found[s] == 0 {
			continue
		}
		c := dsar.Counts{Dataset: w.leads.name, Found: found[s], Rectified: done(updates, s)}
		for _, change := range j.Changes {
			switch {
			case change.Dataset != w.leads.name:
			case slices.Contains(w.leads.Rectify, change.Column):
				c.Changed = append(c.Changed, change.Column)
			default:
				c.Unchanged = append(c.Unchanged, change.Column)
			}
		}
		j.Counts = []dsar.Counts{c}
	}
	return nil
}

// corrected returns the values of the columns that may be corrected.
func (w *Worker) corrected(changes []worker.Change) (map[string]any, error) {
	values := map[string]any{}
	for _, c := range changes {
		if c.Dataset != w.leads.name || !slices.Contains(w.leads.Rectify, c.Column) {
			continue
		}
		v, ok := parse(w.leads.types[c.Column], c.Value)
		if !ok {
			return nil, worker.Permanent("bad-correction", "the corrected value of "+c.Dataset+"."+c.Column+" isn't what the column holds: ask the person again", nil)
		}
		values[c.Column] = v
	}
	if len(values) == 0 {
		return nil, worker.Permanent("not-rectifiable", "none of the corrected fields is one that the manifest lets be corrected: correct it by hand, or say no with the reason", nil)
	}
	return values, nil
}

// parse makes a value of a column's type from the text of a correction.
func parse(typ, text string) (any, bool) {
	text = strings.TrimSpace(text)
	switch typ {
	case "integer":
		n, err := strconv.ParseInt(text, 10, 64)
		return n, err == nil
	case "number":
		n, err := strconv.ParseFloat(text, 64)
		return n, err == nil
	case "boolean":
		b, err := strconv.ParseBool(text)
		return b, err == nil
	}
	return text, true
}

// apply makes the updates of those who are still without error. What stops all
// of them fails those whose leads weren't reached.
func (w *Worker) apply(ctx context.Context, updates []*update) {
	todo := slices.DeleteFunc(slices.Clone(updates), func(u *update) bool { return !wanted(u.of) || len(u.fields) == 0 })
	if err := w.updateLeads(ctx, todo); err != nil {
		for _, u := range todo {
			if !u.done {
				fail(u.of, err)
			}
		}
	}
}

// done returns how many leads of a subject have been changed.
func done(updates []*update, s *subject) (n int64) {
	for _, u := range updates {
		if u.done && slices.Contains(u.of, s) {
			n++
		}
	}
	return n
}
