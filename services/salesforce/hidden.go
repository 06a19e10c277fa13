package salesforce

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"habeas.dev/pkg/worker"
)

// refusal is Salesforce's refusal of one query for what it names: an object or a
// field that the integration user doesn't see, or that the org hasn't.
type refusal struct {
	code, message string
	detail        error
}

// field returns the field that isn't there, of those that were asked for; empty
// where the refusal is of the object, or names none of them. Salesforce's words
// are not repeated otherwise: they quote the query.
func (r *refusal) field(asked []string) string {
	_, rest, ok := strings.Cut(r.message, "No such column '")
	name, _, ended := strings.Cut(rest, "'")
	if !ok || !ended {
		return ""
	}
	for _, a := range asked {
		if strings.EqualFold(a, name) {
			return a
		}
	}
	return ""
}

// hidden says what a refusal means for an object: that it is to be asked again,
// without what only an optional object needs; that it is left out, as it may be;
// or an error that a person must mend.
func (w *Worker) hidden(n int, asked []string, r *refusal) (again bool, err error) {
	o := &w.objects[n]
	field := r.field(asked)
	if borrowers := o.lent[field]; field != "" && len(borrowers) > 0 {
		for _, b := range borrowers {
			w.absent.set(b, "Salesforce shows no field "+field+" of "+o.Object+" to the integration user, by which dataset "+w.objects[b].dataset+" is found: it is left out, since the manifest calls it optional")
		}
		return true, nil
	}
	what := "object " + o.Object
	code := "no-permission"
	if r.code == "INVALID_FIELD" {
		code = "schema"
		what = "a field of object " + o.Object
		if field != "" {
			what = "field " + field + " of object " + o.Object
		}
	}
	// The links are asked for first: one of them is missing where the org hasn't
	// got what the dataset is about, such as person accounts.
	if o.Optional && (code == "no-permission" || slices.Contains(o.links, field)) {
		w.absent.set(n, "Salesforce shows no "+what+" to the integration user: dataset "+o.dataset+" is left out, since the manifest calls it optional")
		return false, nil
	}
	return false, worker.Permanent(code, "Salesforce doesn't show "+what+" to the integration user: grant read access to it, or take it out of dataset "+o.dataset+" of the manifest", r.detail)
}

// shown leaves out the fields that only absent objects need.
func (w *Worker) shown(o *object, names []string) []string {
	return slices.DeleteFunc(names, func(f string) bool {
		borrowers := o.lent[f]
		return len(borrowers) > 0 && !slices.ContainsFunc(borrowers, func(n int) bool { return !w.absent.is(n) })
	})
}

// absentFor is how long an optional object that isn't there isn't asked for
// again: a permission that is granted shows within the hour.
const absentFor = time.Hour

// absences are the optional objects that an org doesn't have.
type absences struct {
	now func() time.Time

	mu   sync.Mutex
	list map[int]absence
}

type absence struct {
	until time.Time
	note  string
}

func (a *absences) is(n int) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.now().Before(a.list[n].until)
}

func (a *absences) set(n int, note string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.list[n] = absence{a.now().Add(absentFor), note}
}

// Notes names the optional objects that were left out, and why.
func (w *Worker) Notes() []string {
	w.absent.mu.Lock()
	defer w.absent.mu.Unlock()
	var notes []string
	for i := range w.objects {
		if a, ok := w.absent.list[i]; ok && w.absent.now().Before(a.until) {
			notes = append(notes, a.note)
		}
	}
	return notes
}

// notCovered is the error of subjects of whom something may be where Salesforce
// doesn't let the worker look.
func (w *Worker) notCovered(g *group, did string) error {
	var code, reason string
	var err error
	names := make([]string, 0, len(g.uncovered))
	for i := range w.objects {
		if e, ok := g.uncovered[i]; ok {
			if err == nil {
				err = e
			}
			names = append(names, w.objects[i].dataset)
		}
	}
	if err == nil {
		return nil
	}
	var first *worker.Error
	if errors.As(err, &first) {
		code, reason = first.Code, first.Reason
	}
	if len(names) > 1 {
		reason += " (the same goes for " + strings.Join(names[1:], ", ") + ")"
	}
	if did != "" {
		reason += "; " + did
	}
	return worker.Permanent(code, reason, err)
}
