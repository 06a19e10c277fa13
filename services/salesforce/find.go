package salesforce

import (
	"bytes"
	"context"
	"strings"

	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
)

// fields is one row: the raw value of each field that was asked for, by its
// position. Rows of one query share it.
type fields struct {
	names  []string // as asked for, with dots
	values [][]byte
	// at maps a name to its position, for the order in which Salesforce answers
	// isn't promised.
	at map[string]int
}

func fieldsOf(names []string) *fields {
	f := &fields{names: names, values: make([][]byte, len(names)), at: make(map[string]int, len(names))}
	for i, n := range names {
		f.at[n] = i
	}
	return f
}

// read takes a row apart. Fields over a relationship come as objects within.
func (f *fields) read(raw []byte) error {
	clear(f.values)
	s := vendorapi.NewScanner(raw)
	f.object(s, "")
	return s.Err()
}

func (f *fields) object(s *vendorapi.Scanner, prefix string) {
	s.Object(func(key []byte) {
		var i int
		var ok bool
		if prefix == "" {
			i, ok = f.at[string(key)] // without allocation
		} else {
			i, ok = f.at[prefix+string(key)]
		}
		switch {
		case ok:
			f.values[i] = s.Value()
		case s.IsObject() && string(key) != "attributes":
			f.object(s, prefix+string(key)+".")
		default:
			s.Skip()
		}
	})
}

// get returns a field raw; nil where the row lacks it.
func (f *fields) get(name string) []byte {
	if name == "" {
		return nil
	}
	if i, ok := f.at[name]; ok {
		return f.values[i]
	}
	return nil
}

var null = []byte("null")

func isNull(raw []byte) bool { return len(raw) == 0 || bytes.Equal(raw, null) }

// find runs over everything that Salesforce holds of a group's subjects, recycle
// bin and archive included: object by object, in order. row gets each record
// with the subjects that it is of, at least one; it MUST NOT keep the fields.
func (w *Worker) find(ctx context.Context, g *group, ask func(*object) []string, row func(object int, id string, f *fields, of []*subject) error) error {
	g.keys.contacts, g.keys.leads = nil, nil
	clear(g.byPerson)
	// People first: the others are found by their ids.
	people, others := w.people()
	if err := w.walk(ctx, g, people, ask, row); err != nil {
		return err
	}
	for _, part := range g.parts() {
		if err := w.walk(ctx, part, others, ask, row); err != nil {
			return err
		}
	}
	return nil
}

// parts splits a group whose contacts and leads are too many for one query. A
// subject is in one part only, so its records still come object by object. One
// that alone has too many gets an error.
func (g *group) parts() []*group {
	if len(g.keys.contacts)+len(g.keys.leads) <= maxPeople {
		return []*group{g}
	}
	if len(g.subjects) == 1 {
		g.failed(worker.Permanent("shared-address", "more contacts and leads have this address than one person's: it may be a shared one", nil))
		return nil
	}
	var parts []*group
	half := len(g.subjects) / 2
	for _, subjects := range [][]*subject{g.subjects[:half], g.subjects[half:]} {
		for _, part := range groupsOf(subjects) {
			part.take(g)
			parts = append(parts, part.parts()...)
		}
	}
	return parts
}

// take takes over what a larger group knows of this one's subjects.
func (g *group) take(from *group) {
	mine := make(map[*subject]bool, len(g.subjects))
	for _, s := range g.subjects {
		mine[s] = true
	}
	pick := func(ids []string) (some []string) {
		for _, id := range ids {
			var of []*subject
			for _, s := range from.byPerson[id] {
				if mine[s] {
					of = append(of, s)
				}
			}
			if len(of) > 0 {
				g.byPerson[id] = of
				some = append(some, id)
			}
		}
		return some
	}
	g.keys.contacts, g.keys.leads = pick(from.keys.contacts), pick(from.keys.leads)
}

func (w *Worker) people() (people, others []int) {
	for i := range w.objects {
		if w.objects[i].tier == tierPeople {
			people = append(people, i)
		} else {
			others = append(others, i)
		}
	}
	return people, others
}

func (w *Worker) walk(ctx context.Context, g *group, objects []int, ask func(*object) []string, row func(int, string, *fields, []*subject) error) error {
	queries := make([]string, len(objects))
	read := make([]*fields, len(objects))
	for i, n := range objects {
		o := &w.objects[n]
		names := ask(o)
		queries[i] = o.queryOf(names, g.keys)
		read[i] = fieldsOf(names)
	}
	return w.each(ctx, queries, func(q int, raw []byte) error {
		o, f := &w.objects[objects[q]], read[q]
		if err := f.read(raw); err != nil {
			return vendorapi.Unsure("broken-answer", "Salesforce's answer could not be read", nil)
		}
		id := vendorapi.Text(f.get("Id"))
		if !isID(id) {
			return worker.Permanent("bad-id", "Salesforce answered with a record that has no id", nil)
		}
		of := g.subjectsOf(o, f)
		if len(of) == 0 {
			// Salesforce compares more loosely than this worker. Guessing whose
			// record it is could show one person another's.
			return worker.Permanent("stranger", "Salesforce answered with a record of object "+o.name+" that matches nobody who was asked for", nil)
		}
		if o.tier == tierPeople {
			g.byPerson[id] = of
			if o.name == "Lead" {
				g.keys.leads = append(g.keys.leads, id)
			} else {
				g.keys.contacts = append(g.keys.contacts, id)
			}
		}
		return row(objects[q], id, f, of)
	})
}

// subjectsOf tells whose a record is.
func (g *group) subjectsOf(o *object, f *fields) []*subject {
	var of []*subject
	contact := f.get(o.contact)
	if !isNull(contact) {
		of = add(of, g.byPerson[vendorapi.Text(contact)])
	}
	if o.lead != "" && o.lead != o.contact {
		if lead := f.get(o.lead); !isNull(lead) {
			of = add(of, g.byPerson[vendorapi.Text(lead)])
		}
	}
	if o.email != "" && (o.owner == "" || isNull(contact)) {
		if email := f.get(o.email); !isNull(email) {
			of = add(of, g.byEmail[strings.ToLower(vendorapi.Text(email))])
		}
	}
	return of
}

// isID tells whether a text has the form of an id, so that it can stand in an
// address and in XML as it is.
func isID(s string) bool {
	if len(s) != 18 && len(s) != 15 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return true
}
