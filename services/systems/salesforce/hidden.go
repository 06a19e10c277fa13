package salesforce

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"

	"habeas.dev/pkg/dsar"
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

// hidden returns what a refusal means for an object: that it is to be asked again,
// without what only an optional object needs; that it is left out, as it may be,
// where both are zero; or why it is not covered until a person has mended it.
func (w *Worker) hidden(n int, asked []string, r *refusal) (again bool, uncovered string) {
	o := &w.objects[n]
	field := r.field(asked)
	if dependents := o.onlyFor[field]; field != "" && len(dependents) > 0 {
		for _, b := range dependents {
			w.absent.set(b, w.unseen(b), "Salesforce shows no field "+field+" of "+o.Object+" to the integration user, by which dataset "+w.objects[b].dataset+" is found: it is left out, since the manifest calls it optional")
		}
		return true, ""
	}
	what := "object " + o.Object
	if r.code == "INVALID_FIELD" {
		what = "a field of object " + o.Object
		if field != "" {
			what = "field " + field + " of object " + o.Object
		}
	}
	// The links are asked for first: one of them is missing where the org hasn't
	// got what the dataset is about, such as person accounts.
	if o.Optional && (r.code != "INVALID_FIELD" || slices.Contains(o.links, field)) {
		w.absent.set(n, w.unseen(n), "Salesforce shows no "+what+" to the integration user: dataset "+o.dataset+" is left out, since the manifest calls it optional")
		return false, ""
	}
	return false, "Salesforce doesn't show " + what + " to the integration user: grant read access to it, or take it out of dataset " + o.dataset + " of the manifest"
}

// unseen says in fields that an object can't be read.
func (w *Worker) unseen(n int) dsar.Cause {
	return dsar.Cause{Code: codeForbids, Dataset: w.objects[n].dataset, Object: w.objects[n].Object, Permission: "read"}
}

// shown leaves out the fields that only absent objects need.
func (w *Worker) shown(o *object, names []string) []string {
	return slices.DeleteFunc(names, func(f string) bool {
		dependents := o.onlyFor[f]
		return len(dependents) > 0 && !slices.ContainsFunc(dependents, func(n int) bool { return !w.absent.is(n) })
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
	note  worker.Note
}

func (a *absences) is(n int) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.now().Before(a.list[n].until)
}

func (a *absences) set(n int, cause dsar.Cause, text string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.list[n] = absence{a.now().Add(absentFor), worker.Note{Cause: cause, Text: text}}
}

// Notes names the optional objects that were left out, and why.
func (w *Worker) Notes() []worker.Note {
	w.absent.mu.Lock()
	defer w.absent.mu.Unlock()
	var notes []worker.Note
	for i := range w.objects {
		if a, ok := w.absent.list[i]; ok && w.absent.now().Before(a.until) {
			notes = append(notes, a.note)
		}
	}
	return notes
}

// gaps returns the objects of which Salesforce may hold something of a subject that
// it doesn't show, and why: those that are hidden, where the subject has what their
// records are found by, and those whose records are found through them.
func (w *Worker) gaps(g *group, s *subject) map[int]string {
	gaps := map[int]string{}
	for again := len(g.uncovered) > 0; again; {
		again = false
		for i := range w.objects {
			if reason := w.gap(g, s, i, gaps); reason != "" && gaps[i] == "" {
				gaps[i], again = reason, true
			}
		}
	}
	return gaps
}

// gap returns why something of an object may be missing, given the other gaps.
func (w *Worker) gap(g *group, s *subject, n int, gaps map[int]string) string {
	o, why := &w.objects[n], g.uncovered[n]
	if why != "" && len(o.By) > 0 {
		return why
	}
	for _, ref := range o.of {
		for _, from := range ref.from {
			if through := gaps[from.object]; through != "" {
				return cmp.Or(why, through)
			}
			if why != "" && slices.ContainsFunc(g.found[from], func(id string) bool { return slices.Contains(g.byID[id], s) }) {
				return why
			}
		}
	}
	return ""
}

// erasureGaps returns the gaps of an erasure: also what it leaves where it is,
// since what is hidden could not be found without it.
func (w *Worker) erasureGaps(g *group, s *subject, counts []dsar.Counts) map[int]string {
	gaps := w.gaps(g, s)
	hidden := map[int]bool{}
	var names []string
	for i := range w.objects {
		if g.uncovered[i] != "" && gaps[i] != "" {
			hidden[i] = true
			names = append(names, w.objects[i].dataset)
		}
	}
	for i := range ancestors(w.objects, hidden) {
		if gaps[i] == "" && counts[i].Found > 0 {
			gaps[i] = "what leads to dataset " + strings.Join(names, ", ") + " is left, so that it can still be found"
		}
	}
	return gaps
}
