package salesforce

import (
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
	"habeas.dev/services/systems/internal/erasure"
)

const (
	// maxEmail is the longest address that Salesforce's Email fields hold, in
	// characters, and maxText the longest text that can be looked up: a longer
	// one can't be there.
	maxEmail = 80
	maxText  = 255
	// maxRoots is how many records may be found by one person's identifiers
	// themselves. More mean an identifier that isn't one person's.
	maxRoots = 2_400
)

// subject is one job of a batch on its way.
type subject struct {
	task worker.Task
	// identifiers are the literals by which it is looked up, by type.
	identifiers map[dsar.IdentifierType][]string
	// known are the literals by which a planned record would have been found for them, by
	// type, as they are matched ([matched]): telephone numbers without their country, too.
	known map[dsar.IdentifierType][]string
	roots int
	// left are the objects of which a record was left since it says that it is somebody else's.
	left    map[int]bool
	account *erasure.Account // of an erasure or its proof
	err     error
}

// subjectOf takes a task's identifiers.
func subjectOf(t worker.Task) *subject {
	s := &subject{task: t, identifiers: literalsOf(t.Identifiers), known: map[dsar.IdentifierType][]string{}, left: map[int]bool{}}
	for typ, values := range literalsOf(t.Known()) {
		for _, v := range values {
			s.known[typ] = append(s.known[typ], strings.ToLower(v))
			if isID(v) {
				s.known[typ] = append(s.known[typ], matched("Id", v))
			}
		}
	}
	return s
}

// knows reports whether what stands in a field is an identifier of the subject's, of a type.
func (s *subject) knows(typ dsar.IdentifierType, field, value string) bool {
	return s.task.Knows(typ, value) || slices.Contains(s.known[typ], matched(field, value))
}

// literalsOf returns the literals by which identifiers are looked up, by type.
func literalsOf(ids []worker.Identifier) map[dsar.IdentifierType][]string {
	literals := map[dsar.IdentifierType][]string{}
	for _, id := range ids {
		v := strings.TrimSpace(id.Value)
		forms := []string{v}
		most := maxText
		switch id.Type {
		case "email":
			forms[0], most = strings.ToLower(v), maxEmail
		case "phone":
			forms = phoneForms(v)
		}
		for _, f := range forms {
			if f != "" && utf8.RuneCountInString(f) <= most {
				literals[id.Type] = append(literals[id.Type], f)
			}
		}
	}
	return literals
}

// phoneForms returns the ways in which a telephone number is found in Salesforce,
// which keeps numbers as they were typed, and compares them as texts: as it was
// given, in full, and, of North America, as Salesforce's own pages write it.
func phoneForms(v string) []string {
	forms := []string{v}
	digits := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, v)
	if len(digits) < 7 {
		return forms
	}
	add := func(f string) {
		for _, have := range forms {
			if have == f {
				return
			}
		}
		forms = append(forms, f)
	}
	international := strings.HasPrefix(v, "+") || strings.HasPrefix(v, "00")
	digits = strings.TrimPrefix(digits, "00")
	if international {
		add("+" + digits)
		add("00" + digits)
	}
	add(digits)
	if n, ok := strings.CutPrefix(digits, "1"); ok && len(n) == 10 || len(digits) == 10 && !international {
		if !ok {
			n = digits
		}
		add("(" + n[:3] + ") " + n[3:6] + "-" + n[6:])
		add(n[:3] + "-" + n[3:6] + "-" + n[6:])
		add(n)
		add("+1" + n)
	}
	return forms
}

// group is the subjects of one walk, and what they are known by: the literals
// that were given, and the ids that were found.
type group struct {
	subjects []*subject
	values   map[dsar.IdentifierType][]string
	byValue  map[dsar.IdentifierType]map[string][]*subject // by matched
	found    map[source][]string
	noted    map[noted]bool // what is in found
	byID     map[string][]*subject
	linked   map[string]bool // the ids that a record leads to which isn't deleted
	// uncovered are the objects that Salesforce doesn't show, and why.
	uncovered map[int]string
}

