package marketo

import (
	"slices"
	"strings"

	"habeas.dev/pkg/worker"
	"habeas.dev/services/systems/internal/erasure"
)

const (
	// maxAddresses is how many addresses one query names. Marketo takes 300; with
	// fewer, the leads of a query, of which some people have several, fit one
	// page.
	maxAddresses = 250
	// maxEmail is the longest address that Marketo's Email fields hold.
	maxEmail = 255
)

// subject is one job of a batch on its way.
type subject struct {
	task    worker.Task
	emails  []string         // lower-case: by which it is asked
	again   bool             // the task was tried before
	account *erasure.Account // of an erasure or its proof
	err     error
}

// fail gives the subject an error, unless it has one.
func (s *subject) fail(err error) {
	if s.err == nil {
		s.err = err
	}
}

// fail gives subjects that have none yet an error.
func fail(subjects []*subject, err error) {
	for _, s := range subjects {
		s.fail(err)
	}
}

// wanted reports whether one of the subjects is still without error.
func wanted(subjects []*subject) bool {
	return slices.ContainsFunc(subjects, func(s *subject) bool { return s.err == nil })
}

// group is as many subjects as one query can name.
type group struct {
	subjects []*subject
	emails   []string
	byEmail  map[string][]*subject
}

// subjectOf takes a task's addresses.
func subjectOf(t worker.Task) *subject {
	s := &subject{task: t, again: t.Attempt > 1}
	for _, id := range t.Identifiers {
		if id.Type != "email" {
			continue
		}
		e := strings.ToLower(strings.TrimSpace(id.Value))
		switch {
		case e == "" || len(e) > maxEmail:
			// can't be there
		case strings.Contains(e, ","):
			s.fail(worker.Permanent("unaskable-address", "Marketo can't be asked for an address with a comma in it: look for it by hand", nil))
		default:
			s.emails = append(s.emails, e)
		}
	}
	return s
}

// groupsOf splits subjects into groups. A subject is in one of them only; one
// that has more addresses than fit is alone in its own.
func groupsOf(subjects []*subject) []*group {
	var groups []*group
	var g *group
	for _, s := range subjects {
		if s.err != nil || len(s.emails) == 0 {
			continue
		}
		if g == nil || len(g.emails)+len(s.emails) > maxAddresses {
			g = &group{byEmail: map[string][]*subject{}}
			groups = append(groups, g)
		}
		g.add(s)
	}
	return groups
}

func (g *group) add(s *subject) {
	g.subjects = append(g.subjects, s)
	for _, e := range s.emails {
		of := g.byEmail[e]
		if len(of) == 0 {
			g.emails = append(g.emails, e)
		}
		if !slices.Contains(of, s) { // whose request may name an address twice
			g.byEmail[e] = append(of, s)
		}
	}
}

// groupOf makes a group of subjects that fit one.
func groupOf(subjects []*subject) *group {
	g := &group{byEmail: map[string][]*subject{}}
	for _, s := range subjects {
		g.add(s)
	}
	return g
}

// failed gives every subject that has none yet an error.
func (g *group) failed(err error) { fail(g.subjects, err) }

// eachGroup runs f on each group and gives the group's subjects its error.
func eachGroup(groups []*group, f func(*group) error) {
	for _, g := range groups {
		if err := f(g); err != nil {
			g.failed(err)
		}
	}
}
