package salesforce

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

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

// row takes a record: its object, its id, its fields, and the subjects that it
// is of, at least one. It MUST NOT keep the fields.
type row func(object int, id string, f *fields, of []*subject) error

// find runs over what Salesforce holds of a group's subjects, recycle bin and
// archive included, stage by stage; the records of an object come together. of
// tells which objects are wanted; those by which they are found are walked as
// well, and handed out too. ask names the fields that are wanted beside the
// links.
//
// What Salesforce doesn't show is left in the group: it is for the caller to say
// what that means.
func (w *Worker) find(ctx context.Context, g *group, of func(*object) bool, ask func(*object) []string, row row) error {
	clear(g.found)
	clear(g.noted)
	clear(g.byID)
	clear(g.linked)
	clear(g.uncovered)
	wanted := map[int]bool{}
	for i := range w.objects {
		if of(&w.objects[i]) {
			wanted[i] = true
		}
	}
	for i := range ancestors(w.objects, wanted) {
		wanted[i] = true
	}
	for stage := 0; len(wanted) > 0; stage++ {
		var now []int
		for i := range w.objects {
			if wanted[i] && w.objects[i].stage == stage {
				now = append(now, i)
				delete(wanted, i)
			}
		}
		if err := w.walk(ctx, g, now, ask, row); err != nil {
			return err
		}
	}
	return nil
}

func every(*object) bool { return true }

// asking is one query of a walk.
type asking struct {
	object int
	read   *fields
	// several tells that the object has more than one query, so that a record
	// can come twice.
	several bool
}

// walk runs over the records of objects of one stage.
func (w *Worker) walk(ctx context.Context, g *group, objects []int, ask func(*object) []string, row row) error {
	return w.query(ctx, g, objects, func(n int) []term { return g.terms(&w.objects[n]) }, ask, func(a asking, seen map[string]bool) error {
		return w.take(g, a, seen, row)
	})
}

// query asks for the records of objects by terms, and once more without what only
// optional objects need where Salesforce doesn't show that.
func (w *Worker) query(ctx context.Context, g *group, objects []int, terms func(int) []term, ask func(*object) []string, take func(a asking, seen map[string]bool) error) error {
	for len(objects) > 0 {
		var queries []string
		var of []asking
		for _, n := range objects {
			o := &w.objects[n]
			if w.absent.is(n) {
				continue
			}
			names := w.shown(o, union(o.links, ask(o)))
			some := queriesOf(o.Object, names, terms(n))
			for range some {
				of = append(of, asking{n, fieldsOf(names), len(some) > 1})
			}
			queries = append(queries, some...)
		}
		objects = nil
		seen := map[string]bool{}
		err := w.each(ctx, queries, func(q int, raw []byte) error {
			if err := of[q].read.read(raw); err != nil {
				return vendorapi.Unsure("broken-answer", "Salesforce's answer could not be read", nil)
			}
			return take(of[q], seen)
		}, func(q int, r *refusal) error {
			n := of[q].object
			again, why := w.hidden(n, of[q].read.names, r)
			switch {
			case again && !slices.Contains(objects, n):
				objects = append(objects, n)
			case why != "":
				g.uncovered[n] = why
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// take takes up one record.
func (w *Worker) take(g *group, a asking, seen map[string]bool, row row) error {
	o, f := &w.objects[a.object], a.read
	id := vendorapi.Text(f.get("Id"))
	if !isID(id) {
		return worker.Permanent("bad-id", "Salesforce answered with a record that has no id", nil)
	}
	if a.several {
		if seen[id] {
			return nil
		}
		seen[id] = true
	}
	of := g.subjectsOf(o, f)
	if len(of) == 0 {
		if o.Unless != "" && !isNull(f.get(o.Unless)) {
			return nil // it has changed hands since it was asked for
		}
		// Salesforce compares more loosely than this worker. Guessing whose
		// record it is could show one person another's: a person must look.
		err := worker.Permanent("stranger", "Salesforce answered with a record of object "+o.Object+" that looks like this person's and isn't quite: compare the identifiers in Salesforce with those of the request", nil)
		blamed := g.loosely(o, f)
		if len(blamed) == 0 {
			return err
		}
		fail(blamed, err)
		return nil
	}
	deleted := string(f.get("IsDeleted")) == "true"
	if o.SharedThrough != "" && !deleted && g.unlinked(o, f) {
		return nil // the person's links to it are gone, and others' aren't
	}
	if of = g.withoutLeft(a.object, o, f, of); len(of) == 0 {
		return nil
	}
	g.learn(a.object, o, f, of, deleted)
	return row(a.object, id, f, of)
}

// learn notes the ids by which other records are found.
func (g *group) learn(n int, o *object, f *fields, of []*subject, deleted bool) {
	for _, name := range o.sourceFields {
		id := vendorapi.Text(f.get(name))
		if !isID(id) {
			continue
		}
		if at := (noted{source{n, name}, id}); !g.noted[at] {
			g.noted[at] = true
			g.found[at.source] = append(g.found[at.source], id)
		}
		g.byID[id] = add(g.byID[id], of)
		g.linked[id] = g.linked[id] || !deleted
	}
	if len(o.By) == 0 {
		return
	}
	for _, s := range of {
		if s.roots++; s.roots > maxRoots && s.err == nil {
			s.err = worker.Permanent("shared-identifier", "more records have this person's identifiers than one person's would: an address or a number may be a shared one", nil)
		}
	}
}

// unlinked reports whether only deleted records lead to a record.
func (g *group) unlinked(o *object, f *fields) bool {
	for _, ref := range o.of {
		if g.linked[vendorapi.Text(f.get(ref.field))] {
			return false
		}
	}
	return true
}

// subjectsOf tells whose a record is.
func (g *group) subjectsOf(o *object, f *fields) []*subject {
	var of []*subject
	for _, ref := range o.of {
		if id := f.get(ref.field); !isNull(id) {
			of = add(of, g.byID[vendorapi.Text(id)])
		}
	}
	if o.Unless != "" && !isNull(f.get(o.Unless)) {
		return of
	}
	for t, names := range o.By {
		for _, name := range names {
			if v := f.get(name); !isNull(v) {
				of = add(of, g.byValue[t][matched(name, vendorapi.Text(v))])
			}
		}
	}
	return of
}

// loosely returns the subjects by whose identifiers a record may have been found by
// somebody who compares without regard to marks, width and space.
func (g *group) loosely(o *object, f *fields) []*subject {
	var of []*subject
	for t, names := range o.By {
		for _, name := range names {
			key := loose(vendorapi.Text(f.get(name)))
			if key == "" {
				continue
			}
			for value, subjects := range g.byValue[t] {
				if loose(value) == key {
					of = add(of, subjects)
				}
			}
		}
	}
	return of
}

func loose(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) || unicode.IsSpace(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFKD.String(s))
}

// isID reports whether a text has the form of an id, so that it can stand in an
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