type noted struct {
	source
	id string
}

// groupOf makes a group of a batch's subjects, those without error.
func groupOf(subjects []*subject) *group {
	g := &group{subjects: subjects, values: map[dsar.IdentifierType][]string{}, byValue: map[dsar.IdentifierType]map[string][]*subject{},
		found: map[source][]string{}, noted: map[noted]bool{}, byID: map[string][]*subject{}, linked: map[string]bool{}, uncovered: map[int]string{}}
	for _, s := range subjects {
		for t, values := range s.identifiers {
			known := g.byValue[t]
			if known == nil {
				known = map[string][]*subject{}
				g.byValue[t] = known
			}
			for _, v := range values {
				if len(known[strings.ToLower(v)]) == 0 {
					g.values[t] = append(g.values[t], v)
				}
				known[strings.ToLower(v)] = add(known[strings.ToLower(v)], []*subject{s})
				if isID(v) {
					known[matched("Id", v)] = add(known[matched("Id", v)], []*subject{s})
				}
			}
		}
	}
	return g
}

// isReference reports whether a field holds ids, which are told apart by case.
func isReference(field string) bool { return strings.HasSuffix(field, "Id") }

// matched returns a value as it is matched: texts without regard to case, as
// Salesforce compares them; ids by their first 15 characters, which a person may
// have been told without the last three.
func matched(field, value string) string {
	if isReference(field) && isID(value) {
		return "\x00" + value[:15] // no text
	}
	return strings.ToLower(value)
}

// terms returns what an object's records of the group are found by.
func (g *group) terms(o *object) []term {
	var terms []term
	for _, ref := range o.of {
		t := term{field: ref.field}
		for _, s := range ref.from {
			t.values = append(t.values, g.found[s]...)
		}
		terms = append(terms, t)
	}
	for _, t := range slices.Sorted(maps.Keys(o.By)) {
		values := g.values[t]
		for _, f := range o.By[t] {
			if isReference(f) {
				values = only(values, isID)
			}
			terms = append(terms, term{field: f, guard: o.Unless, values: values})
		}
	}
	return terms
}

func only(values []string, such func(string) bool) []string {
	var out []string
	for _, v := range values {
		if such(v) {
			out = append(out, v)
		}
	}
	return out
}

// failed gives every subject that has none yet an error.
func (g *group) failed(err error) { fail(g.subjects, err) }

func fail(subjects []*subject, err error) {
	for _, s := range subjects {
		if s.err == nil {
			s.err = err
		}
	}
}

// add joins subjects to a list that holds each once.
func add(list []*subject, more []*subject) []*subject {
next:
	for _, s := range more {
		for _, l := range list {
			if l == s {
				continue next
			}
		}
		list = append(list, s)
	}
	return list
}

// tally counts one subject's records by object.
type tally map[*subject][]dsar.Counts

func (w *Worker) tallyOf(subjects []*subject) tally {
	t := make(tally, len(subjects))
	for _, s := range subjects {
		t[s] = make([]dsar.Counts, len(w.objects))
		for i := range w.objects {
			t[s][i].Dataset = w.objects[i].dataset
		}
	}
	return t
}

// uncover notes what of a subject isn't covered, and why.
func (t tally) uncover(w *Worker, s *subject, gaps map[int]string) {
	for n, why := range gaps {
		cause := w.unseen(n)
		t[s][n].Uncovered, t[s][n].Cause = why, &cause
	}
	w.tellLeft(s, gaps, func(dataset, why string, cause dsar.Cause) {
		n := w.number(dataset)
		t[s][n].Uncovered, t[s][n].Cause = why, &cause
	})
}

// of returns a subject's counts, without datasets of which nothing was found.
func (t tally) of(s *subject) []dsar.Counts {
	var out []dsar.Counts
	for _, c := range t[s] {
		if c.Found > 0 || len(c.Unchanged) > 0 || c.Uncovered != "" {
			out = append(out, c)
		}
	}
	return out
}
