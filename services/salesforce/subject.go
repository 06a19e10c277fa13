package salesforce

import (
	"strings"
	"unicode/utf8"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
)

const (
	// maxEmail is the longest address that Salesforce's Email fields hold, in
	// characters: a longer one can't be there.
	maxEmail = 80
	// groupChars bounds the addresses of a group as SOQL writes them: a query
	// has at most 100,000 characters, and the largest names addresses once and
	// ids of contacts and leads beside.
	groupChars = 45_000
	// maxPeople bounds the contacts and leads of a group, at 21 characters
	// each, for the same reason.
	maxPeople = 2_400
)

// subject is one job of a batch on its way.
type subject struct {
	emails []string // lower-case
	err    error
}

// group is as many subjects as one query can name.
type group struct {
	subjects []*subject
	byEmail  map[string][]*subject
	byPerson map[string][]*subject // by the id of a contact or lead
	keys     keys
}

// subjectOf takes a task's addresses.
func subjectOf(t worker.Task) *subject {
	s := &subject{}
	for _, id := range t.Identifiers {
		if id.Type != "email" {
			continue
		}
		if e := strings.ToLower(strings.TrimSpace(id.Value)); e != "" && utf8.RuneCountInString(e) <= maxEmail {
			s.emails = append(s.emails, e)
		}
	}
	return s
}

// groupsOf splits subjects into groups.
func groupsOf(subjects []*subject) []*group {
	var groups []*group
	var g *group
	chars := 0
	for _, s := range subjects {
		n := 0
		for _, e := range s.emails {
			n += 2*len(e) + 3 // every character escaped, quotes, comma
		}
		if g == nil || len(g.subjects) >= MaxBatch || chars+n > 2*groupChars {
			g = &group{byEmail: map[string][]*subject{}, byPerson: map[string][]*subject{}}
			groups = append(groups, g)
			chars = 0
		}
		chars += n
		g.subjects = append(g.subjects, s)
		for _, e := range s.emails {
			if len(g.byEmail[e]) == 0 {
				g.keys.emails = append(g.keys.emails, e)
			}
			g.byEmail[e] = append(g.byEmail[e], s)
		}
	}
	return groups
}

// failed gives every subject that has none yet an error.
func (g *group) failed(err error) {
	for _, s := range g.subjects {
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
		for i, o := range w.objects {
			t[s][i].Dataset = o.dataset
		}
	}
	return t
}

// of returns a subject's counts, without datasets of which nothing was found.
func (t tally) of(s *subject) []dsar.Counts {
	var out []dsar.Counts
	for _, c := range t[s] {
		if c.Found > 0 || c.Erased > 0 {
			out = append(out, c)
		}
	}
	return out
}
