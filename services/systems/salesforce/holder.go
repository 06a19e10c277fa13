package salesforce

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"slices"

	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
)

// evidence is what tells whose planned records are by now that a group's identifiers don't
// lead to any more.
type evidence struct {
	w       *Worker
	g       *group
	who     []*subject        // of whom planned ones weren't met
	planned []*shown          // that are there, those first by which others are found
	rows    map[string]*shown // by id: these, and what they refer to
	asked   map[string]bool   // the ids of what was asked for
}

// shown is a record as Salesforce shows it.
type shown struct {
	object int
	id     string
	fields *fields
	named  []string   // the records that name it
	of     []*subject // of whom it was planned
}

func (r *shown) binned() bool { return string(r.fields.get("IsDeleted")) == "true" }

// collect asks for the planned records that weren't met for whom they were planned, and for
// what they refer to. A file
// that others may share is taken up from the recycle bin only.
func (e *evidence) collect(ctx context.Context, met met, ask func(*object) []string) error {
	w := e.w
	of := map[string][]*subject{}
	ids := make([][]string, len(w.objects))
	for n := range w.objects {
		o := &w.objects[n]
		if e.g.uncovered[n] != "" || o.goesWith != "" {
			continue
		}
		for _, s := range e.g.subjects {
			for _, id := range s.account.Open(o.dataset) {
				if met.has(n, id, s) || !isID(id) {
					continue
				}
				if of[id] == nil {
					ids[n] = append(ids[n], id)
				}
				of[id], e.asked[id] = append(of[id], s), true
				e.who = add(e.who, []*subject{s})
			}
		}
	}
	err := e.ask(ctx, func(n int) []term { return []term{{field: "Id", values: ids[n]}} }, ask, func(r *shown) error {
		if r.of = of[r.id]; r.of == nil {
			return vendorapi.Unsure("broken-answer", "Salesforce answered with a record that was not asked for", nil)
		}
		if w.objects[r.object].SharedThrough == "" || r.binned() {
			e.planned = append(e.planned, r)
			e.rows[r.id] = r
		}
		return ctx.Err()
	})
	if err != nil {
		return err
	}
	slices.SortStableFunc(e.planned, func(a, b *shown) int { return cmp.Compare(w.objects[a.object].stage, w.objects[b.object].stage) })
	return e.follow(ctx)
}

// ask asks for records by terms, and hands out each.
func (e *evidence) ask(ctx context.Context, terms func(int) []term, ask func(*object) []string, row func(*shown) error) error {
	var objects []int
	for n := range e.w.objects {
		if e.g.uncovered[n] == "" && slices.ContainsFunc(terms(n), func(t term) bool { return len(t.values) > 0 }) {
			objects = append(objects, n)
		}
	}
	return e.w.query(ctx, e.g, objects, terms, ask, func(a asking, seen map[string]bool) error {
		r := &shown{object: a.object, id: vendorapi.Text(a.read.get("Id")), fields: &fields{names: a.read.names, at: a.read.at}}
		if seen[r.id] {
			return nil
		}
		seen[r.id] = true
		for _, value := range a.read.values {
			r.fields.values = append(r.fields.values, bytes.Clone(value))
		}
		return row(r)
	})
}

// follow asks for the records that planned ones refer to or are named by, as far as it isn't known
// whose they are, and for those that these refer to.
func (e *evidence) follow(ctx context.Context) error {
	last := slices.Clone(e.planned)
	for range len(e.w.steps(func(o *object) int { return o.stage })) {
		wanted := make([]map[string]bool, len(e.w.objects)) // by object, ids
		names := make([]map[string][]string, len(e.w.objects))
		for _, r := range last {
			e.refers(r, wanted, names)
		}
		terms := func(n int) (all []term) {
			all = append(all, term{field: "Id", values: slices.Sorted(maps.Keys(wanted[n]))})
			for _, field := range slices.Sorted(maps.Keys(names[n])) {
				all = append(all, term{field: field, values: names[n][field]})
			}
			return all
		}
		for _, ids := range wanted {
			for id := range ids {
				e.asked[id] = true
			}
		}
		last = nil
		err := e.ask(ctx, terms, func(*object) []string { return nil }, func(r *shown) error {
			for field, ids := range names[r.object] {
				if to := e.rows[vendorapi.Text(r.fields.get(field))]; to != nil && !r.binned() && slices.Contains(ids, to.id) {
					to.named = append(to.named, r.id)
				}
			}
			if e.rows[r.id] == nil {
				e.rows[r.id] = r
				last = append(last, r)
			}
			return ctx.Err()
		})
		if err != nil || len(last) == 0 {
			return err
		}
	}
	return nil
}

// refers adds what a record refers to and isn't known of, by object, and itself to those that
// others may name, by the object and field in which they do.
func (e *evidence) refers(r *shown, wanted []map[string]bool, names []map[string][]string) {
	o := &e.w.objects[r.object]
	for _, ref := range o.of {
		id := vendorapi.Text(r.fields.get(ref.field))
		for _, from := range ref.from {
			switch {
			case o.SharedThrough != "" || !isID(id):
			case ref.field == "Id":
				if names[from.object] == nil {
					names[from.object] = map[string][]string{}
				}
				names[from.object][from.field] = append(names[from.object][from.field], id)
			case !e.asked[id] && !e.foundForAll(id) && from.field == "Id":
				if wanted[from.object] == nil {
					wanted[from.object] = map[string]bool{}
				}
				wanted[from.object][id] = true
			}
		}
	}
}

// foundForAll reports whether a record was found for everyone of whom there is something to tell.
func (e *evidence) foundForAll(id string) bool {
	return all(e.who, func(s *subject) bool { return slices.Contains(e.g.byID[id], s) })
}

// holder says whose a record is by now for a subject: by the identifiers in it, by the records
// that it refers to, and by those that name it.
func (e *evidence) holder(s *subject, r *shown) (h worker.Holder) {
	o, f := &e.w.objects[r.object], r.fields
	for _, id := range r.named {
		e.leads(&h, s, id)
	}
	for _, ref := range o.of {
		if id := f.get(ref.field); ref.field != "Id" && !isNull(id) {
			e.leads(&h, s, vendorapi.Text(id))
		}
	}
	if owner := f.get(o.Unless); !isNull(owner) {
		e.leads(&h, s, vendorapi.Text(owner))
		return h
	}
	for typ, names := range o.By {
		for _, name := range names {
			value := vendorapi.Text(f.get(name))
			if name != "Id" && value != "" && len(s.known[typ]) > 0 {
				h.Leads(s.knows(typ, name, value))
			}
		}
	}
	return h
}

// leads takes in a record that another refers to or is named by. One that was planned and isn't
// there any more was the person's; of one that is there, but was not planned, counts
// what leads from it to people.
func (e *evidence) leads(h *worker.Holder, s *subject, id string) {
	switch r := e.rows[id]; {
	case slices.Contains(e.g.byID[id], s):
		h.Leads(true)
	case r == nil:
		h.Leads(e.w.planned(s, id))
	case slices.Contains(r.of, s):
		h.Leads(!e.holder(s, r).IsAnothers())
	default:
		h.Through(e.holder(s, r))
	}
}
